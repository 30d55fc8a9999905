// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker shows, saves and takes back [BRK-15, BRK-16].
#include <algorithm>
#include <limits>

#include "breaker/calls_in_flight.h"
#include "breaker/rolling_window.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

// No saved span is believed to be longer.
constexpr Duration kLongestSaved = std::chrono::hours(365 * 24);
// Twice the longest open time that options allow: jitter adds to it.
constexpr Duration kLongestRemaining = std::chrono::hours(48);

Duration believed(Duration saved, Duration most) { return std::clamp(saved, Duration::zero(), most); }

TimePoint before(TimePoint now, Duration span) { return saturating_add(now, -believed(span, kLongestSaved)); }

}  // namespace

BreakerSnapshot CircuitBreaker::snapshot() {
  const TimePoint now = context_->clock.now();
  auto result = [&] {
    const MutexLock lock(mutex_);
    return snapshot_locked(not_before_last_move_locked(now));
  }();
  context_->events.deliver();
  return result;
}

BreakerSnapshot CircuitBreaker::snapshot_locked(TimePoint now) {
  expire_override_locked(now);
  judge_stuck_calls_locked(now);
  BreakerSnapshot snapshot{.key = key_};
  const OpenFacts facts = open_facts();
  snapshot.state = state();
  snapshot.generation = generation();
  snapshot.consecutive_failures = facts.consecutive_failures;
  snapshot.probes_in_flight = probes_in_flight_;
  snapshot.open_time = snapshot.state == closed ? next_open_time_locked(consecutive_failures, now).base : open_time_;
  if (snapshot.state == open) snapshot.remaining = elapsed(now, facts.deadline);
  if (facts.opened_at != kNotYet) snapshot.opened_at = facts.opened_at;
  snapshot.times_opened = times_opened_;
  snapshot.last_failure = facts.last_failure;
  snapshot.override_in_force = override_locked(now);
  if (window_ != nullptr) snapshot.window = window_->totals(now);
  if (options_->tracks_calls()) {
    if (const auto began = calls_->oldest()) snapshot.oldest_in_flight = elapsed(*began, now);
  }
  snapshot.transitions = transitions_locked();
  sum_cells_locked(snapshot);
  return snapshot;
}

std::uint64_t CircuitBreaker::sum_totals_locked(BreakerTotals& totals) const {
  // Settlements before admissions: whoever sees a settlement sees its admission, so no fewer are in flight than are.
  totals.failed = failed_;
  totals.succeeded = cells_.sum(&Cell::succeeded);
  totals.throttled = cells_.sum(&Cell::throttled);
  totals.neutral = cells_.sum(&Cell::neutral);
  totals.abandoned = cells_.sum(&Cell::abandoned);
  totals.reported = cells_.sum(&Cell::reported);
  totals.admitted = cells_.sum(&Cell::admitted);
  const std::uint64_t settled = totals.succeeded + totals.throttled + totals.neutral + totals.abandoned + totals.failed;
  const std::uint64_t granted = totals.admitted + totals.reported;
  return granted > settled ? granted - settled : 0;
}

bool CircuitBreaker::is_idle() const {
  const MutexLock lock(mutex_);
  BreakerTotals totals;
  return state() == closed && override_ == nullptr && sum_totals_locked(totals) == 0;
}

void CircuitBreaker::sum_cells_locked(BreakerSnapshot& into) const {
  into.in_flight = sum_totals_locked(into.totals);
  into.denials = cells_.sum(&Cell::rejected);
  if (into.denials == 0) return;
  Duration::rep last = std::numeric_limits<Duration::rep>::min();
  cells_.for_each([&](const Cell& cell) {
    if (cell.rejected.load(std::memory_order_acquire) > 0)
      last = std::max(last, cell.last_denial.load(std::memory_order_relaxed));
  });
  into.last_denial = TimePoint(Duration(last));
}

// Saved state.

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
                     .open_base = open_base_};
  if (saved.state == open) saved.remaining = elapsed(now, facts.deadline);
  if (facts.opened_at != kNotYet) saved.opened_ago = elapsed(facts.opened_at, now);
  if (saved.state == closed) saved.closed_for = elapsed(closed_since_, now);
  if (is_overridden_locked(now)) saved.override_in_force = override_locked(now);
  return saved;
}

bool CircuitBreaker::restore(const SavedBreaker& saved) {
  const TimePoint clock_now = context_->clock.now();
  const std::optional<BreakerOverride>& overridden = saved.override_in_force;
  auto imposed = overridden ? std::make_unique<Override>() : nullptr;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = not_before_last_move_locked(clock_now);
    if (state() != closed) return false;
    const OpenTime& times = options_->open_time;
    open_base_ = std::clamp(saved.open_base, times.initial, std::max(times.initial, times.max));
    times_opened_ += saved.times_opened;
    store_failures_locked(std::min(saved.consecutive_failures, kMaxFailuresInARow));
    if (saved.last_failure) {
      last_failure_.store(static_cast<std::uint8_t>(*saved.last_failure), std::memory_order_release);
    }
    const TimePoint opened_at = saved.opened_ago ? before(now, *saved.opened_ago) : now;
    if (saved.state == closed) {
      closed_since_ = before(now, saved.closed_for);
      if (saved.opened_ago) opened_at_.store(opened_at, std::memory_order_release);
    } else {
      // The opening is counted among the saved ones already.
      if (saved.times_opened > 0) --times_opened_;
      const Duration remaining = saved.state == open ? believed(saved.remaining, kLongestRemaining) : Duration::zero();
      open_until_locked(restored, now, opened_at, saturating_add(now, remaining));
    }
    if (overridden) {
      const TimePoint until =
          overridden->remaining ? saturating_add(now, believed(*overridden->remaining, kLongestSaved)) : kNever;
      *imposed = {.kind = overridden->kind, .reason = overridden->reason, .until = until};
      impose_locked(std::move(imposed), now);
    }
  }
  context_->events.deliver();
  return true;
}

}  // namespace fuseboard
