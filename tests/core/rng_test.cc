// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "fuseboard/core/ids.h"

namespace fuseboard {
namespace {

TEST(Rng, TheSameSeedGivesTheSameDecisions) {  // CORE-2
  Rng one(42);
  Rng two(42);
  Rng other(43);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = one.next();
    ASSERT_EQ(value, two.next());
    differs = differs || value != other.next();
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(new_request_id(one).view(), new_request_id(two).view());
}

TEST(Rng, KnownAnswersOfSplitMix64) {  // CORE-2: a change of the generator changes every recorded run
  Rng rng(1234567);
  EXPECT_EQ(rng.next(), 6457827717110365317U);
  EXPECT_EQ(rng.next(), 3203168211198807973U);
  EXPECT_EQ(rng.next(), 9817491932198370423U);
}

TEST(Rng, StaysInItsRanges) {
  Rng rng(1);
  double least = 1.0;
  double most = 0.0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    least = std::min(least, value);
    most = std::max(most, value);
    ASSERT_LT(rng.below(7), 7U);
  }
  EXPECT_LT(least, 0.01);
  EXPECT_GT(most, 0.99);
  EXPECT_EQ(rng.below(0), 0U);
}

TEST(Rng, ThreadsShareOneSequenceWithoutRepeats) {  // CORE-2
  Rng rng(9);
  std::vector<std::vector<std::uint64_t>> drawn(4);
  std::vector<std::jthread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) mine.push_back(rng.next());
    });
  }
  threads.clear();
  std::set<std::uint64_t> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  std::set<std::uint64_t> expected;
  for (Rng again(9); expected.size() < 4000;) expected.insert(again.next());
  EXPECT_EQ(all, expected);
}

TEST(RequestId, HasItsPrefixAndAlphabet) {
  Rng rng(5);
  const std::string id(new_request_id(rng).view());
  ASSERT_EQ(id.size(), 30U);
  EXPECT_TRUE(id.starts_with("req_"));
  EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz", 4), std::string::npos);
  EXPECT_NE(new_request_id(rng).view(), id);
}

TEST(RequestId, SpellsTheGeneratorsBitsFromTheLowestOn) {
  Rng rng(1234567);  // 0x599ED017FB08FC85, then 0x2C73F08458540FA5
  EXPECT_EQ(new_request_id(rng).view(), "req_54zhgxz2gp7k55x385chggzwr2");
}

}  // namespace
}  // namespace fuseboard
