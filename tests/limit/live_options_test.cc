// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// New options for limits that are in use.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/retry_after_gate.h"
#include "fuseboard/limit/throttle.h"
#include "fuseboard/limit/token_bucket.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using enum Priority;

// What the intervals of a history may admit: in each no more than the burst at its beginning, what larger bursts
// brought within it, and what was refilled.
class Intervals {
 public:
  void pass(Duration time, double rate) {
    for (Open& open : open_) open.allowed += rate * static_cast<double>(time.count()) / 1e9;
  }
  void grow(double tokens) {
    for (Open& open : open_) open.allowed += std::max(0.0, tokens);
  }
  // Whether all intervals that end with this call allow it.
  [[nodiscard]] bool admit(double tokens, double burst) {
    open_.push_back({.allowed = burst});
    bool within = true;
    for (Open& open : open_) {
      open.admitted += tokens;
      within = within && open.admitted <= open.allowed * (1 + 1e-9) + 1e-5;
    }
    return within;
  }
  // The latest call did not take place.
  void take_back(double tokens) {
    for (Open& open : open_) open.admitted -= tokens;
  }

 private:
  struct Open {
    double allowed = 0.0;
    double admitted = 0.0;
  };
  std::vector<Open> open_{};
};

std::uint64_t drain(TimePoint now, TokenBucket& bucket) {
  std::uint64_t taken = 0;
  while (bucket.try_acquire(now)) ++taken;
  return taken;
}

TEST(TokenBucketLiveOptions, WhatWasSpentStaysSpent) {  // LIM-9.1
  TokenBucket bucket({.rate = 1, .burst = 10});
  ASSERT_TRUE(bucket.try_acquire(kStart, 7));
  bucket.apply(kStart, {.rate = 1, .burst = 15});
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 8.0) << "a larger burst gives the difference at once";
  bucket.apply(kStart, {.rate = 1, .burst = 8});
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 1.0) << "and a smaller one takes it";
  EXPECT_EQ(bucket.options().burst, 8.0);
  bucket.apply(kStart, {.rate = 1, .burst = 5});
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 0.0);
  EXPECT_EQ(bucket.peek_rejection(kStart, 1, high)->retry_after, 1s) << "what is more than the burst is forgotten";
  EXPECT_EQ(drain(kStart + 1h, bucket), 5U);
}

TEST(TokenBucketLiveOptions, TheRateChangesFromThereOn) {  // LIM-9.1
  TokenBucket bucket({.rate = 1, .burst = 1000});
  ASSERT_TRUE(bucket.try_acquire(kStart, 1000));
  bucket.apply(kStart + 10s, {.rate = 500, .burst = 1000});
  EXPECT_NEAR(bucket.available(kStart + 10s), 10.0, 1e-6) << "the time before it was refilled at the old rate";
  EXPECT_NEAR(bucket.available(kStart + 11s), 510.0, 1e-6);
  bucket.apply(kStart + 11s, {.rate = 0.001, .burst = 1000});
  EXPECT_NEAR(bucket.available(kStart + 11s), 510.0, 1e-6);
  EXPECT_NEAR(bucket.available(kStart + 1011s), 511.0, 1e-6);
  EXPECT_NEAR(bucket.available(kStart), 510.0, 1e-6) << "an earlier time refills nothing and takes nothing";
  const Duration wait = *bucket.peek_rejection(kStart + 1011s, 512, high)->retry_after;
  EXPECT_NEAR(static_cast<double>(wait.count()), 1e12, 1e6) << "but for what a unit of before takes now";
  EXPECT_TRUE(bucket.try_acquire(kStart + 1011s + wait, 512));
}

TEST(TokenBucketLiveOptions, AFullBucketStaysFull) {  // LIM-9.1
  TokenBucket bucket({.rate = 1, .burst = 10});
  for (const double rate : {1e9, 1e-6, 20.0}) {
    for (const double burst : {1e9, 1.0, 30.0}) {
      bucket.apply(kStart, {.rate = rate, .burst = burst});
      EXPECT_TRUE(bucket.full(kStart));
      EXPECT_DOUBLE_EQ(bucket.available(kStart), burst);
    }
  }
  EXPECT_EQ(drain(kStart, bucket), 30U);
}

