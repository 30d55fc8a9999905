// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a breaker is kept over a restart, and how it is taken back [BRK-15].
#include <algorithm>
#include <chrono>

#include "breaker/imposed_override.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;

// No saved span is believed to be longer.
constexpr Duration kLongestSaved = std::chrono::hours(365 * 24);
// Twice the longest open time that options allow: jitter adds to it.
constexpr Duration kLongestRemaining = std::chrono::hours(48);

Duration believed(Duration saved, Duration most) { return std::clamp(saved, Duration::zero(), most); }

TimePoint before(TimePoint now, Duration span) { return saturating_add(now, -believed(span, kLongestSaved)); }

}  // namespace

SavedBreaker CircuitBreaker::save() const {
  const TimePoint clock_now = context_->clock.now();
  const MutexLock lock(mutex_);
  const TimePoint now = not_before_last_move_locked(clock_now);
  const OpenFacts facts = open_facts();
  SavedBreaker saved{.key = key_,
                     .state = state(),
                     .consecutive_failures = facts.consecutive_failures,
                     .last_failure = facts.last_failure,
                     .times_opened = times_opened_,
                     .open_base = growth_.base()};
  if (saved.state == open) saved.remaining = elapsed(now, facts.deadline);
  if (facts.opened_at != kNotYet) saved.opened_ago = elapsed(facts.opened_at, now);
  if (saved.state == closed) {
    saved.closed_for = elapsed(growth_.closed_since(), now);
    if (saved.consecutive_failures > 0) saved.failing_for = elapsed(run_began_, now);
  }
  if (const ImposedOverride* const imposed = imposed_locked(now)) saved.override_in_force = imposed->shown(now);
  return saved;
}

bool CircuitBreaker::restore(const SavedBreaker& saved) {
  const TimePoint clock_now = context_->clock.now();
  const std::optional<BreakerOverride>& overridden = saved.override_in_force;
  auto imposed = overridden ? std::make_unique<ImposedOverride>() : nullptr;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = not_before_last_move_locked(clock_now);
    if (state() != closed) return false;
    growth_.resume(options_->open_time, saved.open_base);
    times_opened_ += saved.times_opened;
    store_failures_locked(std::min(saved.consecutive_failures, kMaxFailuresInARow));
    if (saved.last_failure) {
      last_failure_.store(static_cast<std::uint8_t>(*saved.last_failure), std::memory_order_release);
    }
    const TimePoint opened_at = saved.opened_ago ? before(now, *saved.opened_ago) : now;
    if (saved.state == closed) {
      growth_.close(before(now, saved.closed_for));
      run_began_ = before(now, saved.failing_for);
      if (saved.opened_ago) opened_at_.store(opened_at, std::memory_order_release);
    } else {
      // The opening is counted among the saved ones already.
      if (saved.times_opened > 0) --times_opened_;
      const Duration remaining = saved.state == open ? believed(saved.remaining, kLongestRemaining) : Duration::zero();
      open_until_locked(TransitionCause::restored, now, opened_at, saturating_add(now, remaining));
    }
    if (overridden) {
      const TimePoint until =
          overridden->remaining ? saturating_add(now, believed(*overridden->remaining, kLongestSaved)) : kNever;
      *imposed = {.kind = overridden->kind, .reason = overridden->reason, .until = until};
      impose_locked(now, std::move(imposed));
    }
  }
  context_->events.deliver();
  return true;
}

}  // namespace fuseboard
