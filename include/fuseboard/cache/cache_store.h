// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where answers are kept: one interface for memory and databases.
#pragma once

#include <expected>
#include <string>

#include "fuseboard/cache/cache_key.h"
#include "fuseboard/cache/cached_response.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// A store that could not do its work. `reason` is for logs.
struct CacheStoreError {
  std::string reason;
};

// Implementations are thread-safe and bounded, and answer at once or fail: a call waits for them. What they throw is
// taken for a failure, too.
class CacheStore {
 public:
  virtual ~CacheStore() = default;

  // null: not there, or its time is over.
  virtual std::expected<CachedResponsePtr, CacheStoreError> get(const CacheKey& key) = 0;
  // Keeps `response` (not null) for at most `ttl` in the place of what was there. false: not kept, which is no failure:
  // it is too large, or its time is over already.
  virtual std::expected<bool, CacheStoreError> put(const CacheKey& key, CachedResponsePtr response, Duration ttl) = 0;
  // Whether it was there.
  virtual std::expected<bool, CacheStoreError> erase(const CacheKey& key) = 0;
};

}  // namespace fuseboard
