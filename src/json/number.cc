// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/number.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "json/syntax.h"

namespace fuseboard::json {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

std::uint64_t shifted(std::uint64_t value, std::uint64_t digit) noexcept {
  std::uint64_t product = 0;
  std::uint64_t sum = 0;
  if (__builtin_mul_overflow(value, std::uint64_t{10}, &product)) return kMax;
  return __builtin_add_overflow(product, digit, &sum) ? kMax : sum;
}

// What stands behind the `e`. Far more than a number has digits is as good as the exact amount.
std::int64_t exponent_of(std::string_view text) noexcept {
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (read.ec == std::errc::result_out_of_range) return text.starts_with('-') ? -kFar : kFar;
  return std::clamp(exponent, -kFar, kFar);
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view value) noexcept {
  const bool negative = value.starts_with('-');
  if (negative) value.remove_prefix(1);
  if (value.empty() || !is_digit(value.front())) return std::nullopt;
  const std::size_t mark = std::min(value.find_first_of("eE"), value.size());
  const std::string_view digits = value.substr(0, mark);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  // So many of the digits, or more zeros than are written, stand before the point.
  std::int64_t whole_digits = static_cast<std::int64_t>(point);
  if (mark < value.size()) whole_digits += exponent_of(value.substr(mark + 1));
  std::uint64_t number = 0;
  std::int64_t place = 0;
  for (const char c : digits) {
    if (c == '.') continue;
    if (place++ < whole_digits) {
      number = shifted(number, static_cast<std::uint64_t>(c - '0'));
    } else if (c != '0') {
      return std::nullopt;
    }
  }
  for (; place < whole_digits && number != 0 && number != kMax; ++place) number = shifted(number, 0);
  if (negative && number != 0) return std::nullopt;
  return number;
}

}  // namespace fuseboard::json
