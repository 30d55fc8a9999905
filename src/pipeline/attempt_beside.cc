// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/attempt_beside.h"

#include "pipeline/admission_wait.h"

namespace fuseboard::engine {

bool may_ask_beside(TimePoint now, const CallState& call, std::uint32_t target) {
  return !call.in_flight.asks(target) && !call.candidates.is_spent(target) && now >= call.candidates.ready_at(target) &&
         call.can_take(target) && !others_wait_for(call, target) &&
         !peek_rejection(now, call.target(target), call.admission_request(now, target));
}

std::optional<Attempt> start_beside(TimePoint now, CallState& call, Beside beside) {
  for (const std::uint32_t target : call.record.candidates) {
    if (!may_ask_beside(now, call, target)) continue;
    const bool again = call.candidates.tries(target) > 0;
    // A hedge is a first attempt.
    if (again && (beside == Beside::hedge || !call.take_retry(now, target))) continue;
    if (AttemptState* const attempt = admit_beside(now, call, target)) {
      return start_attempt(now, call, *attempt, {.target = target, .beside = beside});
    }
    call.return_retry();
  }
  return std::nullopt;
}

}  // namespace fuseboard::engine
