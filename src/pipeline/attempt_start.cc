// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/attempt_start.h"

#include <algorithm>
#include <utility>

#include "pipeline/admission_wait.h"
#include "pipeline/company.h"
#include "pipeline/hedging.h"
#include "pipeline/obstacle.h"

namespace fuseboard::engine {
namespace {

// A place among the attempts that several calls share [RTY-10].
bool take_shared_attempt(const CallState& call) noexcept {
  return call.options.attempt_budget == nullptr || call.options.attempt_budget->try_take();
}
void release_shared_attempt(const CallState& call) noexcept {
  if (call.options.attempt_budget != nullptr) call.options.attempt_budget->release();
}

// The deadline bounds everything up to the first content; after it a stream has its own limits. A plain call, which
// shows nothing until its end, leaves half of the deadline to another target, if there is one. Where that is dear to
// find out it is left until then, see Execution::end_halfway() [RTY-3, STR-3].
void set_limits(TimePoint now, const CallState& call, AttemptState& state, Attempt& attempt) {
  const AttemptTimeouts& timeouts = call.target(attempt.target).timeouts;
  TimePoint cut_at = call.deadline.time();
  if (!call.options.streaming && call.options.idempotent && call.candidates.order().size() > 1) {
    const TimePoint halfway = saturating_add(now, call.deadline.remaining(now) / 2);
    if (call.abilities.hedges && halfway < saturating_add(now, timeouts.total)) {
      state.halfway = halfway;
    } else if (call.options.eligibility == nullptr && call.another_is_eligible(attempt.target)) {
      cut_at = std::min(cut_at, halfway);
    }
  }
  const auto within = [&](Duration limit) { return std::min(saturating_add(now, limit), cut_at); };
  attempt.connect_by = within(timeouts.connect);
  if (call.options.streaming) {
    attempt.headers_by = within(timeouts.headers);
    attempt.first_content_by = within(timeouts.first_content);
    attempt.total_by = saturating_add(now, timeouts.total);
  } else {
    attempt.headers_by = attempt.first_content_by = attempt.total_by = within(timeouts.total);
  }
  const Duration own_limit = call.options.streaming ? timeouts.first_content : timeouts.total;
  if (cut_at < saturating_add(now, own_limit)) state.cut_at = cut_at;
}

bool after_overflow(const CallRecord& record) noexcept {
  return std::ranges::any_of(record.attempts, [](const AttemptRecord& earlier) {
    return earlier.failure && earlier.failure->category == Category::context_length_exceeded;
  });
}

}  // namespace

AttemptState* try_admit(TimePoint now, CallState& call, std::uint32_t target) {
  if (!call.can_take(target)) {
    call.candidates.spend(target);
    call.note_rejection(target, {.rejection = {.reason = RejectionReason::not_eligible}});
    call.return_retry();
    return nullptr;
  }
  if (!take_shared_attempt(call)) {
    call.decide(Ending::retries_exhausted);
    return nullptr;
  }
  const bool own_turn = call.queued && call.queued->target == target;
  if (!own_turn && others_wait_for(call, target)) {
    call.note_rejection(target, {.rejection = {.reason = RejectionReason::rate_limited}});
  } else {
    AttemptState& attempt = call.in_flight.add();
    const auto rejection = admit(now, call.target(target), call.admission_request(now, target), attempt.permits);
    if (!rejection) return &attempt;
    call.in_flight.erase(attempt);
    call.note_rejection(target, *rejection);
    // No wait within a call helps here.
    if (rank_of(rejection->rejection.reason) > 0) call.candidates.spend(target);
  }
  release_shared_attempt(call);
  if (own_turn) return nullptr;
  call.return_retry();
  call.state(target).wake_after_release(now);  // what was held for a moment may be what the first one waits for
  return nullptr;
}

AttemptState* admit_beside(TimePoint now, CallState& call, std::uint32_t target) {
  if (!take_shared_attempt(call)) return nullptr;
  AttemptState& attempt = call.in_flight.add();
  if (!admit(now, call.target(target), call.admission_request(now, target), attempt.permits)) return &attempt;
  call.in_flight.erase(attempt);
  release_shared_attempt(call);
  call.state(target).wake_after_release(now);  // what was held for a moment may be what the first one waits for
  return nullptr;
}

Attempt start_attempt(TimePoint now, CallState& call, AttemptState& state, const Start& start) {
  const std::uint32_t target = start.target;
  if (call.candidates.tries(target) == 0) {
    call.state(target).retry_budget().count_call(now);
    if (may_get_company(call)) call.patience(target).company().count_call(now);
  }
  call.candidates.count_try(target);
  ++call.record.attempts_sent;
  const bool probe = state.permits.is_probe();
  state.record = {.number = call.record.attempts_sent,
                  .target = target,
                  .probe = probe,
                  .hedge = start.beside == Beside::hedge,
                  .company = start.beside == Beside::company,
                  .recovery = call.committed,
                  .waited = std::exchange(call.pending_wait, Duration::zero()),
                  .started = now};
  if (start.beside == Beside::company) ++call.record.company;
  call.retry_grant.reset();
  if (start.beside == Beside::none) call.hedge_at = hedge_time(now, call, target);
  if (after_overflow(call.record) && !call.target(target).traits.context_window) call.asked_unknown_window = true;
  Attempt attempt{.number = call.record.attempts_sent,
                  .target = target,
                  .probe = probe,
                  .recovery = call.committed,
                  .idle = call.target(target).timeouts.idle};
  set_limits(now, call, state, attempt);
  call.phase = Phase::in_flight;
  return attempt;
}

}  // namespace fuseboard::engine
