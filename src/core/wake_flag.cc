// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/wake_flag.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace fuseboard {

void WakeFlag::wake() noexcept {
  {
    const MutexLock lock(mutex_);
    raised_ = true;
  }
  raised_changed_.notify_all();
}

void WakeFlag::wait_until(TimePoint time, const Clock& clock, const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  while (!raised_ && !stop.stop_requested()) {
    const Duration left = elapsed(clock.now(), time);
    if (left == Duration::zero()) break;
    // In slices: the library adds the wait to its own clock, where kForever would overflow.
    raised_changed_.wait_for(mutex_, stop, std::min<Duration>(left, std::chrono::hours(1)),
                             [this]() FUSEBOARD_REQUIRES(mutex_) { return raised_; });
  }
  raised_ = false;
}

bool WakeFlag::take() noexcept {
  const MutexLock lock(mutex_);
  return std::exchange(raised_, false);
}

}  // namespace fuseboard
