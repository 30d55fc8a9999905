// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What outcomes do to a breaker: totals, and evidence while it is closed [BRK-2, BRK-3]. Of a half-open one, see
// half_open.cc.
#include <algorithm>

#include "breaker/calls_in_flight.h"
#include "breaker/recent_failures.h"
#include "breaker/rolling_window.h"
#include "breaker/trip_rules.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;

}  // namespace

CircuitBreaker::Counter CircuitBreaker::counter_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::success:
      return &Cell::succeeded;
    case Verdict::throttled:
      return &Cell::throttled;
    case Verdict::neutral:
      return &Cell::neutral;
    case Verdict::failure:
      break;
  }
  return nullptr;  // failed_, under the mutex
}

Duration CircuitBreaker::measured_latency(const Ticket& ticket) const {
  if (ticket.first_content != BreakerPermit::kNotShown) return ticket.first_content;
  return elapsed(ticket.began, context_->clock.now());
}

void CircuitBreaker::settle_judged(Ticket ticket, const Outcome& outcome) {
  Judged judged{.verdict = verdict(outcome), .latency = latency_of(ticket, outcome.latency)};
  if (!outcome.ok()) {
    judged.category = outcome.failure->category;
    judged.retry_after = outcome.failure->retry_after;
  }
  conclude(ticket, judged, counter_of(judged.verdict));
}

void CircuitBreaker::abandon(Ticket ticket, bool thrown) {
  const bool failure = thrown || abandoned_is_failure_.load(std::memory_order_relaxed);
  conclude(ticket,
           {.verdict = failure ? Verdict::failure : Verdict::neutral,
            .category = thrown ? Category::execution_error : Category::cancelled},
           &Cell::abandoned);
}

void CircuitBreaker::report(const Outcome& outcome) {
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  // Evidence while closed; otherwise it belongs to no generation, and counts in the totals alone.
  const Ticket ticket{.generation = state_of(word) == closed ? generation_of(word) : BreakerPermit::kNoGeneration};
  cells_.add(&Cell::reported);
  settle(ticket, outcome);
}

// The counter comes last, and nothing of the breaker is touched after it: with nothing in flight a registry may let go
// of a breaker. A failure is counted under the mutex, which is let go of last for the same reason.
void CircuitBreaker::conclude(Ticket ticket, const Judged& judged, Counter counter) {
  BreakerContext& context = *context_;
  const bool concerns_state = judged.verdict == Verdict::failure || !ticket.is_plain();
  if (concerns_state) {
    const TimePoint now = context.clock.now();
    const MutexLock lock(mutex_);
    judge_locked(not_before_last_move_locked(now), ticket, judged);
    if (counter == nullptr) ++failed_;
  }
  if (counter != nullptr) cells_.add(counter);
  if (concerns_state) context.events.deliver();
}

void CircuitBreaker::note_success(std::uint64_t generation, Duration latency) {
  // Many threads with a window would queue here for the mutex: while all is well they need not. Relaxed, as in
  // settle().
  const std::uint32_t in_a_row = failures_.load(std::memory_order_relaxed) & kMaxFailuresInARow;
  if (in_a_row == 0 && latency <= unrecorded_latency_.load(std::memory_order_relaxed)) return;
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  if (state_of(word) != closed || generation_of(word) != generation) return;
  BreakerContext& context = *context_;
  std::optional<TimePoint> now;
  if ((failures_.load(std::memory_order_relaxed) & kRecordsTimes) != 0) now = context.clock.now();
  const auto noted = [&] {
    const MutexLock lock(mutex_);
    return note_success_locked(now, generation, latency);
  };
  while (!noted()) now = context.clock.now();
  context.events.deliver();
}

