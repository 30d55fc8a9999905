// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/token_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>
#include <vector>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using enum Priority;

std::uint64_t drain(TimePoint now, TokenBucket& bucket, Priority priority = normal) {
  std::uint64_t taken = 0;
  while (bucket.try_acquire(now, 1, priority)) ++taken;
  return taken;
}

TEST(TokenBucket, BeginsFullAndRefillsByElapsedTime) {  // LIM-1
  TokenBucket bucket({.rate = 10, .burst = 5});
  EXPECT_EQ(drain(kStart, bucket), 5U);
  EXPECT_FALSE(bucket.try_acquire(kStart + 100ms - 1ns));
  EXPECT_TRUE(bucket.try_acquire(kStart + 100ms));
  EXPECT_EQ(drain(kStart + 400ms, bucket), 3U);
  EXPECT_EQ(drain(kStart + 24h, bucket), 5U) << "never more than the burst";
}

TEST(TokenBucket, FractionsOfATokenAreNotLostHoweverOftenItIsAsked) {  // LIM-1
  // A third of a token a nanosecond-sized step at a time; an integer refill per call would round each down to nothing.
  TokenBucket bucket({.rate = 7, .burst = 1});
  std::uint64_t taken = 0;
  const Duration step = 1009us;
  for (TimePoint now = kStart; now < kStart + 60s; now += step) taken += bucket.try_acquire(now) ? 1 : 0;
  // Each token may be taken one step late.
  EXPECT_GE(taken, static_cast<std::uint64_t>(60.0 / (1.0 / 7 + 0.001009)));
  EXPECT_LE(taken, 1 + 60 * 7U);
}

TEST(TokenBucket, AnEarlierTimeRefillsNothing) {  // LIM-1 CORE-1
  TokenBucket bucket({.rate = 10, .burst = 2});
  EXPECT_EQ(drain(kStart + 1s, bucket), 2U);
  EXPECT_EQ(drain(kStart, bucket), 0U);
  EXPECT_EQ(drain(TimePoint::min(), bucket), 0U);
  EXPECT_EQ(drain(kStart + 1s, bucket), 0U);
  EXPECT_EQ(drain(kStart + 1100ms, bucket), 1U);
}

