// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/caller_throttles.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

const KeyView kTarget{"p", "m"};

CallerHash caller(std::uint64_t number) { return {.high = number, .low = 1}; }

TEST(CallerThrottles, EachCallerOfEachTargetHasItsOwn) {  // LIM-4.6
  CallerThrottles throttles;
  EXPECT_EQ(throttles.find(caller(1), kTarget), nullptr) << "nothing was said yet";
  const auto one = throttles.at(kStart, caller(1), kTarget, {});
  one->gate().close(kStart, 30s);
  EXPECT_EQ(throttles.find(caller(1), kTarget), one);
  EXPECT_NE(throttles.at(kStart, caller(2), kTarget, {}), one);
  EXPECT_NE(throttles.at(kStart, caller(1), KeyView("p", "n"), {}), one);
  EXPECT_EQ(throttles.size(), 3U);
  EXPECT_FALSE(throttles.at(kStart, caller(2), kTarget, {})->peek_rejection(kStart, Priority::normal));
  EXPECT_EQ(throttles.find(caller(1), kTarget)->peek_rejection(kStart, Priority::normal)->retry_after, 30s);
}

TEST(CallerThrottles, NewOptionsReachWhoIsKnownOfThatTargetAndNoOther) {  // LIM-9.3
  const ThrottleOptions limited{.rate = AdaptiveLimiterOptions{.rate = {.rate = 10}}};
  CallerThrottles throttles;
  const auto one = throttles.at(kStart, caller(1), kTarget, limited);
  const auto two = throttles.at(kStart, caller(2), kTarget, limited);
  const auto elsewhere = throttles.at(kStart, caller(1), KeyView("p", "n"), limited);
  one->gate().close(kStart, 30s);
  throttles.apply(kStart, kTarget, {});
  EXPECT_EQ(one->rate(), nullptr);
  EXPECT_EQ(two->rate(), nullptr);
  EXPECT_NE(elsewhere->rate(), nullptr);
  EXPECT_EQ(one->peek_rejection(kStart, Priority::normal)->retry_after, 30s) << "the gate stays shut";
}

TEST(CallerThrottles, AtTheBoundTheOldestThatHasNothingToTellGoes) {  // CORE-5, LIM-4.6
  CallerThrottles throttles(3);
  throttles.at(kStart, caller(1), kTarget, {})->gate().close(kStart, 30s);
  (void)throttles.at(kStart, caller(2), kTarget, {});
  (void)throttles.at(kStart, caller(3), kTarget, {});
  (void)throttles.find(caller(2), kTarget);
  (void)throttles.at(kStart, caller(4), kTarget, {});
  EXPECT_EQ(throttles.size(), 3U);
  EXPECT_NE(throttles.find(caller(1), kTarget), nullptr) << "it is shut";
  EXPECT_EQ(throttles.find(caller(3), kTarget), nullptr) << "used longest ago";
  EXPECT_NE(throttles.find(caller(2), kTarget), nullptr);
}

TEST(CallerThrottles, WhereAllHaveSomethingToTellTheOldestGoes) {  // CORE-5
  CallerThrottles throttles(2);
  throttles.at(kStart, caller(1), kTarget, {})->gate().close(kStart, 30s);
  throttles.at(kStart, caller(2), kTarget, {})->gate().close(kStart, 30s);
  (void)throttles.at(kStart, caller(3), kTarget, {});
  EXPECT_EQ(throttles.find(caller(1), kTarget), nullptr);
  EXPECT_NE(throttles.find(caller(2), kTarget), nullptr);
  EXPECT_EQ(throttles.size(), 2U);
}

TEST(CallerThrottles, OneThatAnAttemptHoldsStaysAndWhereAllAreHeldNobodyIsRemembered) {  // CORE-5
  CallerThrottles throttles(1);
  auto held = throttles.at(kStart, caller(1), kTarget, {});
  EXPECT_EQ(throttles.at(kStart, caller(2), kTarget, {}), nullptr);
  held.reset();
  EXPECT_NE(throttles.at(kStart, caller(2), kTarget, {}), nullptr);
  EXPECT_EQ(throttles.size(), 1U);
}

TEST(CallerThrottles, ALearnedRateIsKeptLongerThanOneThatIsAsConfigured) {  // LIM-4.6, CORE-5
  const ThrottleOptions adaptive{.rate = AdaptiveLimiterOptions{.rate = {.rate = 10}, .burst = 4.0}};
  CallerThrottles throttles(2);
  {
    const auto learned = throttles.at(kStart, caller(1), kTarget, adaptive);
    auto permit = learned->try_acquire(kStart, Priority::normal);
    learned->settle(kStart, *std::move(permit), Outcome::failed(Failure::of(Category::rate_limit)), std::nullopt);
    EXPECT_LT(learned->rate()->rate(kStart), 10.0);
  }
  (void)throttles.at(kStart, caller(2), kTarget, adaptive);
  (void)throttles.at(kStart, caller(3), kTarget, adaptive);
  EXPECT_NE(throttles.find(caller(1), kTarget), nullptr);
  EXPECT_EQ(throttles.find(caller(2), kTarget), nullptr);
}

TEST(Throttle, WithoutARateItsGateHearsRetryAfterAndUsedUpWindows) {  // LIM-4.3, LIM-4.4
  Throttle throttle({}, "key");
  EXPECT_FALSE(Throttle::is_news(Outcome::success(), std::nullopt));
  EXPECT_FALSE(Throttle::is_news(Outcome::success(), ServerWindow{.remaining = 1, .reset_after = 10s}));
  const ServerWindow used_up{.remaining = 0, .reset_after = 10s};
  EXPECT_TRUE(Throttle::is_news(Outcome::success(), used_up));
  EXPECT_TRUE(Throttle::is_news(Outcome::failed(Failure::of(Category::rate_limit, 1s)), std::nullopt));
  throttle.settle(kStart, {}, Outcome::success(), used_up);
  EXPECT_EQ(throttle.peek_rejection(kStart, Priority::critical)->retry_after, 10s);
  EXPECT_FALSE(throttle.at_rest(kStart));
  EXPECT_TRUE(throttle.at_rest(kStart + 10s));
  throttle.settle(kStart + 10s, {}, Outcome::failed(Failure::of(Category::rate_limit, 5s)), std::nullopt);
  EXPECT_TRUE(throttle.gate().closed(kStart + 15s - 1ns));
}

}  // namespace
}  // namespace fuseboard
