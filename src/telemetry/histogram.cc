// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/histogram.h"

#include <numeric>
#include <string>
#include <vector>

namespace fuseboard::telemetry {

std::size_t latency_bucket(Duration latency) noexcept {
  const double seconds = std::chrono::duration<double>(latency).count();
  const auto* const bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), seconds);
  return static_cast<std::size_t>(bound - kLatencyBounds.begin());
}

void LatencyCounts::merge(const LatencyCounts& other) noexcept {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  sum_nanoseconds += other.sum_nanoseconds;
}

std::uint64_t LatencyCounts::count() const noexcept {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

Duration LatencyCounts::average() const noexcept {
  const std::uint64_t samples = count();
  return Duration(samples == 0 ? 0 : static_cast<Duration::rep>(sum_nanoseconds / samples));
}

void LatencyCounts::write(Exposition& out, std::string_view name, std::span<const Label> labels) const {
  std::vector<Label> with_bound(labels.begin(), labels.end());
  with_bound.push_back({"le", ""});
  const std::string bucket_name = std::string(name) + "_bucket";
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    cumulative += buckets[i];
    const std::string bound = i < kLatencyBounds.size() ? number_text(kLatencyBounds[i]) : "+Inf";
    with_bound.back().value = bound;
    out.sample(bucket_name, with_bound, cumulative);
  }
  out.sample(std::string(name) + "_sum", labels, static_cast<double>(sum_nanoseconds) / 1e9);
  out.sample(std::string(name) + "_count", labels, cumulative);
}

LatencyCounts Histogram::counts() const noexcept {
  LatencyCounts counts;
  for (std::size_t i = 0; i < buckets_.size(); ++i) counts.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
  counts.sum_nanoseconds = sum_nanoseconds_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace fuseboard::telemetry
