// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_state.h"

#include <algorithm>
#include <utility>

namespace fuseboard {
namespace {

// The server says what it says to each caller, and nothing to all.
ThrottleOptions of_all(const TargetStateOptions& options, bool of_callers) {
  if (of_callers) return {};
  return {.rate = options.adaptive_rate, .retry_after_max = options.retry_after_max};
}

CredentialGateOptions parking_of(const CredentialGate* credential) {
  return credential == nullptr ? CredentialGateOptions{} : credential->options();
}

bool is_full(const std::optional<LevelView>& level) { return !level || level->full_after <= Duration::zero(); }

bool at_rest(TimePoint now, JointLimiter& limits) {
  const JointView levels = limits.view(now);
  return is_full(levels.requests) && is_full(levels.tokens) && limits.snapshot(now).in_flight == 0;
}

}  // namespace

TargetState::Calls::Calls(const TargetStateOptions& options, const CredentialGateOptions& parking, KeyView its_key,
                          std::uint64_t its_seed, std::atomic<std::size_t>* waiting)
    : key(to_key_text(its_key)),
      seed(its_seed),
      parked_model(its_key, parking),
      retry_budget(options.retry_budget),
      queue(options.queue, its_key, waiting),
      latency(options.latency),
      patience(options.percentile, options.company) {
  switch_parts(options);
}

void TargetState::Calls::switch_parts(const TargetStateOptions& options) {
  if (options.limits.any()) {
    limits.switch_on(options.limits, key.view(), seed);
  } else {
    limits.switch_off();
  }
  if (options.adaptive_concurrency) {
    adaptive_concurrency.switch_on(*options.adaptive_concurrency, key.view());
  } else {
    adaptive_concurrency.switch_off();
  }
}

TargetState::TargetState(BreakerScopes breakers, const TargetStateOptions& options, KeyView key,
                         std::shared_ptr<CredentialGate> credential, std::uint64_t seed,
                         std::shared_ptr<CallerThrottles> callers)
    : throttle_((throw_if_invalid(options.validate()), of_all(options, callers != nullptr)), key, seed),
      alone_(std::move(breakers)),
      credential_(std::move(credential)),
      callers_(std::move(callers)),
      seed_(seed),
      options_(std::make_shared<const TargetStateOptions>(options)),
      own_calls_(std::make_unique<Calls>(options, parking_of(credential_.get()), key, seed, nullptr)) {
  switch_parts(options, key);
  breakers_.store(&alone_, std::memory_order_release);
  calls_.store(own_calls_.get(), std::memory_order_release);
}

TargetState::TargetState(const BreakerHandle& breaker, std::shared_ptr<TargetScope> scope,
                         std::shared_ptr<const TargetStateOptions> options, KeyView key, std::uint64_t seed)
    : scope_(std::move(scope)),
      throttle_(of_all(*options, scope_ != nullptr && scope_->callers() != nullptr), key, seed),
      alone_({breaker}),
      seed_(seed),
      options_(std::move(options)) {
  switch_parts(*options_, key);
  breakers_.store(&alone_, std::memory_order_release);
  const MutexLock lock(mutex_);
  follow_scope_locked();
}

TargetState::~TargetState() {
  if (scope_ != nullptr && prepared()) scope_->leave(*this);
}

void TargetState::prepare(KeyView key) {
  if (prepared()) return;
  const MutexLock lock(mutex_);
  if (own_calls_ != nullptr) return;
  own_calls_ = std::make_unique<Calls>(*options_, parking_of(credential()), key, seed_,
                                       scope_ == nullptr ? nullptr : &scope_->waiting_);
  if (scope_ != nullptr) scope_->join(*this);
  calls_.store(own_calls_.get(), std::memory_order_release);
}

ThrottleOptions TargetState::throttle_options() const {
  const MutexLock lock(mutex_);
  return {.rate = options_->adaptive_rate, .retry_after_max = options_->retry_after_max};
}

bool TargetState::at_rest(TimePoint now) const noexcept {
  const TokenBucket* const bucket = rate_.get();
  if (bucket != nullptr && !bucket->full(now)) return false;
  if (!throttle_.at_rest(now)) return false;
  if (!prepared()) return true;
  const Calls& shared = calls();
  if (JointLimiter* const limits = shared.limits.get(); limits != nullptr && !fuseboard::at_rest(now, *limits)) {
    return false;
  }
  const AdaptiveBulkhead* const bound = shared.adaptive_concurrency.get();
  if ((bound != nullptr && bound->save(now)) || shared.retry_budget.snapshot(now).retries > 0) return false;
  return shared.latency.in_flight() == 0 && shared.queue.empty() && !shared.parked_model.snapshot(now).parked;
}

void TargetState::on_breaker_event(const BreakerEvent& event) const {
  if (!event.admits_again() || !prepared() || queue().empty()) return;
  const bool concerned = std::ranges::any_of(
      breakers().handles(), [&](const BreakerHandle& handle) { return to_key_text(handle.key()) == event.key; });
  if (concerned) wake_waiting(event.at);
}

void TargetState::follow_scope_locked() {
  if (scope_ == nullptr) return;
  const BreakerHandle* const outer = scope_->breaker();
  if (outer == nullptr) {
    breakers_.store(&alone_, std::memory_order_release);
    return;
  }
  if (under_scope_ == nullptr) {
    under_scope_ = std::make_unique<const BreakerScopes>(BreakerScopes{*outer, alone_.handles().back()});
    own_handles_.store(2, std::memory_order_release);
  }
  breakers_.store(under_scope_.get(), std::memory_order_release);
}

void TargetState::follow(TimePoint now, std::shared_ptr<const TargetStateOptions> options) {
  const MutexLock lock(mutex_);
  options_ = std::move(options);
  follow_scope_locked();
  const KeyText its_key = prepared() ? key() : to_key_text(breaker().key());
  throttle_.apply(now, of_all(*options_, callers() != nullptr));
  if (CallerThrottles* const known = callers()) known->apply(now, its_key.view(), of_all(*options_, false));
  switch_parts(*options_, its_key.view());
  if (TokenBucket* const bucket = rate()) bucket->apply(now, *options_->rate);
  if (own_calls_ != nullptr) own_calls_->follow(now, *options_, parking_of(credential()));
}

void TargetState::Calls::follow(TimePoint now, const TargetStateOptions& options,
                                const CredentialGateOptions& parking) {
  switch_parts(options);
  if (JointLimiter* const joint = limits.get()) joint->apply(now, options.limits);
  if (AdaptiveBulkhead* const bound = adaptive_concurrency.get()) bound->apply(now, *options.adaptive_concurrency);
  parked_model.apply(now, parking);
  retry_budget.apply(now, options.retry_budget);
  queue.apply(options.queue);
  patience.company().apply(options.company);
}

void TargetState::switch_parts(const TargetStateOptions& options, KeyView key) {
  keeps_rate_.store(options.adaptive_rate.has_value(), std::memory_order_relaxed);
  if (options.rate) {
    rate_.switch_on(*options.rate, key, seed_);
  } else {
    rate_.switch_off();
  }
}

// To outlive the process.

SavedTarget TargetState::save(TimePoint now) const {
  SavedTarget saved{.key = Key(breaker().key()), .has_served = has_served()};
  if (const TokenBucket* const bucket = rate()) saved.rate = bucket->save(now);
  saved.throttle = throttle_.save(now);
  if (!prepared()) return saved;
  if (const JointLimiter* const joint = limits()) saved.limits = joint->save(now);
  if (const AdaptiveBulkhead* const bound = adaptive_concurrency()) saved.concurrency = bound->save(now);
  if (const ParkingGate* const gate = parked_model()) saved.parked_model = gate->save(now);
  saved.retry_budget = retry_budget().save(now);
  return saved;
}

void TargetState::restore(TimePoint now, const SavedTarget& saved) {
  if (saved.has_served) note_served();
  if (TokenBucket* const bucket = rate(); bucket != nullptr && saved.rate) bucket->restore(now, *saved.rate);
  if (saved.throttle) throttle_.restore(now, *saved.throttle);
  if (saved.limits || saved.concurrency || saved.parked_model || saved.retry_budget) prepare(saved.key.view());
  if (!prepared()) return;
  if (JointLimiter* const joint = limits(); joint != nullptr && saved.limits) joint->restore(now, *saved.limits);
  if (AdaptiveBulkhead* const bound = adaptive_concurrency(); bound != nullptr && saved.concurrency) {
    bound->restore(now, *saved.concurrency);
  }
  if (ParkingGate* const gate = parked_model(); gate != nullptr && saved.parked_model) {
    gate->restore(now, *saved.parked_model);
  }
  if (saved.retry_budget) retry_budget().restore(now, *saved.retry_budget);
}

}  // namespace fuseboard
