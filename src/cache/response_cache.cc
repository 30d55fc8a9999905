// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/response_cache.h"

#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

// What the store answers; nullopt where it fails in either way.
template <typename Question>
auto ask(Question question) noexcept -> std::optional<typename decltype(question())::value_type> {
  try {
    auto answer = question();
    if (answer) return std::move(*answer);
  } catch (...) {  // NOLINT(bugprone-empty-catch): the caller counts it
  }
  return std::nullopt;
}

void count(Atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

ResponseCache::ResponseCache(std::shared_ptr<CacheStore> store) : store_(std::move(store)) {
  check_invariant(store_ != nullptr, "a response cache has a store");
}

std::optional<ResponseCache::Hit> ResponseCache::lookup(std::span<const CacheKey> keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::optional<CachedResponsePtr> found = ask([&] { return store_->get(keys[i]); });
    if (!found) {
      // A store that fails once is not asked again for this call: each question may cost its whole time limit.
      count(failures_);
      break;
    }
    if (*found != nullptr) {
      count(hits_);
      return Hit{.response = *std::move(found), .index = i};
    }
  }
  count(misses_);
  return std::nullopt;
}

bool ResponseCache::store(const CacheKey& key, CachedResponsePtr response, Duration ttl) {
  if (response == nullptr) return false;
  const std::optional<bool> kept = ask([&] { return store_->put(key, std::move(response), ttl); });
  if (!kept) count(failures_);
  if (kept.value_or(false)) count(stored_);
  return kept.value_or(false);
}

bool ResponseCache::erase(const CacheKey& key) {
  const std::optional<bool> there = ask([&] { return store_->erase(key); });
  if (!there) count(failures_);
  return there.value_or(false);
}

ResponseCache::Totals ResponseCache::totals() const noexcept {
  return {.hits = hits_.load(std::memory_order_relaxed),
          .misses = misses_.load(std::memory_order_relaxed),
          .stored = stored_.load(std::memory_order_relaxed),
          .failures = failures_.load(std::memory_order_relaxed)};
}

}  // namespace fuseboard
