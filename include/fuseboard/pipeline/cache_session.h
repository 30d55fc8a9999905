// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One call's dealings with the response cache: the lookup, the call of another that it may share, the answer it leaves.
//
//   CacheSession cached(cache, &flights, keys_of_targets, decision, ttl);
//   Execution execution(now, plan, {.cache = &cached}, rng);   // answers Lookup first
//   ... on Lookup: cached.look_up(waker);                      // perhaps twice, where the store answers later
//   ... on success: cached.complete(served_by, response);      // or use cached.response() where the record says hit
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "fuseboard/cache/cache_policy.h"
#include "fuseboard/cache/response_cache.h"
#include "fuseboard/cache/single_flight.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/waker.h"

namespace fuseboard {

// Where a call stands with the cache.
enum class CacheState : std::uint8_t {
  unasked,   // nobody has looked yet
  asking,    // the store will answer later
  answered,  // it has: look_up() goes on
  waiting,   // an identical call is under way and will answer this one too
  missed,    // this call makes its own attempts, for itself or for all who wait for the same
  hit,       // response() is from the store
  shared,    // response() is another call's
};

// Belongs to one call and its driver's thread; the store's answer and notices from other calls may come on other
// threads. The cache and the flights must outlive it. What comes when it is gone is dropped, but a wake that was
// already under way on another thread may still arrive.
class CacheSession {
 public:
  // `keys`: one for each target of the plan, in the plan's order. `flights` may be null: nobody shares.
  CacheSession(ResponseCache& cache, SingleFlight* flights, std::vector<CacheKey> keys, const CacheDecision& decision,
               Duration ttl);
  ~CacheSession();
  CacheSession(const CacheSession&) = delete;
  CacheSession& operator=(const CacheSession&) = delete;

  // Asks the store, and where it has nothing joins those who ask the same. Never waits: where the store answers later
  // the state is `asking` until it has. Called again then, or after store_wait(), it goes on with that answer, or
  // without one. `waker` is woken when the state is no longer `asking` or `waiting`, or everybody else has left. It may
  // be null where `flights` is; a late answer is then found when somebody looks.
  void look_up(std::shared_ptr<Waker> waker);
  // How long the store may take.
  Duration store_wait() const noexcept { return cache_.max_wait(); }

  CacheState state() const;
  // Stored answers and those of others will not do for this call.
  bool bypassed() const noexcept { return !decision_.lookup; }
  // Of a hit or a shared answer.
  CachedResponsePtr response() const;
  // Of a hit, the index of the target whose answer it is; of another call's answer, see CachedResponse::target.
  std::optional<std::uint32_t> target() const;

  // The call's own answer, complete and good: stored if it may be, and given to all who wait. `response` is not null.
  void complete(std::uint32_t target, const CachedResponsePtr& response, const CacheableAnswer& answer);
  // There is no answer to share: one of the others tries next.
  void fail();

  // The caller is gone. Whether nobody else waits for this call's answer either, so that it can be stopped.
  bool leave();
  // After leave(): whether the others have left, too. The waker tells when that changes.
  bool deserted() const;

 private:
  class Shared;

  void settle_lookup(const std::optional<ResponseCache::Hit>& hit, std::shared_ptr<Waker> waker);

  ResponseCache& cache_;
  SingleFlight* const flights_;
  const std::vector<CacheKey> keys_;
  const CacheDecision decision_;
  const Duration ttl_;
  const std::shared_ptr<Shared> shared_;
  bool awaits_store_ = false;
  FlightWaiter waiter_;
};

}  // namespace fuseboard
