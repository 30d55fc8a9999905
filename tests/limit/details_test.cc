// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What shows only where two rules of the limits meet.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <expected>
#include <vector>

#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/queue.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/limit/tool_limiter.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Priorities.

TEST(SpreadWait, IsUpToATenthForLowAndForNormalEachByItself) {  // LIM-3
  for (const Priority priority : {Priority::low, Priority::normal}) {
    Rng rng(3);
    Duration longest = 0s;
    for (int i = 0; i < 100; ++i) {
      const Duration wait = spread_wait(10s, priority, rng);
      EXPECT_GE(wait, 10s);
      EXPECT_LE(wait, 11s);
      longest = std::max(longest, wait);
    }
    EXPECT_GT(longest, 10500ms) << name(priority);
  }
  for (const Priority priority : {Priority::high, Priority::critical}) {
    Rng rng(3);
    EXPECT_EQ(spread_wait(10s, priority, rng), 10s) << name(priority);
  }
}

TEST(JointLimiter, EveryCallPassesFullBucketsWhateverItsPriority) {  // LIM-2, LIM-5.1
  const JointLimiterOptions options{.requests_per_minute = 60.0,
                                    .requests_burst = 1.0,
                                    .tokens_per_minute = 600.0,
                                    .tokens_burst = 100.0,
                                    .priorities = PriorityOptions{}};
  JointLimiter limiter(options, "key", 1);
  // A reserve of one half would keep back 50 of 100, and of one request half a request.
  auto granted = limiter.try_acquire(kStart, {.tokens = 80, .priority = Priority::low});
  ASSERT_TRUE(granted);
  std::move(*granted).settle(kStart, 80);
  const auto rejected = limiter.try_acquire(kStart, {.tokens = 80, .priority = Priority::low});
  ASSERT_FALSE(rejected);
  ASSERT_TRUE(rejected.error().retry_after) << "it is worth waiting for";
  EXPECT_TRUE(limiter.try_acquire(kStart + *rejected.error().retry_after, {.tokens = 80, .priority = Priority::low}));
}

TEST(AdaptiveLimiter, EveryCallPassesAFullBucketWhateverItsPriority) {  // LIM-2
  AdaptiveLimiter limiter({.rate = {.rate = 1.0}, .burst = 1.0, .priorities = PriorityOptions{}}, "key", 1);
  EXPECT_TRUE(limiter.try_acquire(kStart, 1, Priority::low));
}

// The joint limits.

TEST(JointLimiter, ItsDefaultBurstsAreATenthOfTheRequestsAndAMinutesTokens) {  // LIM-5.1
  JointLimiter limiter({.requests_per_minute = 600.0, .tokens_per_minute = 6000.0}, "key", 1);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).requests_available, 60.0);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 6000.0);
  JointLimiter small({.requests_per_minute = 6.0}, "key", 1);
  EXPECT_DOUBLE_EQ(*small.snapshot(kStart).requests_available, 1.0) << "at least one";
}

TEST(JointLimiter, RefillsByTheMinute) {  // LIM-1, LIM-5.1
  JointLimiter limiter({.requests_per_minute = 60.0, .requests_burst = 1.0, .tokens_per_minute = 600.0}, "key", 1);
  auto granted = limiter.try_acquire(kStart, {.tokens = 600});
  ASSERT_TRUE(granted);
  std::move(*granted).settle(kStart, 600);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 500ms).requests_available, 0.5);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 500ms).tokens_available, 5.0);
}

// The bulkhead that finds its limit.

std::vector<AdaptiveBulkheadSlot> filled(AdaptiveBulkhead& bulkhead) {
  std::vector<AdaptiveBulkheadSlot> slots;
  while (auto slot = bulkhead.try_acquire()) slots.push_back(std::move(*slot));
  return slots;
}

TEST(AdaptiveBulkhead, OneSlowCallDoesNotMakeItCollapse) {  // LIM-8.1
  AdaptiveBulkhead bulkhead({.initial_limit = 100, .max_limit = 100});
  for (int i = 0; i < 20; ++i) {
    for (AdaptiveBulkheadSlot& slot : filled(bulkhead)) std::move(slot).settle(kStart, Outcome::success(1s));
  }
  ASSERT_EQ(bulkhead.limit(), 100U);
  auto slots = filled(bulkhead);
  std::move(slots.front()).settle(kStart, Outcome::success(10min));
  // Whatever it took, it counts as twice as slow as it may be, and that for a fifth: 100 * 0.9 + 0.8.
  EXPECT_EQ(bulkhead.limit(), 90U);
}