TEST(TokenBucketLiveOptions, PrioritiesAreThoseOfTheNewOptions) {  // LIM-9.1
  TokenBucket bucket({.rate = 1, .burst = 100});
  ASSERT_TRUE(bucket.try_acquire(kStart, 40, low));
  bucket.apply(kStart, {.rate = 1, .burst = 100, .priorities = PriorityOptions{}});
  EXPECT_TRUE(bucket.try_acquire(kStart, 10, low));
  EXPECT_FALSE(bucket.try_acquire(kStart, 1, low));
  bucket.apply(kStart, {.rate = 1, .burst = 100, .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost}});
  EXPECT_TRUE(bucket.try_acquire(kStart, 25, low));
  EXPECT_FALSE(bucket.try_acquire(kStart, 1, low));
  EXPECT_FALSE(bucket.can_ever_admit(51, low));
}

TEST(TokenBucketLiveOptions, WhatWasTakenBeforeIsNotGivenBackAfter) {  // LIM-9.1 LIM-1
  TokenBucket bucket({.rate = 1, .burst = 10});
  const auto before = bucket.try_acquire(kStart, 10);
  bucket.apply(kStart, {.rate = 1, .burst = 2});
  ASSERT_TRUE(before && bucket.try_acquire(kStart + 2s, 2));
  bucket.release(kStart + 2s, *before);
  EXPECT_EQ(drain(kStart + 2s, bucket), 0U);
  const auto after = bucket.try_acquire(kStart + 4s, 2);
  ASSERT_TRUE(after);
  bucket.release(kStart + 4s, *after);
  EXPECT_EQ(drain(kStart + 4s, bucket), 2U);
}

TEST(TokenBucketLiveOptions, WhatIsInvalidChangesNothing) {  // LIM-9.1 CORE-6
  TokenBucket bucket({.rate = 1, .burst = 10});
  const auto granted = bucket.try_acquire(kStart, 4);
  EXPECT_THROW(bucket.apply(kStart, {.rate = 0, .burst = 20}), InvalidOptions);
  EXPECT_EQ(bucket.options(), (TokenBucketOptions{.rate = 1, .burst = 10}));
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 6.0);
  bucket.release(kStart, *granted);
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 10.0);
}

