// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/trip_rules.h"

namespace fuseboard {

std::optional<TransitionCause> broken_rate_rule(const BreakerOptions& options, const WindowTotals& window) noexcept {
  if (window.calls < options.minimum_calls) return std::nullopt;
  // By division, which rounds as the option's own decimal was rounded: 7 of 100 reach 0.07, though 0.07 * 100 > 7.
  if (options.failure_rate && window.failure_rate() >= *options.failure_rate) return TransitionCause::failure_rate;
  if (options.slow_call_rate && window.slow_call_rate() >= *options.slow_call_rate) {
    return TransitionCause::slow_call_rate;
  }
  return std::nullopt;
}

}  // namespace fuseboard
