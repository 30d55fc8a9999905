// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "llm/json_run.h"

namespace fuseboard::llm {
namespace {

// How many bytes a lead byte asks for, and the range that its second byte must lie in (Unicode 15, table 3-7).
struct Lead {
  std::size_t length;  // 0: no lead byte
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

constexpr Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80) return {1};
  if (byte < 0xC2) return {0};  // a continuation, or overlong
  if (byte < 0xE0) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};  // below: overlong
  if (byte == 0xED) return {3, 0x80, 0x9F};  // above: surrogates
  if (byte < 0xF0) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};  // below: overlong
  if (byte < 0xF4) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};  // above: beyond U+10FFFF
  return {0};
}

// How many bytes of a character are there and right, its lead byte included.
constexpr std::size_t continued(std::string_view text, Lead lead) noexcept {
  const std::size_t most = std::min(text.size(), lead.length);
  for (std::size_t i = 1; i < most; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < (i == 1 ? lead.low : 0x80) || byte > (i == 1 ? lead.high : 0xBF)) return i;
  }
  return most;
}

// How many bytes at the beginning are ASCII.
std::size_t ascii_run(std::string_view text) noexcept {
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if ((word & kHighs) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
}

void append_valid(std::string& out, std::string_view text) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const char* const plain_end = plain_run_end(at, end);
    out.append(at, plain_end);
    at = plain_end;
    if (at != end) append_escaped(out, *at++);
  }
}

}  // namespace

std::size_t first_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while ((at += ascii_run(text.substr(at))) < text.size()) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    if (lead.length == 0 || continued(text.substr(at), lead) < lead.length) return at;
    at += lead.length;
  }
  return at;
}

bool is_cut_character(std::string_view tail) noexcept {
  if (tail.empty()) return false;
  const Lead lead = lead_of(static_cast<unsigned char>(tail[0]));
  return tail.size() < lead.length && continued(tail, lead) == tail.size();
}

void append_json_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  while (true) {
    const std::size_t valid = first_invalid_utf8(text);
    append_valid(out, text.substr(0, valid));
    if (valid == text.size()) break;
    out += "\xEF\xBF\xBD";
    text.remove_prefix(valid + 1);
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace fuseboard::llm