TEST(TokenBucketLiveOptions, TheEndsOfTimeAreNoTrouble) {  // LIM-9.1 CORE-7
  for (const TimePoint end : {TimePoint::min(), TimePoint(), kNever}) {
    TokenBucket bucket({.rate = kMaxTokens, .burst = kMaxTokens});
    EXPECT_TRUE(bucket.try_acquire(end, 1'000'000'000));
    for (int i = 0; i < 100; ++i) {
      bucket.apply(end, {.rate = kMinRate, .burst = kMaxTokens});
      bucket.apply(end, {.rate = kMaxTokens, .burst = kMaxTokens});
    }
    EXPECT_DOUBLE_EQ(bucket.available(end), 0.0);
    bucket.reset();
    EXPECT_TRUE(bucket.try_acquire(end, 1'000'000'000));
  }
}

// Any history of calls, refunds and new options.
RC_GTEST_PROP(TokenBucketLiveOptionsOracle, NoIntervalAdmitsMoreThanItsOptionsAllow, ()) {  // LIM-9.1 LIM-1
  const auto any_options = [] {
    return TokenBucketOptions{.rate = *rc::gen::element(0.3, 1.0, 7.0, 333.0, 1e5),
                              .burst = static_cast<double>(*rc::gen::inRange(4, 30)) + *rc::gen::element(0.0, 0.5)};
  };
  TokenBucketOptions options = any_options();
  TokenBucket bucket(options);
  Intervals intervals;
  TimePoint now = kStart;
  long double missing = 0;
  // New options round against the caller, each time by a nanosecond of refill.
  constexpr double kRounded = 150 * 2 * 1e5 * 1e-9;
  const int steps = *rc::gen::inRange(1, 150);
  for (int step = 0; step < steps; ++step) {
    const auto tokens = static_cast<double>(*rc::gen::element(0, 0, 1, 3, 40)) * 0.37;
    const Duration wait = Duration(static_cast<Duration::rep>(tokens / options.rate * 1e9));
    now += wait;
    intervals.pass(wait, options.rate);
    missing = std::max<long double>(0, missing - static_cast<long double>(wait.count()) * options.rate / 1e9L);
    if (*rc::gen::inRange(0, 6) == 0) {
      const TokenBucketOptions next = any_options();
      intervals.grow(next.burst - options.burst);
      options = next;
      missing = std::min<long double>(missing, options.burst);
      bucket.apply(now, options);
    } else {
      const auto cost = *rc::gen::inRange<std::uint64_t>(1, 5);
      const auto granted = bucket.try_acquire(now, cost, critical);
      // Nothing is lost: a call is refused only where a naive bucket has too little.
      const long double left = options.burst - missing;
      RC_ASSERT(granted || left <= static_cast<long double>(cost) + kRounded);
      if (!granted) continue;
      RC_ASSERT(intervals.admit(static_cast<double>(cost), options.burst));
      if (*rc::gen::inRange(0, 4) == 0) {
        bucket.release(now, *granted);
        intervals.take_back(static_cast<double>(cost));
      } else {
        missing += static_cast<long double>(cost);
      }
    }
    RC_ASSERT(std::abs(bucket.available(now) - static_cast<double>(options.burst - missing)) < kRounded);
  }
  RC_ASSERT(bucket.full(now + 24h));
}

// A thread that read the clock earlier than others, and applies later.
TEST(TokenBucketLiveOptions, AnEarlierTimeGivesNothingBackThatWasRefilledSince) {  // LIM-9.1 LIM-1
  TokenBucket bucket({.rate = 1000, .burst = 50});
  ASSERT_TRUE(bucket.try_acquire(kStart, 50));
  ASSERT_TRUE(bucket.try_acquire(kStart + 50ms, 50));
  bucket.apply(kStart, {.rate = 1000, .burst = 50});
  EXPECT_FALSE(bucket.try_acquire(kStart + 50ms, 1));
}

TEST(TokenBucketLiveOptionsThreads, AcquisitionsGoOnAndTheBoundHolds) {  // LIM-9.1 LIM-1
  TokenBucket bucket({.rate = 1000, .burst = 50});
  std::atomic<Duration::rep> time{0};
  std::atomic<std::uint64_t> taken{0};
  std::atomic<int> working{kThreads - 1};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    if (thread == 0) {
      // The unit changes with the rate, and each time all goes on from what was missing.
      while (working > 0) {
        bucket.apply(kStart + Duration(time.load()), {.rate = rng.below(2) == 0 ? 1000.0 : 30.0, .burst = 50});
      }
      return;
    }
    for (int i = 0; i < 3000; ++i) {
      const TimePoint now = kStart + Duration(time.fetch_add(static_cast<Duration::rep>(rng.below(20'000))));
      const std::uint64_t cost = 1 + rng.below(3);
      if (const auto granted = bucket.try_acquire(now, cost)) {
        taken += cost;
      } else {
        EXPECT_GE(granted.error().retry_after.value_or(-1s), 0s);
      }
      EXPECT_LE(bucket.available(now), 50.0);
    }
    --working;
  });
  EXPECT_LE(static_cast<double>(taken), 50 + 1000 * static_cast<double>(time.load()) / 1e9 + 1e-6);
  const TimePoint end = kStart + Duration(time.load());
  bucket.apply(end, {.rate = 1, .burst = 50});
  EXPECT_EQ(drain(end + 1h, bucket), 50U) << "nothing is lost for ever";
}

JointPermit acquired(TimePoint now, JointLimiter& limiter, const JointRequest& request = {}) {
  auto permit = limiter.try_acquire(now, request);
  if (permit) return std::move(*permit);
  ADD_FAILURE() << "refused: " << name(permit.error().reason);
  return {};
}

JointLimiterOptions tokens_a_minute(double rate, double burst) {
  return {.tokens_per_minute = rate, .tokens_burst = burst};
}

TEST(JointLimiterLiveOptions, WhatWasSpentStaysSpent) {  // LIM-9.1
  JointLimiter limiter({.requests_per_minute = 60, .requests_burst = 10.0, .tokens_per_minute = 600.0});
  acquired(kStart, limiter, {.tokens = 400}).settle();
  JointLimiterOptions options{.requests_per_minute = 120, .requests_burst = 12.0, .tokens_per_minute = 900.0};
  limiter.apply(kStart + 500ms, options);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 500ms).requests_available, 11.5);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 500ms).tokens_available, 505.0) << "the burst is a minute's worth";
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 1500ms).tokens_available, 520.0) << "at the new rate";
  options.tokens_burst = 300.0;
  limiter.apply(kStart + 1500ms, options);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 1500ms).tokens_available, 0.0);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 2500ms).tokens_available, 15.0) << "what is beyond it is forgotten";
  EXPECT_EQ(limiter.options().tokens_burst, 300.0);
}