TEST(TokenBucket, ExtremesOfTimeAndCostSaturate) {  // LIM-1 CORE-7
  TokenBucket bucket({.rate = kMaxTokens, .burst = kMaxTokens});
  EXPECT_TRUE(bucket.try_acquire(kNever, 1'000'000'000));
  EXPECT_FALSE(bucket.try_acquire(kNever, std::numeric_limits<std::uint64_t>::max()));
  TokenBucket slow({.rate = kMinRate, .burst = kMaxTokens});
  EXPECT_TRUE(slow.try_acquire(kStart, 1'000'000'000));
  const auto rejected = slow.try_acquire(kStart, 1'000'000'000);
  ASSERT_FALSE(rejected);
  EXPECT_GT(*rejected.error().retry_after, 24h * 365);
}

TEST(TokenBucket, ACallMayCostMoreThanOneToken) {  // LIM-1
  TokenBucket bucket({.rate = 10, .burst = 10});
  EXPECT_TRUE(bucket.try_acquire(kStart, 7));
  EXPECT_FALSE(bucket.try_acquire(kStart, 4));
  EXPECT_TRUE(bucket.try_acquire(kStart, 3)) << "a refused call took nothing";
  EXPECT_DOUBLE_EQ(bucket.available(kStart + 250ms), 2.5);
}

TEST(TokenBucket, WhatCostsMoreThanTheBucketHoldsIsRefusedWithoutAWait) {  // LIM-3
  TokenBucket bucket({.rate = 10, .burst = 10}, "key");
  EXPECT_FALSE(bucket.can_ever_admit(11));
  const auto rejected = bucket.try_acquire(kStart, 11);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::rate_limited);
  EXPECT_EQ(rejected.error().retry_after, std::nullopt);
  EXPECT_EQ(rejected.error().key, "key");
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 10.0);
}

TEST(TokenBucket, ARefundReturnsWhatWasTakenAndNeverMoreThanTheBurst) {  // LIM-1 BRK-11
  TokenBucket bucket({.rate = 1, .burst = 3});
  const auto two = bucket.try_acquire(kStart, 2);
  ASSERT_TRUE(two);
  bucket.release(kStart, *two);
  const auto all = bucket.try_acquire(kStart, 3);
  ASSERT_TRUE(all);
  bucket.release(kStart, *all);
  EXPECT_EQ(drain(kStart, bucket), 3U);
  bucket.reset();
  EXPECT_EQ(drain(kStart, bucket), 3U);
}

TEST(TokenBucket, ALateRefundGivesNothingBackThatHasComeBackByItself) {  // LIM-1
  TokenBucket bucket({.rate = 1, .burst = 10});
  const auto early = bucket.try_acquire(kStart);
  ASSERT_TRUE(early);
  EXPECT_EQ(drain(kStart + 1s, bucket), 10U) << "full again";
  bucket.release(kStart + 1s, *early);
  EXPECT_EQ(drain(kStart + 1s, bucket), 0U) << "eleven at one time are more than the burst";

  // Four of the five may have come back by themselves.
  const TimePoint later = kStart + 20s;
  const auto first = bucket.try_acquire(later, 5);
  ASSERT_TRUE(bucket.try_acquire(later, 5));
  const auto second = bucket.try_acquire(later + 4s, 4);
  ASSERT_TRUE(first && second);
  bucket.release(later + 4s, *first);
  EXPECT_EQ(drain(later + 4s, bucket), 1U);
  // Without the first one the second would have found it full.
  bucket.reset();
  const auto a = bucket.try_acquire(later + 4s, 8);
  const auto b = bucket.try_acquire(later + 10s, 5);
  ASSERT_TRUE(a && b);
  bucket.release(later + 10s, *a);
  EXPECT_EQ(drain(later + 10s, bucket), 5U);
  bucket.release(later + 10s, *b);
  EXPECT_EQ(drain(later + 10s, bucket), 5U);
}

TEST(TokenBucket, ARefundOfWhatWasTakenBeforeAResetGivesNothingBack) {  // LIM-1
  TokenBucket bucket({.rate = 1, .burst = 10});
  const auto before = bucket.try_acquire(kStart, 8);
  bucket.reset();
  ASSERT_TRUE(before && bucket.try_acquire(kStart, 5));
  bucket.release(kStart, *before);
  EXPECT_EQ(drain(kStart, bucket), 5U) << "the reset has given it back already";
}

TEST(TokenBucket, ALateRefundKnowsWhatCameBackToEarlierCalls) {  // LIM-1
  TokenBucket bucket({.rate = 1, .burst = 6});
  const auto first = bucket.try_acquire(kStart + 2s, 3);
  const auto second = bucket.try_acquire(kStart + 4s, 2);
  ASSERT_TRUE(first && second);
  bucket.release(kStart + 4s, *first);
  ASSERT_TRUE(bucket.try_acquire(kStart + 5s, 4));
  bucket.release(kStart + 5s, *second);
  EXPECT_EQ(drain(kStart + 7s, bucket), 4U) << "with the 4 before it 8 in 2 s, of which 2 were refilled";
}

// In whatever order they come back: at the same moment nothing has come back by itself.
RC_GTEST_PROP(TokenBucket, WhatIsRefundedAtOnceComesBackWhole, ()) {  // LIM-1 BRK-11
  TokenBucket bucket({.rate = 1, .burst = 60});
  ASSERT_TRUE(bucket.try_acquire(kStart, *rc::gen::inRange<std::uint64_t>(1, 10)));
  const TimePoint now = kStart + *rc::gen::element<Duration>(0s, 1s, 20s);
  const double before = bucket.available(now);
  std::vector<TokenGrant> grants;
  for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
    const auto grant = bucket.try_acquire(now, *rc::gen::inRange<std::uint64_t>(1, 5));
    RC_ASSERT(grant.has_value());
    grants.push_back(*grant);
  }
  while (!grants.empty()) {
    const auto at = static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, grants.size()));
    bucket.release(now, grants[static_cast<std::size_t>(at)]);
    grants.erase(grants.begin() + at);
  }
  RC_ASSERT(bucket.available(now) == before);
}

