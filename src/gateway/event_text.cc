// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/event_text.h"

#include <fmt/format.h>

#include "fuseboard/core/validation.h"

namespace fuseboard::gateway {
namespace {

std::string cause_text(const BreakerEvent& event) {
  switch (event.cause) {
    case TransitionCause::consecutive_failures:
      return fmt::format("after {} failures in a row", event.consecutive_failures);
    case TransitionCause::open_time_elapsed: return "to let a probe through";
    case TransitionCause::probe_succeeded: return "after a good probe";
    case TransitionCause::probe_failed: return "after a failed probe";
    case TransitionCause::probe_lease_expired: return "after a probe that never came back";
    case TransitionCause::operator_reset: return "by an operator's reset";
  }
  return {};
}

}  // namespace

std::string event_text(const BreakerEvent& event) {
  std::string text = fmt::format("{}: {} -> {} {}", event.key.view(), name(event.from), name(event.to), cause_text(event));
  if (event.to == CircuitState::open) {
    if (event.last_failure) text += fmt::format(", the last {}", name(*event.last_failure));
    text += fmt::format("; refusing for {}", to_text(event.open_time));
  }
  return text;
}

}  // namespace fuseboard::gateway
