// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/longest_latency.h"

#include <algorithm>

namespace fuseboard {
namespace {

// A word: the minute's number above, then how many samples it has, to kKnownAfter, below the longest in milliseconds.
// 2^32 minutes are 8 000 years, 2^27 ms more than a day.
constexpr unsigned kLatencyBits = 27;
constexpr unsigned kCountBits = 5;
constexpr std::uint64_t kLatencyMask = (std::uint64_t{1} << kLatencyBits) - 1;
constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
static_assert(LongestLatency::kKnownAfter <= kCountMask);

struct Minute {
  std::uint64_t number = 0;
  std::uint64_t count = 0;
  std::uint64_t milliseconds = 0;

  static constexpr Minute of(std::uint64_t word) noexcept {
    return {.number = word >> (kCountBits + kLatencyBits),
            .count = (word >> kLatencyBits) & kCountMask,
            .milliseconds = word & kLatencyMask};
  }
  constexpr std::uint64_t word() const noexcept {
    return (number << (kCountBits + kLatencyBits)) | (count << kLatencyBits) | milliseconds;
  }
};

std::uint64_t milliseconds_up(Duration latency) noexcept {
  const auto bounded = std::clamp<Duration>(latency, Duration::zero(), std::chrono::hours(24));
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(bounded).count());
}

}  // namespace

// From 1, so that an untouched word is of no minute that counts; a clock before its epoch is in the first one.
std::uint64_t LongestLatency::bucket_of(TimePoint t) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(t.time_since_epoch() / kBucket, 0)) + 1;
}

void LongestLatency::record(TimePoint now, Duration latency) noexcept {
  const std::uint64_t bucket = bucket_of(now);
  const std::uint64_t milliseconds = milliseconds_up(latency);
  std::atomic<std::uint64_t>& place = words_[bucket % kRing];
  std::uint64_t word = place.load(std::memory_order_relaxed);
  for (;;) {
    Minute minute = Minute::of(word);
    if (minute.number > bucket) return;  // a reading so old that its place is taken again
    if (minute.number < bucket) minute = {.number = bucket};
    minute.count = std::min<std::uint64_t>(minute.count + 1, kKnownAfter);
    minute.milliseconds = std::max(minute.milliseconds, milliseconds);
    const std::uint64_t next = minute.word();
    if (next == word || place.compare_exchange_weak(word, next, std::memory_order_relaxed)) return;
  }
}

std::optional<Duration> LongestLatency::longest(TimePoint now, std::uint32_t min_samples) const noexcept {
  const std::uint64_t bucket = bucket_of(now);
  std::uint64_t count = 0;
  std::uint64_t longest = 0;
  for (const std::atomic<std::uint64_t>& place : words_) {
    const Minute minute = Minute::of(place.load(std::memory_order_relaxed));
    if (minute.number + kBuckets <= bucket) continue;
    count += minute.count;
    longest = std::max(longest, minute.milliseconds);
  }
  if (count < min_samples) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(longest));
}

}  // namespace fuseboard
