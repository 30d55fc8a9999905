// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace fuseboard {
namespace {

// How many bytes a lead byte asks for, and the range that its second byte must lie in (Unicode 15, table 3-7).
struct Lead {
  std::size_t length;  // 0: no lead byte
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

constexpr Lead lead_of(char lead) noexcept {
  const auto byte = static_cast<unsigned char>(lead);
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

}  // namespace

std::size_t character_size(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const Lead lead = lead_of(text.front());
  return continued(text, lead) == lead.length ? lead.length : 0;
}

bool is_cut_character(std::string_view tail) noexcept {
  if (tail.empty()) return false;
  const Lead lead = lead_of(tail.front());
  return tail.size() < lead.length && continued(tail, lead) == tail.size();
}

std::size_t first_invalid_utf8(std::string_view text) noexcept {
  std::size_t at = 0;
  while ((at += ascii_run(text.substr(at))) < text.size()) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0) return at;
    at += size;
  }
  return at;
}

}  // namespace fuseboard
