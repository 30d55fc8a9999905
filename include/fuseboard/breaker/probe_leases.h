// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Leases that probes of a half-open circuit hold [BRK-8]. How long one is: BreakerOptions::probe_lease, for a call of a
// plan src/pipeline/probe_lease.cc. A lost one has failed: overdue_probes() in probe_rules.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fuseboard/core/time.h"

namespace fuseboard {

// Places of probes, each with the end of its lease. A lost probe keeps its place until it settles after all, so that a
// late settlement finds that it is late. Not thread-safe; searches are linear in the places.
class ProbeLeases {
 public:
  // Places for so many at once. Never fewer than before: probes that are in flight hold theirs. Strong exception
  // guarantee.
  void make_room(std::size_t most);

  // The place. One must be free.
  std::uint32_t take(TimePoint until) noexcept;
  // False: it was lost before.
  bool release(std::uint32_t place) noexcept;
  // The lease that ends first is over.
  void lose_earliest() noexcept;
  // A period ends, and with it all that are in flight.
  void release_all() noexcept;

  // Lost ones are not in flight any more.
  std::uint32_t in_flight() const noexcept { return in_flight_; }
  // Of those that end after `after`; kNever: none.
  TimePoint earliest_end(TimePoint after = TimePoint::min()) const noexcept;
  // How many end at `end`.
  std::uint32_t ending_at(TimePoint end) const noexcept;

 private:
  static constexpr TimePoint kFree = TimePoint::min();
  static constexpr TimePoint kLost = kFree + Duration(1);

  std::uint32_t in_flight_ = 0;
  std::vector<TimePoint> ends_;  // or kLost or kFree
};

}  // namespace fuseboard
