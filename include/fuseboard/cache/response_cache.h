// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A store as a call meets it: it never fails [CCH-3].
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "fuseboard/cache/cache_store.h"
#include "fuseboard/core/atomic.h"

namespace fuseboard {

// Thread-safe. A hit touches nothing but the store [CCH-6].
class ResponseCache {
 public:
  // `store` is not null.
  explicit ResponseCache(std::shared_ptr<CacheStore> store);

  struct Hit {
    CachedResponsePtr response;
    std::size_t index = 0;  // of the key that was found
    friend bool operator==(const Hit&, const Hit&) noexcept = default;
  };
  // The first of `keys` that is stored: those of a plan's targets, in its order [CCH-1]. One hit or one miss, however
  // many keys.
  std::optional<Hit> lookup(std::span<const CacheKey> keys);
  std::optional<Hit> lookup(const CacheKey& key) { return lookup(std::span(&key, 1)); }

  // Whether it is kept. A null response is not.
  bool store(const CacheKey& key, CachedResponsePtr response, Duration ttl);
  // Whether it was there.
  bool erase(const CacheKey& key);

  struct Totals {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t stored = 0;
    std::uint64_t failures = 0;  // of the store, each a miss or an answer not kept

    friend bool operator==(const Totals&, const Totals&) noexcept = default;
  };
  Totals totals() const noexcept;

 private:
  const std::shared_ptr<CacheStore> store_;
  Atomic<std::uint64_t> hits_{0};
  Atomic<std::uint64_t> misses_{0};
  Atomic<std::uint64_t> stored_{0};
  Atomic<std::uint64_t> failures_{0};
};

}  // namespace fuseboard