TEST(AdaptiveBulkhead, AfterATargetHasBecomeFasterItKnowsSoon) {  // LIM-8.2
  AdaptiveBulkhead bulkhead({.initial_limit = 10, .max_limit = 10});
  for (int i = 0; i < 10; ++i) std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::success(10s));
  // What is usual is ten seconds now. Fast calls wear it down by a twentieth each, not by a six hundredth.
  for (int i = 0; i < 60; ++i) std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::success(100ms));
  for (int i = 0; i < 10; ++i) {
    for (AdaptiveBulkheadSlot& slot : filled(bulkhead)) std::move(slot).settle(kStart, Outcome::success(3s));
  }
  EXPECT_LT(bulkhead.limit(), 10U) << "three seconds are slow for it";
}

TEST(AdaptiveBulkhead, WhatCountsAsADropIsWhatSaysThatItBearsNoMore) {  // LIM-8.1
  for (const Category category : {Category::timeout, Category::overloaded, Category::rate_limit,
                                  Category::service_unavailable, Category::resource_exhausted}) {
    AdaptiveBulkhead bulkhead({.initial_limit = 100});
    std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::failed(Failure::of(category)));
    EXPECT_EQ(bulkhead.limit(), 90U) << name(category);
  }
  AdaptiveBulkhead bulkhead({.initial_limit = 100});
  std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::failed(Failure::of(Category::network)));
  EXPECT_EQ(bulkhead.limit(), 100U);
}

// The queue.

TEST(WaitQueue, ADeadlineThatIsNowIsOver) {  // LIM-7.2
  WaitQueue queue;
  ASSERT_TRUE(queue.enqueue(kStart, {.deadline = Deadline::after(kStart, 1s)}));
  EXPECT_TRUE(queue.next(kStart + 1s - 1ns));
  EXPECT_FALSE(queue.next(kStart + 1s));
}

// The simple limiter for tools.

TEST(ToolLimiter, WhatIsGivenBackIsGivenBackToTheGateToo) {  // LIM-6, BRK-11
  ToolLimiter limiter({.rate = 1000, .process_calls_per_minute = 60.0}, 1);
  std::expected<ToolGrant, Rejection> granted = limiter.try_acquire(kStart, "search");
  for (int i = 0; i < 4; ++i) granted = limiter.try_acquire(kStart, "search");
  ASSERT_TRUE(granted);
  ASSERT_TRUE(limiter.is_limited(kStart, "fetch"));
  limiter.release("search", *granted);
  EXPECT_FALSE(limiter.is_limited(kStart, "fetch"));
  EXPECT_TRUE(limiter.try_acquire(kStart, "fetch"));
  EXPECT_FALSE(limiter.try_acquire(kStart, "fetch")) << "one was given back, not more";
}

TEST(ToolLimiter, WhatIsGivenBackIsGivenBackToItsTool) {  // LIM-6, BRK-11
  ToolLimiter limiter({.rate = 1.0, .burst = 1.0}, 1);
  const auto granted = limiter.try_acquire(kStart, "search");
  ASSERT_TRUE(granted);
  ASSERT_TRUE(limiter.try_acquire(kStart, "fetch"));
  limiter.release("search", *granted);
  EXPECT_FALSE(limiter.try_acquire(kStart, "fetch"));
  EXPECT_TRUE(limiter.try_acquire(kStart, "search"));
}

TEST(ToolLimiter, AToolBeyondTheBoundGetsItsCallBackInTheSharedBucket) {  // LIM-6, CORE-5
  ToolLimiter limiter({.rate = 1.0, .burst = 1.0, .max_keys = 1}, 1);
  ASSERT_TRUE(limiter.try_acquire(kStart, "known"));
  const auto granted = limiter.try_acquire(kStart, "beyond");
  ASSERT_TRUE(granted);
  ASSERT_FALSE(limiter.try_acquire(kStart, "another")) << "they share one";
  limiter.release("beyond", *granted);
  EXPECT_TRUE(limiter.try_acquire(kStart, "another"));
  EXPECT_FALSE(limiter.try_acquire(kStart, "known"));
}