TEST(JointLimiterLiveOptions, WhatIsOwedIsOwedStill) {  // LIM-9.1 LIM-5.2
  JointLimiter limiter(tokens_a_minute(60, 100));
  acquired(kStart, limiter, {.tokens = 100}).settle(kStart, 150);
  limiter.apply(kStart, tokens_a_minute(60, 20));
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, -50.0);
  limiter.apply(kStart, tokens_a_minute(60, 90));
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 20.0);
}

TEST(JointLimiterLiveOptions, PermitsInFlightSettleByTheNewOptions) {  // LIM-9.2
  JointLimiter limiter(tokens_a_minute(60, 1000));
  JointPermit settled = acquired(kStart, limiter, {.tokens = 300});
  JointPermit unsent = acquired(kStart, limiter, {.tokens = 200});
  limiter.apply(kStart, tokens_a_minute(60, 800));
  std::move(settled).settle(kStart, 100);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 500.0);
  std::move(unsent).release();
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 700.0);
}

TEST(JointLimiterLiveOptions, WhatASmallerBurstForgotIsNotPutBack) {  // LIM-9.1 LIM-1
  JointLimiter limiter(tokens_a_minute(60, 1000));
  JointPermit large = acquired(kStart, limiter, {.tokens = 1000});
  limiter.apply(kStart, tokens_a_minute(60, 50));
  acquired(kStart + 49s, limiter, {.tokens = 49}).settle();
  std::move(large).release();
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 49s).tokens_available, 0.0);
}

TEST(JointLimiterLiveOptions, ALowerConcurrencyAdmitsNobodyUntilEnoughHaveLeft) {  // LIM-9.2
  JointLimiter limiter({});
  std::vector<JointPermit> held;
  for (int i = 0; i < 3; ++i) held.push_back(acquired(kStart, limiter));
  limiter.apply(kStart, {.concurrency = 2});
  EXPECT_EQ(limiter.try_acquire(kStart).error().reason, RejectionReason::concurrency_limited);
  held.pop_back();
  EXPECT_FALSE(limiter.try_acquire(kStart)) << "what began without a limit counts";
  held.pop_back();
  held.push_back(acquired(kStart, limiter));
  limiter.apply(kStart, {});
  for (int i = 0; i < 5; ++i) held.push_back(acquired(kStart, limiter));
  EXPECT_EQ(limiter.snapshot(kStart).in_flight, 7U);
}

TEST(JointLimiterLiveOptions, ALimitThatComesBeginsFull) {  // LIM-9.2
  JointLimiter limiter({.concurrency = 10});
  JointPermit before = acquired(kStart, limiter, {.tokens = 5'000});
  JointPermit also = acquired(kStart, limiter, {.tokens = 5'000});
  limiter.apply(kStart,
                {.requests_per_minute = 60, .requests_burst = 10, .tokens_per_minute = 60, .tokens_burst = 100});
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).requests_available, 10.0);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 100.0);
  acquired(kStart, limiter, {.tokens = 30}).settle();
  std::move(before).release();
  std::move(also).settle(kStart, 10);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).requests_available, 9.0) << "it gives nothing back that it did not take";
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 70.0);
}

