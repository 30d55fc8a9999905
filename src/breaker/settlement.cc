// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What outcomes do to a breaker.
#include <algorithm>

#include "breaker/calls_in_flight.h"
#include "breaker/rolling_window.h"
#include "breaker/trip_rules.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

// Of no permit: an outcome that is no evidence whatever the state.
constexpr std::uint64_t kNoGeneration = 0;

}  // namespace

void BreakerPermit::abandon() noexcept { std::exchange(breaker_, nullptr)->abandon(ticket_, acquired_.unwinding()); }

void BreakerPermit::release() && noexcept {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->abandon(ticket_, false);
}

void BreakerPermit::first_content(Duration latency) {
  if (breaker_ == nullptr) return;
  latency = breaker_->latency_of(ticket_, latency);
  if (ticket_.began != kNotMeasured && ticket_.first_content == kNotShown) ticket_.first_content = latency;
  if (is_probe()) ticket_ = breaker_->first_content(ticket_, latency);
}

void BreakerPermit::answered() {
  if (breaker_ != nullptr) ticket_ = breaker_->answered(ticket_);
}

void BreakerPermit::overtaken() && {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->overtaken(ticket_);
}

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
  const Ticket ticket{.generation = state_of(word) == closed ? generation_of(word) : kNoGeneration};
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
    judge_locked(ticket, judged, not_before_last_move_locked(now));
    if (counter == nullptr) ++failed_;
  }
  if (counter != nullptr) cells_.add(counter);
  if (concerns_state) context.events.deliver();
}

CircuitBreaker::Ticket CircuitBreaker::first_content(Ticket ticket, Duration latency) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_leases_locked(at);
    if (ticket.generation == generation()) {
      const bool counts = judge_half_open_locked(ticket, {.verdict = Verdict::success, .latency = latency}, at);
      // The state that follows: closed if this probe was the last that it took. Not that of a circuit which this probe
      // has opened again by being slow, and not where it was lost before: it moves nothing any more [BRK-9].
      if (!counts) ticket.generation = kNoGeneration;
      if (counts && state() != open) ticket.generation = generation();
    }
  }
  ticket.lease = BreakerPermit::kNoLease;
  context_->events.deliver();
  return ticket;
}

CircuitBreaker::Ticket CircuitBreaker::answered(Ticket ticket) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const bool was_in_flight = ticket.generation != kNoGeneration && ticket.generation < silent_generation_;
    if (was_in_flight && state() != closed) {
      close_locked(TransitionCause::answered, not_before_last_move_locked(now));
      ticket.generation = generation();
    }
  }
  context_->events.deliver();
  return ticket;
}

void CircuitBreaker::overtaken(Ticket ticket) {
  if (ticket.lease == BreakerPermit::kNoLease) {
    conclude(ticket, {.verdict = Verdict::neutral, .category = Category::cancelled}, &Cell::neutral);
    return;
  }
  BreakerContext& context = *context_;
  const TimePoint now = context.clock.now();
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    if (ticket.flight != BreakerPermit::kUntracked) calls_->end(ticket.flight);
    expire_leases_locked(at);
    if (ticket.generation == generation() && free_lease_locked(ticket))
      fail_probe_locked({.verdict = Verdict::failure, .category = Category::timeout}, probe_silent, at);
    ++failed_;
  }
  context.events.deliver();
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
    return note_success_locked(generation, latency, now);
  };
  while (!noted()) now = context.clock.now();
  context.events.deliver();
}

bool CircuitBreaker::note_success_locked(std::uint64_t generation, Duration latency, std::optional<TimePoint> now) {
  if (state() != closed || this->generation() != generation) return true;
  if (window_ != nullptr) {
    const RollingWindow::Call call{.slow = latency > options_->slow_call_duration};
    // Only a move needs the time, and it may not be read under the lock.
    if (!now && (window_->shape().is_time() || broken_rate_rule(*options_, window_->totals_after(call)))) return false;
    if (now) {
      judge_closed_locked({.verdict = Verdict::success, .latency = latency}, not_before_last_move_locked(*now));
      return true;
    }
    window_->record(call, TimePoint::min());
    note_window_locked();
  }
  forget_failures_locked();
  return true;
}