TEST(ToolLimiter, ResettingOneToolLeavesTheGateAsItIs) {  // LIM-6
  ToolLimiter limiter({.rate = 5.0, .process_calls_per_minute = 60.0}, 1);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(limiter.try_acquire(kStart, "search"));
  ASSERT_TRUE(limiter.reset("search"));
  EXPECT_FALSE(limiter.try_acquire(kStart, "search"));
  limiter.reset_all();
  EXPECT_TRUE(limiter.try_acquire(kStart, "search"));
}

// The bucket.

TEST(TokenBucket, ARefundIsOfThePrioritysPrice) {  // LIM-2, BRK-11
  TokenBucket bucket({.rate = 1.0, .burst = 10.0, .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost}},
                     "key", 1);
  const auto granted = bucket.try_acquire(kStart, 1, Priority::low);
  ASSERT_TRUE(granted);
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 8.0);
  bucket.release(kStart, *granted);
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 10.0);
  ASSERT_TRUE(bucket.try_acquire(kStart, 2, Priority::high));
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 9.0);
}

TEST(TokenBucket, ItsFullnessIsToTheLastToken) {  // LIM-1
  TokenBucket bucket({.rate = 1.0, .burst = 2.0}, "key", 1);
  EXPECT_TRUE(bucket.full(kStart));
  ASSERT_TRUE(bucket.try_acquire(kStart));
  EXPECT_FALSE(bucket.full(kStart + 1s - 1us));
  EXPECT_TRUE(bucket.full(kStart + 1s));
  EXPECT_TRUE(bucket.can_ever_admit(2));
  EXPECT_FALSE(bucket.can_ever_admit(3));
}

// The learned rate.

AdaptiveRateOptions slow_to_fall() { return {.rate = 100.0, .throttle_window = 1s}; }

TEST(AdaptiveRate, ARefusalAtTheEndOfTheWindowLowersItAgain) {  // LIM-4.1
  AdaptiveRate rate(slow_to_fall());
  EXPECT_TRUE(rate.on_throttled(kStart));
  EXPECT_FALSE(rate.on_throttled(kStart + 1s - 1ns));
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 1s), 70.0);
  EXPECT_TRUE(rate.on_throttled(kStart + 1s));
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 1s), 49.0);
}

TEST(AdaptiveRate, ASuccessOfACallSentAtTheRefusalLetsItReturn) {  // LIM-4.2
  AdaptiveRate rate(slow_to_fall());
  rate.on_throttled(kStart);
  rate.on_success(kStart + 5s, kStart - 1ns);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 10s), 70.0) << "sent before it";
  rate.on_success(kStart + 5s, kStart);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 7s), 95.0) << "two seconds after that success, not after the refusal";
}

TEST(AdaptiveRate, ItsLeastIsATwoHundredthOrAQuarterOrAFifth) {  // LIM-4.1
  EXPECT_DOUBLE_EQ((AdaptiveRateOptions{.rate = 1000.0}.least()), 5.0);
  EXPECT_DOUBLE_EQ((AdaptiveRateOptions{.rate = 20.0}.least()), 0.2);
  EXPECT_DOUBLE_EQ((AdaptiveRateOptions{.rate = 0.4}.least()), 0.1);
  EXPECT_DOUBLE_EQ((AdaptiveRateOptions{.rate = 1000.0, .rate_min = 7.0}.least()), 7.0);
}

TEST(AdaptiveLimiter, ItsGateHearsWhatItsCallsEndWith) {  // LIM-4.3
  AdaptiveLimiter limiter({.rate = {.rate = 100.0}, .retry_after_max = 10s}, "key", 1);
  auto permit = limiter.try_acquire(kStart);
  ASSERT_TRUE(permit);
  std::move(*permit).settle(kStart, Outcome::failed(Failure::of(Category::rate_limit, 1h)));
  EXPECT_EQ(limiter.peek_rejection(kStart)->retry_after, 10s) << "no longer than it is to be heard";
  EXPECT_FALSE(limiter.peek_rejection(kStart + 10s)) << "ten seconds refill what the throttling emptied";
}

TEST(AdaptiveLimiter, AWindowThatIsOverBoundsNothing) {  // LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100.0}}, "key", 1);
  limiter.observe(kStart, {.remaining = 1, .reset_after = 10s});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 10s - 1ns), 0.1);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 10s), 100.0);
  limiter.observe(kStart + 20s, {.remaining = 1, .reset_after = 10s});
  limiter.observe(kStart + 20s, {.remaining = 1, .reset_after = 0s});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 20s), 100.0) << "the last word counts";
}

}  // namespace
}  // namespace fuseboard
