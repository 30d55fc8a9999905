// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A target that answers nobody [RTY-14]: the circuit opens, and the late answer of a call that was in flight by then
// closes it.
#include "fuseboard/breaker/silent_period.h"

#include "breaker/imposed_override.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;

}  // namespace

void SilentPeriod::move(TransitionCause cause, CircuitState to, std::uint64_t generation) noexcept {
  using enum TransitionCause;
  if (cause == silent) {
    first_generation_ = generation;
    return;
  }
  // A probe that stays silent, or is lost, says no more than the silence it was to probe.
  if (to != half_open && cause != probe_silent && cause != probe_lease_expired) first_generation_ = 0;
}

bool CircuitBreaker::open_silent() {
  const TimePoint now = context_->clock.now();
  bool rejects = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    if (is_imposed_locked(OverrideKind::force_closed)) return false;
    if (state() == closed) {
      last_failure_.store(static_cast<std::uint8_t>(Category::timeout), std::memory_order_release);
      open_locked(TransitionCause::silent, at);
    }
    rejects = !is_imposed_locked(OverrideKind::metrics_only);
  }
  context_->events.deliver();
  return rejects;
}

CircuitBreaker::Ticket CircuitBreaker::answered(Ticket ticket) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const bool was_in_flight =
        ticket.generation != BreakerPermit::kNoGeneration && silent_period_.began_after(ticket.generation);
    if (was_in_flight && state() != closed) {
      close_locked(TransitionCause::answered, not_before_last_move_locked(now));
      ticket.generation = generation();
    }
  }
  context_->events.deliver();
  return ticket;
}

}  // namespace fuseboard
