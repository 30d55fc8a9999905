// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/after_failure.h"

#include "pipeline/fallback_rules.h"
#include "pipeline/settlement.h"
#include "pipeline/stream_recovery.h"

namespace fuseboard::engine {
namespace {

// Rules out the targets that this failure says would fail, too [FBK-2].
void drop_ineligible(CallState& call, const Failure& failure, std::uint32_t failed) {
  for (const std::uint32_t candidate : call.record.candidates) {
    if (candidate == failed || call.candidates.is_spent(candidate)) continue;
    if (stays_candidate(failure, call.target(failed).traits, call.target(candidate).traits,
                        call.eligibility_options())) {
      continue;
    }
    call.candidates.spend(candidate);
    call.note_rejection(candidate,
                        {.rejection = {.reason = RejectionReason::not_eligible, .last_failure = failure.category}});
  }
}

// Whether another target is to be asked before this one is again: where it took long to fail, or asks for a long wait,
// waiting for it costs more than asking another [RTY-12, RTY-13].
bool is_left_for_another(TimePoint now, const CallState& call, const AttemptRecord& attempt) {
  const Failure& failure = *attempt.failure;
  const PlanOptions& options = call.plan_options();
  const bool asks_for_long_wait = failure.retry_after && *failure.retry_after > options.retry_after_stay;
  const Duration patience = call.patience(attempt.target).patience(now, options.patience, call.kind());
  const bool was_slow = attempt.duration > slow_failure_after(patience);
  return (asks_for_long_wait || was_slow) && call.another_target_left(now, kAllTargets, failure, attempt.target);
}

// Whether a wait for another try on this target has begun. Where not, the target is spent, unless it may still be asked
// later in this call: its circuit may recover in time, others may fail, too.
bool retry_same_target(TimePoint now, CallState& call, const AttemptRecord& attempt, bool silent) {
  const Failure& failure = *attempt.failure;
  const std::uint32_t target = attempt.target;
  Candidates& candidates = call.candidates;
  const RetryOptions& retry = call.plan_options().retry_for(failure.category);
  const bool may_leave = call.another_target_left(now, kAllTargets, failure, target);
  // A target that has just been silent for a whole timeout would likely be silent again [RTY-7].
  const bool leave_to_silence = silent && may_leave;
  if (candidates.tries(target) >= retry.max_attempts || leave_to_silence) {
    candidates.spend(target);
    return false;
  }
  const Duration delay = next_delay(retry, candidates.tries(target), call.backoff.previous, failure, call.rng);
  const bool fits = call.deadline.fits(now, delay);
  if (!fits || delay > longest_wait(retry)) {
    call.wait_did_not_fit |= !fits;
    candidates.spend(target);
    return false;
  }
  // In the middle of an answer the caller is not made to wait for the one that broke it off.
  const TargetSet preferred = candidates.preferred();
  if (!contains(preferred, target) && call.another_target_left(now, preferred, failure, target)) return false;
  if (leave_to_fresh_target(now, call, failure, target)) return false;
  if (is_left_for_another(now, call, attempt)) {
    candidates.set_ready_at(target, saturating_add(now, delay));
    return false;
  }
  // Waiting for a circuit that will still be open then is time lost while another target could answer [RTY-4].
  if (const auto open = call.state(target).breakers().peek_rejection()) {
    if (may_leave) return false;
    if (!open->retry_after || *open->retry_after > delay) {
      call.note_rejection(target, {.rejection = *open});
      return false;
    }
  }
  if (!call.take_retry(now, target)) {
    candidates.spend(target);
    return false;
  }
  call.begin_backoff(now, target, delay);
  return true;
}

}  // namespace

void decide_after_failure(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report) {
  const Failure& failure = *attempt.failure;
  const bool not_replayable = !call.options.idempotent && report.may_have_run;
  if (not_replayable || is_decisive(failure, call.plan_options())) {
    return call.decide(call.record.attempts_sent == 1 ? Ending::failed : Ending::retries_exhausted);
  }
  if (call.deadline.passed(now)) return call.decide(Ending::deadline_exceeded);
  if (!call.attempts_left()) return call.decide(Ending::retries_exhausted);
  call.phase = Phase::choosing;
  // A hedge may have ended last; the call goes on from where it is.
  call.candidates.go_to(attempt.target);
  if (failure.retryable && retry_same_target(now, call, attempt, report.silent)) return;
  if (!failure.retryable) call.candidates.spend(attempt.target);
  drop_ineligible(call, failure, attempt.target);
  call.leave_target();
  if (call.committed) call.candidates.start_over();
}

void decide_beside_others(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report) {
  const Failure& failure = *attempt.failure;
  if (is_decisive(failure, call.plan_options()) && !attempt.company) {
    drop_attempts(now, call, Overtaken::no);
    return decide_after_failure(now, call, attempt, report);
  }
  const RetryOptions& retry = call.plan_options().retry_for(failure.category);
  const std::uint32_t tries = call.candidates.tries(attempt.target);
  if (!call.options.idempotent || !failure.retryable || report.silent || tries >= retry.max_attempts) {
    call.candidates.spend(attempt.target);
  } else {
    const Duration delay = next_delay(retry, tries, Duration::zero(), failure, call.rng);
    call.candidates.set_ready_at(attempt.target, saturating_add(now, delay));
  }
  if (!failure.retryable && !is_decisive(failure, call.plan_options())) {
    drop_ineligible(call, failure, attempt.target);
  }
}

}  // namespace fuseboard::engine
