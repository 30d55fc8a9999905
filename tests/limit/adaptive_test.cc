// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/adaptive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Outcome throttled(std::optional<Duration> retry_after = std::nullopt) {
  return Outcome::failed(Failure::of(Category::rate_limit, retry_after));
}

// Admission that the test expects to succeed.
AdaptivePermit acquired(TimePoint now, AdaptiveLimiter& limiter) {
  auto permit = limiter.try_acquire(now);
  if (permit) return std::move(*permit);
  ADD_FAILURE() << "refused";
  return {};
}

TEST(AdaptiveRate, IsTheConfiguredOneUntilItIsThrottled) {  // LIM-4.1
  AdaptiveRate rate({.rate = 100});
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 100.0);
  rate.on_success(kStart, kStart);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 24h), 100.0);
  EXPECT_EQ(rate.ceiling(), std::nullopt);
}

TEST(AdaptiveRate, AThrottlingLowersItOnceAWindow) {  // LIM-4.1
  AdaptiveRate rate({.rate = 100, .throttle_window = 1s});
  EXPECT_TRUE(rate.on_throttled(kStart));
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 70.0);
  EXPECT_FALSE(rate.on_throttled(kStart + 999ms));
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 999ms), 70.0);
  EXPECT_TRUE(rate.on_throttled(kStart + 1s));
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 1s), 49.0);
}

TEST(AdaptiveRate, NeverFallsBelowItsFloor) {  // LIM-4.1
  AdaptiveRate rate({.rate = 100, .rate_min = 5.0});
  for (int i = 0; i < 100; ++i) (void)rate.on_throttled(kStart + i * 1s);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 100s), 5.0);
}

TEST(AdaptiveRate, ReturnsFromItsFloorAndNotFromBelowIt) {  // LIM-4.1
  AdaptiveRate rate({.rate = 10, .rate_min = 2.0, .decrease = 0.5, .quick_return_to = 0.9, .quick_return_time = 2s});
  for (int i = 0; i < 3; ++i) (void)rate.on_throttled(kStart + i * 1s);  // 5, 2.5 and, but for the floor, 1.25
  const TimePoint back = kStart + 10s;
  rate.on_success(back, back - 1s);
  EXPECT_DOUBLE_EQ(rate.rate(back + 1s), 9.0 - (9.0 - 2.0) / 8) << "half the time: an eighth of the way is left";
}

TEST(AdaptiveRate, ReturnsQuicklyToJustBelowTheRateLastThrottledThenProbesSlowly) {  // LIM-4.2
  AdaptiveRate rate({.rate = 200, .quick_return_time = 2s, .probe_time = 60s});
  (void)rate.on_throttled(kStart);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 10s), 140.0) << "held until a call succeeds";
  const TimePoint back = kStart + 10s;
  rate.on_success(back, back - 1s);
  EXPECT_GT(rate.rate(back + 1s), 180.0) << "most of the way in half the time";
  EXPECT_DOUBLE_EQ(rate.rate(back + 2s), 190.0);
  EXPECT_DOUBLE_EQ(rate.rate(back + 32s), 195.0);
  EXPECT_DOUBLE_EQ(rate.rate(back + 62s), 200.0);
  EXPECT_DOUBLE_EQ(rate.rate(back + 24h), 200.0) << "never above the configured rate";
  double last = 0;
  for (Duration t = 0s; t < 70s; t += 100ms) {
    EXPECT_GE(rate.rate(back + t), last);
    last = rate.rate(back + t);
  }
}

TEST(AdaptiveRate, ProbesBeyondTheRateLastThrottledUpToTheConfigured) {  // LIM-4.2
  AdaptiveRate rate({.rate = 1000});
  TimePoint now = kStart;
  for (int i = 0; i < 4; ++i, now += 400ms) {  // calls get through all the time, so each refusal is news
    (void)rate.on_throttled(now);
    rate.on_success(now + 1ms, now);
  }
  const double known = *rate.ceiling();
  EXPECT_LT(known, 600.0);
  EXPECT_GT(rate.rate(now + 3min), 1.2 * known);
  EXPECT_DOUBLE_EQ(rate.rate(now + 24h), 1000.0);
}

