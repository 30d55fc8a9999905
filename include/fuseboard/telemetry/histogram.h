// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Latency histograms with fixed buckets.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuseboard/core/time.h"
#include "fuseboard/telemetry/exposition.h"

namespace fuseboard::telemetry {

// Upper bounds in seconds: from a fast local refusal to the longest answer of a model.
inline constexpr std::array<double, 18> kLatencyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                          1,     2.5,    5,     10,   30,    60,   120, 300,  600};

// A latency's bucket: the first whose bound it does not exceed; the last one is above every bound.
std::size_t latency_bucket(Duration latency) noexcept;

// What a histogram has counted: a plain value, not thread-safe.
struct LatencyCounts {
  std::array<std::uint64_t, kLatencyBounds.size() + 1> buckets{};  // not cumulative
  std::uint64_t sum_nanoseconds = 0;

  // A negative latency counts as zero.
  void observe(Duration latency) noexcept {
    ++buckets[latency_bucket(latency)];
    sum_nanoseconds += static_cast<std::uint64_t>(std::max(latency, Duration::zero()).count());
  }
  void merge(const LatencyCounts& other) noexcept;

  std::uint64_t count() const noexcept;
  // Zero while there is nothing to average [TEL-1].
  Duration average() const noexcept;

  // Buckets, sum and count under `name`, each with `labels`; the family has been announced by the caller.
  void write(Exposition& out, std::string_view name, std::span<const Label> labels = {}) const;
};

// Thread-safe; an observation is two relaxed additions. A reading while others write may miss the newest of them.
class Histogram {
 public:
  void observe(Duration latency) noexcept {
    buckets_[latency_bucket(latency)].fetch_add(1, std::memory_order_relaxed);
    sum_nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max(latency, Duration::zero()).count()),
                               std::memory_order_relaxed);
  }

  LatencyCounts counts() const noexcept;
  std::uint64_t count() const noexcept { return counts().count(); }
  void write(Exposition& out, std::string_view name, std::span<const Label> labels) const {
    counts().write(out, name, labels);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kLatencyBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_nanoseconds_{0};
};

}  // namespace fuseboard::telemetry
