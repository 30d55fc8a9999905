// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/admission.h"

#include <algorithm>
#include <utility>

namespace fuseboard {
namespace {

AdmissionRejection rejected(const Rejection& rejection) { return {.rejection = rejection}; }

AdmissionRejection rejected(const TargetState& state, const BudgetRejection& budget) {
  return {.rejection = {.reason = RejectionReason::budget_exceeded, .key = state.key()}, .budget = budget};
}

CredentialUse credential_use(TargetState& state, const AdmissionRequest& request) {
  return {.model = state.parked_model(), .endpoint = request.endpoint};
}

std::optional<Rejection> look_at_throttle(TimePoint now, TargetState& state, const AdmissionRequest& request) {
  if (state.callers() == nullptr) return state.throttle().peek_rejection(now, request.priority);
  const auto own = state.callers()->find(request.caller, state.key().view());
  return own == nullptr ? std::nullopt : own->peek_rejection(now, request.priority);
}

// Of this caller, or of this request, alone.
bool is_own_matter(const Outcome& outcome) noexcept {
  return !outcome.ok() &&
         (outcome.failure->scope == FailureScope::caller || outcome.failure->scope == FailureScope::request);
}

// What all policies but the caller's own throttle may learn from an end: nothing from what concerns this caller or this
// request alone [FBK-6, LIM-4].
Outcome shared_outcome(TargetState& state, Outcome outcome) {
  if (outcome.ok()) return outcome;
  Failure& failure = *outcome.failure;
  if (state.callers() != nullptr && kAccountCategories.contains(failure.category)) failure.scope = FailureScope::caller;
  if (is_own_matter(outcome)) failure.evidence = Evidence::does_not_count;
  return outcome;
}

// From the outside in, in the order of AttemptPermits::Scope; nullptr: none.
std::array<JointLimiter*, 3> limits_of(const TargetState& state, const AdmissionRequest& request) noexcept {
  return {request.caller_limits, state.scope_limits(), state.limits()};
}

JointRequest joint_request(const AdmissionRequest& request) {
  return {.tokens = request.estimate.total(), .priority = request.priority};
}

}  // namespace

std::optional<Rejection> peek_rejection(TimePoint now, const Target& target, const AdmissionRequest& request) {
  TargetState& state = *target.state;
  if (CredentialGate* const credential = state.credential()) {
    if (auto parked = credential->peek_rejection(now, credential_use(state, request))) return parked;
  }
  if (auto open = state.breakers().peek_rejection()) return open;
  for (JointLimiter* const limits : limits_of(state, request)) {
    if (limits == nullptr) continue;
    if (auto full = limits->peek_rejection(now, joint_request(request))) return full;
  }
  if (const TokenBucket* const bucket = state.rate()) {
    if (auto empty = bucket->peek_rejection(now, 1, request.priority)) return empty;
  }
  if (auto shut = look_at_throttle(now, state, request)) return shut;
  AdaptiveBulkhead* const bulkhead = state.adaptive_concurrency();
  if (bulkhead != nullptr && bulkhead->in_flight() >= bulkhead->limit()) {
    return Rejection{.reason = RejectionReason::concurrency_limited, .key = state.key()};
  }
  return std::nullopt;
}

std::optional<AdmissionRejection> admit(TimePoint now, const Target& target, const AdmissionRequest& request,
                                        AttemptPermits& permits) {
  TargetState& state = *target.state;
  permits.state_ = &state;
  permits.estimate_ = request.estimate;
  if (CredentialGate* const credential = state.credential()) {
    auto pass = credential->try_pass(now, credential_use(state, request));
    if (!pass) return rejected(pass.error());
    permits.credential_ = std::move(*pass);
  }
  // From here on a refusal has something to give back, and giving it back must not look like a failure.
  const auto roll_back = [&](const Rejection& rejection) {
    permits.release(now);
    return rejected(rejection);
  };
  if (const auto open = state.breakers().reject_if_open()) return roll_back(*open);
  if (request.ledger != nullptr) {
    if (!target.price && target.needs_price) {
      return roll_back({.reason = RejectionReason::price_missing, .key = state.key()});
    }
    auto reserved = request.ledger->reserve(request.account, {.usage = request.estimate, .price = target.price});
    if (!reserved) {
      permits.release(now);
      return rejected(state, reserved.error());
    }
    permits.budget_ = std::move(*reserved);
    permits.counts_budget_ = true;
  }
  if (const auto full = permits.take_limits(now, request)) return roll_back(*full);
  if (const auto empty = permits.take_rate(now, request)) return roll_back(*empty);
  if (const auto shut = permits.take_throttle(now, request)) return roll_back(*shut);
  if (AdaptiveBulkhead* const bulkhead = state.adaptive_concurrency()) {
    auto place = bulkhead->try_acquire();
    if (!place) return roll_back(place.error());
    permits.place_ = std::move(*place);
  }
  auto breaker = state.breakers().try_acquire(request.probe_lease);
  if (!breaker) return roll_back(breaker.error());
  permits.breaker_ = std::move(*breaker);
  permits.budget_.mark_sent();
  permits.latency_ = state.latency().begin();
  return std::nullopt;
}

bool waits_alone(TimePoint now, const Target& target, const AdmissionRequest& request) {
  const bool is_over_its_own =
      request.caller_limits != nullptr && request.caller_limits->peek_rejection(now, joint_request(request));
  if (is_over_its_own) return true;
  return target.state->callers() != nullptr && look_at_throttle(now, *target.state, request).has_value();
}

std::optional<Rejection> AttemptPermits::take_limits(TimePoint now, const AdmissionRequest& request) {
  const auto limiters = limits_of(*state_, request);
  for (std::size_t scope = 0; scope < limiters.size(); ++scope) {
    if (limiters[scope] == nullptr) continue;
    auto permit = limiters[scope]->try_acquire(now, joint_request(request));
    if (!permit) return permit.error();
    limits_[scope] = std::move(*permit);
  }
  return std::nullopt;
}

std::optional<Rejection> AttemptPermits::take_rate(TimePoint now, const AdmissionRequest& request) {
  TokenBucket* const bucket = state_->rate();
  if (bucket == nullptr) return std::nullopt;
  const auto tokens = bucket->try_acquire(now, 1, request.priority);
  if (!tokens) return tokens.error();
  tokens_ = *tokens;
  bucket_ = bucket;
  return std::nullopt;
}

// A caller of whom nothing was said yet is remembered where there is a rate to keep; a gate can wait for news.
std::optional<Rejection> AttemptPermits::take_throttle(TimePoint now, const AdmissionRequest& request) {
  Throttle* throttle = &state_->throttle();
  if (CallerThrottles* const callers = state_->callers()) {
    caller_ = request.caller;
    const KeyText key = state_->key();
    callers_throttle_ = state_->keeps_rate() ? callers->at(now, caller_, key.view(), state_->throttle_options())
                                             : callers->find(caller_, key.view());
    throttle = callers_throttle_.get();
  }
  if (throttle == nullptr) return std::nullopt;
  auto permit = throttle->try_acquire(now, request.priority);
  if (!permit) return permit.error();
  rate_ = std::move(*permit);
  return std::nullopt;
}

// The attempt was not sent.
void AttemptPermits::release(TimePoint now) noexcept {
  place_ = AdaptiveBulkheadSlot();
  std::move(rate_).release();
  if (bucket_ != nullptr) std::exchange(bucket_, nullptr)->release(now, *tokens_);
  for (std::size_t scope = limits_.size(); scope-- > 0;) std::move(limits_[scope]).release();
  budget_ = BudgetReservation();
  credential_ = CredentialPass();
}

std::optional<BudgetSettlement> AttemptPermits::settle(TimePoint now, const AttemptReport& report,
                                                       const Outcome& outcome) && {
  const Outcome told = shared_outcome(*state_, outcome);
  std::move(latency_).settle(now, told);
  if (outcome.ok()) state_->note_served();
  if (overtaken_) {
    std::move(breaker_).overtaken();
  } else {
    std::move(breaker_).settle(told, report.connected ? kModelScope : kProviderScope);
  }
  if (state_->adaptive_concurrency() != nullptr && !is_own_matter(told)) std::move(place_).settle(now, told);
  place_ = AdaptiveBulkheadSlot();
  settle_rate(now, report, outcome);
  if (report.seen_output > 0) observe({.output = report.seen_output});
  const ChargedUsage usage = charged_usage(report.usage, estimate_, observed_);
  settle_limits(now, report, usage);
  std::optional<BudgetSettlement> charged;
  if (counts_budget_) charged = settle_budget(report, usage);
  if (state_->credential() != nullptr) std::move(credential_).settle(now, told);
  state_->wake_after_release(now);
  return charged;
}

void AttemptPermits::settle_rate(TimePoint now, const AttemptReport& report, const Outcome& outcome) {
  CallerThrottles* const callers = state_->callers();
  if (callers == nullptr) return state_->throttle().settle(now, std::move(rate_), outcome, report.window);
  if (callers_throttle_ == nullptr && Throttle::is_news(outcome, report.window)) {
    callers_throttle_ = callers->at(now, caller_, state_->key().view(), state_->throttle_options());
  }
  if (callers_throttle_ != nullptr) callers_throttle_->settle(now, std::move(rate_), outcome, report.window);
}

}  // namespace fuseboard
