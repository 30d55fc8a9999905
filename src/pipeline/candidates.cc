// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/candidates.h"

#include <algorithm>
#include <limits>

namespace fuseboard::engine {

Candidates::Candidates(const TargetOrder& order) noexcept : order_(order) { ready_at_.fill(TimePoint::min()); }

void Candidates::go_to(std::uint32_t target) noexcept {
  place_ = static_cast<std::size_t>(std::ranges::find(order_, target) - order_.begin());
}

void Candidates::count_try(std::uint32_t target) noexcept {
  if (tries_[target] < std::numeric_limits<std::uint8_t>::max()) ++tries_[target];
}

TargetSet Candidates::untried() const noexcept {
  TargetSet untried = kAllTargets;
  for (const std::uint32_t target : order_) {
    if (tries_[target] > 0) untried &= ~only(target);
  }
  return untried;
}

void Candidates::prefer(const TargetOrder& listed, TargetSet preferred, std::uint32_t last) noexcept {
  preferred_ = preferred;
  order_ = {};
  for (const bool first : {true, false}) {
    for (const std::uint32_t target : listed) {
      if (contains(preferred, target) == first && target != last) order_.push_back(target);
    }
    if (contains(preferred, last) == first) order_.push_back(last);
  }
}

}  // namespace fuseboard::engine
