// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_result.h"

#include <stdexcept>

namespace fuseboard {
namespace {

template <typename Exception>
bool is(const std::exception& thrown) noexcept {
  return dynamic_cast<const Exception*>(&thrown) != nullptr;
}

Failure failure_of(Category category, bool counts) noexcept {
  Failure failure = Failure::of(category);
  failure.evidence = counts ? Evidence::counts : Evidence::does_not_count;
  return failure;
}

// A code or a condition: both compare alike.
template <typename Error>
ToolOutcome outcome_of_error(const Error& error) noexcept {
  if (!error) return ToolOutcome::success;
  if (error == std::errc::timed_out) return ToolOutcome::timeout;
  return error == std::errc::operation_canceled ? ToolOutcome::cancelled : ToolOutcome::execution_error;
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
      return Outcome::failed(failure_of(Category::invalid_request, false), latency);
    case ToolOutcome::execution_error:
      return Outcome::failed(failure_of(Category::execution_error, true), latency);
    case ToolOutcome::timeout:
      return Outcome::failed(failure_of(Category::timeout, true), latency);
    case ToolOutcome::cancelled:
      return Outcome::failed(failure_of(Category::cancelled, cancelled_is_failure), latency);
  }
  return Outcome::success(latency);
}

ToolOutcome outcome_of(const std::exception& thrown) noexcept {
  if (is_cancellation(thrown)) return ToolOutcome::cancelled;
  if (is<std::invalid_argument>(thrown) || is<std::domain_error>(thrown) || is<std::out_of_range>(thrown)) {
    return ToolOutcome::invalid_argument;
  }
  if (const auto* const error = dynamic_cast<const std::system_error*>(&thrown)) {
    // An exception without a code is one nevertheless.
    if (error->code()) return outcome_of(error->code());
  }
  return ToolOutcome::execution_error;
}

ToolOutcome outcome_of(const std::error_code& error) noexcept { return outcome_of_error(error); }

ToolOutcome outcome_of(const std::error_condition& error) noexcept { return outcome_of_error(error); }

}  // namespace fuseboard
