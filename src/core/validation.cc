// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/validation.h"

#include <array>
#include <charconv>
#include <cmath>

namespace fuseboard {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  // People write and read 0.0001 and 60000000000, not 1e-04 and 6e+10.
  const bool plain = value == 0.0 || (std::abs(value) >= 1e-9 && std::abs(value) < 1e15);
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  return {buffer.data(), result.ptr};
}

std::string list(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem.message();
  }
  return text;
}

}  // namespace

std::string Problem::message() const { return field + ": " + value + " is not allowed; allowed: " + allowed; }

InvalidOptions::InvalidOptions(Problems problems)
    : std::invalid_argument(list(problems)), problems_(std::move(problems)) {}

void Validator::in_range(std::string_view field, double value, double low, double high) {
  // Written so that NaN fails.
  if (!(value >= low && value <= high)) add(field, number_text(value), number_text(low) + " to " + number_text(high));
}

void Validator::in_range(std::string_view field, Duration value, Duration low, Duration high) {
  if (value < low || value > high) add(field, to_text(value), to_text(low) + " to " + to_text(high));
}

void Validator::add(std::string_view field, std::string value, std::string allowed) {
  problems_.push_back({std::string(field), std::move(value), std::move(allowed)});
}

void Validator::merge(std::string_view prefix, Problems nested) {
  for (Problem& problem : nested) {
    problem.field = std::string(prefix) + "." + problem.field;
    problems_.push_back(std::move(problem));
  }
}

std::string to_text(Duration duration) {
  if (duration == kForever) return "forever";
  struct Unit {
    std::int64_t nanoseconds;
    std::string_view suffix;
  };
  constexpr std::array<Unit, 6> kUnits = {{{3'600'000'000'000, "h"},
                                           {60'000'000'000, "m"},
                                           {1'000'000'000, "s"},
                                           {1'000'000, "ms"},
                                           {1'000, "us"},
                                           {1, "ns"}}};
  const std::int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const Unit& unit : kUnits) {
    if (count % unit.nanoseconds == 0) return std::to_string(count / unit.nanoseconds) + std::string(unit.suffix);
  }
  return std::to_string(count) + "ns";
}

}  // namespace fuseboard
