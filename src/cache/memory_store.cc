// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/memory_store.h"

#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

constexpr std::size_t kMinBytes = 1024;
constexpr std::size_t kMaxBytes = std::size_t{1} << 40U;

}  // namespace

Problems MemoryCacheOptions::validate() const {
  Validator validator;
  validator.in_range("max_bytes", max_bytes, kMinBytes, kMaxBytes);
  return std::move(validator).take();
}

MemoryCacheStore::MemoryCacheStore(const MemoryCacheOptions& options, const Clock& clock)
    : max_bytes_(checked(options).max_bytes), clock_(clock) {}

std::optional<CacheAnswer> MemoryCacheStore::get(std::span<const CacheKey> keys, CacheReceiver* /*receiver*/) {
  const TimePoint now = clock_.now();
  Entries removed;
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (CachedResponsePtr response = find_locked(now, keys[i], removed)) {
      return CacheFound{.response = std::move(response), .index = i};
    }
  }
  return CacheFound{};
}

CachedResponsePtr MemoryCacheStore::find_locked(TimePoint now, const CacheKey& key, Entries& removed) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (now >= entry->expires) {
    ++expired_;
    remove_locked(entry, removed);
    return nullptr;
  }
  entries_.splice(entries_.end(), entries_, entry);
  return entry->response;
}

std::expected<bool, CacheStoreError> MemoryCacheStore::put(const CacheKey& key, CachedResponsePtr response,
                                                           Duration ttl) {
  check_invariant(response != nullptr, "a stored answer is not null");
  const TimePoint expires = saturating_add(clock_.now(), ttl);
  const std::size_t bytes = kEntryBytes + response->size();
  Entries removed;
  Entries added;
  added.push_back({.key = key, .response = std::move(response), .expires = expires, .bytes = bytes});

  const MutexLock lock(mutex_);
  // The answer that it would replace is an older one: gone, even if this one is not kept.
  if (const auto found = index_.find(key); found != index_.end()) remove_locked(found->second, removed);
  if (ttl <= Duration::zero()) return false;
  if (bytes > max_bytes_) {
    ++too_large_;
    return false;
  }
  while (bytes_ > max_bytes_ - bytes) {
    ++evicted_;
    remove_locked(entries_.begin(), removed);
  }
  index_.emplace(key, added.begin());
  entries_.splice(entries_.end(), added);
  bytes_ += bytes;
  return true;
}

std::expected<bool, CacheStoreError> MemoryCacheStore::erase(const CacheKey& key) {
  Entries removed;
  const MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return false;
  remove_locked(found->second, removed);
  return true;
}

void MemoryCacheStore::remove_locked(Entries::iterator entry, Entries& removed) {
  index_.erase(entry->key);
  bytes_ -= entry->bytes;
  removed.splice(removed.end(), entries_, entry);
}

MemoryCacheStore::Snapshot MemoryCacheStore::snapshot() const {
  const MutexLock lock(mutex_);
  return {.entries = index_.size(), .bytes = bytes_, .evicted = evicted_, .expired = expired_, .too_large = too_large_};
}

}  // namespace fuseboard
