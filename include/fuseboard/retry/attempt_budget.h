// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One number of attempts that several calls draw on: those of one agent's step, say [RTY-10].
#pragma once

#include <cstdint>
#include <limits>

#include "fuseboard/core/atomic.h"

namespace fuseboard {

// Thread-safe, lock-free. It must outlive the calls that share it.
class AttemptBudget {
 public:
  // 0 means no cap, as for a single call [RTY-6].
  explicit AttemptBudget(std::uint32_t attempts) noexcept
      : has_cap_(attempts != 0), left_(has_cap_ ? attempts : std::numeric_limits<std::uint32_t>::max()) {}
  AttemptBudget(const AttemptBudget&) = delete;
  AttemptBudget& operator=(const AttemptBudget&) = delete;

  // Takes one attempt if there is one left.
  [[nodiscard]] bool try_take() noexcept {
    if (!has_cap_) return true;
    std::uint32_t left = left_.load(std::memory_order_relaxed);
    while (left > 0) {
      if (left_.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  // For an attempt that was taken and refused locally: it does not draw on the budget. Once for each.
  void release() noexcept {
    if (has_cap_) left_.fetch_add(1, std::memory_order_relaxed);
  }

  // The largest number where there is no cap.
  std::uint32_t left() const noexcept { return left_.load(std::memory_order_relaxed); }

 private:
  const bool has_cap_;
  Atomic<std::uint32_t> left_;
};

}  // namespace fuseboard
