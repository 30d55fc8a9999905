// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How an attempt ends, and what follows from it.

#include <algorithm>
#include <utility>

#include "fuseboard/pipeline/execution.h"
#include "pipeline/judgement.h"

namespace fuseboard {
namespace {

// A good answer that does not go on as the broken one began: no evidence, no whole answer to charge for, and no reason
// why another target should not be asked.
AttemptReport wasted(AttemptReport report) noexcept {
  report.outcome =
      Outcome::failed({.category = Category::cancelled, .fallback = true, .evidence = Evidence::does_not_count});
  return report;
}

bool is_cancelled(const AttemptReport& report) noexcept {
  return report.outcome.failure && report.outcome.failure->category == Category::cancelled;
}

// Whether the target has said anything: a good answer or any error, but no silence.
bool is_answer(const AttemptReport& report) noexcept {
  if (report.outcome.ok() || report.answered) return true;
  return !report.silent && !is_cancelled(report) && report.outcome.failure->category != Category::timeout;
}

// A target that says "cancelled" while its caller waits has failed: what went wrong is its own, so another is asked,
// and nobody knows whether it is ill [FBK-9].
AttemptReport cancelled_by_target(AttemptReport report) noexcept {
  Failure& failure = *report.outcome.failure;
  failure.retryable = false;
  failure.fallback = true;
  failure.evidence = Evidence::does_not_count;
  return report;
}

}  // namespace

void Execution::report(std::uint32_t attempt, const AttemptReport& report, TimePoint now) {
  latest_ = now;
  const auto flight =
      std::ranges::find_if(flights_, [&](const auto& it) { return it && it->record.number == attempt; });
  if (flight == flights_.end()) return;
  const bool is_wasted = (*flight)->record.recovery && report.unusable && report.outcome.ok();
  const bool says_cancelled = is_cancelled(report) && report.answered;
  if (is_wasted) {
    settle(*flight, wasted(report), now);
  } else {
    settle(*flight, says_cancelled ? cancelled_by_target(report) : report, now);
  }
  const AttemptRecord ended = record_.attempts.back();
  if (!ended.failure) {
    drop_flights(now, true);
    ending_ = Ending::success;
  } else if (is_cancelled(report) && !says_cancelled && !is_wasted) {
    drop_flights(now);
    ending_ = Ending::cancelled;
  } else if (committed_) {
    decide_after_break(ended, report, now);
  } else if (attempt_in_flight()) {
    decide_beside_others(ended, report, now);
  } else {
    decide_after_failure(ended, report, now);
  }
}

// Others go on, and what follows is decided when the last of them has ended, unless this one says something about the
// request itself. Company ends by itself alone, whatever it says [RTY-11].
void Execution::decide_beside_others(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now) {
  const Failure& failure = *attempt.failure;
  if (is_decisive(failure, plan_->options()) && !attempt.company) {
    drop_flights(now);
    decide_after_failure(attempt, report, now);
    return;
  }
  if (!options_.idempotent || !failure.retryable || report.silent ||
      tries_[attempt.target] >= plan_->options().retry_for(failure.category).max_attempts) {
    spend(attempt.target);
  } else {
    const RetryOptions& retry = plan_->options().retry_for(failure.category);
    ready_at_[attempt.target] =
        saturating_add(now, next_delay(retry, tries_[attempt.target], Duration::zero(), failure.retry_after, rng_));
  }
  if (!failure.retryable && !is_decisive(failure, plan_->options())) narrow(failure, attempt.target);
}

// The target has answered this attempt, in whatever way: whatever its silence led to is over.
void Execution::hear(Flight& flight, bool content, TimePoint now) {
  TargetState& state = *target_at(flight.record.target).state;
  const bool was_silent = state.patience().silence().silent();
  state.patience().answered(content, now);
  if (!was_silent) return;
  flight.permits.answered();
  state.queue().wake_next(now);
}

// What an attempt's end says of how long its target takes, and of whether it is there at all.
void Execution::learn(Flight& flight, const AttemptReport& report, TimePoint now) {
  const AttemptRecord& attempt = flight.record;
  TargetPatience& patience = patience_at(attempt.target);
  if (report.outcome.ok()) {
    const Duration shown = attempt.first_content.value_or(attempt.duration);
    patience.succeeded(kind(), attempt.first_sign.value_or(shown), now);
  } else if (attempt.overtaken) {
    patience.overtaken(kind(), attempt.started, now);
  }
  if (is_answer(report)) {
    hear(flight, report.outcome.ok(), now);
    return;
  }
  // A limit of its own may end it in the moment in which its patience is over.
  if (may_get_company() && !flight.has_shown_something()) (void)watch_patience(flight, now);
  if (flight.outlasted && !flight.has_shown_something() && another_is_eligible(attempt.target)) {
    count_for_silence(flight, now);
  }
}

// Tells all policies, once [PIP-3], and enters the attempt into the record.
void Execution::settle(std::optional<Flight>& flight, const AttemptReport& report, TimePoint now) {
  AttemptRecord& attempt = flight->record;
  attempt.duration = elapsed(attempt.started, now);
  attempt.answered = report.answered;
  attempt.resent = report.resent;
  attempt.failure = report.outcome.failure;
  attempt.unusable = attempt.recovery && report.unusable;
  if (!attempt.unusable && (report.outcome.ok() || attempt.first_content)) record_.served_by = attempt.target;
  if (attempt.failure && attempt.failure->category == Category::rate_limit) ++record_.throttled;

  Outcome outcome = report.outcome;
  // Signs of work start its own limits afresh, so that the deadline alone can end it then.
  const TimePoint cut_at = attempt.first_sign ? std::min(flight->cut_at, deadline_.time()) : flight->cut_at;
  const bool timed_out = outcome.failure && outcome.failure->category == Category::timeout;
  attempt.cut = timed_out && !attempt.first_content && now >= cut_at;
  const bool hung_alone = timed_out && report.silent && !attempt.probe && !flight->has_shown_something() &&
                          patience_at(attempt.target).silence().answered_since(attempt.started);
  if (attempt.cut || hung_alone) outcome.failure->evidence = Evidence::does_not_count;
  if (attempt.overtaken) flight->permits.mark_overtaken();
  learn(*flight, report, now);
  outcome.latency = attempt.first_content.value_or(attempt.duration);
  if (!outcome.ok()) attempt.verdict = target_at(attempt.target).state->breakers().handles().back().verdict(outcome);
  attempt.charged = std::move(flight->permits).settle(report, outcome, now);
  record_.attempts.push_back(attempt);
  if (!report.cause.empty() || !report.upstream_request_id.empty()) {
    record_.notes.push_back({attempt.number, report.cause, report.upstream_request_id});
  }
  flight.reset();
}

// Attempts that nobody needs any more end neutral. Where another has `answered`, those that had outlasted their
// patience were overtaken.
void Execution::drop_flights(TimePoint now, bool answered) {
  for (auto& flight : flights_) {
    if (!flight) continue;
    flight->record.overtaken = answered && flight->outlasted && !flight->has_shown_something();
    settle(flight, {.outcome = Outcome::cancelled()}, now);
  }
}

// An answer that has reached the caller in part is to be gone on with, by the rules of any other failure, but from the
// start: whoever was passed by may be asked again [STR-5].
void Execution::decide_after_break(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now) {
  if (!report.recovery) {
    ending_ = Ending::interrupted;
    return;
  }
  // While the answer flowed, the plan's time stood still.
  if (attempt.first_content && !attempt.unusable) {
    const Duration flowed = elapsed(saturating_add(attempt.started, *attempt.first_content), now);
    plan_deadline_ = Deadline::at(saturating_add(plan_deadline_.time(), flowed));
    deadline_ = Deadline::sooner(options_.deadline, plan_deadline_);
  }
  prefer(report.recovery->prefer, attempt.target);
  decide_after_failure(attempt, report, now);
}

// From now on these are asked before the others, and the one that has just broken off last among its like.
void Execution::prefer(TargetSet preferred, std::uint32_t broken) noexcept {
  preferred_ = preferred;
  order_ = {};
  for (const bool now : {true, false}) {
    for (const std::uint32_t target : record_.candidates) {
      if (contains(preferred, target) == now && target != broken) order_.push_back(target);
    }
    if (contains(preferred, broken) == now) order_.push_back(broken);
  }
}

// Whether a broken answer goes to a target that this call has not asked yet: the caller is in the middle of it, and
// waiting for the one that broke it off costs more than asking another. One that begins anew is no match for one that
// goes on, though.
bool Execution::leave_to_fresh_target(const Failure& failure, std::uint32_t target, TimePoint now) const {
  TargetSet fresh = contains(preferred_, target) ? preferred_ : kAllTargets;
  for (const std::uint32_t candidate : record_.candidates) {
    if (tries_[candidate] > 0) fresh &= ~(TargetSet{1} << candidate);
  }
  return committed_ && another_target_left(fresh, failure, target, now);
}

void Execution::decide_after_failure(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now) {
  const Failure& failure = *attempt.failure;
  const bool not_replayable = !options_.idempotent && report.may_have_run;
  if (not_replayable || is_decisive(failure, plan_->options())) {
    ending_ = record_.attempts_sent == 1 ? Ending::failed : Ending::retries_exhausted;
    return;
  }
  if (deadline_.passed(now)) {
    ending_ = Ending::deadline_exceeded;
    return;
  }
  if (!attempts_left()) {
    ending_ = Ending::retries_exhausted;
    return;
  }
  // A hedge may have ended last; the call goes on from where it is.
  place_ = place_of(attempt.target);
  if (failure.retryable && retry_same_target(attempt, report.silent, now)) return;
  if (!failure.retryable) spend(attempt.target);
  narrow(failure, attempt.target);
  leave_target();
  if (committed_) place_ = 0;
}

// Whether a wait for another try on this target has begun. Where not, the target is spent, unless it may still be asked
// later in this call: its circuit may recover in time, others may fail, too.
bool Execution::retry_same_target(const AttemptRecord& attempt, bool silent, TimePoint now) {
  const Failure& failure = *attempt.failure;
  const std::uint32_t target = attempt.target;
  const RetryOptions& retry = plan_->options().retry_for(failure.category);
  const bool may_leave = another_target_left(kAllTargets, failure, target, now);
  // A target that has just been silent for a whole timeout would likely be silent again [RTY-7].
  const bool leave_to_silence = silent && may_leave;
  if (tries_[target] >= retry.max_attempts || leave_to_silence) {
    spend(target);
    return false;
  }
  const Duration delay = next_delay(retry, tries_[target], previous_wait_, failure.retry_after, rng_);
  const bool fits = deadline_.fits(now, delay);
  if (!fits || delay > longest_wait(retry)) {
    wait_did_not_fit_ |= !fits;
    spend(target);
    return false;
  }
  // In the middle of an answer the caller is not made to wait for the one that broke it off.
  if (!contains(preferred_, target) && another_target_left(preferred_, failure, target, now)) return false;
  if (leave_to_fresh_target(failure, target, now)) return false;
  if (is_left_for_another(attempt, now)) {
    ready_at_[target] = saturating_add(now, delay);
    return false;
  }
  // Waiting for a circuit that will still be open then is time lost while another target could answer [RTY-4].
  if (const auto open = target_at(target).state->breakers().look()) {
    if (may_leave) return false;
    if (!open->retry_after || *open->retry_after > delay) {
      note_refusal(target, {.rejection = *open});
      return false;
    }
  }
  if (!take_retry(target, now)) {
    spend(target);
    return false;
  }
  begin_backoff(target, delay, now);
  return true;
}

// Whether another target is to be asked before this one is again: where it took long to fail, or asks for a long wait,
// waiting for it costs more than asking another [RTY-12, RTY-13].
bool Execution::is_left_for_another(const AttemptRecord& attempt, TimePoint now) const {
  const Failure& failure = *attempt.failure;
  const bool asks_for_long_wait = failure.retry_after && *failure.retry_after > plan_->options().retry_after_stay;
  const Duration patience = patience_at(attempt.target).patience(plan_->options().patience, kind(), now);
  const bool was_slow = attempt.duration > slow_failure_after(patience);
  return (asks_for_long_wait || was_slow) && another_target_left(kAllTargets, failure, attempt.target, now);
}

void Execution::begin_backoff(std::uint32_t target, Duration delay, TimePoint now) {
  ready_at_[target] = TimePoint::min();
  previous_wait_ = delay;
  backoff_since_ = now;
  backoff_until_ = saturating_add(now, delay);
}

// Rules out the targets that this failure says would fail, too [FBK-2].
void Execution::narrow(const Failure& failure, std::uint32_t failed) {
  for (const std::uint32_t candidate : record_.candidates) {
    if (candidate == failed || is_spent(candidate)) continue;
    if (stays_candidate(failure, target_at(failed).traits, target_at(candidate).traits, narrowing())) continue;
    spend(candidate);
    note_refusal(candidate, {.rejection = {.reason = RejectionReason::not_eligible, .last_failure = failure.category}});
  }
}

void Execution::leave_target() noexcept {
  ++place_;
  previous_wait_ = pending_wait_ = Duration::zero();
}

// Whether one of these others could be asked now. The look takes nothing, no probe either.
bool Execution::another_target_left(TargetSet among, const Failure& failure, std::uint32_t failed,
                                    TimePoint now) const {
  return std::ranges::any_of(record_.candidates, [&](std::uint32_t candidate) {
    return contains(among, candidate) && candidate != failed && !is_spent(candidate) &&
           stays_candidate(failure, target_at(failed).traits, target_at(candidate).traits, narrowing()) &&
           !look(target_at(candidate), admission_request(candidate, now), now) && can_take(candidate);
  });
}

}  // namespace fuseboard