TEST(AdaptiveRate, ASuccessOfACallSentBeforeTheThrottlingIsNoEvidence) {  // LIM-4.2
  AdaptiveRate rate({.rate = 100});
  (void)rate.on_throttled(kStart);
  rate.on_success(kStart + 5s, kStart - 1s);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 10s), 70.0);
  rate.on_success(kStart + 10s, kStart + 1s);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 12s), 95.0);
}

TEST(AdaptiveRate, ARunOfRefusalsReturnsToTheRateThatBroughtItOn) {  // LIM-4.2
  AdaptiveRate rate({.rate = 100});
  for (int i = 0; i < 10; ++i) (void)rate.on_throttled(kStart + i * 1s);
  EXPECT_LT(rate.rate(kStart + 9s), 5.0);
  EXPECT_DOUBLE_EQ(*rate.ceiling(), 100.0);
}

TEST(AdaptiveRate, TheShareOfTimeThatAWindowWasOpenTellsTheQuota) {  // LIM-4.2
  AdaptiveRate rate({.rate = 40});
  rate.on_success(kStart, kStart);
  for (int i = 15; i < 60; ++i) (void)rate.on_throttled(kStart + i * 1s);
  rate.on_success(kStart + 60s, kStart + 60s);
  EXPECT_NEAR(*rate.ceiling(), 10.0, 0.3);
}

TEST(AdaptiveLimiter, AThrottlingEmptiesTheBucketAndLowersTheRate) {  // LIM-4.1
  AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0}, "key");
  acquired(kStart, limiter).settle(kStart, throttled());
  const auto rejected = limiter.try_acquire(kStart, 1, Priority::critical);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::rate_limited);
  EXPECT_EQ(rejected.error().key, "key");
  EXPECT_NEAR(static_cast<double>(rejected.error().retry_after->count()), 1e9 / 7, 2);
  EXPECT_TRUE(limiter.try_acquire(kStart + *rejected.error().retry_after)) << "LIM-3";
}

TEST(AdaptiveLimiter, ThrottlingIsTheOnlyFailureThatLowersTheRate) {  // LIM-4.1
  AdaptiveLimiter limiter({.rate = {.rate = 100}});
  for (const Category category : {Category::timeout, Category::invalid_request, Category::overloaded}) {
    acquired(kStart, limiter).settle(kStart, Outcome::failed(Failure::of(category)));
  }
  acquired(kStart, limiter).settle(kStart, Outcome::cancelled());
  {
    const AdaptivePermit forgotten = acquired(kStart, limiter);
  }
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 100.0);
}

TEST(AdaptiveLimiter, TheBeginningOfAnAnswerIsEnoughForTheRateToReturn) {  // LIM-4.2
  AdaptiveLimiter limiter({.rate = {.rate = 100}});
  acquired(kStart, limiter).settle(kStart, throttled());
  AdaptivePermit stream = acquired(kStart + 1s, limiter);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 5s), 70.0);
  stream.accepted(kStart + 5s);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 7s), 95.0);
  std::move(stream).settle(kStart + 8s, throttled());
  EXPECT_NEAR(limiter.rate(kStart + 8s), 67.0, 1.0) << "and it is settled all the same";
}

TEST(AdaptiveLimiter, ARetryAfterClosesTheGateUntilThen) {  // LIM-4.3
  AdaptiveLimiter limiter({.rate = {.rate = 100}});
  acquired(kStart, limiter).settle(kStart, throttled(10s));
  EXPECT_EQ(limiter.try_acquire(kStart + 4s).error().retry_after, 6s);
  EXPECT_EQ(limiter.peek_rejection(kStart + 4s)->retry_after, 6s);
  EXPECT_TRUE(limiter.try_acquire(kStart + 10s));
}

