// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/response_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fuseboard/cache/memory_store.h"
#include "tests/cache/support.h"
#include "tests/support/late_store.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Fails as it is told, and counts how often it is asked.
class FailingStore final : public CacheStore {
 public:
  explicit FailingStore(bool throws) : throws_(throws) {}
  std::optional<CacheAnswer> get(std::span<const CacheKey>, CacheReceiver*) override { return fail(); }
  std::expected<bool, CacheStoreError> put(const CacheKey&, CachedResponsePtr, Duration) override { return fail(); }
  std::expected<bool, CacheStoreError> erase(const CacheKey&) override { return fail(); }
  int asked = 0;

 private:
  std::unexpected<CacheStoreError> fail() {
    ++asked;
    if (throws_) throw std::runtime_error("disk full");
    return std::unexpected(CacheStoreError{"disk full"});
  }
  bool throws_;
};

TEST(ResponseCache, FindsWhatWasStored) {  // CCH-3
  ManualClock clock;
  ResponseCache cache(std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, clock));
  EXPECT_EQ(cache.lookup(cache_key(1)), std::nullopt);
  EXPECT_TRUE(cache.store(cache_key(1), answer("hello"), 1min));
  ASSERT_NE(cache.lookup(cache_key(1)), std::nullopt);
  EXPECT_EQ(*cache.lookup(cache_key(1))->response, *answer("hello"));
  EXPECT_TRUE(cache.erase(cache_key(1)));
  EXPECT_FALSE(cache.erase(cache_key(1)));
  EXPECT_FALSE(cache.store(cache_key(1), nullptr, 1min));
  EXPECT_EQ(cache.totals(), (ResponseCache::Totals{.hits = 2, .misses = 1, .stored = 1}));
}

TEST(ResponseCache, TriesThePlansTargetsInOrder) {  // CCH-1.5
  ManualClock clock;
  ResponseCache cache(std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, clock));
  const std::array keys = {cache_key(1), cache_key(2), cache_key(3)};
  cache.store(keys[2], answer("third"), 1min);
  EXPECT_EQ(cache.lookup(keys)->index, 2U);
  cache.store(keys[1], answer("second"), 1min);
  EXPECT_EQ(cache.lookup(keys)->index, 1U);
  EXPECT_EQ(cache.lookup(std::span<const CacheKey>()), std::nullopt);
  EXPECT_EQ(cache.totals().misses, 1U);
}

TEST(ResponseCache, AFailingStoreIsAMissAndACounterAndNeverAFailedCall) {  // CCH-3
  for (const bool throws : {false, true}) {
    const auto store = std::make_shared<FailingStore>(throws);
    ResponseCache cache(store);
    EXPECT_EQ(cache.lookup(cache_key(1)), std::nullopt);
    EXPECT_FALSE(cache.store(cache_key(1), answer("x"), 1min));
    EXPECT_FALSE(cache.erase(cache_key(1)));
    EXPECT_EQ(cache.totals(), (ResponseCache::Totals{.misses = 1, .failures = 3}));
  }
}

TEST(ResponseCache, AStoreThatFailsIsAskedOnceForACall) {  // CCH-3
  const auto store = std::make_shared<FailingStore>(false);
  ResponseCache cache(store);
  const std::array keys = {cache_key(1), cache_key(2), cache_key(3)};
  EXPECT_EQ(cache.lookup(keys), std::nullopt);
  EXPECT_EQ(store->asked, 1);
}

// Waits for one answer.
class Receiver final : public CacheReceiver {
 public:
  void receive(CacheAnswer answer) noexcept override { received.push_back(std::move(answer)); }
  bool waits() const noexcept override { return received.empty(); }
  std::vector<CacheAnswer> received;
};

TEST(ResponseCache, AnAnswerThatComesLaterIsConcludedByWhoAsked) {  // CCH-3
  const auto store = std::make_shared<LateStore>();
  ResponseCache cache(store);
  const auto receiver = std::make_shared<Receiver>();
  const std::array keys = {cache_key(1), cache_key(2)};
  EXPECT_TRUE(cache.ask(keys, receiver.get()).later);
  EXPECT_EQ(store->asked(), 1U) << "one question for all keys";
  EXPECT_EQ(cache.totals(), ResponseCache::Totals());
  store->take().answer(CacheFound{.response = answer("x"), .index = 1});
  ASSERT_EQ(receiver->received.size(), 1U);
  const auto hit = cache.conclude(std::move(receiver->received[0]));
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->index, 1U);
  EXPECT_TRUE(cache.ask(keys, receiver.get()).later);
  cache.give_up();
  EXPECT_EQ(cache.totals(), (ResponseCache::Totals{.hits = 1, .misses = 1, .failures = 1}));
}

TEST(ResponseCache, WhoCannotWaitHasAMiss) {  // CCH-3
  const auto store = std::make_shared<LateStore>();
  ResponseCache cache(store);
  EXPECT_EQ(cache.lookup(cache_key(1)), std::nullopt);
  CacheReply reply = store->take();
  EXPECT_FALSE(reply.wanted());
  std::move(reply).answer(CacheFound{.response = answer("x")});
  EXPECT_EQ(cache.totals(), (ResponseCache::Totals{.misses = 1, .failures = 1}));
}

TEST(ResponseCache, WaitsWithinBounds) {  // CCH-3
  const auto store = std::make_shared<LateStore>();
  EXPECT_EQ(ResponseCache(store).max_wait(), 50ms);
  EXPECT_EQ(ResponseCache(store, {.max_wait = 1ms}).max_wait(), 1ms);
  EXPECT_THROW(ResponseCache(store, {.max_wait = 999us}), InvalidOptions);
  EXPECT_THROW(ResponseCache(store, {.max_wait = 1min + 1ns}), InvalidOptions);
}

TEST(CacheReply, AnswersOnceAndWithAnErrorWhereItIsForgotten) {  // CCH-3
  const auto receiver = std::make_shared<Receiver>();
  {
    CacheReply reply(receiver.get());
    EXPECT_TRUE(reply.wanted());
    CacheReply moved = std::move(reply);
    std::move(moved).answer(CacheFound{});
    EXPECT_FALSE(moved.wanted());
  }
  ASSERT_EQ(receiver->received.size(), 1U);
  EXPECT_TRUE(receiver->received[0]);
  const auto forgotten = std::make_shared<Receiver>();
  {
    CacheReply reply(forgotten.get());
    reply = CacheReply(nullptr);
    EXPECT_EQ(forgotten->received.size(), 1U) << "in the place of another";
  }
  ASSERT_EQ(forgotten->received.size(), 1U);
  EXPECT_FALSE(forgotten->received[0]);
}

}  // namespace
}  // namespace fuseboard
