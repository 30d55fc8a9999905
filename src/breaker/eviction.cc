// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which key goes when a new one comes to a full registry [BRK-17.5, BRK-17.6].
#include <algorithm>

#include "breaker/imposed_override.h"
#include "breaker/registry_rules.h"
#include "fuseboard/breaker/registry.h"

namespace fuseboard {
namespace {

// Keys looked at for one that can go: a registry full of keys that cannot must not be searched for every new name.
constexpr std::size_t kMaxLookedAt = 128;
// How often to look again whether anybody is pinned: most lookups take a few nanoseconds.
constexpr int kPatience = 64;

}  // namespace

bool CircuitBreaker::is_idle() const {
  const MutexLock lock(mutex_);
  BreakerTotals totals;
  return state() == CircuitState::closed && override_ == nullptr && sum_totals_locked(totals) == 0;
}

BreakerRegistry::OwnedBreaker* BreakerRegistry::make_room_locked(TimePoint now) {
  // Twice around at most: the first pass takes marks off, the second finds them off.
  const std::size_t steps = std::min(2 * breakers_.size(), kMaxLookedAt);
  for (std::size_t i = 0; i < steps; ++i) {
    OwnedBreaker& place = breakers_[hand_ % breakers_.size()];
    hand_ = (hand_ + 1) % breakers_.size();
    if (place->recently_used_.load(std::memory_order_relaxed)) {
      place->recently_used_.store(false, std::memory_order_relaxed);
    } else if (try_evict_locked(now, *place)) {
      return &place;
    }
  }
  return nullptr;
}

// Handles are made under mutex_, so a key without one can only be reached through the index. Once it is out of there
// and nobody is pinned, nobody can reach it at all, and what it holds in flight then is all there will be.
bool BreakerRegistry::try_evict_locked(TimePoint now, CircuitBreaker& breaker) {
  const KeyCompanion* const companion = breaker.companion();
  const auto is_idle = [&] { return breaker.is_idle() && (companion == nullptr || companion->is_idle(now)); };
  const std::uint32_t own_handles = companion == nullptr ? 0 : companion->own_handles();
  if (breaker.handles_.load(std::memory_order_acquire) != own_handles || !is_idle()) return false;
  const std::uint64_t key_hash = hash(breaker.key());
  index_.erase(breaker, key_hash);
  for (int i = 0; i < kPatience; ++i) {
    if (is_anybody_pinned()) continue;
    if (is_idle()) return true;
    break;
  }
  index_.insert(breaker, key_hash);
  return false;
}

bool BreakerRegistry::is_anybody_pinned() const noexcept {
  for (std::uint32_t slot = 0; slot < ThreadSlot::count(); ++slot) {
    if (pins_.at(slot).pinned.load(std::memory_order_seq_cst) != 0) return true;
  }
  return false;
}

}  // namespace fuseboard
