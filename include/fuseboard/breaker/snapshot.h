// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker and a registry show of themselves [BRK-16].
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fuseboard/breaker/state.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// What a window holds. An empty one has rates of 0.
struct WindowTotals {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t slow = 0;

  double failure_rate() const noexcept { return rate(failures); }
  double slow_call_rate() const noexcept { return rate(slow); }
  friend bool operator==(const WindowTotals&, const WindowTotals&) noexcept = default;

 private:
  double rate(std::uint64_t part) const noexcept {
    return calls == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(calls);
  }
};

// Since the breaker was made; a reset does not clear them.
struct BreakerTotals {
  std::uint64_t admitted = 0;
  // Settled permits and reports, by verdict.
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t throttled = 0;
  std::uint64_t neutral = 0;
  // Permits destroyed unsettled; not among the four above.
  std::uint64_t abandoned = 0;
  // How many of the four above were reported without a permit.
  std::uint64_t reported = 0;

  friend bool operator==(const BreakerTotals&, const BreakerTotals&) noexcept = default;
};

// Transitions of all breakers of one registry, let go of ones included.
struct TransitionTotals {
  std::uint64_t opened = 0;
  std::uint64_t half_opened = 0;
  std::uint64_t closed = 0;  // by probes and by resets of a circuit that was not closed

  friend bool operator==(const TransitionTotals&, const TransitionTotals&) noexcept = default;
};

// One breaker at one time [BRK-16]. The state and what belongs to it are a consistent cut; totals and calls in flight
// are summed from per-thread counters and may miss what happens meanwhile.
struct BreakerSnapshot {
  Key key;
  CircuitState state = CircuitState::closed;  // the automatic one, whatever the override
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  BreakerTotals totals{};
  std::uint64_t in_flight = 0;
  // Where calls in flight are tracked and there are any.
  std::optional<Duration> oldest_in_flight{};
  std::optional<WindowTotals> window{};  // where a rate rule is set
  std::optional<BreakerOverride> override_in_force{};
  std::uint32_t probes_in_flight = 0;  // of the current half-open period
  // Open or half-open: of the current open period, as drawn. Closed: what the next would be, before jitter.
  Duration open_time = Duration::zero();
  Duration remaining = Duration::zero();  // until a probe is let through; zero unless open
  std::optional<TimePoint> opened_at{};   // last time it opened
  std::uint64_t times_opened = 0;
  std::uint64_t denials = 0;
  std::optional<TimePoint> last_denial{};
  std::optional<Category> last_failure{};  // that it counted
  std::vector<Transition> transitions{};   // the last 16, oldest first
};

}  // namespace fuseboard
