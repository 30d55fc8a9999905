// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/text_rules.h"

#include <array>
#include <charconv>
#include <cmath>

#include "fuseboard/core/rng.h"

namespace fuseboard::sim {
namespace {

struct Unit {
  std::string_view suffix;
  double nanoseconds;
};
// "ms" and "us" before "m" and "s": the first suffix that fits wins.
constexpr std::array<Unit, 5> kUnits = {{{"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}}};
constexpr double kLongest = 24 * 3600e9;

// Digits with at most one point: from_chars alone would take "inf", "nan" and "1e9" as well.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.find_first_not_of("0123456789.") != text.npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const std::optional<double> number = parse_decimal(text.substr(0, text.size() - unit.suffix.size()));
    if (!number || *number * unit.nanoseconds > kLongest) return std::nullopt;
    return Duration(std::llround(*number * unit.nanoseconds));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.empty() || text.size() > 10 || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count <= 1'000'000'000 ? std::optional(count) : std::nullopt;
}

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) { return Rng(Rng(seed).next() ^ value).next(); }

std::uint64_t mix(std::uint64_t seed, std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a, 64 bits
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return mix(seed, hash);
}

}  // namespace fuseboard::sim
