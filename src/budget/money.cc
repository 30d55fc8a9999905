// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/money.h"

#include <array>
#include <charconv>
#include <memory>

namespace fuseboard {
namespace {

constexpr std::uint64_t kNanosPerDollar = 1'000'000'000;
constexpr std::size_t kDecimals = 9;

// At least one digit and nothing else. Overflow is refused by from_chars.
std::optional<std::uint64_t> parse_digits(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(std::to_address(text.begin()), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Money> Money::parse(std::string_view dollars) noexcept {
  const std::size_t point = dollars.find('.');
  const std::optional<std::uint64_t> whole = parse_digits(dollars.substr(0, point));
  if (!whole || *whole > kMax / kNanosPerDollar) return std::nullopt;
  std::uint64_t fraction = 0;
  if (point != std::string_view::npos) {
    const std::string_view decimals = dollars.substr(point + 1);
    const std::optional<std::uint64_t> digits = parse_digits(decimals);
    if (!digits || decimals.size() > kDecimals) return std::nullopt;
    fraction = *digits;
    for (std::size_t i = decimals.size(); i < kDecimals; ++i) fraction *= 10;
  }
  const std::uint64_t nanos = *whole * kNanosPerDollar + fraction;
  if (nanos > kMax) return std::nullopt;
  return Money(nanos);
}

std::string to_text(Money amount) {
  std::array<char, kDecimals> decimals{};
  std::uint64_t fraction = amount.nanos() % kNanosPerDollar;
  for (std::size_t i = kDecimals; i-- > 0; fraction /= 10) decimals[i] = static_cast<char>('0' + fraction % 10);
  std::size_t shown = kDecimals;
  while (shown > 2 && decimals[shown - 1] == '0') --shown;
  return std::to_string(amount.nanos() / kNanosPerDollar) + "." + std::string(decimals.data(), shown);
}

}  // namespace fuseboard
