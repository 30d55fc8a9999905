// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/string_decoder.h"

#include "fuseboard/core/json_escape.h"
#include "fuseboard/core/utf8.h"

namespace fuseboard::json {
namespace {

constexpr bool is_high(unsigned unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
constexpr bool is_low(unsigned unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

}  // namespace

void StringDecoder::append_replacement(std::string& out) {
  out += encode_utf8(0xFFFD).view();
  lost_half_ = true;
}

void StringDecoder::append_unit(std::string& out, unsigned unit) {
  if (high_ != 0 && is_low(unit)) {
    out += encode_utf8(0x10000 + ((high_ - 0xD800) << 10U) + (unit - 0xDC00)).view();
    high_ = 0;
    return;
  }
  finish(out);
  if (is_high(unit)) {
    high_ = unit;
  } else if (is_low(unit)) {
    append_replacement(out);
  } else {
    out += encode_utf8(unit).view();
  }
}

void StringDecoder::append(std::string& out, std::string_view literal) {
  if (literal.size() <= 2) return;
  walk_json_string(
      literal.substr(1, literal.size() - 2),
      [&](std::string_view plain) {
        finish(out);
        out += plain;
      },
      [&](unsigned unit) { append_unit(out, unit); });
}

void StringDecoder::finish(std::string& out) {
  if (high_ != 0) append_replacement(out);
  high_ = 0;
}

std::string decode(std::string_view literal) {
  std::string text;
  StringDecoder decoder;
  decoder.append(text, literal);
  decoder.finish(text);
  return text;
}

std::optional<std::string> unescape(std::string_view literal) {
  std::string text;
  StringDecoder decoder;
  decoder.append(text, literal);
  decoder.finish(text);
  if (decoder.lost_half()) return std::nullopt;
  return text;
}

}  // namespace fuseboard::json
