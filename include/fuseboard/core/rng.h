// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Seedable randomness [CORE-2]. Not for secrets.
#pragma once

#include <cstdint>

#include "fuseboard/core/atomic.h"

namespace fuseboard {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). The state is a
// counter, so one atomic addition makes it safe from any thread; one thread always sees the same sequence for the same
// seed.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) noexcept : state_(seed) {}

  // Uniform over all 64-bit values. Thread-safe, lock-free, about 5 ns uncontended.
  std::uint64_t next() noexcept {
    constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15;
    std::uint64_t z = state_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  // Uniform in [0, 1), 53 bits.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // Uniform in [0, bound); 0 for a bound of 0. Lemire's multiply-shift; its bias is below bound / 2^64.
  std::uint64_t below(std::uint64_t bound) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

  // A seed that differs from process to process.
  static std::uint64_t random_seed();

 private:
  Atomic<std::uint64_t> state_;
};

}  // namespace fuseboard
