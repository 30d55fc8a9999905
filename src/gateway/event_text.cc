// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/event_text.h"

#include <fmt/format.h>

#include "fuseboard/core/escape.h"
#include "fuseboard/core/validation.h"
#include "gateway/cause.h"

namespace fuseboard::gateway {
namespace {

std::string cause_text(const BreakerEvent& event) {
  switch (event.cause) {
    case TransitionCause::consecutive_failures:
      return fmt::format("after {} failure{} in a row", event.consecutive_failures,
                         event.consecutive_failures == 1 ? "" : "s");
    case TransitionCause::open_time_elapsed:
      return "to let a probe through";
    case TransitionCause::probe_succeeded:
      return "after a good probe";
    case TransitionCause::probe_failed:
      return "after a failed probe";
    case TransitionCause::probe_lease_expired:
      return "after a probe that never came back";
    case TransitionCause::operator_reset:
      return "by an operator's reset";
    case TransitionCause::failure_rate:
      return "by its failure rate";
    case TransitionCause::slow_call_rate:
      return "by its rate of slow calls";
    case TransitionCause::stuck_call:
      return "because a call is stuck";
    case TransitionCause::probe_throttled:
      return "after a throttled probe";
    case TransitionCause::silent:
      return "since it has answered nobody for too long";
    case TransitionCause::probe_silent:
      return "after a probe that stayed silent while another target answered";
    case TransitionCause::answered:
      return "since it has answered a call that was waiting";
    case TransitionCause::probe_slow:
      return "after a probe that was slow";
    case TransitionCause::operator_trip:
      return "by an operator";
    case TransitionCause::operator_half_open:
      return "to be probed at an operator's word";
    case TransitionCause::failures_within:
      return "by its failures within a time";
    case TransitionCause::restored:
      return "as it was before the restart";
  }
  return {};
}

// A key may hold a model's name as a caller wrote it: it must not begin a line of its own or steer a terminal.
std::string override_text(const BreakerEvent& event) {
  std::string text = fmt::format("{}: {}", escape_unprintable(event.key.view()), name(event.kind));
  if (!event.override_in_force) return text;
  text += fmt::format(" {}", name(event.override_in_force->kind));
  if (!event.override_in_force->reason.empty())
    text += fmt::format(" ({})", escape_unprintable(event.override_in_force->reason.view()));
  return text;
}

}  // namespace

std::string event_text(const BreakerEvent& event, std::string_view last_cause) {
  if (event.kind != BreakerEventKind::transition) return override_text(event);
  const std::string key = escape_unprintable(event.key.view());
  std::string text = fmt::format("{}: {} -> {} {}", key, name(event.from), name(event.to), cause_text(event));
  if (event.to == CircuitState::open) {
    if (event.last_failure) text += fmt::format(", the last {}", name(*event.last_failure));
    if (event.last_failure && !last_cause.empty()) text += fmt::format(" ({})", escape_unprintable(last_cause));
    text += fmt::format("; refusing for {}", to_text(event.open_time));
  }
  return text;
}

}  // namespace fuseboard::gateway
