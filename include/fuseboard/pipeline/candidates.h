// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The targets that a call may ask: in which order, which one is next, and what became of each [FBK-1, FBK-2].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fuseboard/core/time.h"
#include "fuseboard/route/order.h"

namespace fuseboard::engine {

// Of a plan's targets, by index.
using TargetSet = std::uint64_t;
static_assert(kMaxTargets <= 64);
inline constexpr TargetSet kAllTargets = ~TargetSet{0};
constexpr TargetSet only(std::uint32_t target) noexcept { return TargetSet{1} << target; }
constexpr bool contains(TargetSet set, std::uint32_t target) noexcept { return (set & only(target)) != 0; }

class Candidates {
 public:
  explicit Candidates(const TargetOrder& order) noexcept;

  // As they are asked now.
  const TargetOrder& order() const noexcept { return order_; }
  // Whose turn it is, unless all have been passed.
  std::uint32_t current() const noexcept { return order_[place_]; }
  bool all_passed() const noexcept { return place_ >= order_.size(); }
  void pass() noexcept { ++place_; }
  void go_to(std::uint32_t target) noexcept;
  void start_over() noexcept { place_ = 0; }

  // A target that this call will not ask (again).
  bool is_spent(std::uint32_t target) const noexcept { return contains(spent_, target); }
  void spend(std::uint32_t target) noexcept { spent_ |= only(target); }

  // Attempts sent there; stops at 255.
  std::uint32_t tries(std::uint32_t target) const noexcept { return tries_[target]; }
  void count_try(std::uint32_t target) noexcept;
  TargetSet untried() const noexcept;

  // When this call may ask it again, where it was left with a wait of its own.
  TimePoint ready_at(std::uint32_t target) const noexcept { return ready_at_[target]; }
  void set_ready_at(std::uint32_t target, TimePoint time) noexcept { ready_at_[target] = time; }

  // From now on `preferred` are asked before the others, and `last` is asked last among its like [STR-5]. `listed`
  // are all, in the order that the plan gave them.
  void prefer(const TargetOrder& listed, TargetSet preferred, std::uint32_t last) noexcept;
  TargetSet preferred() const noexcept { return preferred_; }

 private:
  TargetOrder order_;
  std::size_t place_ = 0;
  TargetSet spent_ = 0;
  TargetSet preferred_ = 0;
  std::array<std::uint8_t, kMaxTargets> tries_{};
  std::array<TimePoint, kMaxTargets> ready_at_;
};

}  // namespace fuseboard::engine
