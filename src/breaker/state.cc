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
  }
  return "unknown";
}

}  // namespace fuseboard
