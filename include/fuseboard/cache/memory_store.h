// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers in memory: bounded by bytes, least recently used first out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>

#include "fuseboard/cache/cache_store.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct MemoryCacheOptions {
  std::size_t max_bytes = std::size_t{64} << 20U;  // 1 KiB to 1 TiB, of answers and what holds them

  Problems validate() const;
};

// Thread-safe. One mutex: it is held for a map lookup a key and two pointers, and never while answers are made or
// freed. A hit costs that and a clock read. An answer whose time is over is freed when it is asked for or has become
// the least recently used; until then it takes room, within the bound.
class MemoryCacheStore final : public CacheStore {
 public:
  // Throws InvalidOptions. The clock must outlive the store.
  explicit MemoryCacheStore(const MemoryCacheOptions& options = {}, const Clock& clock = SteadyClock::instance());

  // Answers at once.
  std::optional<CacheAnswer> get(std::span<const CacheKey> keys, CacheReceiver* receiver) override;
  std::expected<bool, CacheStoreError> put(const CacheKey& key, CachedResponsePtr response, Duration ttl) override;
  std::expected<bool, CacheStoreError> erase(const CacheKey& key) override;

  struct Snapshot {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::uint64_t evicted = 0;    // to make room
    std::uint64_t expired = 0;    // found when their time was over
    std::uint64_t too_large = 0;  // larger than the whole store
  };
  Snapshot snapshot() const;

  // What an entry takes beside its answer: nodes of the map and the list, and their share of the table.
  static constexpr std::size_t kEntryBytes = 256;

 private:
  struct Entry {
    CacheKey key;
    CachedResponsePtr response;
    TimePoint expires;
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  // null where the key is not there; what is found expired goes to `removed`.
  CachedResponsePtr find_locked(TimePoint now, const CacheKey& key, Entries& removed) FUSEBOARD_REQUIRES(mutex_);
  // Moves the entry out of the store into `removed`, to be freed after the mutex.
  void remove_locked(Entries::iterator entry, Entries& removed) FUSEBOARD_REQUIRES(mutex_);

  const std::size_t max_bytes_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Entries entries_ FUSEBOARD_GUARDED_BY(mutex_);  // the least recently used first
  std::unordered_map<CacheKey, Entries::iterator, CacheKeyHash> index_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t bytes_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t evicted_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t expired_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t too_large_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
