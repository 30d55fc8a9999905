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
  failure_rate,          // closed -> open
  slow_call_rate,        // closed -> open
  stuck_call,            // closed -> open: a call in flight grew too old
  probe_throttled,       // half_open -> open: reachable, but asked to wait [BRK-7]
  restored,              // closed -> open: as it was saved [BRK-15]
  silent,                // closed -> open: the target has answered nobody for too long [RTY-14]
  probe_silent,          // half_open -> open: the probe's company has answered, it has not [BRK-7]
  answered,              // open or half_open -> closed: one that was in flight when it fell silent [RTY-14]
  probe_slow,            // half_open -> open: the probe succeeded, but was slow where slowness trips [BRK-7]
};
std::string_view name(TransitionCause cause) noexcept;

// What an operator may impose [BRK-13]. The automatic state lives on underneath and takes over again when it is lifted.
enum class OverrideKind : std::uint8_t {
  force_open,    // refuses everything
  force_closed,  // admits everything; what these calls bring is no evidence
  metrics_only,  // counts and moves as ever, but refuses nothing: shows what the breaker would do
};
std::string_view name(OverrideKind kind) noexcept;

struct BreakerOverride {
  OverrideKind kind = OverrideKind::force_open;
  BoundedText<95> reason{};             // as given; a longer one is cut
  std::optional<Duration> remaining{};  // until it ends by itself; nullopt: it stays until it is lifted

  friend bool operator==(const BreakerOverride&, const BreakerOverride&) noexcept = default;
};

struct Transition {
  TimePoint at{};
  CircuitState from = CircuitState::closed;
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;
  std::uint64_t generation = 0;  // that it started

  friend bool operator==(const Transition&, const Transition&) noexcept = default;
};

enum class BreakerEventKind : std::uint8_t {
  transition,
  override_set,      // imposed, or replaced by another
  override_lifted,   // by the operator
  override_expired,  // its time to live has passed; told when that is noticed
};
std::string_view name(BreakerEventKind kind) noexcept;

// A transition or a change of override as listeners see it. Copying never allocates.
struct BreakerEvent {
  BreakerEventKind kind = BreakerEventKind::transition;
  KeyText key{};
  std::uint64_t sequence = 0;  // of this key: 1, 2, 3... [CORE-4]
  // When it took effect. An expired lease takes effect at the end of the lease, though it is noticed later.
  TimePoint at{};
  CircuitState from = CircuitState::closed;  // of a change of override: the state underneath, as `to`
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;  // of a transition
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  Duration open_time = Duration::zero();   // how long it will refuse; zero unless a transition to open
  std::optional<Category> last_failure{};  // that the breaker counted
  // Of a transition: the override it happened under. Of a change: the one that came or went.
  std::optional<BreakerOverride> override_in_force{};
};

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

inline constexpr std::size_t kTransitionsKept = 16;

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

// One breaker's state to outlive its process [BRK-15]. Points in time are kept as spans from the moment of saving,
// since a monotonic clock means nothing to another process. Totals, windows and calls in flight are not part of it.
struct SavedBreaker {
  Key key;
  CircuitState state = CircuitState::closed;  // half_open is restored as open with no time remaining
  std::uint32_t consecutive_failures = 0;
  std::optional<Category> last_failure{};
  std::uint64_t times_opened = 0;
  Duration open_base = Duration::zero();  // the open time that the next one grows from, before jitter
  Duration remaining = Duration::zero();  // until a probe is let through; zero unless open
  std::optional<Duration> opened_ago{};
  Duration closed_for = Duration::zero();  // zero unless closed
  std::optional<BreakerOverride> override_in_force{};
};

}  // namespace fuseboard
