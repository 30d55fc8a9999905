// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/response_cache.h"

#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

// Whether the store did it; nullopt where it fails in either way.
template <typename Deed>
std::optional<bool> try_to(Deed deed) noexcept {
  try {
    const std::expected<bool, CacheStoreError> done = deed();
    if (done) return *done;
  } catch (...) {  // NOLINT(bugprone-empty-catch): the caller counts it
  }
  return std::nullopt;
}

void count(Atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

Problems ResponseCacheOptions::validate() const {
  Validator validator;
  validator.in_range("max_wait", max_wait, std::chrono::milliseconds(1), std::chrono::minutes(1));
  return std::move(validator).take();
}

ResponseCache::ResponseCache(std::shared_ptr<CacheStore> store, const ResponseCacheOptions& options)
    : store_(std::move(store)), max_wait_(options.max_wait) {
  throw_if_invalid(options.validate());
  check_invariant(store_ != nullptr, "a response cache has a store");
}

ResponseCache::Lookup ResponseCache::ask(std::span<const CacheKey> keys, CacheReceiver* receiver) {
  std::optional<CacheAnswer> answer;
  try {
    answer = store_->get(keys, receiver);
  } catch (...) {
    answer = std::unexpected(CacheStoreError{});
  }
  if (!answer) return {.later = true};
  return {.hit = conclude(*std::move(answer))};
}

std::optional<ResponseCache::Hit> ResponseCache::conclude(CacheAnswer answer) {
  if (!answer) count(failures_);
  if (!answer || answer->response == nullptr) {
    count(misses_);
    return std::nullopt;
  }
  count(hits_);
  return *std::move(answer);
}

void ResponseCache::give_up() { (void)conclude(std::unexpected(CacheStoreError{})); }

std::optional<ResponseCache::Hit> ResponseCache::lookup(std::span<const CacheKey> keys) {
  Lookup found = ask(keys, nullptr);
  if (found.later) give_up();
  return std::move(found.hit);
}

bool ResponseCache::store(const CacheKey& key, CachedResponsePtr response, Duration ttl) {
  if (response == nullptr) return false;
  const std::optional<bool> kept = try_to([&] { return store_->put(key, std::move(response), ttl); });
  if (!kept) count(failures_);
  if (kept.value_or(false)) count(stored_);
  return kept.value_or(false);
}

bool ResponseCache::erase(const CacheKey& key) {
  const std::optional<bool> there = try_to([&] { return store_->erase(key); });
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
