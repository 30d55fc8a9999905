// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Characters in UTF-8 texts: where they begin and end, and which bytes are none. Thread-safe; nothing here fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fuseboard {

// Whether a byte goes on with a character that began before it.
constexpr bool is_continuation(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// The beginning of `text`, of at most `most` bytes, that does not end within a character.
constexpr std::string_view cut_to_characters(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  while (most > 0 && is_continuation(text[most])) --most;
  return text.substr(0, most);
}

// The number of bytes of the character that `text` begins with, 1 to 4; 0 if it is empty or begins with none (Unicode
// 15, table 3-7: no surrogates, nothing overlong, nothing above U+10FFFF).
std::size_t character_size(std::string_view text) noexcept;

// Whether `tail`, which begins with no character, would with more bytes behind it.
bool is_cut_character(std::string_view tail) noexcept;

// The offset of the first byte that neither begins a character nor goes on with one; text.size() if there is none.
// Quick for ASCII.
std::size_t first_invalid_utf8(std::string_view text) noexcept;

// The bytes of one character.
struct Utf8Character {
  std::array<char, 4> bytes{};
  std::size_t size = 0;

  constexpr std::string_view view() const noexcept { return {bytes.data(), size}; }
};

// `code` is at most 0x10FFFF. A surrogate gets the three bytes that its number asks for: whoever does not want these
// looks first.
constexpr Utf8Character encode_utf8(std::uint32_t code) noexcept {
  const auto lead = [code](std::uint32_t mark, unsigned shift) { return static_cast<char>(mark | (code >> shift)); };
  const auto tail = [code](unsigned shift) { return static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) return {{lead(0, 0)}, 1};
  if (code < 0x800) return {{lead(0xC0, 6), tail(0)}, 2};
  if (code < 0x10000) return {{lead(0xE0, 12), tail(6), tail(0)}, 3};
  return {{lead(0xF0, 18), tail(12), tail(6), tail(0)}, 4};
}

}  // namespace fuseboard
