// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/priority.h"

#include <algorithm>
#include <string>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, kPriorityCount> kNames = {"low", "normal", "high", "critical"};
constexpr double kSpread = 0.1;

void check_each(Validator& validator, std::string_view field, const PerPriority& values, double least, double most) {
  for (std::size_t i = 0; i < kPriorityCount; ++i) {
    const std::string path = std::string(field) + "." + std::string(kNames[i]);
    validator.in_range(path, values[i], least, most);
    // Above its neighbour would turn the priorities round. Written so that NaN is reported once.
    if (i > 0 && values[i] > values[i - 1]) {
      validator.add(path, "more than " + std::string(kNames[i - 1]) + "'s",
                    "at most " + std::string(kNames[i - 1]) + "'s");
    }
  }
}

}  // namespace

std::string_view name(Priority priority) noexcept { return kNames[static_cast<std::size_t>(priority)]; }

std::optional<Priority> priority_from_name(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Priority>(found - kNames.begin());
}

Problems PriorityOptions::validate() const {
  Validator validator;
  check_each(validator, "reserves", reserves, 0.0, 1.0);
  check_each(validator, "weights", weights, 0.01, 100.0);
  return std::move(validator).take();
}

Duration spread_wait(Duration needed, Priority priority, Rng& rng) noexcept {
  if (priority > Priority::normal) return needed;
  return saturating_add(needed, saturating_scale(needed, kSpread * rng.uniform()));
}

}  // namespace fuseboard
