// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Injected clocks [CORE-1]. Policies read a Clock; a WallClock serves HTTP dates and calendar periods alone.
#pragma once

#include <chrono>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// A monotonic clock. Implementations must be safe to read from any thread and must never go backwards.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;
};

// The machine's monotonic clock: about 30 ns a read. Thread-safe, stateless.
class SteadyClock final : public Clock {
 public:
  TimePoint now() const noexcept override;

  // One process-wide instance, for callers that do not inject a clock of their own.
  static const SteadyClock& instance() noexcept;
};

// A clock that stands still until it is told to move; for tests and simulation. Thread-safe.
class ManualClock final : public Clock {
 public:
  // Starts at a non-zero point, so that "zero" in a test is a mistake that shows.
  explicit ManualClock(TimePoint start = TimePoint(std::chrono::hours(1))) noexcept
      : now_(start.time_since_epoch().count()) {}

  TimePoint now() const noexcept override { return TimePoint(Duration(now_.load(std::memory_order_acquire))); }

  // Moves forward by d; a negative d is ignored (the clock is monotonic). Saturates.
  void advance(Duration d) noexcept;

  // Moves forward to t; an earlier t is ignored.
  void advance_to(TimePoint t) noexcept;

 private:
  Atomic<Duration::rep> now_;
};

// Civil time: may jump in both directions, decides nothing but dates [CORE-1].
class WallClock {
 public:
  virtual ~WallClock() = default;
  virtual WallTime now() const noexcept = 0;
};

class SystemWallClock final : public WallClock {
 public:
  WallTime now() const noexcept override;
  static const SystemWallClock& instance() noexcept;
};

// A wall clock that is set by hand, in either direction. Thread-safe.
class ManualWallClock final : public WallClock {
 public:
  explicit ManualWallClock(WallTime start = {}) noexcept : now_(start) {}
  WallTime now() const noexcept override { return now_.load(std::memory_order_acquire); }
  void set(WallTime t) noexcept { now_.store(t, std::memory_order_release); }

 private:
  Atomic<WallTime> now_;
};

}  // namespace fuseboard
