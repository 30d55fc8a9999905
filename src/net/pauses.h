// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long a loop was busy with one thing, while everything else on it waited.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "fuseboard/core/time.h"

namespace fuseboard::net {

// Written by its loop's thread alone; read by any.
class Pauses {
 public:
  static constexpr std::array<Duration, 13> kBounds = {
      std::chrono::microseconds(50),  std::chrono::microseconds(100), std::chrono::microseconds(250),
      std::chrono::microseconds(500), std::chrono::milliseconds(1),   std::chrono::microseconds(2500),
      std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(25),
      std::chrono::milliseconds(50),  std::chrono::milliseconds(100), std::chrono::milliseconds(250),
      std::chrono::seconds(1)};

  struct Counts {
    std::array<std::uint64_t, kBounds.size() + 1>
        by_bound{};  // up to each bound and above the one before; then above all
    Duration total{};

    Counts& operator+=(const Counts& other) noexcept {
      for (std::size_t i = 0; i < by_bound.size(); ++i) by_bound[i] += other.by_bound[i];
      total += other.total;
      return *this;
    }
  };

  void add(Duration pause) noexcept {
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && pause > kBounds[bucket]) ++bucket;
    bump(counts_[bucket], 1);
    bump(total_, pause.count() > 0 ? static_cast<std::uint64_t>(pause.count()) : 0);
  }
  Counts counts() const noexcept {
    Counts counts;
    for (std::size_t i = 0; i < counts_.size(); ++i) counts.by_bound[i] = counts_[i].load(std::memory_order_relaxed);
    counts.total = Duration(static_cast<Duration::rep>(total_.load(std::memory_order_relaxed)));
    return counts;
  }

 private:
  // One writer: no read-modify-write is needed.
  static void bump(std::atomic<std::uint64_t>& cell, std::uint64_t by) noexcept {
    cell.store(cell.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> total_{0};
};

}  // namespace fuseboard::net