TEST(JointLimiterLiveOptions, ALimitThatWentAndCameGetsNothingBack) {  // LIM-9.2
  JointLimiter limiter(tokens_a_minute(60, 100));
  JointPermit before = acquired(kStart, limiter, {.tokens = 80});
  limiter.apply(kStart, {});
  JointPermit between = acquired(kStart, limiter, {.tokens = 1'000'000});
  EXPECT_EQ(limiter.snapshot(kStart).tokens_available, std::nullopt);
  limiter.apply(kStart, tokens_a_minute(60, 100));
  acquired(kStart, limiter, {.tokens = 60}).settle();
  std::move(before).release();
  std::move(between).settle(kStart, 0);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 40.0);
}

TEST(JointLimiterLiveOptions, WhatIsInvalidChangesNothing) {  // LIM-9.1 CORE-6
  JointLimiter limiter(tokens_a_minute(60, 100));
  EXPECT_THROW(limiter.apply(kStart, {.tokens_per_minute = 60, .concurrency = 0}), InvalidOptions);
  EXPECT_EQ(limiter.options().tokens_burst, 100.0);
  EXPECT_EQ(limiter.options().concurrency, std::nullopt);
}

// Any history of calls and new options, against the obvious bookkeeping.
RC_GTEST_PROP(JointLimiterLiveOptionsOracle, NoIntervalAdmitsMoreThanItsOptionsAllow, ()) {  // LIM-9.1 LIM-5.1
  const auto any_options = [] {
    JointLimiterOptions options;
    if (*rc::gen::inRange(0, 4) > 0) options.tokens_per_minute = *rc::gen::element(6.0, 60.0, 6000.0);
    if (*rc::gen::arbitrary<bool>()) options.tokens_burst = static_cast<double>(*rc::gen::inRange(5, 300));
    if (*rc::gen::arbitrary<bool>()) options.concurrency = *rc::gen::inRange(1U, 6U);
    return options;
  };
  JointLimiterOptions options = any_options();
  JointLimiter limiter(options);
  const auto burst = [&] { return options.tokens_burst.value_or(options.tokens_per_minute.value_or(0)); };
  const auto rate = [&] { return options.tokens_per_minute.value_or(0) / 60.0; };
  Intervals intervals;
  double missing = 0;
  std::vector<JointPermit> held;
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 150);
  for (int step = 0; step < steps; ++step) {
    const Duration wait = *rc::gen::element<Duration>(0ns, 0ns, 10ms, 333ms, 7s, 100s);
    now += wait;
    intervals.pass(wait, rate());
    missing = std::max(0.0, missing - rate() * static_cast<double>(wait.count()) / 1e9);
    const int kind = *rc::gen::inRange(0, 8);
    if (kind == 0) {
      const bool limited = options.tokens_per_minute.has_value();
      const double before = burst();
      options = any_options();
      limiter.apply(now, options);
      if (!limited || !options.tokens_per_minute) intervals = {};  // a limit that comes begins full
      missing = limited && options.tokens_per_minute ? std::min(missing, burst()) : 0;
      intervals.grow(burst() - before);
    } else if (kind < 3) {
      if (!held.empty()) held.pop_back();
    } else {
      const auto tokens = *rc::gen::inRange<std::uint64_t>(0, 40);
      auto permit = limiter.try_acquire(now, {.tokens = tokens});
      const double left = burst() - missing - static_cast<double>(tokens);
      const bool has_room = !options.concurrency || held.size() < *options.concurrency;
      const bool passes = has_room && (!options.tokens_per_minute || left >= 0);
      RC_ASSERT(permit.has_value() == passes || std::abs(left) < 1e-6);
      if (!permit) continue;
      if (*rc::gen::inRange(0, 4) == 0) {
        std::move(*permit).release();
        continue;
      }
      if (options.tokens_per_minute) RC_ASSERT(intervals.admit(static_cast<double>(tokens), burst()));
      missing += static_cast<double>(tokens);
      held.push_back(std::move(*permit));
    }
    const JointSnapshot snapshot = limiter.snapshot(now);
    RC_ASSERT(snapshot.in_flight == held.size());
    if (options.tokens_per_minute) RC_ASSERT(std::abs(*snapshot.tokens_available - (burst() - missing)) < 1e-6);
  }
  held.clear();
  const auto tokens = limiter.view(now + 24h).tokens;
  RC_ASSERT(!tokens || tokens->full_after == 0s);
  RC_ASSERT(limiter.snapshot(now).in_flight == 0U);
}