TEST(TokenBucketThreads, WhatIsRefundedAtOnceComesBackWhole) {  // LIM-1 BRK-11
  TokenBucket bucket({.rate = 1, .burst = 1000});
  for (int round = 1; round <= 200; ++round) {
    const TimePoint now = kStart + round * 1000s;  // full again: who begins is decided by a race
    ASSERT_EQ(bucket.available(now), 1000.0);
    together(kThreads, [&](int) {
      for (int i = 0; i < 20; ++i) {
        const auto grant = bucket.try_acquire(now);
        if (grant) bucket.release(now, *grant);
      }
    });
    ASSERT_EQ(bucket.available(now), 1000.0);
  }
}

// Against every interval: what was admitted and not refunded in time stays within burst and rate.
RC_GTEST_PROP(TokenBucket, NoRefundMakesAnIntervalExceedBurstAndRate, ()) {  // LIM-1
  constexpr std::uint64_t kBurst = 6;
  TokenBucket bucket({.rate = 1, .burst = kBurst});
  struct Call {
    TimePoint at;
    std::uint64_t cost;
    TokenGrant grant;
    bool refunded = false;
  };
  std::vector<Call> calls;
  TimePoint now = kStart;
  // A refund that counts takes the call out of every interval, but only one that came before it was full again counts.
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    now += *rc::gen::element<Duration>(0s, 1s, 2s, 9s);
    if (!calls.empty() && *rc::gen::inRange(0, 3) == 0) {
      Call& one = calls[*rc::gen::inRange<std::size_t>(0, calls.size())];
      if (one.refunded) continue;
      const double before = bucket.available(now);
      bucket.release(now, one.grant);
      const double given = bucket.available(now) - before;
      RC_ASSERT(given <= static_cast<double>(one.cost) + 1e-6);
      one.refunded = given > 1e-6;
      if (one.refunded) one.cost -= std::min<std::uint64_t>(one.cost, static_cast<std::uint64_t>(given + 0.5));
    } else if (const std::uint64_t cost = *rc::gen::inRange<std::uint64_t>(1, 7);
               const auto grant = bucket.try_acquire(now, cost)) {
      calls.push_back({.at = now, .cost = cost, .grant = *grant});
    }
    for (std::size_t from = 0; from < calls.size(); ++from) {
      std::uint64_t admitted = 0;
      for (std::size_t i = from; i < calls.size(); ++i) admitted += calls[i].cost;
      const auto seconds = static_cast<std::uint64_t>((now - calls[from].at) / 1s);
      RC_ASSERT(static_cast<double>(admitted) <= static_cast<double>(kBurst + seconds) + 1e-6);
    }
  }
}

TEST(TokenBucket, LookingTakesNothing) {  // LIM-6
  TokenBucket bucket({.rate = 1, .burst = 1});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.peek_rejection(kStart), std::nullopt);
  EXPECT_TRUE(bucket.try_acquire(kStart));
  EXPECT_EQ(bucket.peek_rejection(kStart, 1, critical)->retry_after, 1s);
}

TEST(TokenBucketPriorities, APriorityDrawsDownToItsReserve) {  // LIM-2
  TokenBucket bucket({.rate = 1, .burst = 100, .priorities = PriorityOptions{}});
  EXPECT_EQ(drain(kStart, bucket, low), 50U);
  EXPECT_EQ(drain(kStart, bucket, normal), 30U);
  EXPECT_EQ(drain(kStart, bucket, low), 0U);
  EXPECT_EQ(drain(kStart, bucket, high), 15U);
  EXPECT_EQ(drain(kStart, bucket, critical), 5U);
}

TEST(TokenBucketPriorities, EveryCallPassesAFullBucket) {  // LIM-2
  for (const Priority priority : {low, normal, high, critical}) {
    TokenBucket bucket({.rate = 1, .burst = 1, .priorities = PriorityOptions{}});
    EXPECT_TRUE(bucket.try_acquire(kStart, 1, priority));
    TokenBucket large({.rate = 1, .burst = 100, .priorities = PriorityOptions{}});
    EXPECT_TRUE(large.try_acquire(kStart, 100, priority)) << "the reserve is at most burst - cost";
  }
}

TEST(TokenBucketPriorities, WithoutPrioritiesInItsOptionsABucketHasNoReserves) {  // LIM-2
  TokenBucket bucket({.rate = 1, .burst = 10});
  EXPECT_EQ(drain(kStart, bucket, low), 10U);
}

