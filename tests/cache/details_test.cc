// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of the cache shows only at its bounds.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/cache/memory_store.h"
#include "fuseboard/cache/response_cache.h"
#include "fuseboard/cache/single_flight.h"
#include "fuseboard/core/clock.h"
#include "tests/cache/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

CacheKey key(std::uint8_t last) {
  CacheKey key;
  key.bytes.back() = last;
  return key;
}

CachedResponsePtr answer(std::size_t bytes = 10) {
  return std::make_shared<const CachedResponse>(
      CachedResponse{.target = "a", .headers = {}, .content = std::string(bytes, 'x')});
}

class CacheDetails : public testing::Test {
 protected:
  bool has(MemoryCacheStore& store, std::uint8_t name) { return stored(store, key(name)) != nullptr; }
  ManualClock clock_;
};

TEST_F(CacheDetails, AnAnswerIsGoneAtItsTimeAndFreesItsRoom) {  // CCH-3
  MemoryCacheStore store({}, clock_);
  ASSERT_TRUE(*store.put(key(1), answer(), 10s));
  clock_.advance(10s - 1ns);
  EXPECT_TRUE(has(store, 1));
  clock_.advance(1ns);
  EXPECT_FALSE(has(store, 1));
  EXPECT_EQ(store.snapshot().entries, 0U);
  EXPECT_EQ(store.snapshot().bytes, 0U);
  EXPECT_EQ(store.snapshot().expired, 1U);
}

TEST_F(CacheDetails, WhoIsReadStaysAndWhoIsNotGoes) {  // CCH-3
  MemoryCacheStore store({.max_bytes = 4096}, clock_);
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(*store.put(key(i), answer(700), 1h));
  EXPECT_TRUE(has(store, 1));
  ASSERT_TRUE(*store.put(key(4), answer(1400), 1h));
  EXPECT_TRUE(has(store, 1)) << "read last";
  EXPECT_FALSE(has(store, 2)) << "read longest ago";
  EXPECT_TRUE(has(store, 4));
  EXPECT_LE(store.snapshot().bytes, 4096U);
  EXPECT_GE(store.snapshot().evicted, 1U);
}

TEST_F(CacheDetails, WhatIsReplacedIsCountedOnce) {  // CCH-3
  MemoryCacheStore store({}, clock_);
  ASSERT_TRUE(*store.put(key(1), answer(100), 1h));
  const std::size_t bytes = store.snapshot().bytes;
  ASSERT_TRUE(*store.put(key(1), answer(100), 1h));
  EXPECT_EQ(store.snapshot().bytes, bytes);
  EXPECT_EQ(store.snapshot().entries, 1U);
  EXPECT_TRUE(*store.erase(key(1)));
  EXPECT_EQ(store.snapshot().bytes, 0U);
}

TEST_F(CacheDetails, ALookupThatFailsIsAMissAndNoHit) {  // CCH-3
  ResponseCache cache(std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, clock_));
  const std::vector<CacheKey> keys = {key(1), key(2)};
  EXPECT_FALSE(cache.lookup(keys));
  EXPECT_TRUE(cache.store(key(2), answer(), 1h));
  const auto hit = cache.lookup(keys);
  ASSERT_TRUE(hit);
  EXPECT_EQ(hit->index, 1U);
  EXPECT_TRUE(cache.erase(key(2)));
  EXPECT_FALSE(cache.erase(key(2)));
  EXPECT_FALSE(cache.store(key(1), nullptr, 1h));
  EXPECT_EQ(cache.totals().hits, 1U);
  EXPECT_EQ(cache.totals().misses, 1U);
  EXPECT_EQ(cache.totals().stored, 1U);
  EXPECT_EQ(cache.totals().failures, 0U);
}

TEST(SingleFlightDetails, CountsWhoLedSharedLeftAndWentAlone) {  // CCH-4
  SingleFlight flights({.max_flights = 1, .max_waiters_per_flight = 2});
  auto leader = flights.join(key(1), {});
  auto second = flights.join(key(1), {});
  ASSERT_TRUE(leader.flight);
  EXPECT_FALSE(second.flight);
  EXPECT_TRUE(second.waiter.waiting());
  EXPECT_FALSE(flights.join(key(1), {}).waiter.waiting()) << "one too many";
  EXPECT_FALSE(flights.join(key(2), {}).flight) << "a second flight is one too many";
  EXPECT_EQ(flights.snapshot().alone, 2U);
  EXPECT_EQ(flights.snapshot().waiters, 2U);
  EXPECT_EQ(flights.snapshot().flights, 1U);
  std::move(*leader.flight).succeed(answer());
  EXPECT_EQ(flights.snapshot().shared, 1U);
  EXPECT_EQ(flights.snapshot().led, 1U);
  EXPECT_EQ(flights.snapshot().waiters, 0U);
  EXPECT_EQ(flights.snapshot().flights, 0U);
}

TEST(SingleFlightDetails, ALeaderWhoLeftAndWhoseCallEndsIsCountedOnce) {  // CCH-4
  SingleFlight flights;
  auto leader = flights.join(key(1), {});
  auto second = flights.join(key(1), {});
  leader.waiter.leave();
  EXPECT_EQ(flights.snapshot().waiters, 1U);
  EXPECT_FALSE(leader.flight->cancelled());
  second.waiter.leave();
  EXPECT_EQ(flights.snapshot().waiters, 0U);
  EXPECT_EQ(flights.snapshot().cancelled, 1U);
  EXPECT_TRUE(leader.flight->cancelled());
  auto next = flights.join(key(1), {});
  ASSERT_TRUE(next.flight);
  std::move(*leader.flight).fail();
  EXPECT_EQ(flights.snapshot().flights, 1U) << "the old one is not the new one";
  EXPECT_FALSE(next.flight->cancelled());
}

}  // namespace
}  // namespace fuseboard
