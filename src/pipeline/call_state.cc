// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/call_state.h"

#include <algorithm>
#include <utility>

#include "pipeline/obstacle.h"
#include "pipeline/probe_lease.h"

namespace fuseboard::engine {

CallState::CallState(TimePoint now, std::shared_ptr<const Plan> its_plan, const CallOptions& its_options, Rng& its_rng,
                     DriverAbilities its_abilities)
    : plan(std::move(its_plan)),
      options(its_options),
      abilities(std::move(its_abilities)),
      rng(its_rng),
      plan_deadline(Deadline::after(now, plan->options().overall_deadline)),
      deadline(Deadline::sooner(options.deadline, plan_deadline)),
      candidates(plan->order(now, rng)) {
  record.origin = options.origin;
  record.started = now;
  record.candidates = candidates.order();
  if (!options.bound_to_provider) return;
  for (const std::uint32_t candidate : record.candidates) {
    if (target(candidate).traits.provider == *options.bound_to_provider) continue;
    candidates.spend(candidate);
    note_rejection(candidate, {.rejection = {.reason = RejectionReason::not_eligible}});
  }
}

bool CallState::attempts_left() const noexcept {
  const std::uint32_t cap = plan_options().max_total_attempts;
  return cap == 0 || record.attempts_sent < cap;
}

bool CallState::can_take(std::uint32_t target) const noexcept {
  return options.eligibility == nullptr || options.eligibility->can_take(target);
}

bool CallState::another_is_eligible(std::uint32_t target) const noexcept {
  return std::ranges::any_of(record.candidates, [&](std::uint32_t candidate) {
    return candidate != target && !candidates.is_spent(candidate) && can_take(candidate);
  });
}

bool CallState::another_target_left(TimePoint now, TargetSet among, const Failure& failure,
                                    std::uint32_t failed) const {
  return std::ranges::any_of(record.candidates, [&](std::uint32_t candidate) {
    return contains(among, candidate) && candidate != failed && !candidates.is_spent(candidate) &&
           stays_candidate(failure, target(failed).traits, target(candidate).traits, eligibility_options()) &&
           !peek_rejection(now, target(candidate), admission_request(now, candidate)) && can_take(candidate);
  });
}

EligibilityOptions CallState::eligibility_options() const noexcept {
  return {.fallback_on = plan_options().fallback_on,
          .bound_to_provider = options.bound_to_provider.has_value(),
          .unknown_is_larger = !asked_unknown_window};
}

AdmissionRequest CallState::admission_request(TimePoint now, std::uint32_t asked) const noexcept {
  return {.priority = options.priority,
          .estimate = options.estimate,
          .ledger = options.ledger,
          .account = options.account,
          .probe_lease = engine::probe_lease(now, *this, asked),
          .caller_limits = options.caller_limits,
          .endpoint = options.eligibility == nullptr ? std::uint8_t{0} : options.eligibility->endpoint_at(asked),
          .caller = options.caller};
}

void CallState::note_rejection(std::uint32_t target, const AdmissionRejection& why) {
  const Rejection& rejection = why.rejection;
  RejectionRecord noted{.target = target,
                        .reason = rejection.reason,
                        .retry_after = rejection.retry_after,
                        .consecutive_failures = rejection.consecutive_failures,
                        .last_failure = rejection.last_failure};
  if (why.budget) {
    noted.kind = why.budget->kind;
    noted.level = why.budget->level;
    noted.consumed = why.budget->consumed;
    noted.reserved = why.budget->reserved;
    noted.requested = why.budget->requested;
    noted.limit = why.budget->limit;
  }
  record.rejections.push_back(noted);
  const Obstacle met{.target = target, .reason = rejection.reason, .retry_after = rejection.retry_after};
  if (!obstacle || passes_sooner(met, *obstacle)) obstacle = met;
}

void CallState::note_wait(TimePoint now, std::uint32_t target, WaitReason reason, TimePoint began) {
  const Duration waited = elapsed(began, now);
  record.waits.push_back({.target = target, .reason = reason, .began = began, .duration = waited});
  pending_wait = saturating_add(pending_wait, waited);
}

bool CallState::take_retry(TimePoint now, std::uint32_t target) {
  if (!state(target).retry_budget().try_retry(now)) return false;
  retry_grant = RetryGrant{.target = target, .at = now};
  return true;
}

void CallState::return_retry() {
  if (!retry_grant) return;
  state(retry_grant->target).retry_budget().release(retry_grant->at);
  retry_grant.reset();
}

void CallState::begin_backoff(TimePoint now, std::uint32_t target, Duration delay) {
  candidates.set_ready_at(target, TimePoint::min());
  backoff = {.since = now, .until = saturating_add(now, delay), .previous = delay};
  phase = Phase::backing_off;
}

void CallState::leave_target() noexcept {
  candidates.pass();
  backoff.previous = pending_wait = Duration::zero();
}

}  // namespace fuseboard::engine
