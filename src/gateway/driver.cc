// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/driver.h"

#include <variant>

namespace fuseboard::gateway {

net::Task<void> drive(Execution& execution, CallHands& hands, const Clock& clock) {
  for (;;) {
    const Step step = execution.next(clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      co_await hands.attempt(*attempt);
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      co_await hands.wait_until(wait->time);
    } else {
      co_return;
    }
  }
}

}  // namespace fuseboard::gateway
