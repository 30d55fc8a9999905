// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "telemetry/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace fuseboard::telemetry {

void Histogram::observe(Duration latency) noexcept {
  const Duration positive = std::max(latency, Duration::zero());
  const double seconds = std::chrono::duration<double>(positive).count();
  const auto bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), seconds);
  buckets_[static_cast<std::size_t>(bound - kLatencyBounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_nanoseconds_.fetch_add(static_cast<std::uint64_t>(positive.count()), std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const noexcept {
  std::uint64_t count = 0;
  for (const auto& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
  return count;
}

void Histogram::write(Exposition& out, std::string_view name, std::span<const Label> labels) const {
  std::vector<Label> with_bound(labels.begin(), labels.end());
  with_bound.push_back({"le", ""});
  const std::string bucket_name = fmt::format("{}_bucket", name);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    cumulative += buckets_[i].load(std::memory_order_relaxed);
    const std::string bound = i < kLatencyBounds.size() ? fmt::format("{}", kLatencyBounds[i]) : "+Inf";
    with_bound.back().value = bound;
    out.sample(bucket_name, with_bound, cumulative);
  }
  const double sum = static_cast<double>(sum_nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  out.sample(fmt::format("{}_sum", name), labels, sum);
  out.sample(fmt::format("{}_count", name), labels, cumulative);
}

}  // namespace fuseboard::telemetry