TEST(TokenBucketPriorities, WeightedCostsAreExact) {  // LIM-2
  const PriorityOptions weighted{.mode = PriorityMode::weighted_cost};
  for (const auto& [priority, calls] : {std::pair{low, 10U}, {normal, 20U}, {high, 40U}}) {
    TokenBucket bucket({.rate = 1, .burst = 20, .priorities = weighted});
    EXPECT_EQ(drain(kStart, bucket, priority), calls);
  }
  // A tenth has no exact binary form; it is rounded up, by less than a millionth of a call.
  TokenBucket bucket({.rate = 1, .burst = 20.00001, .priorities = weighted});
  EXPECT_EQ(drain(kStart, bucket, critical), 200U);
}

TEST(TokenBucketPriorities, AWeightAboveTheBurstIsAMistakeOfTheConfiguration) {  // LIM-2
  const TokenBucketOptions options{
      .rate = 1, .burst = 1.5, .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost}};
  EXPECT_THAT(fields_of(options.validate()), ElementsAre("burst"));
  EXPECT_THROW(TokenBucket{options}, InvalidOptions);
}

TEST(TokenBucketRetryAfter, WaitingThatLongIsEnoughAndNeeded) {  // LIM-3
  TokenBucket bucket({.rate = 3, .burst = 10, .priorities = PriorityOptions{}});
  drain(kStart, bucket, critical);
  for (const Priority priority : {high, critical}) {
    const Duration wait = *bucket.peek_rejection(kStart, 4, priority)->retry_after;
    EXPECT_NE(bucket.peek_rejection(kStart + wait - 1ns, 4, priority), std::nullopt);
    EXPECT_EQ(bucket.peek_rejection(kStart + wait, 4, priority), std::nullopt);
  }
}

TEST(TokenBucketRetryAfter, LowAndNormalWaitUpToATenthLongerFromTheSeed) {  // LIM-3 CORE-2
  TokenBucket bucket({.rate = 1, .burst = 10}, "", 7);
  TokenBucket same({.rate = 1, .burst = 10}, "", 7);
  drain(kStart, bucket, critical);
  drain(kStart, same, critical);
  Duration shortest = kForever;
  Duration longest = Duration::zero();
  for (int i = 0; i < 200; ++i) {
    const Priority priority = i % 2 == 0 ? low : normal;
    const Duration wait = *bucket.peek_rejection(kStart, 10, priority)->retry_after;
    EXPECT_EQ(same.peek_rejection(kStart, 10, priority)->retry_after, wait);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_GE(shortest, 10s);
  EXPECT_LT(shortest, 10100ms);
  EXPECT_GT(longest, 10900ms);
  EXPECT_LE(longest, 11s);
  EXPECT_EQ(bucket.peek_rejection(kStart, 10, high)->retry_after, 10s);
}

TEST(TokenBucketOptions, EveryProblemIsReported) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  TokenBucketOptions options{.rate = 0, .burst = nan, .priorities = PriorityOptions{}};
  options.priorities->reserves = {0.1, 0.5, 0.0, -1.0};
  options.priorities->weights = {2.0, infinity, 0.5, 0.1};
  EXPECT_THAT(fields_of(options.validate()),
              ElementsAre("rate", "burst", "priorities.reserves.normal", "priorities.reserves.critical",
                          "priorities.weights.normal", "priorities.weights.normal"));
  EXPECT_THAT(fields_of(TokenBucketOptions{.rate = infinity, .burst = 0.5}.validate()), ElementsAre("rate", "burst"));
  EXPECT_THAT(fields_of(TokenBucketOptions{.rate = -1, .burst = infinity}.validate()), ElementsAre("rate", "burst"));
  EXPECT_TRUE(TokenBucketOptions{}.validate().empty());
}

TEST(Priority, NamesGoBothWays) {
  for (const Priority priority : {low, normal, high, critical}) {
    EXPECT_EQ(priority_from_name(name(priority)), priority);
  }
  EXPECT_EQ(priority_from_name("urgent"), std::nullopt);
}

