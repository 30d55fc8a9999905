// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/latency_percentile.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fuseboard {
namespace {

using Percentile = LatencyPercentile;

constexpr unsigned kStepBits = std::countr_zero(Percentile::kStepsAnOctave);

// A word: the window's number above, its count below. 2^24 samples of one bucket in a window are more than a target can
// give; 2^40 seconds are more than a clock can say.
constexpr unsigned kCountBits = 24;
constexpr std::uint64_t kMaxSamples = (std::uint64_t{1} << kCountBits) - 1;

constexpr std::uint64_t window_in(std::uint64_t word) noexcept { return word >> kCountBits; }
constexpr std::uint64_t count_of(std::uint64_t word) noexcept { return word & kMaxSamples; }

// The word after one more sample in `window`. A later window takes an earlier one's place; a sample of a window that
// is gone is dropped.
constexpr std::uint64_t counted(std::uint64_t word, std::uint64_t window) noexcept {
  if (window > window_in(word)) return (window << kCountBits) | 1U;
  return window < window_in(word) || count_of(word) == kMaxSamples ? word : word + 1;
}

constexpr std::size_t bucket_of(Duration latency) noexcept {
  if (latency.count() < (std::int64_t{1} << Percentile::kFirstOctave)) return 0;
  const auto nanoseconds = static_cast<std::uint64_t>(latency.count());
  const auto octave = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1;
  if (octave >= Percentile::kLastOctave) return Percentile::kBuckets - 1;
  const std::uint64_t step = (nanoseconds >> (octave - kStepBits)) % Percentile::kStepsAnOctave;
  return (octave - Percentile::kFirstOctave) * Percentile::kStepsAnOctave + step;
}

// Where the bucket ends; the last one has no end of its own and is named by its beginning.
constexpr Duration end_of(std::size_t bucket) noexcept {
  if (bucket == Percentile::kBuckets - 1) return Duration(std::int64_t{1} << Percentile::kLastOctave);
  const std::size_t octave = Percentile::kFirstOctave + bucket / Percentile::kStepsAnOctave;
  const auto steps = static_cast<std::int64_t>(Percentile::kStepsAnOctave + bucket % Percentile::kStepsAnOctave + 1);
  return Duration(steps << (octave - kStepBits));
}

}  // namespace

Problems LatencyPercentileOptions::validate() const {
  Validator validator;
  validator.in_range("window", window, std::chrono::seconds(1), std::chrono::hours(24));
  validator.in_range<std::uint32_t>("min_samples", min_samples, 1, 1'000'000);
  return std::move(validator).take();
}

LatencyPercentile::LatencyPercentile(const LatencyPercentileOptions& options) : options_(checked(options)) {}

// From 2, so that an untouched word is of no window that counts; a clock before its epoch is in the first one.
std::uint64_t LatencyPercentile::window_of(TimePoint t) const noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(t.time_since_epoch() / options_.window, 0)) + 2;
}

void LatencyPercentile::record(TimePoint now, Duration latency) noexcept {
  const std::uint64_t window = window_of(now);
  std::atomic<std::uint64_t>& place = counts_[window % 2][bucket_of(latency)];
  std::uint64_t word = place.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = counted(word, window);
  } while (next != word && !place.compare_exchange_weak(word, next, std::memory_order_relaxed));
}

// Of this window and the one before; of a later one too, if the reading of the clock is a little old.
std::uint64_t LatencyPercentile::count_in(std::size_t bucket, std::uint64_t window) const noexcept {
  std::uint64_t count = 0;
  for (const Counts& counts : counts_) {
    const std::uint64_t word = counts[bucket].load(std::memory_order_relaxed);
    if (window_in(word) + 1 >= window) count += count_of(word);
  }
  return count;
}

std::uint64_t LatencyPercentile::samples(TimePoint now) const noexcept {
  const std::uint64_t window = window_of(now);
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) count += count_in(bucket, window);
  return count;
}

std::optional<Duration> LatencyPercentile::at(TimePoint now, double share, std::uint32_t min_samples,
                                              const LatencyPercentile* other) const noexcept {
  const std::uint64_t window = window_of(now);
  // Read once: samples may come in between.
  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t total = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    counts[bucket] = count_in(bucket, window);
    if (other != nullptr) counts[bucket] += other->count_in(bucket, other->window_of(now));
    total += counts[bucket];
  }
  if (total < min_samples) return std::nullopt;
  // NaN fails the comparison.
  const double part = share < 1.0 ? std::max(share, 0.0) : 1.0;
  const double rank = std::clamp(std::ceil(part * static_cast<double>(total)), 1.0, static_cast<double>(total));
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    below += counts[bucket];
    if (static_cast<double>(below) >= rank) return end_of(bucket);
  }
  return end_of(kBuckets - 1);
}

}  // namespace fuseboard
