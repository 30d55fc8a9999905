// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A latency histogram with fixed buckets.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "fuseboard/core/time.h"
#include "telemetry/exposition.h"

namespace fuseboard::telemetry {

// Upper bounds in seconds: from a fast local refusal to the longest answer of a model.
inline constexpr std::array<double, 15> kLatencyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                          0.5,   1,      2.5,   5,    10,    30,   60};

// Thread-safe; an observation is two relaxed additions. A reading while others write may miss the newest of them.
class Histogram {
 public:
  void observe(Duration latency) noexcept;

  std::uint64_t count() const noexcept;
  // Buckets, sum and count under `name`, each with `labels`; the family has been announced by the caller.
  void write(Exposition& out, std::string_view name, std::span<const Label> labels) const;

 private:
  // Not cumulative; the last one is above every bound.
  std::array<std::atomic<std::uint64_t>, kLatencyBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_nanoseconds_{0};
};

}  // namespace fuseboard::telemetry
