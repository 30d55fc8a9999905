// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/clock.h"

namespace fuseboard {

// The only place that reads the machine's monotonic clock.
TimePoint SteadyClock::now() const noexcept {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

const SteadyClock& SteadyClock::instance() noexcept {
  static const SteadyClock clock;
  return clock;
}

void ManualClock::advance(Duration d) noexcept {
  if (d <= Duration::zero()) return;
  Duration::rep now = now_.load(std::memory_order_relaxed);
  while (!now_.compare_exchange_weak(now, saturating_add(Duration(now), d).count(), std::memory_order_release,
                                     std::memory_order_relaxed)) {
  }
}

void ManualClock::advance_to(TimePoint t) noexcept {
  const Duration::rep target = t.time_since_epoch().count();
  Duration::rep now = now_.load(std::memory_order_relaxed);
  while (now < target &&
         !now_.compare_exchange_weak(now, target, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

WallTime SystemWallClock::now() const noexcept { return std::chrono::system_clock::now(); }

const SystemWallClock& SystemWallClock::instance() noexcept {
  static const SystemWallClock clock;
  return clock;
}

}  // namespace fuseboard