TEST(AdaptiveLimiter, AnOverloadedServersRetryAfterIsObeyedToo) {  // LIM-4.3
  AdaptiveLimiter limiter({.rate = {.rate = 100}});
  acquired(kStart, limiter).settle(kStart, Outcome::failed(Failure::of(Category::overloaded, 3s)));
  EXPECT_EQ(limiter.peek_rejection(kStart)->retry_after, 3s);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 100.0);
}

// "Limit 10000, Requested 50000": waiting helps nobody, and all smaller requests are welcome.
TEST(AdaptiveLimiter, OneRequestThatIsTooLargeClosesNothing) {  // LIM-4.5
  for (const FailureScope scope : {FailureScope::request, FailureScope::caller}) {
    AdaptiveLimiter limiter({.rate = {.rate = 100}, .burst = 4.0}, "key", 1);
    Failure failure = Failure::of(Category::rate_limit, 30s);
    failure.scope = scope;
    std::move(*limiter.try_acquire(kStart)).settle(kStart, Outcome::failed(failure));
    EXPECT_FALSE(limiter.gate().closed(kStart)) << name(scope);
    EXPECT_EQ(limiter.rate(kStart), 100.0) << name(scope);
    EXPECT_TRUE(limiter.try_acquire(kStart)) << name(scope) << ": the bucket is as full as it was";
    RetryAfterGate gate("key");
    gate.apply_retry_after(kStart, failure);
    EXPECT_FALSE(gate.closed(kStart)) << name(scope);
  }
}

TEST(RetryAfterGate, IsCappedNeverShortenedAndNeedsNoLimits) {  // LIM-4.3
  RetryAfterGate gate("key");
  EXPECT_EQ(gate.peek_rejection(kStart), std::nullopt);
  gate.close(kStart, 24h);
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 5min);
  gate.close(kStart, 1s);
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 5min);
  EXPECT_EQ(gate.peek_rejection(kStart)->key, "key");
  gate.close(kStart, -1s);
  EXPECT_FALSE(gate.closed(kStart + 5min));
  gate.close(kStart, 1s);
  gate.open();
  EXPECT_FALSE(gate.closed(kStart));
}

TEST(AdaptiveLimiter, WhatTheServerSaysRemainsBoundsTheRateUntilTheReset) {  // LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100}, .burst = 50.0});
  limiter.observe(kStart, {.remaining = 20, .reset_after = 10s});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 2.0);
  int admitted = 0;
  for (TimePoint now = kStart; now < kStart + 10s; now += 50ms) admitted += limiter.try_acquire(now) ? 1 : 0;
  EXPECT_GE(admitted, 18);
  EXPECT_LE(admitted, 21) << "one at once, the rest spread evenly";
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 10s), 100.0);
}

TEST(AdaptiveLimiter, WithNothingRemainingItIsShutUntilTheResetButNotBeyondTheCap) {  // LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100}, .retry_after_max = 30s});
  limiter.observe(kStart, {.remaining = 0, .reset_after = 10s});
  EXPECT_EQ(limiter.peek_rejection(kStart, 1, Priority::critical)->retry_after, 10s);
  limiter.observe(kStart, {.remaining = 0, .reset_after = 24h});
  EXPECT_EQ(limiter.peek_rejection(kStart, 1, Priority::critical)->retry_after, 30s);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 30s), 100.0);
}

TEST(AdaptiveLimiter, ItsViewIsThatOfTheRateOfNow) {  // LIM-3 LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100}, .burst = 50.0});
  for (int i = 0; i < 10; ++i) (void)acquired(kStart, limiter);
  LevelView view = limiter.view(kStart);
  EXPECT_DOUBLE_EQ(view.per_minute, 6000.0);
  EXPECT_DOUBLE_EQ(view.burst, 50.0);
  EXPECT_EQ(view.remaining, 40U);
  EXPECT_EQ(view.full_after, 100ms);
  EXPECT_EQ(limiter.view(kStart + 50ms).remaining, 45U);

  limiter.observe(kStart, {.remaining = 20, .reset_after = 10s});
  view = limiter.view(kStart);
  EXPECT_DOUBLE_EQ(view.per_minute, 120.0);
  EXPECT_EQ(view.remaining, 1U);
  EXPECT_EQ(view.full_after, 24'500ms);
  EXPECT_EQ(limiter.view(kStart + view.full_after).full_after, 0s) << "the rate rises again, so no later than it said";
}

TEST(AdaptiveLimiter, CallsUnderWayAreTakenOffWhatRemains) {  // LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100}, .burst = 50.0});
  std::vector<AdaptivePermit> held;
  for (int i = 0; i < 4; ++i) held.push_back(acquired(kStart, limiter));
  std::move(held.back()).settle(kStart, Outcome::success(), {.remaining = 13, .reset_after = 10s});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 1.0);
}

