// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// In which order a plan's targets are asked [FBK-1]: pure decisions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/route/latency.h"

namespace fuseboard {

// Targets of one plan; a plan with more is refused where it is built.
inline constexpr std::size_t kMaxTargets = 64;

enum class Strategy : std::uint8_t {
  ordered,        // as the plan lists them
  weighted,       // at random, each place in proportion to the weights of those that are left
  least_latency,  // the faster of two picked at random, then the rest from the fastest to the slowest
};
std::string_view name(Strategy strategy) noexcept;
std::optional<Strategy> strategy_from_name(std::string_view name) noexcept;

struct RouteCandidate {
  // Share of the calls against the other weights, for `weighted`. Zero, like whatever is not a positive number: only
  // when nothing else is left, with `least_latency` too.
  double weight = 1.0;
  // For `least_latency`; null is a target without samples. Borrowed for the call.
  const LatencyEstimate* latency = nullptr;
};

// Indices of a plan's targets, the first to be asked first. Trivially copyable, never allocates.
class TargetOrder {
 public:
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr std::uint8_t operator[](std::size_t place) const noexcept { return targets_[place]; }
  constexpr const std::uint8_t* begin() const noexcept { return targets_.data(); }
  constexpr const std::uint8_t* end() const noexcept { return targets_.data() + size_; }

  // At most kMaxTargets.
  constexpr void push_back(std::size_t target) noexcept { targets_[size_++] = static_cast<std::uint8_t>(target); }

 private:
  std::array<std::uint8_t, kMaxTargets> targets_{};
  std::uint8_t size_ = 0;
};

// Every candidate once; more than kMaxTargets are a broken invariant.
//
// `weighted` draws without replacement: the first place has the odds of the weights, the second those of the weights
// that are left, and so on. `least_latency` gives the first place by the power of two choices (Mitzenmacher, "The Power
// of Two Choices in Randomized Load Balancing", 2001): if all callers went to the one best target, all would leave it
// together as soon as it slowed down, for the next. The places after it are for calls that have failed already, which
// want the best that is left, so they go by the estimates alone. Equals keep the order of the plan.
//
// The same seed, time and estimates give the same order [CORE-2]. Draws from `rng`: none, one a weight above 0, two.
// Costs a logarithm or an exponential a candidate and a sort, about 1 us for ten.
TargetOrder choose_order(TimePoint now, Strategy strategy, std::span<const RouteCandidate> candidates,
                         Rng& rng) noexcept;

}  // namespace fuseboard
