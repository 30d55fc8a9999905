// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/memory_store.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/cache/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Room for so many answers of 1000 bytes.
std::size_t room_for(std::size_t answers) {
  return answers * (MemoryCacheStore::kEntryBytes + answer(std::string(1000, 'x'))->size());
}

class MemoryStoreTest : public testing::Test {
 protected:
  bool put(int number, Duration ttl = 1min) {
    return store_.put(cache_key(static_cast<std::uint8_t>(number)), answer(std::string(1000, 'x')), ttl).value();
  }
  bool has(std::uint8_t number) { return stored(store_, cache_key(number)) != nullptr; }

  ManualClock clock_;
  MemoryCacheStore store_{{.max_bytes = room_for(3)}, clock_};
};

TEST_F(MemoryStoreTest, WhatComesOutIsWhatWentInToTheByte) {  // CCH-2
  std::string body("{\"tool_calls\": [],  \"x\":\"\0\xFF\"}\r\n", 32);
  const CachedResponse plain = {
      .target = "openai/gpt", .headers = {{"Content-Type", "application/json"}, {"x", ""}}, .content = body};
  const CachedResponse stream = {.target = "openai/gpt",
                                 .content = CachedResponse::Events{"data: 1\n\n", "", ": c\r\r"}};
  for (const CachedResponse& response : {plain, stream}) {
    ASSERT_TRUE(store_.put(cache_key(1), std::make_shared<const CachedResponse>(response), 1min).value());
    const CachedResponsePtr out = stored(store_, cache_key(1));
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(*out, response);
    EXPECT_EQ(out->streamed(), response.streamed());
  }
}

TEST_F(MemoryStoreTest, AStreamKeepsItsEventsApart) {  // CCH-6
  const CachedResponse stream = {.content = CachedResponse::Events{"data: 1\n\n", "data: 2\n\n"}};
  EXPECT_TRUE(stream.streamed());
  EXPECT_FALSE(answer("data: 1\n\n")->streamed());
}

TEST_F(MemoryStoreTest, AnAnswerIsGoneWhenItsTimeIsOver) {  // CCH-3
  put(1, 10s);
  clock_.advance(10s - 1ns);
  EXPECT_TRUE(has(1));
  clock_.advance(1ns);
  EXPECT_FALSE(has(1));
  EXPECT_EQ(store_.snapshot().bytes, 0U);
  EXPECT_EQ(store_.snapshot().expired, 1U);
  EXPECT_FALSE(put(1, 0s));
  EXPECT_FALSE(put(1, -1s));
  EXPECT_TRUE(put(1, kForever));
  clock_.advance(24h * 365 * 100);
  EXPECT_TRUE(has(1));
}

TEST_F(MemoryStoreTest, AtTheBoundTheLeastRecentlyUsedGoes) {  // CCH-3 CORE-5
  for (const int number : {1, 2, 3}) EXPECT_TRUE(put(number));
  EXPECT_EQ(store_.snapshot().bytes, room_for(3)) << "full to the byte";
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(put(4));
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(1) && has(3) && has(4));
  EXPECT_EQ(store_.snapshot().evicted, 1U);
}

TEST_F(MemoryStoreTest, ALargeAnswerTakesThePlaceOfSeveralAndOneLargerThanAllOfNone) {  // CCH-3 CORE-5
  for (const int number : {1, 2, 3}) put(number);
  EXPECT_TRUE(store_.put(cache_key(4), answer(std::string(2000, 'x')), 1min).value());
  EXPECT_TRUE(has(3) && has(4));
  EXPECT_FALSE(has(1) || has(2));
  EXPECT_FALSE(store_.put(cache_key(5), answer(std::string(room_for(3), 'x')), 1min).value());
  EXPECT_TRUE(has(3) && has(4));
  EXPECT_EQ(store_.snapshot().too_large, 1U);
}

TEST_F(MemoryStoreTest, ANewAnswerTakesTheOldOnesPlaceEvenIfItIsNotKept) {  // CCH-2
  put(1);
  EXPECT_TRUE(store_.put(cache_key(1), answer("new"), 1min).value());
  EXPECT_EQ(*stored(store_, cache_key(1)), *answer("new"));
  EXPECT_EQ(store_.snapshot().entries, 1U);
  EXPECT_FALSE(store_.put(cache_key(1), answer(std::string(room_for(3), 'x')), 1min).value());
  EXPECT_FALSE(has(1));
}

TEST_F(MemoryStoreTest, EraseTakesOneOut) {  // CCH-3
  put(1);
  put(2);
  EXPECT_TRUE(store_.erase(cache_key(1)).value());
  EXPECT_FALSE(store_.erase(cache_key(1)).value());
  EXPECT_TRUE(has(2));
  EXPECT_EQ(store_.snapshot().entries, 1U);
}