TEST(JointLimiterLiveOptionsThreads, PlacesAndTokensAreConserved) {  // LIM-9.1
  JointLimiter limiter(tokens_a_minute(60, 1e6));
  std::atomic<int> working{kThreads - 1};
  std::atomic<std::uint64_t> used{0};
  together(kThreads, [&](int thread) {
    if (thread == 0) {
      for (std::uint32_t round = 0; working > 0; ++round) {
        JointLimiterOptions options = tokens_a_minute(60, 1e6 + round % 7);
        if (round % 2 == 0) options.concurrency = 3;
        limiter.apply(kStart, options);
      }
      return;
    }
    for (int i = 0; i < 2000; ++i) {
      auto permit = limiter.try_acquire(kStart, {.tokens = 10});
      if (!permit) continue;
      if (i % 3 == 0) {
        std::move(*permit).release();
      } else {
        used += 10;
      }
    }
    --working;
  });
  limiter.apply(kStart, tokens_a_minute(60, 1e6));
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 1e6 - static_cast<double>(used));
  EXPECT_EQ(limiter.snapshot(kStart).in_flight, 0U);
}

Outcome throttled(std::optional<Duration> retry_after = std::nullopt) {
  return Outcome::failed(Failure::of(Category::rate_limit, retry_after));
}

TEST(AdaptiveRateLiveOptions, TheLearnedRateStaysWithinTheNewBounds) {  // LIM-9.3
  AdaptiveRate rate({.rate = 100});
  (void)rate.on_throttled(kStart);
  rate.apply(kStart, {.rate = 200});
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 70.0);
  EXPECT_DOUBLE_EQ(*rate.ceiling(), 100.0);
  rate.apply(kStart, {.rate = 50});
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 50.0);
  rate.apply(kStart, {.rate = 100, .rate_min = 90.0});
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 90.0);
  rate.apply(kStart, {.rate = 100});
  EXPECT_DOUBLE_EQ(rate.rate(kStart), 70.0) << "it was not forgotten meanwhile";
  EXPECT_THROW(rate.apply(kStart, {.rate = -1}), InvalidOptions);
  EXPECT_DOUBLE_EQ(rate.options().rate, 100.0);
}

TEST(AdaptiveRateLiveOptions, OnItsWayBackItGoesOnFromWhereItIs) {  // LIM-9.3
  AdaptiveRate rate({.rate = 100, .quick_return_time = 2s});
  (void)rate.on_throttled(kStart);
  rate.on_success(kStart + 1s, kStart + 1s);
  const double here = rate.rate(kStart + 1500ms);
  EXPECT_GT(here, 75.0);
  rate.apply(kStart + 1500ms, {.rate = 100, .quick_return_time = 20s});
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 1500ms), here);
  EXPECT_LT(rate.rate(kStart + 3s), 95.0);
  EXPECT_DOUBLE_EQ(rate.rate(kStart + 1500ms + 20s), 95.0);
}

