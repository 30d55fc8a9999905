// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The last moves of one breaker [BRK-16.2].
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "fuseboard/breaker/state.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Keeps kTransitionsKept, packed. Not thread-safe.
class TransitionHistory {
 public:
  void add(TimePoint at, CircuitState from, TransitionCause cause) noexcept;
  // Oldest first. `generation`: the one that the last of them began.
  std::vector<Transition> list(std::uint64_t generation) const;

 private:
  std::uint64_t count_ = 0;  // those that are not kept any more included
  std::array<TimePoint, kTransitionsKept> at_{};
  std::array<CircuitState, kTransitionsKept> from_{};
  std::array<TransitionCause, kTransitionsKept> cause_{};
};

}  // namespace fuseboard