void CircuitBreaker::judge_locked(Ticket ticket, const Judged& judged, TimePoint now) {
  if (ticket.flight != BreakerPermit::kUntracked) calls_->end(ticket.flight);
  if (ticket.lease != BreakerPermit::kNoLease || judged.verdict == Verdict::failure) expire_leases_locked(now);
  if (ticket.generation != generation()) return;  // late [BRK-9]
  if (state() == half_open) {
    judge_half_open_locked(ticket, judged, now);
  } else {
    judge_closed_locked(judged, now);
  }
}

void CircuitBreaker::judge_closed_locked(const Judged& judged, TimePoint now) {
  const bool failed = judged.verdict == Verdict::failure;
  if (!failed && judged.verdict != Verdict::success) return;  // [BRK-3]
  if (failed) {
    note_failure_locked(judged.category);
    if (const auto hint = hint_locked(judged)) not_before_ = std::max(not_before_, saturating_add(now, *hint));
  } else {
    forget_failures_locked();
  }
  std::optional<TransitionCause> trip;
  if (window_ != nullptr) {
    window_->record({.failed = failed, .slow = judged.latency > options_->slow_call_duration}, now);
    trip = broken_rate_rule(*options_, window_->totals(now));
    note_window_locked();
  }
  if (failed && consecutive() >= options_->failure_threshold) trip = consecutive_failures;
  if (trip) open_locked(*trip, now);
}

// Of a half-open circuit's own generation: a probe, or a stream that was one until its first content and is evidence
// still. False: a probe that was lost before, or was too slow, and says nothing any more.
bool CircuitBreaker::judge_half_open_locked(Ticket ticket, const Judged& judged, TimePoint now) {
  const bool is_probe = ticket.lease != BreakerPermit::kNoLease;
  if (is_probe && !free_lease_locked(ticket)) return false;
  if (judged.verdict == Verdict::failure) {
    if (!is_probe) --probe_successes_;  // as which it was counted
    fail_probe_locked(judged, probe_failed, now);
    return true;
  }
  if (!is_probe) return true;
  if (judged.verdict == Verdict::throttled) {
    // It answered, so the open time does not grow; it asked for room, so it gets that [BRK-7].
    const auto hint = hint_locked(judged);
    const TimePoint until = hint ? saturating_add(now, *hint) : next_deadline_locked(probe_throttled, now);
    // A probe that failed before it in the same period may have been asked to wait for longer.
    open_until_locked(probe_throttled, now, now, std::max(until, not_before_));
    return true;
  }
  if (judged.verdict != Verdict::success) return true;  // the slot is free again, no more [BRK-7]
  if (options_->slow_call_rate && judged.latency > options_->slow_call_duration) {
    note_failure_locked(Category::timeout);
    count_failed_probe_locked(probe_slow, now);
    return false;
  }
  count_good_probe_locked(now);
  return true;
}

void CircuitBreaker::fail_probe_locked(const Judged& judged, TransitionCause cause, TimePoint now) {
  note_failure_locked(judged.category);
  if (const auto hint = hint_locked(judged)) not_before_ = std::max(not_before_, saturating_add(now, *hint));
  count_failed_probe_locked(cause, now);
}

std::optional<Duration> CircuitBreaker::hint_locked(const Judged& judged) const {
  if (!judged.retry_after || options_->retry_after_max == Duration::zero()) return std::nullopt;
  return std::clamp(*judged.retry_after, Duration::zero(), options_->retry_after_max);
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

// A success also shows that the target no longer means what it asked for before.
void CircuitBreaker::forget_failures_locked() {
  not_before_ = TimePoint::min();
  // Test before you store: where windows are kept every success comes here.
  if (consecutive() != 0) store_failures_locked(0);
}

void CircuitBreaker::store_failures_locked(std::uint32_t in_a_row) {
  const std::uint32_t records = failures_.load(std::memory_order_relaxed) & (kRecordsCalls | kRecordsTimes);
  failures_.store(records | in_a_row, std::memory_order_release);
}

}  // namespace fuseboard
