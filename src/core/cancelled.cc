// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/cancelled.h"

#include <system_error>

namespace fuseboard {

bool is_cancellation(const std::exception& thrown) noexcept {
  if (dynamic_cast<const Cancelled*>(&thrown) != nullptr) return true;
  const auto* const error = dynamic_cast<const std::system_error*>(&thrown);
  return error != nullptr && error->code() == std::errc::operation_canceled;
}

bool is_handling_cancellation() noexcept {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return is_cancellation(thrown);
  } catch (...) {
    return false;
  }
}

}  // namespace fuseboard