TEST_F(MemoryStoreTest, WhoReadsAnAnswerKeepsItThroughItsEviction) {  // CCH-3
  put(1);
  const CachedResponsePtr reading = stored(store_, cache_key(1));
  for (const int number : {2, 3, 4}) put(number);
  EXPECT_FALSE(has(1));
  EXPECT_EQ(std::get<CachedResponse::Body>(reading->content).size(), 1000U);
}

TEST_F(MemoryStoreTest, CountsTheRoomThatGrownTextsHold) {  // CORE-5
  CachedResponse grown;
  std::string body;
  body.reserve(100'000);
  grown.content = std::move(body);
  EXPECT_GE(grown.size(), 100'000U);
}

TEST_F(MemoryStoreTest, OptionsAreChecked) {  // CORE-6
  EXPECT_EQ(MemoryCacheOptions{.max_bytes = 1023}.validate().size(), 1U);
  EXPECT_THROW(MemoryCacheStore({.max_bytes = std::numeric_limits<std::size_t>::max()}), InvalidOptions);
}

TEST_F(MemoryStoreTest, KeysAreToldApartByEveryByte) {  // CCH-1.1
  for (std::size_t i = 0; i < 32; ++i) {
    CacheKey other = cache_key(1);
    other.bytes[i] ^= 0x80U;
    put(1);
    EXPECT_EQ(stored(store_, other), nullptr) << i;
  }
  EXPECT_EQ(to_text(cache_key(0xAB)), "ab" + std::string(60, '0') + "01");
}

// A list in the order of use, searched from end to end.
class Model {
 public:
  struct Entry {
    std::uint8_t key;
    std::size_t size;
    TimePoint expires;
  };

  explicit Model(std::size_t max) : max_(max) {}
  void put(TimePoint now, std::uint8_t key, std::size_t size, Duration ttl) {
    erase(key);
    if (size > max_ || ttl <= 0s) return;
    while (total() + size > max_) entries.pop_front();
    entries.push_back({key, size, now + ttl});
  }
  bool get(TimePoint now, std::uint8_t key) {
    for (auto it = entries.begin(); it != entries.end(); ++it) {
      if (it->key != key) continue;
      if (it->expires <= now) {
        entries.erase(it);
        return false;
      }
      entries.splice(entries.end(), entries, it);
      return true;
    }
    return false;
  }
  void erase(std::uint8_t key) {
    entries.remove_if([key](const Entry& entry) { return entry.key == key; });
  }
  std::size_t total() const {
    std::size_t sum = 0;
    for (const Entry& entry : entries) sum += entry.size;
    return sum;
  }
  std::list<Entry> entries;

 private:
  std::size_t max_;
};

RC_GTEST_PROP(MemoryStoreOracle, AgreesWithAListOnRandomHistories, ()) {  // CCH-3
  const std::size_t max = room_for(*rc::gen::inRange<std::size_t>(1, 6));
  ManualClock clock;
  MemoryCacheStore store({.max_bytes = max}, clock);
  Model model(max);
  const int steps = *rc::gen::inRange(1, 150);
  for (int step = 0; step < steps; ++step) {
    const auto key = *rc::gen::inRange<std::uint8_t>(0, 8);
    switch (*rc::gen::weightedElement<int>({{4, 0}, {5, 1}, {1, 2}, {2, 3}})) {
      case 0: {
        const CachedResponsePtr response = answer(std::string(*rc::gen::element<std::size_t>(0, 500, 1000, 4000), 'x'));
        const Duration ttl = *rc::gen::element<Duration>(0s, 1s, 5s, 1h);
        RC_ASSERT(store.put(cache_key(key), response, ttl).has_value());
        model.put(clock.now(), key, response->size() + MemoryCacheStore::kEntryBytes, ttl);
        break;
      }
      case 1:
        RC_ASSERT((stored(store, cache_key(key)) != nullptr) == model.get(clock.now(), key));
        break;
      case 2:
        (void)store.erase(cache_key(key));
        model.erase(key);
        break;
      default:
        clock.advance(*rc::gen::element<Duration>(1s, 4s, 1min));
    }
    RC_ASSERT(store.snapshot().bytes == model.total());
    RC_ASSERT(store.snapshot().entries == model.entries.size());
    RC_ASSERT(store.snapshot().bytes <= max);
  }
}

TEST_F(MemoryStoreTest, ThreadsMayUseItTogether) {  // CCH-3
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const auto number = static_cast<std::uint8_t>((t + i) % 6);
        if (i % 3 == 0) {
          (void)store_.put(cache_key(number), answer(std::string(1000, static_cast<char>('a' + number))), 1min);
        } else if (const CachedResponsePtr found = stored(store_, cache_key(number))) {
          EXPECT_EQ(std::get<CachedResponse::Body>(found->content)[999], static_cast<char>('a' + number));
        }
        if (i % 50 == 0) (void)store_.erase(cache_key(number));
      }
    });
  }
  threads.clear();
  EXPECT_LE(store_.snapshot().bytes, room_for(3));
}

}  // namespace
}  // namespace fuseboard
