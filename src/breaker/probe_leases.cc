// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/probe_leases.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {

void ProbeLeases::make_room(std::size_t most) {
  if (ends_.size() < most) ends_.resize(most, kFree);
}

std::uint32_t ProbeLeases::take(TimePoint until) noexcept {
  const auto place = std::ranges::find(ends_, kFree);
  check_invariant(place != ends_.end(), "no more probes than half_open_max_probes");
  *place = until;
  ++in_flight_;
  return static_cast<std::uint32_t>(place - ends_.begin());
}

bool ProbeLeases::release(std::uint32_t place) noexcept {
  TimePoint& end = ends_[place];
  check_invariant(end != kFree, "a probe settles the lease it holds");
  const bool held = std::exchange(end, kFree) != kLost;
  if (held) --in_flight_;
  return held;
}

void ProbeLeases::lose_earliest() noexcept {
  *std::ranges::find(ends_, earliest_end()) = kLost;
  --in_flight_;
}

void ProbeLeases::release_all() noexcept {
  std::ranges::fill(ends_, kFree);
  in_flight_ = 0;
}

TimePoint ProbeLeases::earliest_end(TimePoint after) const noexcept {
  TimePoint earliest = kNever;
  if (in_flight_ == 0) return earliest;
  for (const TimePoint end : ends_) {
    if (end != kFree && end != kLost && end > after) earliest = std::min(earliest, end);
  }
  return earliest;
}

std::uint32_t ProbeLeases::ending_at(TimePoint end) const noexcept {
  return static_cast<std::uint32_t>(std::ranges::count(ends_, end));
}

}  // namespace fuseboard
