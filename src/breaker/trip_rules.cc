// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/trip_rules.h"

namespace fuseboard {

std::optional<TransitionCause> broken_rule(const BreakerOptions& options, const TripEvidence& evidence) noexcept {
  const WindowTotals* const window = evidence.window;
  if (options.failure_threshold != 0 && evidence.failures_in_a_row >= options.failure_threshold) {
    return TransitionCause::consecutive_failures;
  }
  if (options.failures_within && evidence.failures_took && *evidence.failures_took <= options.failures_within->time) {
    return TransitionCause::failures_within;
  }
  if (window == nullptr || window->calls < options.minimum_calls) return std::nullopt;
  // By division, which rounds as the option's own decimal was rounded: 7 of 100 reach 0.07, though 0.07 * 100 > 7.
  if (options.failure_rate && window->failure_rate() >= *options.failure_rate) return TransitionCause::failure_rate;
  if (options.slow_call_rate && window->slow_call_rate() >= *options.slow_call_rate) {
    return TransitionCause::slow_call_rate;
  }
  return std::nullopt;
}

bool has_run_expired(TimePoint now, const BreakerOptions& options, TimePoint began) noexcept {
  return options.failure_run_expires_after && elapsed(began, now) > *options.failure_run_expires_after;
}

bool is_slow(const BreakerOptions& options, Duration latency) noexcept { return latency > options.slow_call_duration; }

bool is_stuck(TimePoint now, const BreakerOptions& options, TimePoint began) noexcept {
  return options.stuck_call_age && elapsed(began, now) > *options.stuck_call_age;
}

}  // namespace fuseboard
