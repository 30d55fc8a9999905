// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/state.h"

namespace fuseboard {

std::string_view name(CircuitState state) noexcept {
  switch (state) {
    case CircuitState::closed:
      return "closed";
    case CircuitState::open:
      return "open";
    case CircuitState::half_open:
      return "half_open";
  }
  return "unknown";
}

std::string_view name(TransitionCause cause) noexcept {
  switch (cause) {
    case TransitionCause::consecutive_failures:
      return "consecutive_failures";
    case TransitionCause::open_time_elapsed:
      return "open_time_elapsed";
    case TransitionCause::probe_succeeded:
      return "probe_succeeded";
    case TransitionCause::probe_failed:
      return "probe_failed";
    case TransitionCause::probe_lease_expired:
      return "probe_lease_expired";
    case TransitionCause::operator_reset:
      return "operator_reset";
    case TransitionCause::failure_rate:
      return "failure_rate";
    case TransitionCause::slow_call_rate:
      return "slow_call_rate";
    case TransitionCause::stuck_call:
      return "stuck_call";
    case TransitionCause::probe_throttled:
      return "probe_throttled";
    case TransitionCause::restored:
      return "restored";
    case TransitionCause::silent:
    case TransitionCause::probe_silent:
      return "silent";
    case TransitionCause::answered:
      return "answered";
    case TransitionCause::probe_slow:
      return "probe_slow";
    case TransitionCause::failures_within:
      return "failures_within";
    case TransitionCause::operator_trip:
      return "operator_trip";
    case TransitionCause::operator_half_open:
      return "operator_half_open";
  }
  return "unknown";
}

std::string_view name(OverrideKind kind) noexcept {
  switch (kind) {
    case OverrideKind::force_open:
      return "force_open";
    case OverrideKind::force_closed:
      return "force_closed";
    case OverrideKind::metrics_only:
      return "metrics_only";
  }
  return "unknown";
}

}  // namespace fuseboard
