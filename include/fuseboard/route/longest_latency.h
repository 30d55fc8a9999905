// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The longest that a target recently took to answer: whatever takes much longer hangs [RTY-11].
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "fuseboard/core/time.h"

namespace fuseboard {

// Thread-safe, lock-free, never allocates; 128 bytes. A sample costs a load, and a compare-and-swap while the minute's
// count is not full or it is longer than the others.
class LongestLatency {
 public:
  // Samples count for this long, to a whole minute: for more than nine, at most ten.
  static constexpr Duration kWindow = std::chrono::minutes(10);
  // Samples after which it is well known.
  static constexpr std::uint32_t kKnownAfter = 10;

  // A successful attempt's latency. What is negative counts as zero, what is longer than 24 h as 24 h.
  void record(TimePoint now, Duration latency) noexcept;

  // To a millisecond, never below the true value. nullopt with fewer than `min_samples`, which are at most kKnownAfter.
  std::optional<Duration> longest(TimePoint now, std::uint32_t min_samples = kKnownAfter) const noexcept;

 private:
  static constexpr Duration kBucket = std::chrono::minutes(1);
  static constexpr std::uint64_t kBuckets = kWindow / kBucket;
  // A power of two above the window, so that a clock reading a little old meets no bucket in use.
  static constexpr std::size_t kRing = 16;

  static std::uint64_t bucket_of(TimePoint t) noexcept;

  std::array<std::atomic<std::uint64_t>, kRing> words_{};
};

}  // namespace fuseboard
