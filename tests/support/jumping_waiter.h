// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Lets the clock jump to where somebody wants to wait.
#pragma once

#include "fuseboard/core/clock.h"
#include "fuseboard/core/waiter.h"

namespace fuseboard {

class JumpingWaiter final : public Waiter {
 public:
  explicit JumpingWaiter(ManualClock& clock) : clock_(clock) {}
  void wait_until(TimePoint time, const std::stop_token&, WakeFlag&) override { clock_.advance_to(time); }

 private:
  ManualClock& clock_;
};

}  // namespace fuseboard
