// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the cache's tests share.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "fuseboard/cache/cache_key.h"
#include "fuseboard/cache/cache_store.h"
#include "fuseboard/cache/cached_response.h"

namespace fuseboard {

inline CacheKey cache_key(std::uint8_t number) {
  CacheKey key;
  key.bytes[0] = number;
  key.bytes[31] = 1;
  return key;
}

inline CachedResponsePtr answer(std::string body) {
  return std::make_shared<const CachedResponse>(CachedResponse{.target = "p/m", .content = std::move(body)});
}

// What a store that answers at once has under a key; null: nothing.
inline CachedResponsePtr stored(CacheStore& store, const CacheKey& key) {
  return store.get(std::span(&key, 1), nullptr).value().value().response;
}

}  // namespace fuseboard
