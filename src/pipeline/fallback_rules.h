// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a failure leaves open, by itself and whatever the other targets are.
#pragma once

#include "fuseboard/core/outcome.h"
#include "fuseboard/pipeline/plan.h"

namespace fuseboard {

// Whether another target may be asked. What one provider's safety system refused is not carried to the next one unless
// the plan says so [FBK-2].
inline bool allows_fallback(const Failure& failure, const PlanOptions& options) noexcept {
  return failure.fallback &&
         (failure.category != Category::content_policy || options.fallback_on.contains(Category::content_policy));
}

// Neither a retry nor another target can mend it: it is about the request itself.
inline bool is_decisive(const Failure& failure, const PlanOptions& options) noexcept {
  return !failure.retryable && !allows_fallback(failure, options);
}

}  // namespace fuseboard
