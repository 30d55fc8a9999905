// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/event.h"

namespace fuseboard {

std::string_view name(BreakerEventKind kind) noexcept {
  switch (kind) {
    case BreakerEventKind::transition:
      return "transition";
    case BreakerEventKind::override_set:
      return "override_set";
    case BreakerEventKind::override_lifted:
      return "override_lifted";
    case BreakerEventKind::override_expired:
      return "override_expired";
  }
  return "unknown";
}

}  // namespace fuseboard
