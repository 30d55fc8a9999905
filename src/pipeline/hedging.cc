// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A second attempt beside one that takes long [RTY-9]: once a call, on another target, and only where the call may run
// twice and the driver can send two. It is a first attempt on its target, so it draws on the caps of attempts and on
// that target's limits, but on no retry budget.

#include <utility>

#include "fuseboard/pipeline/execution.h"

namespace fuseboard {

std::optional<TimePoint> Execution::hedge_time(std::uint32_t target, TimePoint now) const {
  const auto& hedge = plan_->options().hedge;
  if (!hedge || !abilities_.hedges || !options_.idempotent || record_.hedged) return std::nullopt;
  const auto after = hedge->after ? hedge->after : target_at(target).state->percentile().at(hedge->percentile, now);
  if (!after || !deadline_.fits(now, *after)) return std::nullopt;
  return saturating_add(now, *after);
}

Step Execution::while_in_flight(TimePoint now) {
  const bool both = flights_[0].has_value() && flights_[1].has_value();
  if (!hedge_at_ || committed_ || both) return Await{};
  if (now < *hedge_at_) return WaitUntil{*hedge_at_};
  hedge_at_.reset();
  if (deadline_.passed(now) || !attempts_left()) return Await{};
  for (const std::uint32_t target : record_.candidates) {
    if (tries_[target] > 0 || is_spent(target)) continue;
    if (auto* const flight = try_admit(target, now)) {
      record_.hedged = true;
      return start_attempt(target, *flight, true, now);
    }
    // No attempt is left for a hedge: no reason to end the call.
    if (std::exchange(ending_, std::nullopt)) break;
  }
  return Await{};
}

}  // namespace fuseboard