TEST(AdaptiveLimiterLiveOptions, WhatWasSpentAndLearnedStays) {  // LIM-9.1 LIM-9.3
  AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0});
  auto permit = limiter.try_acquire(kStart, 4);
  ASSERT_TRUE(permit);
  limiter.apply(kStart, {.rate = {.rate = 10}, .burst = 15.0});
  EXPECT_EQ(limiter.view(kStart).remaining, 11U);
  limiter.apply(kStart, {.rate = {.rate = 10}, .burst = 5.0});
  EXPECT_EQ(limiter.view(kStart).remaining, 1U);
  std::move(*permit).settle(kStart, throttled(3s));
  limiter.apply(kStart, {.rate = {.rate = 20}, .burst = 5.0});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 7.0);
  EXPECT_EQ(limiter.peek_rejection(kStart)->retry_after, 3s) << "the gate stays shut";
  limiter.apply(kStart, {.rate = {.rate = 20}, .burst = 5.0, .retry_after_max = 2s});
  EXPECT_EQ(limiter.peek_rejection(kStart)->retry_after, 2s);
  EXPECT_EQ(limiter.options().retry_after_max, 2s);
  EXPECT_THROW(limiter.apply(kStart, {.rate = {.rate = 20}, .burst = 0.0}), InvalidOptions);
  EXPECT_EQ(limiter.options().burst, 5.0);
}

TEST(AdaptiveLimiterLiveOptions, WhatTheServerSaidHoldsForNoLongerThanTheyAllow) {  // LIM-9.3
  AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0});
  limiter.observe(kStart, {.remaining = 60, .reset_after = 60s});
  limiter.apply(kStart, {.rate = {.rate = 10}, .burst = 10.0, .retry_after_max = 10s});
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 9s), 1.0);
  EXPECT_DOUBLE_EQ(limiter.rate(kStart + 10s), 10.0);
}

TEST(RetryAfterGateLiveOptions, StaysShutButForNoLongerThanTheyAllow) {  // LIM-9.3
  RetryAfterGate gate;
  gate.close(kStart, 60s);
  gate.apply(kStart, 24h);
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 60s);
  gate.apply(kStart, 10s);
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 10s);
  gate.close(kStart, 60s);
  EXPECT_EQ(gate.peek_rejection(kStart)->retry_after, 10s);
  gate.open();
  gate.apply(kStart, 20s);
  EXPECT_FALSE(gate.touched());
}

TEST(ThrottleLiveOptions, ARateMayComeAndGoWhileItsPermitsAreOut) {  // LIM-9.2 LIM-9.3
  Throttle throttle({.retry_after_max = 60s});
  EXPECT_EQ(throttle.rate(), nullptr);
  throttle.gate().close(kStart, 60s);
  const ThrottleOptions with_rate{.rate = AdaptiveLimiterOptions{.rate = {.rate = 10}, .burst = 3.0}};
  throttle.apply(kStart, with_rate);
  EXPECT_EQ(throttle.peek_rejection(kStart, normal)->retry_after, 60s) << "there is one gate";
  throttle.gate().open();
  auto first = throttle.try_acquire(kStart, normal);
  auto second = throttle.try_acquire(kStart, normal);
  auto third = throttle.try_acquire(kStart, normal);
  ASSERT_TRUE(first && second && third);
  EXPECT_FALSE(throttle.try_acquire(kStart, normal)) << "it began full";
  throttle.apply(kStart, {.retry_after_max = 5s});
  EXPECT_EQ(throttle.rate(), nullptr);
  auto free = throttle.try_acquire(kStart, normal);
  ASSERT_TRUE(free) << "nothing limits any more";
  throttle.settle(kStart, std::move(*first), throttled(7s), std::nullopt);
  EXPECT_EQ(throttle.peek_rejection(kStart, normal)->retry_after, 5s);
  throttle.settle(kStart, std::move(*free), Outcome::success(), ServerWindow{.remaining = 0, .reset_after = 8s});
  throttle.apply(kStart + 5s, with_rate);
  EXPECT_DOUBLE_EQ(throttle.rate()->rate(kStart + 5s), 7.0) << "what its permits learned meanwhile";
  EXPECT_THROW(throttle.apply(kStart, {.retry_after_max = -1s}), InvalidOptions);
  EXPECT_NE(throttle.rate(), nullptr);
}