bool CircuitBreaker::note_success_locked(std::optional<TimePoint> now, std::uint64_t generation, Duration latency) {
  if (state() != closed || this->generation() != generation) return true;
  if (window_ != nullptr) {
    const RollingWindow::Call call{.slow = is_slow(*options_, latency)};
    const auto opens = [&]() FUSEBOARD_REQUIRES(mutex_) {
      const WindowTotals after = window_->totals_after(call);
      return broken_rule(*options_, {.window = &after}).has_value();
    };
    // Only a move needs the time, and it may not be read under the lock.
    if (!now && (window_->shape().is_time() || opens())) return false;
    if (now) {
      judge_closed_locked(not_before_last_move_locked(*now), {.verdict = Verdict::success, .latency = latency});
      return true;
    }
    window_->record(TimePoint::min(), call);
    note_window_locked();
  }
  forget_failures_locked();
  return true;
}

void CircuitBreaker::judge_locked(TimePoint now, Ticket ticket, const Judged& judged) {
  if (ticket.flight != BreakerPermit::kUntracked) calls_->end(ticket.flight);
  if (ticket.lease != BreakerPermit::kNoLease || judged.verdict == Verdict::failure) expire_leases_locked(now);
  if (ticket.generation != generation()) return;  // late [BRK-9]
  if (state() == CircuitState::half_open) {
    judge_half_open_locked(now, ticket, judged);
  } else {
    judge_closed_locked(now, judged);
  }
}

void CircuitBreaker::judge_closed_locked(TimePoint now, const Judged& judged) {
  const bool failed = judged.verdict == Verdict::failure;
  if (!failed && judged.verdict != Verdict::success) return;  // [BRK-3]
  TripEvidence evidence;
  if (failed) {
    note_run_locked(now);
    note_failed_call_locked(now, judged);
    evidence.failures_in_a_row = consecutive();
    if (recent_failures_ != nullptr) evidence.failures_took = recent_failures_->add(now);
  } else {
    forget_failures_locked();
  }
  if (window_ != nullptr) {
    window_->record(now, {.failed = failed, .slow = is_slow(*options_, judged.latency)});
    evidence.window = &window_->totals(now);
    note_window_locked();
  }
  if (const auto rule = broken_rule(*options_, evidence)) open_locked(*rule, now);
}

// Before a failure is counted. Whether a run has grown too old is judged here alone, so that successes need no clock.
// What a server asked for stands: a run that is over says nothing against that.
void CircuitBreaker::note_run_locked(TimePoint now) {
  if (consecutive() != 0 && !has_run_expired(now, *options_, run_began_)) return;
  store_failures_locked(0);
  run_began_ = now;
}

void CircuitBreaker::note_window_locked() {
  const bool unchanging = window_ != nullptr && window_->is_full_of_good_calls();
  const Duration latency = unchanging ? options_->slow_call_duration : kNoLatency;
  // Test before you store.
  if (unrecorded_latency_.load(std::memory_order_relaxed) != latency) {
    unrecorded_latency_.store(latency, std::memory_order_relaxed);
  }
}

void CircuitBreaker::note_failure_locked(Category category) {
  store_failures_locked(std::min(consecutive() + 1, kMaxFailuresInARow));
  last_failure_.store(static_cast<std::uint8_t>(category), std::memory_order_release);
}

void CircuitBreaker::note_failed_call_locked(TimePoint now, const Judged& judged) {
  note_failure_locked(judged.category);
  growth_.note_hint(now, *options_, judged.retry_after);
}

// A success also shows that the target no longer means what it asked for before.
void CircuitBreaker::forget_failures_locked() {
  growth_.forget_hints();
  // Test before you store: where windows are kept every success comes here.
  if (consecutive() != 0) store_failures_locked(0);
}

void CircuitBreaker::store_failures_locked(std::uint32_t in_a_row) {
  const std::uint32_t records = failures_.load(std::memory_order_relaxed) & (kRecordsCalls | kRecordsTimes);
  failures_.store(records | in_a_row, std::memory_order_release);
}

}  // namespace fuseboard
