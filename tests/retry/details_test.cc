// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of waits and their budgets shows only at the bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "fuseboard/retry/attempt_budget.h"
#include "fuseboard/retry/backoff.h"
#include "fuseboard/retry/company_budget.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/retry/silence.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// The shortest and the longest of many waits.
std::pair<Duration, Duration> reach(const RetryOptions& options, std::uint32_t retry, Duration previous) {
  Rng rng(5);
  std::pair<Duration, Duration> reached{kForever, 0s};
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = next_delay(options, retry, previous, {}, rng);
    reached.first = std::min(reached.first, wait);
    reached.second = std::max(reached.second, wait);
  }
  return reached;
}

TEST(Backoff, ProportionalJitterReachesAFifthToEitherSide) {  // RTY-1.3
  const auto [shortest, longest] = reach({.base = 10s, .jitter = Jitter::proportional}, 1, 0s);
  EXPECT_GE(shortest, 8s);
  EXPECT_LT(shortest, 8100ms);
  EXPECT_GT(longest, 11900ms);
  EXPECT_LE(longest, 12s);
}

TEST(Backoff, TheFirstDecorrelatedWaitIsBetweenTheBaseAndThreeTimesThat) {  // RTY-1.3
  const auto [shortest, longest] = reach({.base = 1s, .jitter = Jitter::decorrelated}, 1, 0s);
  EXPECT_GE(shortest, 1s);
  EXPECT_LT(shortest, 1100ms);
  EXPECT_GT(longest, 2900ms);
  EXPECT_LE(longest, 3s);
}

TEST(Backoff, ALaterDecorrelatedWaitIsUpToThreeTimesTheOneBefore) {  // RTY-1.3
  const auto [shortest, longest] = reach({.base = 1s, .jitter = Jitter::decorrelated}, 2, 4s);
  EXPECT_GE(shortest, 1s);
  EXPECT_LT(shortest, 1200ms);
  EXPECT_GT(longest, 11800ms);
  EXPECT_LE(longest, 12s);
}

TEST(Backoff, TheFirstRetryWaitsTheBaseAndTheSecondAFactorMore) {  // RTY-1.2
  Rng rng(1);
  const RetryOptions options{.base = 1s, .factor = 3.0, .max = 5s, .jitter = Jitter::none};
  EXPECT_EQ(next_delay(options, 1, 0s, {}, rng), 1s);
  EXPECT_EQ(next_delay(options, 2, 1s, {}, rng), 3s);
  EXPECT_EQ(next_delay(options, 3, 3s, {}, rng), 5s);
  EXPECT_EQ(next_delay(options, 0, 0s, {}, rng), 1s);
}

TEST(Backoff, AHintMayGoBeyondTheLongest) {  // RTY-2
  Rng rng(1);
  const RetryOptions options{.base = 1s, .max = 5s, .jitter = Jitter::none};
  EXPECT_EQ(next_delay(options, 1, 0s, Failure::of(Category::rate_limit, 60s), rng), 60s);
  EXPECT_EQ(next_delay(options, 1, 0s, Failure::of(Category::rate_limit, 999ms), rng), 1s);
}

TEST(RetryOptions, NoneIsOneAttempt) { EXPECT_EQ(RetryOptions::none().max_attempts, 1U); }  // RTY-10

TEST(RetryBudget, WhatIsGivenBackIsOfTheSecondItWasTakenIn) {  // RTY-5
  RetryBudget budget({.ratio = 0.0, .min_per_second = 1});
  const TimePoint first = TimePoint(100s);
  ASSERT_TRUE(budget.try_retry(first));
  ASSERT_TRUE(budget.try_retry(first + 5s));
  budget.release(first + 5s);
  EXPECT_EQ(budget.snapshot(first + 5s).retries, 1U);
  budget.release(first + 6s);
  EXPECT_EQ(budget.snapshot(first + 6s).retries, 1U) << "none was taken then";
  EXPECT_EQ(budget.snapshot(first + 9s).left, 9U);
  EXPECT_EQ(budget.snapshot(first + 10s).left, 10U) << "the first is ten seconds old";
  for (int second = 10; second < 50; ++second) ASSERT_TRUE(budget.try_retry(first + second * 1s));
  for (int second = 0; second < 40; ++second) budget.release(first + second * 1s);
  EXPECT_EQ(budget.snapshot(first + 49s).retries, 10U) << "those are no longer counted, whatever stands in their place";
}

TEST(RetryBudget, RefusalsAreCounted) {  // RTY-5
  RetryBudget budget({.ratio = 0.0, .min_per_second = 0});
  EXPECT_FALSE(budget.try_retry(TimePoint(100s)));
  EXPECT_EQ(budget.snapshot(TimePoint(100s)).rejected, 1U);
  EXPECT_EQ(budget.snapshot(TimePoint(100s)).granted, 0U);
}

TEST(CompanyBudget, CallsCountForTenMinutes) {  // RTY-11.10
  CompanyBudget budget({.ratio = 0.5, .min_per_second = 0.0});
  const TimePoint first = TimePoint(100min);
  for (int i = 0; i < 4; ++i) budget.count_call(first);
  EXPECT_TRUE(budget.try_take(first + 9min));
  EXPECT_TRUE(budget.try_take(first + 9min));
  EXPECT_FALSE(budget.try_take(first + 9min)) << "half of four";
  CompanyBudget later({.ratio = 0.5, .min_per_second = 0.0});
  for (int i = 0; i < 4; ++i) later.count_call(first);
  EXPECT_FALSE(later.try_take(first + 10min));
}

TEST(CompanyBudget, GrantsOfTheShareDoNotUseUpWhatIsGrantedBesides) {  // RTY-11.10
  CompanyBudget budget({.ratio = 1.0, .min_per_second = 0.1});
  const TimePoint now = TimePoint(100min);
  budget.count_call(now);
  const auto of_share = budget.try_take(now);
  const auto besides = budget.try_take(now);
  ASSERT_TRUE(of_share && besides);
  EXPECT_TRUE(of_share->of_share);
  EXPECT_FALSE(besides->of_share);
  EXPECT_FALSE(budget.try_take(now + 10s - 1ns));
  EXPECT_TRUE(budget.try_take(now + 10s));
}

TEST(AttemptBudget, WhatIsGivenBackCanBeTakenAgainOnce) {  // RTY-6.1, RTY-10
  AttemptBudget budget(1);
  ASSERT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
  budget.release();
  EXPECT_EQ(budget.left(), 1U);
  EXPECT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
}

}  // namespace
}  // namespace fuseboard
