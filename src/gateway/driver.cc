// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/driver.h"

#include <utility>
#include <variant>

#include "fuseboard/core/check.h"

namespace fuseboard::gateway {

void LoopWaker::wake() noexcept {
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->action_) self->action_();
  });
}

net::Task<void> drive(Execution& execution, CallHands& hands, const Clock& clock, CacheSession* cache,
                      std::shared_ptr<Waker> waker) {
  for (;;) {
    const Step step = execution.next(clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      co_await hands.attempt(*attempt);
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      co_await hands.wait_until(wait->time);
    } else if (std::holds_alternative<Lookup>(step)) {
      cache->look_up(waker);
    } else {
      check_invariant(std::holds_alternative<Finished>(step), "an attempt has ended without a report");
      co_return;
    }
  }
}

}  // namespace fuseboard::gateway
