// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When the calls in flight began.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fuseboard/breaker/options.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// A list in the order of beginning, in slots that are used again. Everything is constant time; memory grows by doubling
// with the most calls that were ever in flight together, up to kMaxTrackedCalls. Not thread-safe.
class CallsInFlight {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  CallsInFlight();

  // The slot to end the call by; kNone if all are taken, or there is no memory for one more: it is admitted all the
  // same. A time before that of the last call counts as that.
  std::uint32_t begin(TimePoint now) noexcept;
  void end(std::uint32_t slot) noexcept;

  // Calls that are in flight now are no evidence any more [BRK-12].
  void start_generation() noexcept { oldest_of_generation_ = kNone; }

  // When the oldest of all began, and the oldest of the current generation.
  std::optional<TimePoint> oldest() const noexcept { return began(oldest_); }
  std::optional<TimePoint> oldest_of_generation() const noexcept { return began(oldest_of_generation_); }

 private:
  struct Entry {
    TimePoint began{};
    std::uint32_t earlier = kNone;
    std::uint32_t later = kNone;  // of a free slot: the next free one
  };

  std::optional<TimePoint> began(std::uint32_t slot) const noexcept {
    if (slot == kNone) return std::nullopt;
    return entries_[slot].began;
  }

  std::vector<Entry> entries_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_of_generation_ = kNone;
  std::uint32_t free_ = kNone;
};

}  // namespace fuseboard
