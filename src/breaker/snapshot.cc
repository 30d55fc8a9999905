// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker shows of itself [BRK-16].
#include <algorithm>
#include <limits>

#include "breaker/calls_in_flight.h"
#include "breaker/imposed_override.h"
#include "breaker/rolling_window.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

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
  snapshot.probes_in_flight = leases_.in_flight();
  snapshot.open_time =
      snapshot.state == closed ? next_opening_locked(consecutive_failures, now).base : facts.open_time();
  if (snapshot.state == open) snapshot.remaining = elapsed(now, facts.deadline);
  if (facts.opened_at != kNotYet) snapshot.opened_at = facts.opened_at;
  snapshot.times_opened = times_opened_;
  snapshot.last_failure = facts.last_failure;
  snapshot.override_in_force = override_locked(now);
  if (window_ != nullptr) snapshot.window = window_->totals(now);
  if (options_->tracks_calls()) {
    if (const auto began = calls_->oldest()) snapshot.oldest_in_flight = elapsed(*began, now);
  }
  snapshot.transitions = history_.list(snapshot.generation);
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

}  // namespace fuseboard
