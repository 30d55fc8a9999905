// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Wakes a call of one loop from any thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "fuseboard/core/waker.h"
#include "net/loop.h"

namespace fuseboard::gateway {

class LoopWaker final : public Waker, public std::enable_shared_from_this<LoopWaker> {
 public:
  explicit LoopWaker(net::Loop& loop) : loop_(loop) {}
  void wake() noexcept override;

  // Run on the loop's thread when the call is woken; empty: nobody is there any more. Loop thread only. It may destroy
  // whatever it likes but this waker.
  void on_wake(std::function<void()> action) { action_ = std::move(action); }

 private:
  net::Loop& loop_;
  std::function<void()> action_;
};

}  // namespace fuseboard::gateway
