// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a backslash means in a JSON string (RFC 8259, section 7): one table for all that read or write such strings.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fuseboard {

struct JsonShortEscape {
  char letter;
  char meant;
};
// The most frequent first.
inline constexpr std::array<JsonShortEscape, 8> kJsonShortEscapes = {
    {{'n', '\n'}, {'"', '"'}, {'\\', '\\'}, {'t', '\t'}, {'r', '\r'}, {'/', '/'}, {'b', '\b'}, {'f', '\f'}}};

// The value of a hexadecimal digit; -1 for any other character.
constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct JsonEscape {
  std::uint16_t unit = 0;  // a character of UTF-16, or half of a surrogate pair
  std::size_t size = 0;    // of the escape as it is written
};

// The escape that `text`, which begins with a backslash, begins with; nullopt if it is none of JSON's.
constexpr std::optional<JsonEscape> read_json_escape(std::string_view text) noexcept {
  constexpr std::size_t kUnicodeEscape = 6;  // \u0041
  if (text.size() < 2) return std::nullopt;
  if (text[1] != 'u') {
    for (const auto& [letter, meant] : kJsonShortEscapes) {
      if (letter == text[1]) return JsonEscape{.unit = static_cast<std::uint16_t>(meant), .size = 2};
    }
    return std::nullopt;
  }
  if (text.size() < kUnicodeEscape) return std::nullopt;
  unsigned unit = 0;
  for (const char c : text.substr(2, 4)) {
    const int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    unit = unit * 16 + static_cast<unsigned>(digit);
  }
  return JsonEscape{.unit = static_cast<std::uint16_t>(unit), .size = kUnicodeEscape};
}

// Goes over what stands between the quotes of a JSON string: plain(run) for what stands for itself, unit(unit) for each
// escape. Behind a backslash that begins no escape of JSON's, which only a broken text has, a character stands for
// itself, and so does a backslash at the end.
template <typename Plain, typename Unit>
constexpr void walk_json_string(std::string_view inside, Plain plain, Unit unit) {
  while (!inside.empty()) {
    std::size_t size = std::min(inside.find('\\'), inside.size());
    if (size > 0) {
      plain(inside.substr(0, size));
    } else if (const std::optional<JsonEscape> escape = read_json_escape(inside)) {
      unit(escape->unit);
      size = escape->size;
    } else {
      size = std::min<std::size_t>(inside.size(), 2);
      plain(inside.substr(size - 1, 1));
    }
    inside.remove_prefix(size);
  }
}

}  // namespace fuseboard