// The rule itself, on random histories: in every interval, burst + rate * t and not a token more; and a call that a
// naive bucket in long double would clearly let pass does pass.
RC_GTEST_PROP(TokenBucketOracle, NoIntervalAdmitsMoreThanBurstPlusRateTimesTime, ()) {  // LIM-1 LIM-3
  const double rate = *rc::gen::element(0.001, 0.3, 1.0, 7.0, 20.0, 333.0, 1e5, 1e9);
  const double burst = static_cast<double>(*rc::gen::inRange(4, 30)) + *rc::gen::element(0.0, 0.5);
  TokenBucketOptions options{.rate = rate, .burst = burst};
  if (*rc::gen::arbitrary<bool>()) options.priorities.emplace();
  TokenBucket bucket(options, "", 1);
  struct Grant {
    TimePoint at;
    std::uint64_t cost;
  };
  std::vector<Grant> grants;
  TimePoint now = kStart;
  long double level = burst;
  const int steps = *rc::gen::inRange(1, 150);
  for (int step = 0; step < steps; ++step) {
    const auto tokens = static_cast<double>(*rc::gen::element(0, 0, 1, 3, 10)) * 0.37;
    const Duration wait = Duration(static_cast<Duration::rep>(tokens / rate * 1e9)) + Duration(*rc::gen::inRange(0, 3));
    now += wait;
    level = std::min<long double>(burst, level + static_cast<long double>(wait.count()) * rate / 1e9L);
    const auto cost = static_cast<std::uint64_t>(*rc::gen::inRange(1, 5));
    const Priority priority = *rc::gen::element(low, normal, high, critical);
    const long double reserve =
        options.priorities
            ? std::min<long double>(burst * options.priorities->reserves[static_cast<std::size_t>(priority)],
                                    burst - static_cast<double>(cost))
            : 0.0L;
    const long double slack = std::max(static_cast<long double>(rate) * 2e-9L, 1e-7L);
    const auto granted = bucket.try_acquire(now, cost, priority);
    if (granted) {
      RC_ASSERT(level + slack >= static_cast<long double>(cost) + reserve);
      grants.push_back({now, cost});
      level -= static_cast<long double>(cost);
    } else {
      RC_ASSERT(level <= static_cast<long double>(cost) + reserve + slack);
      const Duration retry_after = *granted.error().retry_after;
      RC_ASSERT(retry_after > Duration::zero());
      RC_ASSERT(bucket.peek_rejection(now + retry_after, cost, priority) == std::nullopt);
    }
  }
  for (std::size_t first = 0; first < grants.size(); ++first) {
    long double admitted = 0;
    for (std::size_t last = first; last < grants.size(); ++last) {
      admitted += static_cast<long double>(grants[last].cost);
      const long double t = static_cast<long double>((grants[last].at - grants[first].at).count()) / 1e9L;
      RC_ASSERT(admitted <= burst + rate * t + std::max(static_cast<long double>(rate) * 1e-9L, 1e-8L));
    }
  }
}

TEST(TokenBucketThreads, ManyThreadsShareOneBurstAndNotATokenMore) {  // LIM-1
  for (const Priority priority : {low, normal, high, critical}) {
    TokenBucket bucket({.rate = 1, .burst = 1000, .priorities = PriorityOptions{}});
    std::atomic<std::uint64_t> taken{0};
    together(kThreads, [&](int) { taken += drain(kStart, bucket, priority); });
    EXPECT_EQ(taken, 1000U - 10U * static_cast<unsigned>(std::array{50, 20, 5, 0}[static_cast<std::size_t>(priority)]));
  }
}

TEST(TokenBucketThreads, WhileTimePassesTheBoundHoldsAndNothingIsLost) {  // LIM-1
  TokenBucket bucket({.rate = 1000, .burst = 50});
  std::atomic<Duration::rep> time{0};
  std::atomic<std::uint64_t> taken{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 4000; ++i) {
      // Steps of random size, so that threads bring times out of order.
      const TimePoint now = kStart + Duration(time.fetch_add(static_cast<Duration::rep>(rng.below(20'000))));
      const std::uint64_t cost = 1 + rng.below(3);
      if (bucket.try_acquire(now, cost)) taken += cost;
      if (rng.below(10) != 0) continue;
      if (const auto unused = bucket.try_acquire(now, 2)) bucket.release(now, *unused);
    }
  });
  const TimePoint end = kStart + Duration(time.load());
  taken += drain(end, bucket);
  const double elapsed_seconds = static_cast<double>(time.load()) / 1e9;
  EXPECT_LE(static_cast<double>(taken), 50 + 1000 * elapsed_seconds + 1e-6);
  // Demand was higher than the rate throughout, so all but what the full bucket could not hold has been used.
  EXPECT_GE(static_cast<double>(taken), 1000 * elapsed_seconds - 1);
}

}  // namespace
}  // namespace fuseboard
