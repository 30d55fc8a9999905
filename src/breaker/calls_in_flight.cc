// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/calls_in_flight.h"

#include <algorithm>
#include <new>
#include <utility>

namespace fuseboard {
namespace {

constexpr std::size_t kFirstSlots = 64;

}  // namespace

CallsInFlight::CallsInFlight() { entries_.reserve(kFirstSlots); }

std::uint32_t CallsInFlight::begin(TimePoint now) noexcept {
  std::uint32_t slot = free_;
  if (slot != kNone) {
    free_ = entries_[slot].later;
  } else {
    if (entries_.size() >= kMaxTrackedCalls) return kNone;
    slot = static_cast<std::uint32_t>(entries_.size());
    try {
      entries_.emplace_back();
    } catch (const std::bad_alloc&) {
      return kNone;
    }
  }
  if (newest_ != kNone) {
    now = std::max(now, entries_[newest_].began);
    entries_[newest_].later = slot;
  } else {
    oldest_ = slot;
  }
  entries_[slot] = {.began = now, .earlier = newest_};
  newest_ = slot;
  if (oldest_of_generation_ == kNone) oldest_of_generation_ = slot;
  return slot;
}

void CallsInFlight::end(std::uint32_t slot) noexcept {
  const Entry entry = entries_[slot];
  if (slot == oldest_of_generation_) oldest_of_generation_ = entry.later;
  (entry.earlier != kNone ? entries_[entry.earlier].later : oldest_) = entry.later;
  (entry.later != kNone ? entries_[entry.later].earlier : newest_) = entry.earlier;
  entries_[slot].later = std::exchange(free_, slot);
}

}  // namespace fuseboard
