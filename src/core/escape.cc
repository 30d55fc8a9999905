// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/escape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "fuseboard/core/utf8.h"

namespace fuseboard {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode 15: general categories Cc, Cf, Zl and Zp, Default_Ignorable_Code_Point without U+FE00 to U+FE0F, and the
// noncharacters U+FDD0 to U+FDEF. Sorted.
constexpr std::array<Range, 30> kUnprintable = {{
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},
    {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0x1FFFE, 0x1FFFF}, {0xE0000, 0xE0FFF}, {0x10FFFE, 0x10FFFF},
}};
static_assert(std::ranges::is_sorted(kUnprintable, {}, &Range::first));

bool is_unprintable(std::uint32_t code) noexcept {
  const auto* const after = std::ranges::upper_bound(kUnprintable, code, {}, &Range::first);
  return after != kUnprintable.begin() && code <= (after - 1)->last;
}

struct Decoded {
  std::uint32_t code = 0;
  std::size_t size = 1;
  bool valid = false;
};

constexpr std::uint32_t byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

// The first character of `text`, which is not empty.
Decoded decode(std::string_view text) noexcept {
  const std::size_t size = character_size(text);
  if (size == 0) return {};
  std::uint32_t code = size == 1 ? byte_at(text, 0) : byte_at(text, 0) & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) code = (code << 6) | (byte_at(text, i) & 0x3F);
  return {.code = code, .size = size, .valid = true};
}

void append_hex(std::string& out, std::uint32_t number, std::size_t digits) {
  std::array<char, 8> space{};
  const char* const end = std::to_chars(space.data(), space.data() + space.size(), number, 16).ptr;
  const auto size = static_cast<std::size_t>(end - space.data());
  if (size < digits) out.append(digits - size, '0');
  out.append(space.data(), size);
}

constexpr bool is_plain(char c) noexcept { return c >= ' ' && c <= '~'; }

}  // namespace

bool is_printable(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_plain(text[at])) {
      ++at;
      continue;
    }
    const Decoded character = decode(text.substr(at));
    if (!character.valid || is_unprintable(character.code)) return false;
    at += character.size;
  }
  return true;
}

std::string escape_unprintable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded character = decode(text);
    if (!character.valid || (character.code < 0x80 && !is_plain(text.front()))) {
      out += "\\x";
      append_hex(out, byte_at(text, 0), 2);
    } else if (is_unprintable(character.code)) {
      out += "\\u{";
      append_hex(out, character.code, 4);
      out += '}';
    } else {
      out += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

}  // namespace fuseboard
