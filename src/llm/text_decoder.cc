// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/text_decoder.h"

#include <charconv>

namespace fuseboard::llm {
namespace {

constexpr unsigned kReplacement = 0xFFFD;

constexpr bool is_high(unsigned unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low(unsigned unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

void append_utf8(std::string& out, unsigned code_point) {
  const auto byte = [&out](unsigned value) { out += static_cast<char>(value); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0U | (code_point >> 6U));
    byte(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    byte(0xE0U | (code_point >> 12U));
    byte(0x80U | ((code_point >> 6U) & 0x3FU));
    byte(0x80U | (code_point & 0x3FU));
  } else {
    byte(0xF0U | (code_point >> 18U));
    byte(0x80U | ((code_point >> 12U) & 0x3FU));
    byte(0x80U | ((code_point >> 6U) & 0x3FU));
    byte(0x80U | (code_point & 0x3FU));
  }
}

constexpr char escaped(char c) noexcept {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

}  // namespace

void TextDecoder::append_unit(std::string& out, unsigned unit) {
  if (high_ != 0 && is_low(unit)) {
    append_utf8(out, 0x10000 + ((high_ - 0xD800) << 10U) + (unit - 0xDC00));
    high_ = 0;
    return;
  }
  finish(out);
  if (is_high(unit)) {
    high_ = unit;
  } else {
    append_utf8(out, is_low(unit) ? kReplacement : unit);
  }
}

void TextDecoder::append(std::string& out, std::string_view literal) {
  if (literal.size() <= 2) return;
  std::string_view rest = literal.substr(1, literal.size() - 2);
  while (!rest.empty()) {
    const std::string_view plain = rest.substr(0, rest.find('\\'));
    if (!plain.empty()) {
      finish(out);
      out += plain;
      rest.remove_prefix(plain.size());
      continue;
    }
    if (rest.size() < 2) return;
    if (rest[1] != 'u') {
      finish(out);
      out += escaped(rest[1]);
      rest.remove_prefix(2);
      continue;
    }
    unsigned unit = 0;
    const std::string_view digits = rest.substr(2, 4);
    std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    append_unit(out, unit);
    rest.remove_prefix(2 + digits.size());
  }
}

void TextDecoder::finish(std::string& out) {
  if (high_ != 0) append_utf8(out, kReplacement);
  high_ = 0;
}

std::string decode_text(std::string_view literal) {
  std::string text;
  TextDecoder decoder;
  decoder.append(text, literal);
  decoder.finish(text);
  return text;
}

}  // namespace fuseboard::llm
