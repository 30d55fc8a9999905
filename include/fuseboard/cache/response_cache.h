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
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct ResponseCacheOptions {
  // How long a call waits for a store that does not answer at once; 1 ms to 1 min. After that it goes on as a miss.
  Duration max_wait = std::chrono::milliseconds(50);

  Problems validate() const;
};

// Thread-safe. A hit touches nothing but the store [CCH-6].
class ResponseCache {
 public:
  // Throws InvalidOptions. `store` is not null.
  explicit ResponseCache(std::shared_ptr<CacheStore> store, const ResponseCacheOptions& options = {});

  using Hit = CacheFound;
  // What there is to say at once.
  struct Lookup {
    bool later = false;  // the receiver will be told; pass on what to conclude(), or give_up()
    std::optional<Hit> hit{};
  };
  // The first of `keys` that is stored: those of a plan's targets, in its order [CCH-1]. One hit or one miss, however
  // many keys. Never waits.
  Lookup ask(std::span<const CacheKey> keys, CacheReceiver* receiver);
  // The end of a lookup whose answer came later, or did not come in time.
  std::optional<Hit> conclude(CacheAnswer answer);
  void give_up();
  Duration max_wait() const noexcept { return max_wait_; }

  // For whom nothing can come later: what does not come at once is a miss.
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
    std::uint64_t failures = 0;  // of the store, or too late; each a miss or an answer not kept

    friend bool operator==(const Totals&, const Totals&) noexcept = default;
  };
  Totals totals() const noexcept;

 private:
  const std::shared_ptr<CacheStore> store_;
  const Duration max_wait_;
  Atomic<std::uint64_t> hits_{0};
  Atomic<std::uint64_t> misses_{0};
  Atomic<std::uint64_t> stored_{0};
  Atomic<std::uint64_t> failures_{0};
};

}  // namespace fuseboard
