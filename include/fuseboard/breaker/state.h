// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker tells about itself: states, transitions, events, snapshots.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

enum class CircuitState : std::uint8_t {
  closed,     // admits
  open,       // refuses until its open time has passed
  half_open,  // admits a few probes
};
std::string_view name(CircuitState state) noexcept;

// Why a breaker moved. A cause has one legal move [BRK-1]; a reset leads from any state to closed.
enum class TransitionCause : std::uint8_t {
  consecutive_failures,  // closed -> open
  open_time_elapsed,     // open -> half_open
  probe_succeeded,       // half_open -> closed
  probe_failed,          // half_open -> open
  probe_lease_expired,   // half_open -> open: a probe was not settled in time
  operator_reset,        // any -> closed
};
std::string_view name(TransitionCause cause) noexcept;

struct Transition {
  TimePoint at{};
  CircuitState from = CircuitState::closed;
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;
  std::uint64_t generation = 0;  // that it started

  friend bool operator==(const Transition&, const Transition&) noexcept = default;
};

// A transition as listeners see it. Copying never allocates.
struct BreakerEvent {
  KeyText key{};
  std::uint64_t sequence = 0;  // of this key: 1, 2, 3... [CORE-4]
  // When it took effect. An expired lease takes effect at the end of the lease, though it is noticed later.
  TimePoint at{};
  CircuitState from = CircuitState::closed;
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  Duration open_time = Duration::zero();   // how long it will refuse; zero unless `to` is open
  std::optional<Category> last_failure{};  // that the breaker counted
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

inline constexpr std::size_t kTransitionsKept = 16;

// One breaker at one time [BRK-16]. The state and what belongs to it are a consistent cut; totals and calls in flight
// are summed from per-thread counters and may miss what happens meanwhile.
struct BreakerSnapshot {
  Key key;
  CircuitState state = CircuitState::closed;
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  BreakerTotals totals{};
  std::uint64_t in_flight = 0;
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
