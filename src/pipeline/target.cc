// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target.h"

#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

bool has_any(const JointLimiterOptions& limits) {
  return limits.requests_per_minute || limits.tokens_per_minute || limits.concurrency;
}

}  // namespace

Problems AttemptTimeouts::validate() const {
  Validator validator;
  const auto check = [&](std::string_view field, Duration value) {
    validator.in_range(field, value, milliseconds(1), hours(24));
  };
  check("connect", connect);
  check("headers", headers);
  check("first_content", first_content);
  check("idle", idle);
  check("total", total);
  return std::move(validator).take();
}

Problems TargetStateOptions::validate() const {
  Validator validator;
  validator.merge("limits", limits.validate());
  if (adaptive_rate) validator.merge("adaptive_rate", adaptive_rate->validate());
  if (adaptive_concurrency) validator.merge("adaptive_concurrency", adaptive_concurrency->validate());
  validator.in_range("retry_after_max", retry_after_max, milliseconds(1), hours(24));
  validator.merge("retry_budget", retry_budget.validate());
  validator.merge("queue", queue.validate());
  validator.merge("latency", latency.validate());
  validator.merge("percentile", percentile.validate());
  validator.merge("company", company.validate());
  return std::move(validator).take();
}

TargetState::TargetState(BreakerScopes breakers, const TargetStateOptions& options, KeyView key,
                         std::shared_ptr<CredentialGate> credential, std::uint64_t seed,
                         std::shared_ptr<CallerThrottles> callers)
    : key_((throw_if_invalid(options.validate()), to_key_text(key))),
      breakers_(std::move(breakers)),
      throttle_options_{.rate = options.adaptive_rate, .retry_after_max = options.retry_after_max},
      callers_(std::move(callers)),
      throttle_(callers_ == nullptr ? throttle_options_ : ThrottleOptions{}, key, seed),
      credential_(std::move(credential)),
      retry_budget_(options.retry_budget),
      queue_(options.queue, key),
      latency_(options.latency),
      patience_(options.percentile, options.company) {
  if (credential_ != nullptr) parked_model_.emplace(key, credential_->options());
  if (has_any(options.limits)) limits_.emplace(options.limits, key, seed);
  if (options.adaptive_concurrency) adaptive_concurrency_.emplace(*options.adaptive_concurrency, key);
}

bool TargetState::at_rest(TimePoint now) {
  const auto is_full = [](const std::optional<LevelView>& level) {
    return !level || level->full_after <= Duration::zero();
  };
  if (limits_) {
    const JointView levels = limits_->view(now);
    if (!is_full(levels.requests) || !is_full(levels.tokens) || limits_->snapshot(now).in_flight > 0) return false;
  }
  if (!throttle_.at_rest(now) || latency_.in_flight() > 0 || !queue_.empty()) return false;
  return !parked_model_ || !parked_model_->snapshot(now).parked;
}

}  // namespace fuseboard
