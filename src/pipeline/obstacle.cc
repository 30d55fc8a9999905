// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/obstacle.h"

namespace fuseboard::engine {

int rank_of(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
    case RejectionReason::half_open_busy:
    case RejectionReason::deadline_exceeded:
    case RejectionReason::rate_limited:
    case RejectionReason::concurrency_limited:
    case RejectionReason::queue_full:
      return 0;
    case RejectionReason::budget_exceeded:
    case RejectionReason::price_missing:
      return 1;
    case RejectionReason::credential_parked:
      return 2;
    case RejectionReason::not_eligible:
      break;
  }
  return 3;
}

bool passes_sooner(const Obstacle& a, const Obstacle& b) noexcept {
  if (rank_of(a.reason) != rank_of(b.reason)) return rank_of(a.reason) < rank_of(b.reason);
  return a.retry_after.value_or(kForever) < b.retry_after.value_or(kForever);
}

Ending ending_for(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
    case RejectionReason::half_open_busy:
      return Ending::circuit_open;
    case RejectionReason::rate_limited:
    case RejectionReason::concurrency_limited:
      return Ending::rate_limited;
    case RejectionReason::queue_full:
      return Ending::queue_full;
    case RejectionReason::deadline_exceeded:
      return Ending::deadline_exceeded;
    case RejectionReason::budget_exceeded:
    case RejectionReason::price_missing:
      return Ending::budget_exceeded;
    case RejectionReason::credential_parked:
      return Ending::credential_parked;
    case RejectionReason::not_eligible:
      break;
  }
  return Ending::no_target;
}

Ending ending_without_target(const CallState& call) noexcept {
  if (call.ending) return *call.ending;
  if (call.record.attempts_sent == 0) {
    return ending_for(call.obstacle ? call.obstacle->reason : RejectionReason::not_eligible);
  }
  const auto& last = call.record.attempts.back().failure;
  const bool unwrapped = call.record.attempts_sent == 1 && last && !last->retryable;
  if (unwrapped) return Ending::failed;
  return call.wait_did_not_fit ? Ending::deadline_exceeded : Ending::retries_exhausted;
}

}  // namespace fuseboard::engine
