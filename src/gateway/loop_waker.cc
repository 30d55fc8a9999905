// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/loop_waker.h"

namespace fuseboard::gateway {

void LoopWaker::wake() noexcept {
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || !self->action_) return;
    const auto action = self->action_;  // its own may be taken away while it runs
    action();
  });
}

}  // namespace fuseboard::gateway
