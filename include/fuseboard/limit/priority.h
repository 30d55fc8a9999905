// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who goes first when there is not enough for all [LIM-2].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

enum class Priority : std::uint8_t { low, normal, high, critical };
inline constexpr std::size_t kPriorityCount = 4;
std::string_view name(Priority priority) noexcept;
std::optional<Priority> priority_from_name(std::string_view name) noexcept;

// What a priority means to a bucket.
enum class PriorityMode : std::uint8_t {
  // A priority may draw the bucket down to its reserve, and leaves the rest to those above it.
  reserve,
  // A call costs more or less than one token. Only for limits of our own: to an outside limit every call is one call.
  weighted_cost,
};

// One value a priority, in the order of the enumerators.
using PerPriority = std::array<double, kPriorityCount>;

struct PriorityOptions {
  PriorityMode mode = PriorityMode::reserve;
  // Mode `reserve`: the fraction of the burst that a priority leaves, 0 to 1, not growing with the priority. At most
  // burst - cost is kept back, so that a full bucket lets every call pass.
  PerPriority reserves = {0.50, 0.20, 0.05, 0.0};
  // Mode `weighted_cost`: what a call's cost is multiplied by; 0.01 to 100, not growing with the priority.
  PerPriority weights = {2.0, 1.0, 0.5, 0.1};

  Problems validate() const;
  friend bool operator==(const PriorityOptions&, const PriorityOptions&) noexcept = default;
};

// The wait that a refused call is told: for low and normal up to 10 % longer than needed, so that those who were
// refused together do not return together; never shorter [LIM-3].
Duration spread_wait(Duration needed, Priority priority, Rng& rng) noexcept;

}  // namespace fuseboard
