// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace fuseboard::config {
namespace {

template <typename Value, std::size_t N>
std::optional<Value> unit_value(const std::array<std::pair<std::string_view, Value>, N>& units, std::string_view name) {
  for (const auto& [unit, value] : units) {
    if (unit == name) return value;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kDurationUnits = {{{"ns", 1},
                                                                                      {"us", 1'000},
                                                                                      {"ms", 1'000'000},
                                                                                      {"s", 1'000'000'000},
                                                                                      {"m", 60'000'000'000},
                                                                                      {"h", 3'600'000'000'000}}};
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> kSizeUnits = {{{"", 1},
                                                                                   {"B", 1},
                                                                                   {"KiB", std::uint64_t{1} << 10},
                                                                                   {"MiB", std::uint64_t{1} << 20},
                                                                                   {"GiB", std::uint64_t{1} << 30}}};

std::string_view take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

template <typename Value>
std::optional<Value> number(std::string_view digits) {
  Value value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// 0.`digits` of `unit`, where that is a whole number.
std::optional<std::int64_t> part_of(std::int64_t unit, std::string_view digits) {
  digits = digits.substr(0, digits.find_last_not_of('0') + 1);
  // The units have at most 14 twos and 11 fives, so nothing that ends in a later place is a whole number.
  if (digits.size() > 18) return std::nullopt;
  if (digits.empty()) return 0;
  __extension__ using Wide = __int128;
  Wide product = static_cast<Wide>(*number<std::int64_t>(digits)) * unit;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (product % 10 != 0) return std::nullopt;
    product /= 10;
  }
  return static_cast<std::int64_t>(product);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
  }
  const auto unit = unit_value(kDurationUnits, text);
  const auto units = number<std::int64_t>(whole);
  std::int64_t total = 0;
  if (!unit || !units || __builtin_mul_overflow(*units, *unit, &total)) return std::nullopt;
  const auto part = part_of(*unit, fraction);
  if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
  return Duration(total);
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  const auto count = number<std::uint64_t>(take_digits(text));
  const auto unit = unit_value(kSizeUnits, text);
  std::uint64_t bytes = 0;
  if (!count || !unit || __builtin_mul_overflow(*count, *unit, &bytes)) return std::nullopt;
  return bytes;
}

}  // namespace fuseboard::config
