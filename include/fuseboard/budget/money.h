// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Money, counted in whole nano-dollars.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace fuseboard {

// An amount of US dollars: never negative, exact to a nano-dollar, up to 9 223 372 036.854775807 (a signed 64-bit
// count, so that every store can hold it). Sums and products saturate, differences stop at zero. A price of 3 dollars
// per million tokens is 3000 nano-dollars a token, so no rounding is met before prices below a thousandth of a dollar
// per million.
class Money {
 public:
  constexpr Money() noexcept = default;

  static constexpr Money from_nanos(std::uint64_t nanos) noexcept { return Money(nanos < kMax ? nanos : kMax); }
  static constexpr Money max() noexcept { return Money(kMax); }
  // Digits, with at most nine decimals: "5", "5.00", "0.000000001". No sign, exponent, currency or blank; nullopt for
  // any other text and for more than max(). Reads no floating-point number, so "0.1" is a tenth.
  static std::optional<Money> parse(std::string_view dollars) noexcept;

  constexpr std::uint64_t nanos() const noexcept { return nanos_; }
  constexpr bool is_zero() const noexcept { return nanos_ == 0; }

  friend constexpr Money operator+(Money a, Money b) noexcept { return from_nanos(a.nanos_ + b.nanos_); }
  friend constexpr Money operator-(Money a, Money b) noexcept {
    return Money(a.nanos_ > b.nanos_ ? a.nanos_ - b.nanos_ : 0);
  }
  constexpr Money& operator+=(Money other) noexcept { return *this = *this + other; }

  friend constexpr auto operator<=>(Money, Money) noexcept = default;

 private:
  static constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  // Two of the largest still fit a word, so a sum of two needs no test before it is clamped.
  static_assert(kMax <= std::numeric_limits<std::uint64_t>::max() / 2);

  constexpr explicit Money(std::uint64_t nanos) noexcept : nanos_(nanos) {}
  std::uint64_t nanos_ = 0;
};

// Dollars with two decimals, or as many as are needed: "5.00", "0.0031". parse() reads it back as the same amount.
std::string to_text(Money amount);

}  // namespace fuseboard
