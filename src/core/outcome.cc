// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/outcome.h"

namespace fuseboard {

Failure Failure::of(Category category, std::optional<Duration> retry_after) noexcept {
  const CategoryProperties& row = properties(category);
  return {.category = category, .retryable = row.retryable, .fallback = row.fallback, .retry_after = retry_after};
}

std::string_view name(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::success:
      return "success";
    case Verdict::failure:
      return "failure";
    case Verdict::throttled:
      return "throttled";
    case Verdict::neutral:
      return "neutral";
  }
  return "unknown";
}

std::string_view name(FailureScope scope) noexcept {
  switch (scope) {
    case FailureScope::unnamed:
      return "unnamed";
    case FailureScope::model:
      return "model";
    case FailureScope::endpoint:
      return "endpoint";
    case FailureScope::caller:
      return "caller";
    case FailureScope::request:
      return "request";
  }
  return "unknown";
}

Verdict verdict_of(const Outcome& outcome, CategorySet trips_on) noexcept {
  if (outcome.ok()) return Verdict::success;
  const Failure& failure = *outcome.failure;
  switch (failure.evidence) {
    case Evidence::counts:
      return Verdict::failure;
    case Evidence::does_not_count:
      return Verdict::neutral;
    case Evidence::by_category:
      break;
  }
  if (trips_on.contains(failure.category)) return Verdict::failure;
  return failure.category == Category::rate_limit ? Verdict::throttled : Verdict::neutral;
}

}  // namespace fuseboard
