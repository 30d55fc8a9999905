// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What becomes of the probes of a half-open circuit [BRK-7, BRK-8]. What they decide is in probe_rules.h.
#include "breaker/calls_in_flight.h"
#include "breaker/trip_rules.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

}  // namespace

CircuitBreaker::Ticket CircuitBreaker::first_content(Ticket ticket, Duration latency) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_leases_locked(at);
    if (ticket.generation == generation()) {
      const bool counts = judge_half_open_locked(at, ticket, {.verdict = Verdict::success, .latency = latency});
      // The state that follows: closed if this probe was the last that it took. Not that of a circuit which this probe
      // has opened again by being slow, and not where it was lost before: it moves nothing any more [BRK-9].
      if (!counts) ticket.generation = BreakerPermit::kNoGeneration;
      if (counts && state() != open) ticket.generation = generation();
    }
  }
  ticket.lease = BreakerPermit::kNoLease;
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
    if (ticket.generation == generation() && leases_.release(ticket.lease))
      fail_probe_locked(at, {.verdict = Verdict::failure, .category = Category::timeout}, probe_silent);
    ++failed_;
  }
  context.events.deliver();
}

// Of a half-open circuit's own generation: a probe, or a stream that was one until its first content and is evidence
// still. False: a probe that was lost before, or was too slow, and says nothing any more.
bool CircuitBreaker::judge_half_open_locked(TimePoint now, Ticket ticket, const Judged& judged) {
  const bool is_probe = ticket.lease != BreakerPermit::kNoLease;
  if (is_probe && !leases_.release(ticket.lease)) return false;
  if (judged.verdict == Verdict::failure) {
    if (!is_probe) --probes_.succeeded;  // as which it was counted
    fail_probe_locked(now, judged, probe_failed);
    return true;
  }
  if (!is_probe) return true;
  if (judged.verdict == Verdict::throttled) {
    // It answered, so the open time does not grow; it asked for room, so it gets that [BRK-7.7].
    const TimePoint until = growth_.throttled_until(*options_, judged.retry_after, now, jitter_seed());
    open_until_locked(probe_throttled, now, now, until);
    return true;
  }
  if (judged.verdict != Verdict::success) return true;  // the slot is free again, no more [BRK-7.5]
  // A slow answer does not close what slowness opened [BRK-7.4].
  if (options_->slow_call_rate && is_slow(*options_, judged.latency)) {
    fail_probe_locked(now, {.verdict = Verdict::failure, .category = Category::timeout}, probe_slow);
    return false;
  }
  ++probes_.succeeded;
  decide_probes_locked(now);
  return true;
}

void CircuitBreaker::fail_probe_locked(TimePoint now, const Judged& judged, TransitionCause cause) {
  note_failed_call_locked(now, judged);
  probes_.add_failure(cause);
  decide_probes_locked(now);
}

void CircuitBreaker::expire_leases_locked(TimePoint now) {
  if (state() != CircuitState::half_open) return;
  const OverdueProbes overdue = overdue_probes(now, *options_, probes_, leases_);
  if (overdue.lost == 0) return;
  for (std::uint32_t i = 0; i < overdue.lost; ++i) {
    leases_.lose_earliest();
    note_failure_locked(Category::timeout);
  }
  probes_ = overdue.tally;
  decide_probes_locked(overdue.decided_at);
}

void CircuitBreaker::decide_probes_locked(TimePoint at) {
  const auto decision = decision_of(*options_, probes_);
  if (!decision) return;
  if (*decision == probe_succeeded) {
    close_locked(*decision, at);
  } else {
    open_locked(*decision, at);
  }
}

// Options have changed: fewer may decide than before, or one that failed. Good ones alone wait for the next, which is
// judged by the new options [BRK-14].
void CircuitBreaker::follow_probe_options_locked(TimePoint now) {
  if (state() == CircuitState::half_open && (options_->half_open_failure_rate || probes_.failed > 0))
    decide_probes_locked(now);
}

}  // namespace fuseboard
