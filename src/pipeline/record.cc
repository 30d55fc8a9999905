// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/record.h"

namespace fuseboard {

std::string_view name(Ending ending) noexcept {
  switch (ending) {
    case Ending::success:
      return "success";
    case Ending::failed:
      return "failed";
    case Ending::retries_exhausted:
      return "retries_exhausted";
    case Ending::deadline_exceeded:
      return "deadline_exceeded";
    case Ending::circuit_open:
      return "circuit_open";
    case Ending::interrupted:
      return "interrupted";
    case Ending::cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace fuseboard
