// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/rejection.h"

namespace fuseboard {

std::string_view name(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
      return "circuit_open";
    case RejectionReason::half_open_busy:
      return "half_open_busy";
    case RejectionReason::deadline_exceeded:
      return "deadline_exceeded";
    case RejectionReason::rate_limited:
      return "rate_limited";
    case RejectionReason::concurrency_limited:
      return "concurrency_limited";
    case RejectionReason::queue_full:
      return "queue_full";
    case RejectionReason::budget_exceeded:
      return "budget_exceeded";
    case RejectionReason::price_missing:
      return "price_missing";
    case RejectionReason::credential_parked:
      return "credential_parked";
    case RejectionReason::not_eligible:
      return "not_eligible";
  }
  return "unknown";
}

}  // namespace fuseboard
