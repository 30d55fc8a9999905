// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long the slow answers of a target take: after such a time a hedge is worth its cost [RTY-9], and after twice that
// company is [RTY-11].
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct LatencyPercentileOptions {
  // Samples count for this long at least and twice as long at most; 1 s to 24 h.
  Duration window = std::chrono::minutes(5);
  // No answer with fewer samples; 1 to 1 000 000.
  std::uint32_t min_samples = 20;

  Problems validate() const;
};

// Percentiles of the latencies of the last minutes, in eight steps an octave: an answer is at most 12.5 % above the
// true value and never below it, between 1 ms and 18 min; outside it is the end of that range.
//
// Thread-safe, lock-free, never allocates; 2.5 KiB. A sample costs a compare-and-swap, an answer 322 loads.
class LatencyPercentile {
 public:
  // Throws InvalidOptions.
  explicit LatencyPercentile(const LatencyPercentileOptions& options = {});
  LatencyPercentile(const LatencyPercentile&) = delete;
  LatencyPercentile& operator=(const LatencyPercentile&) = delete;

  // A successful attempt's latency. What is negative counts as zero.
  void record(TimePoint now, Duration latency) noexcept;

  // A latency that at least `share` of the samples did not exceed; `share` is clamped to (0, 1], NaN is 1. nullopt with
  // fewer than `min_samples`.
  std::optional<Duration> at(TimePoint now, double share) const noexcept {
    return at(now, share, options_.min_samples);
  }
  // The same with a bound of one's own in place of `min_samples`, and over the samples of another one too.
  std::optional<Duration> at(TimePoint now, double share, std::uint32_t min_samples,
                             const LatencyPercentile* other = nullptr) const noexcept;

  std::uint64_t samples(TimePoint now) const noexcept;

  static constexpr std::size_t kStepsAnOctave = 8;
  static constexpr unsigned kFirstOctave = 20;  // 2^20 ns, 1.05 ms
  static constexpr unsigned kLastOctave = 40;   // 2^40 ns, 18.3 min
  static constexpr std::size_t kBuckets = (kLastOctave - kFirstOctave) * kStepsAnOctave + 1;

 private:
  // Counts of the even and of the odd windows. Each word says of which window it is, so a window that begins clears
  // nothing: its first sample takes the word over.
  using Counts = std::array<std::atomic<std::uint64_t>, kBuckets>;

  std::uint64_t window_of(TimePoint t) const noexcept;
  std::uint64_t count_in(std::size_t bucket, std::uint64_t window) const noexcept;

  const LatencyPercentileOptions options_;
  std::array<Counts, 2> counts_{};
};

}  // namespace fuseboard
