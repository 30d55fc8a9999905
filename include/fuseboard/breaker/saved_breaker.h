// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a breaker outlives its process [BRK-15].
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/state.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// One breaker's state to outlive its process [BRK-15]. Points in time are kept as spans from the moment of saving,
// since a monotonic clock means nothing to another process. Totals, windows, times of failures and calls
// in flight are not part of it.
struct SavedBreaker {
  Key key;
  CircuitState state = CircuitState::closed;  // half_open is restored as open with no time remaining
  std::uint32_t consecutive_failures = 0;
  std::optional<Category> last_failure{};
  std::uint64_t times_opened = 0;
  Duration open_base = Duration::zero();  // the open time that the next one grows from, before jitter
  Duration remaining = Duration::zero();  // until a probe is let through; zero unless open
  std::optional<Duration> opened_ago{};
  Duration closed_for = Duration::zero();   // zero unless closed
  Duration failing_for = Duration::zero();  // since the first of a closed circuit's failures in a row
  std::optional<BreakerOverride> override_in_force{};
};

}  // namespace fuseboard
