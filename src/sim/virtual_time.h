// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Time that passes only when nothing is left to do: a year of calls in seconds, the same each time.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fuseboard/core/clock.h"

namespace fuseboard::sim {

// Not thread-safe. The clock, which nobody else may move, must outlive it.
class VirtualTime {
 public:
  explicit VirtualTime(ManualClock& clock) : clock_(clock) {}

  const Clock& clock() const noexcept { return clock_; }
  TimePoint now() const noexcept { return clock_.now(); }

  // `action` runs at that time, or at once where that is over; of one time the one first asked for comes first.
  void at(TimePoint time, std::function<void()> action);

  // Lets the next action happen. False: there is none.
  bool step();
  // Until there is none.
  void run();

 private:
  struct Event {
    TimePoint time;
    std::uint64_t number;
    std::function<void()> action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const noexcept {
      return a.time != b.time ? a.time > b.time : a.number > b.number;
    }
  };

  ManualClock& clock_;
  std::uint64_t next_number_ = 0;
  std::vector<Event> events_;  // a heap
};

}  // namespace fuseboard::sim
