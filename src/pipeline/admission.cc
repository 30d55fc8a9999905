// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/admission.h"

#include <algorithm>
#include <utility>

namespace fuseboard {
namespace {

AdmissionRefusal refused(const Rejection& rejection) { return {.rejection = rejection}; }

AdmissionRefusal refused(const TargetState& state, const BudgetRefusal& budget) {
  return {.rejection = {.reason = RejectionReason::budget_exceeded, .key = state.key()}, .budget = budget};
}

JointRequest joint_request(const AdmissionRequest& request) {
  return {.tokens = request.estimate.total(), .priority = request.priority};
}

}  // namespace

std::optional<Rejection> look(const Target& target, const AdmissionRequest& request, TimePoint now) {
  TargetState& state = *target.state;
  if (CredentialGate* const credential = state.credential()) {
    if (auto parked = credential->look(now)) return parked;
  }
  if (auto open = state.breakers().look()) return open;
  if (JointLimiter* const limits = state.limits()) {
    if (auto full = limits->look(now, joint_request(request))) return full;
  }
  if (AdaptiveLimiter* const rate = state.adaptive_rate()) {
    if (auto full = rate->look(now, 1, request.priority)) return full;
  } else if (auto shut = state.gate().look(now)) {
    return shut;
  }
  AdaptiveBulkhead* const bulkhead = state.adaptive_concurrency();
  if (bulkhead != nullptr && bulkhead->in_flight() >= bulkhead->limit())
    return Rejection{.reason = RejectionReason::concurrency_limited, .key = state.key()};
  return std::nullopt;
}

std::optional<AdmissionRefusal> admit(const Target& target, const AdmissionRequest& request, TimePoint now,
                                      AttemptPermits& permits) {
  TargetState& state = *target.state;
  permits.state_ = &state;
  permits.estimate_ = request.estimate;
  if (CredentialGate* const credential = state.credential()) {
    auto pass = credential->try_pass(now);
    if (!pass) return refused(pass.error());
    permits.credential_ = std::move(*pass);
  }
  // From here on a refusal has something to give back, and giving it back must not look like a failure.
  const auto roll_back = [&](const Rejection& rejection) {
    permits.give_back();
    return refused(rejection);
  };
  if (const auto open = state.breakers().turn_away()) return roll_back(*open);
  if (request.ledger != nullptr) {
    if (!target.price && target.needs_price)
      return roll_back({.reason = RejectionReason::price_missing, .key = state.key()});
    auto reserved = request.ledger->reserve(request.account, {.usage = request.estimate, .price = target.price});
    if (!reserved) {
      permits.give_back();
      return refused(state, reserved.error());
    }
    permits.budget_ = std::move(*reserved);
    permits.counts_budget_ = true;
  }
  if (JointLimiter* const limits = state.limits()) {
    auto permit = limits->try_acquire(now, joint_request(request));
    if (!permit) return roll_back(permit.error());
    permits.limits_ = std::move(*permit);
  }
  if (AdaptiveLimiter* const rate = state.adaptive_rate()) {
    auto permit = rate->try_acquire(now, 1, request.priority);
    if (!permit) return roll_back(permit.error());
    permits.rate_ = std::move(*permit);
  } else if (const auto shut = state.gate().look(now)) {
    return roll_back(*shut);
  }
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

// The attempt was not sent.
void AttemptPermits::give_back() noexcept {
  place_ = AdaptiveBulkheadSlot();
  std::move(rate_).give_back();
  std::move(limits_).give_back();
  budget_ = BudgetReservation();
  credential_ = CredentialPass();
}

std::optional<BudgetSettlement> AttemptPermits::settle(const AttemptReport& report, const Outcome& outcome,
                                                       TimePoint now) && {
  std::move(latency_).settle(outcome, now);
  if (outcome.ok()) state_->percentile().record(outcome.latency, now);
  std::move(breaker_).settle(outcome, report.connected ? kModelScope : kProviderScope);
  if (state_->adaptive_concurrency() != nullptr) std::move(place_).settle(outcome);
  if (state_->adaptive_rate() == nullptr) {
    if (!outcome.ok()) state_->gate().heed(*outcome.failure, now);
    if (report.window && report.window->remaining == 0) state_->gate().close(now, report.window->reset_after);
  } else if (report.window) {
    std::move(rate_).settle(outcome, now, *report.window);
  } else {
    std::move(rate_).settle(outcome, now);
  }
  if (report.seen_output > 0) observe({.output = report.seen_output});
  const ChargedUsage usage = charged_usage(report.usage, estimate_, observed_);
  if (state_->limits() != nullptr) settle_limits(report, usage, now);
  std::optional<BudgetSettlement> charged;
  if (counts_budget_) charged = settle_budget(report, usage);
  if (state_->credential() != nullptr) std::move(credential_).settle(outcome, now);
  state_->queue().wake_next(now);
  return charged;
}

void AttemptPermits::observe(const TokenUsage& usage) noexcept {
  answering_ = true;
  observed_.input = std::max(observed_.input, usage.input);
  observed_.cached_input = std::max(observed_.cached_input, usage.cached_input);
  observed_.output = std::max(observed_.output, usage.output);
  budget_.observe(usage);
}

// An error that was told is not billed, nor what never arrived.
bool AttemptPermits::was_free(const AttemptReport& report) const noexcept {
  return !report.usage && !report.outcome.ok() && !answering_ && (report.answered || !report.may_have_run);
}

void AttemptPermits::settle_limits(const AttemptReport& report, const ChargedUsage& charged, TimePoint now) {
  // It was a request nevertheless [LIM-1].
  std::move(limits_).settle(now, was_free(report) || !report.connected ? 0 : charged.usage.total());
}

// What broke off, and whole answers that do not say what they used, are charged as observed, at least their input
// [BUD-4, BUD-10].
std::optional<BudgetSettlement> AttemptPermits::settle_budget(const AttemptReport& report,
                                                              const ChargedUsage& charged) {
  if (was_free(report)) return std::move(budget_).settle(TokenUsage{});
  if (!report.usage) return std::move(budget_).release();
  BudgetSettlement settlement = std::move(budget_).settle(charged.usage);
  settlement.understated = charged.understated;
  return settlement;
}

}  // namespace fuseboard
