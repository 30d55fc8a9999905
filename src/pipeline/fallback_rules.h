// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a failure leaves open, by itself and whatever the other targets are.
#pragma once

#include "fuseboard/core/outcome.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/route/eligibility.h"

namespace fuseboard {

// Neither a retry nor another target can mend it: it is about the request itself.
inline bool is_decisive(const Failure& failure, const PlanOptions& options) noexcept {
  return !failure.retryable && !allows_fallback(failure, options.fallback_on);
}

}  // namespace fuseboard
