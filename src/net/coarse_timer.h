// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A wait that costs next to nothing and is not exact.
#pragma once

#include <functional>
#include <memory>

#include "fuseboard/core/time.h"
#include "net/loop.h"

namespace fuseboard::net {

// Rings up to 25 ms late: the loop looks at all such waits together, so setting one is a store and a comparison. Loop
// thread only. Must not outlive its loop.
class CoarseTimer {
 public:
  // `ring(true)` at the time that was set; `ring(false)` where no time comes any more, since the loop is stopping. It
  // may destroy the timer.
  CoarseTimer(Loop& loop, std::function<void(bool)> ring);
  ~CoarseTimer();
  CoarseTimer(const CoarseTimer&) = delete;
  CoarseTimer& operator=(const CoarseTimer&) = delete;

  // In place of the time that was set before. Not while the loop is stopping.
  void set(TimePoint time) noexcept;
  void clear() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fuseboard::net
