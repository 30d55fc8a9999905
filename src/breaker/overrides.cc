// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Imposing and ending an override [BRK-13].
#include <string_view>

#include "breaker/calls_in_flight.h"
#include "breaker/imposed_override.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {
namespace {

constexpr Duration kShortestOverride = std::chrono::milliseconds(1);
constexpr Duration kLongestOverride = std::chrono::hours(365 * 24);

}  // namespace

void CircuitBreaker::set_override(OverrideKind kind, std::string_view reason, std::optional<Duration> ttl) {
  Validator validator;
  if (ttl) validator.in_range("ttl", *ttl, kShortestOverride, kLongestOverride);
  throw_if_invalid(std::move(validator).take());
  const TimePoint now = context_->clock.now();
  auto imposed = std::make_unique<ImposedOverride>(
      ImposedOverride{.kind = kind, .reason = reason, .until = ttl ? saturating_add(now, *ttl) : kNever});
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    impose_locked(at, std::move(imposed));
  }
  context_->events.deliver();
}

bool CircuitBreaker::lift_override() {
  const TimePoint now = context_->clock.now();
  bool lifted = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    lifted = override_ != nullptr;
    if (lifted) end_override_locked(BreakerEventKind::override_lifted, at);
  }
  context_->events.deliver();
  return lifted;
}

void CircuitBreaker::impose_locked(TimePoint now, std::unique_ptr<ImposedOverride> imposed) {
  forget_forced_calls_locked();
  override_ = std::move(imposed);
  set_care_locked(kOverridden, true);
  post_locked(BreakerEventKind::override_set, state(), TransitionCause::operator_reset, now);
}

void CircuitBreaker::end_override_locked(BreakerEventKind kind, TimePoint at) {
  forget_forced_calls_locked();
  post_locked(kind, state(), TransitionCause::operator_reset, at);
  override_ = nullptr;
  set_care_locked(kOverridden, false);
}

// Calls that `force_closed` let in are no evidence, so none in flight may pass for a stuck one afterwards.
void CircuitBreaker::forget_forced_calls_locked() {
  if (calls_ != nullptr && is_imposed_locked(OverrideKind::force_closed)) calls_->start_generation();
}

void CircuitBreaker::expire_override_locked(TimePoint now) {
  if (override_ != nullptr && override_->is_over(now)) end_override_locked(BreakerEventKind::override_expired, now);
}

bool CircuitBreaker::is_imposed_locked(OverrideKind kind) const {
  return override_ != nullptr && override_->kind == kind;
}

const ImposedOverride* CircuitBreaker::imposed_locked(TimePoint now) const {
  return override_ != nullptr && !override_->is_over(now) ? override_.get() : nullptr;
}

std::optional<BreakerOverride> CircuitBreaker::override_locked(TimePoint now) const {
  return override_ != nullptr ? std::optional(override_->shown(now)) : std::nullopt;
}

}  // namespace fuseboard
