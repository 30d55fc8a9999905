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

}  // namespace

void Execution::report(std::uint32_t attempt, const AttemptReport& report, TimePoint now) {
  latest_ = now;
  const auto flight =
      std::ranges::find_if(flights_, [&](const auto& it) { return it && it->record.number == attempt; });
  if (flight == flights_.end()) return;
  const bool is_wasted = (*flight)->record.recovery && report.unusable && report.outcome.ok();
  settle(*flight, is_wasted ? wasted(report) : report, now);
  const AttemptRecord ended = record_.attempts.back();
  if (!ended.failure) {
    drop_flights(now);
    ending_ = Ending::success;
  } else if (ended.failure->category == Category::cancelled && !is_wasted) {
    drop_flights(now);
    ending_ = Ending::cancelled;
  } else if (committed_) {
    decide_after_break(ended, report, now);
  } else if (attempt_in_flight() && !is_decisive(*ended.failure, plan_->options())) {
    // The other one of a hedged pair goes on, and what follows is decided when that has ended.
    spend(ended.target);
    if (!ended.failure->retryable) narrow(*ended.failure, ended.target);
  } else {
    drop_flights(now);
    decide_after_failure(ended, report, now);
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
  if (outcome.failure && outcome.failure->category == Category::timeout && !attempt.first_content &&
      was_hurried(attempt, now)) {
    outcome.failure->evidence = Evidence::does_not_count;
  }
  outcome.latency = attempt.first_content.value_or(attempt.duration);
  if (!outcome.ok()) attempt.verdict = target_at(attempt.target).state->breakers().handles().back().verdict(outcome);
  attempt.charged = std::move(flight->permits).settle(report, outcome, now);
  record_.attempts.push_back(attempt);
  if (!report.cause.empty() || !report.upstream_request_id.empty()) {
    record_.notes.push_back({attempt.number, report.cause, report.upstream_request_id});
  }
  flight.reset();
}

// Attempts that nobody needs any more end neutral.
void Execution::drop_flights(TimePoint now) {
  for (auto& flight : flights_) {
    if (flight) settle(flight, {.outcome = Outcome::cancelled()}, now);
  }
}

// Whether the attempt's time was cut by others than its target: by a caller in a hurry, or by the attempts before it,
// which left less of the overall deadline than the target's own limit. A timeout is no evidence then that the target is
// ill. The first attempt of a call has the whole deadline, so a target that never answers is still found out.
bool Execution::was_hurried(const AttemptRecord& attempt, TimePoint now) const noexcept {
  if (options_.deadline.passed(now)) return true;
  const AttemptTimeouts& timeouts = target_at(attempt.target).timeouts;
  const Duration limit = options_.streaming ? timeouts.first_content : timeouts.total;
  return attempt.number > 1 && deadline_.passed(now) && elapsed(attempt.started, now) < limit;
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
  if (failure.retryable && retry_same_target(attempt.target, failure, report.silent, now)) return;
  if (!failure.retryable) spend(attempt.target);
  narrow(failure, attempt.target);
  leave_target();
  if (committed_) place_ = 0;
}

// Whether a wait for another try on this target has begun. Where not, the target is spent, unless it is its circuit
// that is in the way, which may recover in time, or one that goes on with a broken answer is asked before it.
bool Execution::retry_same_target(std::uint32_t target, const Failure& failure, bool silent, TimePoint now) {
  const RetryOptions& retry = plan_->options().retry_for(failure.category);
  const bool may_leave = another_target_left(kAllTargets, failure, target, now);
  // A target that has just been silent for a whole timeout would likely be silent again [RTY-7].
  const bool leave_to_silence = silent && may_leave;
  if (tries_[target] >= retry.max_attempts || leave_to_silence) {
    spend(target);
    return false;
  }
  if (!contains(preferred_, target) && another_target_left(preferred_, failure, target, now)) return false;
  if (leave_to_fresh_target(failure, target, now)) return false;
  const Duration delay = next_delay(retry, tries_[target], previous_wait_, failure.retry_after, rng_);
  if (!deadline_.fits(now, delay)) {
    spend(target);
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
  previous_wait_ = delay;
  backoff_since_ = now;
  backoff_until_ = saturating_add(now, delay);
  return true;
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
