// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The event-loop driver: turns the decision engine's steps into deeds of one loop.
#pragma once

#include <functional>
#include <memory>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/pipeline/execution.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::gateway {

// What the driver needs done for one call.
class CallHands {
 public:
  virtual ~CallHands() = default;

  // Sends the attempt and reports its end to the execution, unless the call was cancelled meanwhile.
  virtual net::Task<void> attempt(Attempt attempt) = 0;

  // Ends at `time`, or earlier when the call is cancelled or woken.
  virtual net::Task<void> wait_until(TimePoint time) = 0;
};

// Wakes a call of one loop from any thread.
class LoopWaker final : public Waker, public std::enable_shared_from_this<LoopWaker> {
 public:
  explicit LoopWaker(net::Loop& loop) : loop_(loop) {}
  void wake() noexcept override;

  // Run on the loop's thread when the call is woken; empty: nobody is there any more. Loop thread only.
  void on_wake(std::function<void()> action) { action_ = std::move(action); }

 private:
  net::Loop& loop_;
  std::function<void()> action_;
};

// Ends when execution.next() has said Finished. What is referenced must outlive the task; `cache` is the call's, or
// null.
net::Task<void> drive(Execution& execution, CallHands& hands, const Clock& clock, CacheSession* cache = nullptr,
                      std::shared_ptr<Waker> waker = nullptr);

}  // namespace fuseboard::gateway
