// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_result.h"

#include <stdexcept>

#include "fuseboard/core/failure_of.h"

namespace fuseboard {
namespace {

template <typename Exception>
bool is(const std::exception& thrown) noexcept {
  return dynamic_cast<const Exception*>(&thrown) != nullptr;
}

Failure with_evidence(Category category, bool counts) noexcept {
  Failure failure = Failure::of(category);
  failure.evidence = counts ? Evidence::counts : Evidence::does_not_count;
  return failure;
}

ToolOutcome outcome_of_failure(const std::optional<Failure>& failure) noexcept {
  if (!failure) return ToolOutcome::success;
  if (failure->category == Category::timeout) return ToolOutcome::timeout;
  return failure->category == Category::cancelled ? ToolOutcome::cancelled : ToolOutcome::execution_error;
}

}  // namespace

std::string_view name(ToolOutcome outcome) noexcept {
  switch (outcome) {
    case ToolOutcome::success:
      return "success";
    case ToolOutcome::invalid_argument:
      return "invalid_argument";
    case ToolOutcome::execution_error:
      return "execution_error";
    case ToolOutcome::timeout:
      return "timeout";
    case ToolOutcome::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Outcome ToolResult::to_outcome(Duration latency, bool cancelled_is_failure) const noexcept {
  if (judged_) return Outcome::failed(*judged_, latency);
  switch (outcome_) {
    case ToolOutcome::success:
      break;
    case ToolOutcome::invalid_argument:
      return Outcome::failed(with_evidence(Category::invalid_request, false), latency);
    case ToolOutcome::execution_error:
      return Outcome::failed(with_evidence(Category::execution_error, true), latency);
    case ToolOutcome::timeout:
      return Outcome::failed(with_evidence(Category::timeout, true), latency);
    case ToolOutcome::cancelled:
      return Outcome::failed(with_evidence(Category::cancelled, cancelled_is_failure), latency);
  }
  return Outcome::success(latency);
}

ToolOutcome outcome_of(const std::exception& thrown) noexcept {
  if (is<std::invalid_argument>(thrown) || is<std::domain_error>(thrown) || is<std::out_of_range>(thrown)) {
    return ToolOutcome::invalid_argument;
  }
  return outcome_of_failure(failure_of(thrown));
}

ToolOutcome outcome_of(const std::error_code& error) noexcept { return outcome_of_failure(failure_of(error)); }

ToolOutcome outcome_of(const std::error_condition& error) noexcept { return outcome_of_failure(failure_of(error)); }

}  // namespace fuseboard
