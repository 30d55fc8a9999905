// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How a tool's call ended, in a tool runner's words.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <system_error>

#include "fuseboard/classify/http_failure.h"
#include "fuseboard/classify/transport.h"
#include "fuseboard/core/cancelled.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard {

// The names are stable. What each is to the tool's breaker needs no table of categories:
enum class ToolOutcome : std::uint8_t {
  success,
  invalid_argument,  // the caller's mistake: never evidence against the tool
  execution_error,   // a failure
  timeout,           // a failure
  cancelled,         // nothing, or a failure where `cancelled_is_failure` is set
};
std::string_view name(ToolOutcome outcome) noexcept;

// Thrown by a tool that was told to stop.
class ToolCancelled : public Cancelled {
 public:
  const char* what() const noexcept override { return "the tool was cancelled"; }
};

// An outcome, or a failure that a classification has judged: then its own evidence, and else the breaker's set of
// categories, says whether it counts [BRK-19]. Small and trivially copyable.
class ToolResult {
 public:
  // NOLINTBEGIN(google-explicit-constructor): whatever a tool runner has in hand is a result.
  ToolResult(ToolOutcome outcome) noexcept : outcome_(outcome) {}
  ToolResult(const Failure& failure) noexcept : judged_(failure) {}
  // A failed HTTP answer, and a call that got no answer: classified here.
  ToolResult(const HttpFailure& answer) noexcept : ToolResult(classify_http(answer)) {}
  ToolResult(TransportFault fault) noexcept : ToolResult(classify_transport(fault)) {}
  // NOLINTEND(google-explicit-constructor)

  bool ok() const noexcept { return !judged_ && outcome_ == ToolOutcome::success; }
  // What a classification has judged it to be; nullopt for a ToolOutcome.
  const std::optional<Failure>& judged() const noexcept { return judged_; }
  // execution_error for what was judged.
  ToolOutcome outcome() const noexcept { return outcome_; }

  // What a breaker is told.
  Outcome to_outcome(Duration latency, bool cancelled_is_failure) const noexcept;

 private:
  ToolOutcome outcome_ = ToolOutcome::execution_error;
  std::optional<Failure> judged_{};
};

// What an exception that a tool threw says about its call:
//
//   std::invalid_argument, std::domain_error, std::out_of_range   invalid_argument
//   ToolCancelled, Cancelled                                      cancelled
//   std::system_error                                             as its code says
//   everything else                                               execution_error
ToolOutcome outcome_of(const std::exception& thrown) noexcept;
// timed_out: timeout; operation_canceled: cancelled; every other error: execution_error; none: success.
ToolOutcome outcome_of(const std::error_code& error) noexcept;
ToolOutcome outcome_of(const std::error_condition& error) noexcept;

}  // namespace fuseboard