TEST(ThrottleLiveOptionsThreads, NoPermitOutlivesItsLimiter) {  // LIM-9.2
  Throttle throttle({});
  std::atomic<int> working{kThreads - 1};
  together(kThreads, [&](int thread) {
    if (thread == 0) {
      for (int round = 0; working > 0; ++round) {
        ThrottleOptions options{.retry_after_max = 1s};
        if (round % 2 == 0) options.rate = AdaptiveLimiterOptions{.rate = {.rate = 1000.0 + round % 5}};
        throttle.apply(kStart, options);
      }
      return;
    }
    for (int i = 0; i < 2000; ++i) {
      auto permit = throttle.try_acquire(kStart + i * 1ms, normal);
      if (permit) throttle.settle(kStart + i * 1ms, std::move(*permit), Outcome::success(), std::nullopt);
    }
    --working;
  });
  EXPECT_FALSE(throttle.gate().closed(kStart));
}

void settle_after(AdaptiveBulkhead& bulkhead, Duration latency) {
  auto slot = bulkhead.try_acquire();
  ASSERT_TRUE(slot);
  std::move(*slot).settle(kStart, Outcome::success(latency));
}

TEST(AdaptiveBulkheadLiveOptions, TheLearnedLimitStaysWithinTheNewBounds) {  // LIM-9.2 LIM-9.3
  AdaptiveBulkhead bulkhead({.initial_limit = 20});
  bulkhead.apply(kStart, {.initial_limit = 10});
  EXPECT_EQ(bulkhead.limit(), 10U) << "it has learned nothing yet";
  std::vector<AdaptiveBulkheadSlot> slots;
  for (int i = 0; i < 10; ++i) slots.push_back(*bulkhead.try_acquire());
  std::move(slots.back()).settle(kStart, Outcome::failed(Failure::of(Category::overloaded)));
  slots.pop_back();
  EXPECT_EQ(bulkhead.limit(), 9U);
  bulkhead.apply(kStart, {.initial_limit = 50});
  EXPECT_EQ(bulkhead.limit(), 9U);
  bulkhead.apply(kStart, {.initial_limit = 3, .max_limit = 4});
  EXPECT_EQ(bulkhead.limit(), 4U);
  EXPECT_EQ(bulkhead.in_flight(), 9U);
  slots.resize(4);
  EXPECT_FALSE(bulkhead.try_acquire());
  slots.pop_back();
  EXPECT_TRUE(bulkhead.try_acquire());
  bulkhead.apply(kStart, {.initial_limit = 30, .min_limit = 30});
  EXPECT_EQ(bulkhead.limit(), 30U);
  EXPECT_THROW(bulkhead.apply(kStart, {.initial_limit = 0}), InvalidOptions);
  EXPECT_EQ(bulkhead.options().initial_limit, 30U);
}

TEST(AdaptiveBulkheadLiveOptions, WhatIsUsualStays) {  // LIM-9.3
  AdaptiveBulkhead bulkhead({.initial_limit = 20});
  for (int i = 0; i < 20; ++i) settle_after(bulkhead, 100ms);
  const auto before = bulkhead.save(kStart);
  bulkhead.apply(kStart, {.initial_limit = 5, .tolerance = 2.0});
  const auto after = bulkhead.save(kStart);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->latency.usual, before->latency.usual);
  EXPECT_EQ(after->limit, before->limit);
}

TEST(LimitsLiveOptionsThreads, LearningGoesOnBesideThem) {  // LIM-9.3
  AdaptiveLimiter limiter({.rate = {.rate = 1e6}});
  AdaptiveBulkhead bulkhead;
  std::atomic<int> working{kThreads - 1};
  together(kThreads, [&](int thread) {
    if (thread == 0) {
      for (std::uint32_t round = 0; working > 0; ++round) {
        limiter.apply(kStart, {.rate = {.rate = 1e6 + round % 3}});
        bulkhead.apply(kStart, {.max_limit = 100 + round % 3});
      }
      return;
    }
    for (int i = 0; i < 1000; ++i) {
      EXPECT_GT(limiter.options().rate.rate + bulkhead.options().tolerance, 0.0);
      if (auto permit = limiter.try_acquire(kStart)) std::move(*permit).settle(kStart, Outcome::success());
      if (auto slot = bulkhead.try_acquire()) std::move(*slot).settle(kStart, Outcome::success(1ms));
    }
    --working;
  });
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

}  // namespace
}  // namespace fuseboard