TEST(AdaptiveLimiter, ARefusalUnderTheServersBoundIsHonest) {  // LIM-3 LIM-4.4
  for (const Duration reset : {Duration(100ms), Duration(30s)}) {
    AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0});
    limiter.observe(kStart, {.remaining = 1, .reset_after = reset});
    const auto rejected = limiter.peek_rejection(kStart, 5, Priority::critical);
    ASSERT_TRUE(rejected);
    EXPECT_EQ(limiter.peek_rejection(kStart + *rejected->retry_after, 5, Priority::critical), std::nullopt);
  }
}

TEST(AdaptiveLimiter, PrioritiesHaveTheirReserves) {  // LIM-2
  AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0, .priorities = PriorityOptions{}});
  std::vector<AdaptivePermit> held;
  while (auto permit = limiter.try_acquire(kStart, 1, Priority::low)) held.push_back(std::move(*permit));
  EXPECT_EQ(held.size(), 5U);
  EXPECT_TRUE(limiter.try_acquire(kStart, 1, Priority::normal));
}

TEST(AdaptiveLimiter, WhatWasNotSentComesBack) {  // BRK-11 LIM-1
  AdaptiveLimiter limiter({.rate = {.rate = 1}, .burst = 1.0});
  acquired(kStart, limiter).release();
  {
    const AdaptivePermit sent = acquired(kStart, limiter);
  }
  EXPECT_FALSE(limiter.try_acquire(kStart));
}

TEST(AdaptiveLimiter, EveryProblemIsReported) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const AdaptiveLimiterOptions options{.rate = {.rate = 0,
                                                .rate_min = nan,
                                                .decrease = 1.0,
                                                .throttle_window = 0s,
                                                .quick_return_to = 2.0,
                                                .quick_return_time = -1s,
                                                .probe_time = 0s},
                                       .burst = 0.0,
                                       .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost},
                                       .retry_after_max = -1s};
  EXPECT_THAT(fields_of(options.validate()),
              ElementsAre("rate.rate", "rate.rate_min", "rate.decrease", "rate.throttle_window", "rate.quick_return_to",
                          "rate.quick_return_time", "rate.probe_time", "burst", "priorities.mode", "retry_after_max"));
  EXPECT_THAT(fields_of(AdaptiveLimiterOptions{.rate = {.rate = 5, .rate_min = 6.0}}.validate()),
              ElementsAre("rate.rate_min"));
  EXPECT_THROW(AdaptiveLimiter{options}, InvalidOptions);
}

TEST(AdaptiveLimiterThreads, NoThreadsTakeMoreThanTheBound) {  // LIM-1 LIM-4.1
  AdaptiveLimiter limiter({.rate = {.rate = 1000}, .burst = 50.0});
  std::atomic<Duration::rep> time{0};
  std::atomic<std::uint64_t> admitted{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 1000; ++i) {
      const TimePoint now = kStart + Duration(time.fetch_add(static_cast<Duration::rep>(rng.below(50'000))));
      auto permit = limiter.try_acquire(now);
      if (!permit) continue;
      ++admitted;
      if (rng.below(3) > 0) std::move(*permit).settle(now, rng.below(50) == 0 ? throttled() : Outcome::success());
    }
  });
  EXPECT_LE(static_cast<double>(admitted), 50 + 1000 * static_cast<double>(time) / 1e9 + 1);
  EXPECT_GT(admitted, 50U);
}

}  // namespace
}  // namespace fuseboard
