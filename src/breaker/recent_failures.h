// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When the last failures of a closed circuit came [BRK-2.6].
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fuseboard/core/time.h"

namespace fuseboard {

// A ring of as many times as it takes to open the circuit, so what it says is exact. Not thread-safe. Allocates when it
// is made, never after.
class RecentFailures {
 public:
  explicit RecentFailures(std::uint32_t failures) : times_(failures) {}

  // From the first to the last of as many failures as it holds, this one included; nullopt while there are fewer.
  std::optional<Duration> add(TimePoint now) noexcept;
  void clear() noexcept { count_ = 0; }
  // Takes over what fits of another, newest first.
  void take_over(const RecentFailures& old) noexcept;

  std::size_t size() const noexcept { return times_.size(); }

 private:
  TimePoint& at(std::uint64_t index) noexcept { return times_[index % times_.size()]; }

  std::vector<TimePoint> times_;
  std::uint64_t count_ = 0;  // added, those that are not kept any more included
};

}  // namespace fuseboard
