// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/caller_throttles.h"

#include <optional>

namespace fuseboard {
namespace {

// How many are looked at for one that has nothing to tell.
constexpr std::size_t kMaxLookedAt = 32;

}  // namespace

std::shared_ptr<Throttle> CallerThrottles::find_locked(const Place& place) {
  const auto known = index_.find(place);
  if (known == index_.end()) return nullptr;
  entries_.splice(entries_.end(), entries_, known->second);
  return known->second->throttle;
}

std::shared_ptr<Throttle> CallerThrottles::find(const CallerHash& caller, KeyView target) {
  const MutexLock lock(mutex_);
  return find_locked({.caller = caller, .target = hash(target)});
}

std::shared_ptr<Throttle> CallerThrottles::at(TimePoint now, const CallerHash& caller, KeyView target,
                                              const ThrottleOptions& options) {
  const Place place{.caller = caller, .target = hash(target)};
  const MutexLock lock(mutex_);
  if (auto known = find_locked(place)) return known;
  // All that may fail comes before anybody goes.
  Entries made;
  decltype(index_)::iterator found_by;
  try {
    made.push_back({.place = place, .throttle = std::make_shared<Throttle>(options, target)});
    found_by = index_.emplace(place, made.begin()).first;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  if (entries_.size() >= most_ && !make_room_locked(now)) {
    index_.erase(found_by);
    return nullptr;
  }
  entries_.splice(entries_.end(), made);
  return entries_.back().throttle;
}

void CallerThrottles::apply(TimePoint now, KeyView target, const ThrottleOptions& options) {
  const std::uint64_t target_hash = hash(target);
  const MutexLock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.place.target == target_hash) entry.throttle->apply(now, options);
  }
}

bool CallerThrottles::make_room_locked(TimePoint now) {
  std::optional<Entries::iterator> oldest;
  std::size_t looked_at = 0;
  for (auto it = entries_.begin(); it != entries_.end() && looked_at < kMaxLookedAt; ++it, ++looked_at) {
    // Only this map gives it away, under its mutex: who does not hold it now never will.
    if (it->throttle.use_count() > 1) continue;
    if (!oldest) oldest = it;
    if (!it->throttle->at_rest(now)) continue;
    oldest = it;
    break;
  }
  if (!oldest) return false;
  index_.erase((*oldest)->place);
  entries_.erase(*oldest);
  return true;
}

std::size_t CallerThrottles::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace fuseboard
