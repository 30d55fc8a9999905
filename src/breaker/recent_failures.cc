// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/recent_failures.h"

#include <algorithm>

namespace fuseboard {

std::optional<Duration> RecentFailures::add(TimePoint now) noexcept {
  at(count_++) = now;
  if (count_ < times_.size()) return std::nullopt;
  return elapsed(at(count_ - times_.size()), now);
}

void RecentFailures::take_over(const RecentFailures& old) noexcept {
  const std::uint64_t taken = std::min<std::uint64_t>({old.count_, old.times_.size(), times_.size()});
  for (std::uint64_t i = old.count_ - taken; i < old.count_; ++i) (void)add(old.times_[i % old.times_.size()]);
}

}  // namespace fuseboard
