// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The states of a breaker, what moves it between them [BRK-1], and what an operator may impose [BRK-13].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

enum class CircuitState : std::uint8_t {
  closed,     // admits
  open,       // refuses until its open time has passed
  half_open,  // admits a few probes
};
std::string_view name(CircuitState state) noexcept;

// Why a breaker moved. A cause has one legal move [BRK-1]; a reset leads from any state to closed, a trip by hand from
// closed and from half_open to open.
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
  failures_within,       // closed -> open: so many failures within a time
  operator_trip,         // closed or half_open -> open: by hand [BRK-21]
  operator_half_open,    // open -> half_open: by hand, before the open time was over [BRK-21]
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

inline constexpr std::size_t kTransitionsKept = 16;

struct Transition {
  TimePoint at{};
  CircuitState from = CircuitState::closed;
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;
  std::uint64_t generation = 0;  // that it started

  friend bool operator==(const Transition&, const Transition&) noexcept = default;
};

}  // namespace fuseboard
