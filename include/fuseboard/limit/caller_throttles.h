// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Throttles of callers who bring a credential of their own: what a server says to one of them is none of the others'
// business [LIM-4, FBK-6].
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/throttle.h"

namespace fuseboard {

// A caller, by a hash of its credential: enough to tell one from another, and nothing to find a credential by. All
// zero: it brought none.
struct CallerHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const CallerHash&, const CallerHash&) = default;
};

// Of any number of targets; several share one, so that the bound is theirs together. Thread-safe: one mutex, held for a
// look into a map.
class CallerThrottles {
 public:
  // At the bound the one that was used longest ago goes: the first, among those looked at, that has nothing to tell,
  // else simply the oldest; never one that an attempt holds. 1 to 1 000 000.
  explicit CallerThrottles(std::size_t most = 10'000) noexcept : most_(most) {}
  CallerThrottles(const CallerThrottles&) = delete;
  CallerThrottles& operator=(const CallerThrottles&) = delete;

  // Null: nothing was said to that caller of that target yet.
  std::shared_ptr<Throttle> find(const CallerHash& caller, KeyView target);
  // Makes it where it is new. Null: the bound is reached and all are in use, or there is no memory, so nobody
  // remembers.
  std::shared_ptr<Throttle> at(TimePoint now, const CallerHash& caller, KeyView target, const ThrottleOptions& options);

  // New options for all that are known of that target; those that come get theirs from at().
  void apply(TimePoint now, KeyView target, const ThrottleOptions& options);

  std::size_t size() const;

 private:
  struct Place {
    CallerHash caller;
    std::uint64_t target = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Entry {
    Place place;
    std::shared_ptr<Throttle> throttle;
  };
  using Entries = std::list<Entry>;  // the one used longest ago first

  std::shared_ptr<Throttle> find_locked(const Place& place) FUSEBOARD_REQUIRES(mutex_);
  bool make_room_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);

  const std::size_t most_;
  mutable Mutex mutex_;
  Entries entries_ FUSEBOARD_GUARDED_BY(mutex_);
  std::map<Place, Entries::iterator> index_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
