// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Waits of a thread, injected so that tests and simulations need not wait.
#pragma once

#include <stop_token>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/wake_flag.h"

namespace fuseboard {

class Waiter {
 public:
  virtual ~Waiter() = default;
  // Returns at `time`, or as soon as `stop` is requested or `woken` is raised. Early returns are harmless: whoever
  // waits looks again.
  virtual void wait_until(TimePoint time, const std::stop_token& stop, WakeFlag& woken) = 0;
};

// Waits in real time on the given clock. Thread-safe.
class ThreadWaiter final : public Waiter {
 public:
  explicit ThreadWaiter(const Clock& clock = SteadyClock::instance()) noexcept : clock_(clock) {}
  void wait_until(TimePoint time, const std::stop_token& stop, WakeFlag& woken) override {
    woken.wait_until(time, clock_, stop);
  }

  // One process-wide instance on the machine's clock, for callers that do not inject a waiter of their own.
  static ThreadWaiter& instance() noexcept;

 private:
  const Clock& clock_;
};

}  // namespace fuseboard
