// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A short text held in place: copying never allocates, so rejections and events can carry a key by value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "fuseboard/core/utf8.h"

namespace fuseboard {

// Holds at most N bytes; a longer text is cut at a UTF-8 boundary and ends in "..." so that the cut shows.
template <std::size_t N>
class BoundedText {
  static_assert(N >= 8 && N <= 255);

 public:
  constexpr BoundedText() noexcept = default;
  constexpr BoundedText(std::string_view text) noexcept {  // NOLINT(google-explicit-constructor): a text is a text
    if (text.size() <= N) {
      std::copy(text.begin(), text.end(), bytes_.begin());
      size_ = static_cast<std::uint8_t>(text.size());
      return;
    }
    const std::string_view kept = cut_to_characters(text, N - 3);
    std::fill_n(std::copy(kept.begin(), kept.end(), bytes_.begin()), 3, '.');
    size_ = static_cast<std::uint8_t>(kept.size() + 3);
  }
  constexpr BoundedText(const char* text) noexcept  // NOLINT(google-explicit-constructor)
      : BoundedText(std::string_view(text)) {}

  static constexpr std::size_t max_size() noexcept { return N; }
  constexpr std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  constexpr operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)
  constexpr bool empty() const noexcept { return size_ == 0; }

  friend constexpr bool operator==(const BoundedText& a, const BoundedText& b) noexcept { return a.view() == b.view(); }
  friend constexpr bool operator==(const BoundedText& a, std::string_view b) noexcept { return a.view() == b; }
  friend constexpr bool operator==(const BoundedText& a, const char* b) noexcept { return a.view() == b; }

 private:
  std::uint8_t size_ = 0;
  std::array<char, N> bytes_{};
};

// The text of a key in events, rejections and records. Longer keys work; their text is cut here alone.
using KeyText = BoundedText<95>;

}  // namespace fuseboard
