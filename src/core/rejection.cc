// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/rejection.h"

namespace fuseboard {

std::string_view name(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
      return "circuit_open";
    case RejectionReason::half_open_busy:
      return "half_open_busy";
    case RejectionReason::deadline_exceeded:
      return "deadline_exceeded";
  }
  return "unknown";
}

}  // namespace fuseboard
