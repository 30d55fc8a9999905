// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Limits that outlive their process [LIM-10].
#include "fuseboard/limit/saved_limits.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
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

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Of another process, whose clock says something else.
constexpr TimePoint kRestart = TimePoint(std::chrono::seconds(17));

TEST(SavedTokenBucket, IsRestoredAsItWas) {  // LIM-10
  const TokenBucketOptions options{.rate = 3, .burst = 10};
  TokenBucket before(options);
  EXPECT_FALSE(before.save(kStart)) << "a full bucket has nothing to tell";
  ASSERT_TRUE(before.try_acquire(kStart, 10));
  const TimePoint end = kStart + 123456789ns;
  const auto saved = before.save(end);
  ASSERT_TRUE(saved);
  TokenBucket after(options);
  after.restore(kRestart, *saved);
  for (const Duration later : {Duration(0), Duration(1), Duration(1s)}) {
    for (const std::uint64_t cost : {1U, 5U, 10U}) {
      const auto expected = before.peek_rejection(end + later, cost, high);
      const auto restored = after.peek_rejection(kRestart + later, cost, high);
      ASSERT_EQ(restored.has_value(), expected.has_value());
      if (expected) {
        EXPECT_LE(std::abs((*restored->retry_after - *expected->retry_after).count()), 1);
      }
    }
  }
  EXPECT_FALSE(before.save(end + 1h));
}

TEST(SavedTokenBucket, FillsNothingThatWasSpentSince) {  // LIM-10
  TokenBucket bucket({.rate = 1, .burst = 10});
  const auto granted = bucket.try_acquire(kStart, 6);
  ASSERT_TRUE(granted);
  bucket.restore(kStart, {.missing = 4});
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 4.0);
  bucket.restore(kStart, {.missing = 8});
  bucket.release(kStart, *granted);
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 2.0);
}

TEST(SavedTokenBucket, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  const auto left = [](double missing) {
    TokenBucket bucket({.rate = 1, .burst = 10});
    bucket.restore(kRestart, {.missing = missing});
    return bucket.available(kRestart);
  };
  EXPECT_DOUBLE_EQ(left(-5), 10.0);
  EXPECT_DOUBLE_EQ(left(kNaN), 10.0);
  EXPECT_DOUBLE_EQ(left(-kInfinity), 10.0);
  EXPECT_DOUBLE_EQ(left(kInfinity), 0.0);
  EXPECT_DOUBLE_EQ(left(1e300), 0.0);
}

RC_GTEST_PROP(SavedTokenBucket, NeverAdmitsMoreThanWhatWasSaved, ()) {  // LIM-10
  const auto any_options = [] {
    return TokenBucketOptions{.rate = *rc::gen::element(0.001, 0.3, 7.0, 1e6, 1e9),
                              .burst = *rc::gen::element(1.0, 5.5, 1000.0, 1e9)};
  };
  const TokenBucketOptions options = any_options();
  TokenBucket before(options);
  (void)before.try_acquire(kStart, *rc::gen::inRange<std::uint64_t>(1, 1000), critical);
  const TimePoint end = kStart + Duration(*rc::gen::inRange<Duration::rep>(0, 1'000'000'000));
  const auto saved = before.save(end);
  RC_ASSERT(saved.has_value() == !before.full(end));
  if (!saved) return;
  const TokenBucketOptions now = *rc::gen::arbitrary<bool>() ? options : any_options();
  TokenBucket after(now);
  after.restore(kRestart, *saved);
  RC_ASSERT(now.burst - after.available(kRestart) + 1e-6 >= std::min(saved->missing, now.burst));
}

TEST(SavedJointLimiter, IsRestoredAsItWas) {  // LIM-10
  const JointLimiterOptions options{
      .requests_per_minute = 60, .requests_burst = 2.0, .tokens_per_minute = 600, .tokens_burst = 100.0};
  JointLimiter before(options);
  EXPECT_FALSE(before.save(kStart));
  for (const std::uint64_t used : {40U, 130U})
    std::move(*before.try_acquire(kStart, {.tokens = 40})).settle(kStart, used);
  const TimePoint end = kStart + 345ms;
  const auto saved = before.save(end);
  ASSERT_TRUE(saved);
  JointLimiter after(options);
  after.restore(kRestart, *saved);
  EXPECT_NEAR(*after.snapshot(kRestart).tokens_available, -66.55, 1e-9) << "what is owed, too";
  for (const Duration later : {Duration(0), Duration(1), Duration(5s), Duration(7s)}) {
    for (const std::uint64_t tokens : {0U, 10U, 100U}) {
      const JointRequest request{.tokens = tokens, .priority = high};
      const auto expected = before.peek_rejection(end + later, request);
      const auto restored = after.peek_rejection(kRestart + later, request);
      ASSERT_EQ(restored.has_value(), expected.has_value());
      if (expected) {
        EXPECT_EQ(restored->retry_after, expected->retry_after);
      }
    }
  }
  EXPECT_FALSE(before.save(end + 1h));
  EXPECT_FALSE(JointLimiter({.concurrency = 1}).save(kStart)) << "places in flight are no part of it";
}

TEST(SavedJointLimiter, FillsNothingThatWasSpentSince) {  // LIM-10
  JointLimiter limiter({.tokens_per_minute = 60, .tokens_burst = 100.0});
  auto permit = limiter.try_acquire(kStart, {.tokens = 60});
  ASSERT_TRUE(permit);
  limiter.restore(kStart, {.tokens_missing = 40});
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 40.0);
  limiter.restore(kStart, {.tokens_missing = 80});
  std::move(*permit).release();
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart).tokens_available, 20.0);
}

TEST(SavedJointLimiter, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  const auto restored = [](double missing) {
    JointLimiter limiter({.requests_per_minute = 60, .requests_burst = 5.0, .tokens_per_minute = 60});
    limiter.restore(kRestart, {.requests_missing = missing, .tokens_missing = missing});
    return limiter.snapshot(kRestart);
  };
  for (const double missing : {-5.0, kNaN, -kInfinity}) {
    EXPECT_DOUBLE_EQ(*restored(missing).requests_available, 5.0);
    EXPECT_DOUBLE_EQ(*restored(missing).tokens_available, 60.0);
  }
  EXPECT_DOUBLE_EQ(*restored(kInfinity).requests_available, 0.0);
  EXPECT_DOUBLE_EQ(*restored(1e300).tokens_available, -kMaxTokens) << "owed, but not for ever";
}

Outcome throttled(std::optional<Duration> retry_after = std::nullopt) {
  return Outcome::failed(Failure::of(Category::rate_limit, retry_after));
}

TEST(SavedRetryAfterGate, IsShutForAsLongAsItWas) {  // LIM-10
  RetryAfterGate before;
  EXPECT_FALSE(before.save(kStart));
  before.close(kStart, 60s);
  const auto saved = before.save(kStart + 20s);
  ASSERT_TRUE(saved);
  RetryAfterGate after;
  after.restore(kRestart, *saved);
  EXPECT_EQ(after.peek_rejection(kRestart)->retry_after, 40s);
  EXPECT_FALSE(before.save(kStart + 60s));
}

TEST(SavedRetryAfterGate, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  RetryAfterGate gate("", 10s);
  gate.restore(kRestart, {.remaining = -5s});
  gate.restore(kRestart, {.remaining = Duration::min()});
  EXPECT_FALSE(gate.closed(kRestart));
  gate.restore(kRestart, {.remaining = kForever});
  EXPECT_EQ(gate.peek_rejection(kRestart)->retry_after, 10s);
  gate.restore(kRestart, {.remaining = 1s});
  EXPECT_EQ(gate.peek_rejection(kRestart)->retry_after, 10s) << "it opens nothing";
}

TEST(SavedAdaptiveRate, GoesOnFromWhereItWas) {  // LIM-10
  const AdaptiveRateOptions options{.rate = 100};
  AdaptiveRate before(options);
  EXPECT_FALSE(before.save(kStart));
  (void)before.on_throttled(kStart);
  AdaptiveRate held(options);
  held.restore(kRestart, *before.save(kStart + 5s));
  EXPECT_DOUBLE_EQ(held.rate(kRestart + 1h), 70.0) << "until a call succeeds";
  held.on_success(kRestart + 1h, kRestart + 1h);
  EXPECT_DOUBLE_EQ(held.rate(kRestart + 1h + 2s), 95.0);

  before.on_success(kStart + 5s, kStart + 1s);
  AdaptiveRate after(options);
  after.restore(kRestart, *before.save(kStart + 6s));
  for (const Duration later : {0s, 1s, 10s, 30s, 60s}) {
    EXPECT_DOUBLE_EQ(after.rate(kRestart + later), before.rate(kStart + 6s + later));
  }
  EXPECT_DOUBLE_EQ(*after.ceiling(), 100.0);
  EXPECT_TRUE(after.on_throttled(kRestart)) << "the last decrease is long ago";
  EXPECT_FALSE(before.save(kStart + 1h)) << "it has returned";
}

TEST(SavedAdaptiveRate, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  const auto restored = [](const SavedAdaptiveRate& saved) {
    AdaptiveRate rate({.rate = 100, .rate_min = 2.0});
    rate.restore(kRestart, saved);
    return rate.rate(kRestart);
  };
  EXPECT_DOUBLE_EQ(restored({.low = -1, .ceiling = -1}), 2.0);
  EXPECT_DOUBLE_EQ(restored({.low = kNaN, .ceiling = kNaN, .returning_for = -5s}), 2.0);
  EXPECT_DOUBLE_EQ(restored({.low = kNaN, .ceiling = kNaN, .returning_for = Duration::min()}), 2.0);
  EXPECT_DOUBLE_EQ(restored({.low = kInfinity, .ceiling = kInfinity, .returning_for = kForever}), 100.0);
}

TEST(SavedAdaptiveRate, WhatWasThrottledSinceKnowsBetter) {  // LIM-10
  AdaptiveRate rate({.rate = 100});
  (void)rate.on_throttled(kRestart);
  rate.restore(kRestart, {.low = 90, .ceiling = 95});
  EXPECT_DOUBLE_EQ(rate.rate(kRestart), 70.0);
}

TEST(SavedAdaptiveLimiter, IsRestoredAsItWas) {  // LIM-10
  const AdaptiveLimiterOptions options{.rate = {.rate = 10}, .burst = 10.0};
  AdaptiveLimiter before(options);
  EXPECT_FALSE(before.save(kStart));
  std::move(*before.try_acquire(kStart)).settle(kStart, throttled(2s));
  std::move(*before.try_acquire(kStart + 3s)).settle(kStart + 3s, Outcome::success());
  before.observe(kStart + 3s, {.remaining = 30, .reset_after = 60s});
  before.gate().close(kStart + 3s, 5s);
  const TimePoint end = kStart + 4s;
  const auto saved = before.save(end);
  ASSERT_TRUE(saved && saved->gate && saved->learned && saved->window);
  AdaptiveLimiter after(options);
  after.restore(kRestart, *saved);
  for (const Duration later : {0s, 4s, 10s, 20s, 100s}) {
    EXPECT_DOUBLE_EQ(after.rate(kRestart + later), before.rate(end + later));
    for (const std::uint64_t cost : {1U, 10U}) {
      const auto expected = before.peek_rejection(end + later, cost, high);
      const auto restored = after.peek_rejection(kRestart + later, cost, high);
      ASSERT_EQ(restored.has_value(), expected.has_value());
      if (expected) {
        EXPECT_EQ(restored->retry_after, expected->retry_after);
      }
    }
  }
  EXPECT_FALSE(before.save(end + 24h));
}

TEST(SavedAdaptiveLimiter, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  AdaptiveLimiter limiter({.rate = {.rate = 10}, .burst = 10.0, .retry_after_max = 60s});
  limiter.restore(kRestart, {.missing = -3, .window = SavedServerWindow{.rate = kNaN, .remaining = -1s}});
  EXPECT_EQ(limiter.view(kRestart).remaining, 10U);
  EXPECT_DOUBLE_EQ(limiter.rate(kRestart), 10.0);
  limiter.restore(kRestart, {.missing = kInfinity, .window = SavedServerWindow{.rate = -1, .remaining = kForever}});
  EXPECT_EQ(limiter.view(kRestart).remaining, 0U);
  EXPECT_DOUBLE_EQ(limiter.rate(kRestart + 59s), 1e-6);
  EXPECT_DOUBLE_EQ(limiter.rate(kRestart + 60s), 10.0);
}

TEST(SavedThrottle, KeepsTheGateAndWhereThereIsOneTheRate) {  // LIM-10
  Throttle gate_alone({});
  EXPECT_TRUE(gate_alone.at_rest(kStart));
  gate_alone.gate().close(kStart, 60s);
  EXPECT_FALSE(gate_alone.at_rest(kStart));
  Throttle with_rate({.rate = AdaptiveLimiterOptions{.rate = {.rate = 10}, .burst = 3.0}});
  with_rate.restore(kRestart, *gate_alone.save(kStart + 10s));
  EXPECT_EQ(with_rate.peek_rejection(kRestart, normal)->retry_after, 50s);
  (void)*with_rate.try_acquire(kRestart + 50s, normal);
  const auto saved = with_rate.save(kRestart + 50s);
  ASSERT_TRUE(saved);
  EXPECT_DOUBLE_EQ(saved->missing, 1.0);
  EXPECT_FALSE(with_rate.save(kRestart + 51s));
}

TEST(SavedAdaptiveBulkhead, GoesOnFromWhatItHadLearned) {  // LIM-10
  const AdaptiveBulkheadOptions options{.initial_limit = 8};
  const auto learn = [](AdaptiveBulkhead& bulkhead, Duration latency, int calls) {
    for (int i = 0; i < calls; ++i) {
      std::vector<AdaptiveBulkheadSlot> slots;
      for (int held = 0; held < 8; ++held) slots.push_back(*bulkhead.try_acquire());
      std::move(slots.back()).settle(kStart, Outcome::success(latency));
    }
  };
  AdaptiveBulkhead before(options);
  EXPECT_FALSE(before.save(kStart));
  learn(before, 100ms, 12);
  const auto saved = before.save(kStart);
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->latency.usual, 100ms);
  AdaptiveBulkhead after(options);
  after.restore(kRestart, *saved);
  EXPECT_EQ(after.limit(), before.limit());
  for (AdaptiveBulkhead* const bulkhead : {&before, &after}) learn(*bulkhead, 500ms, 3);
  EXPECT_EQ(after.limit(), before.limit());
  EXPECT_EQ(after.in_flight(), 0U);
}

TEST(SavedAdaptiveBulkhead, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  const auto restored = [](const SavedAdaptiveBulkhead& saved) {
    AdaptiveBulkhead bulkhead({.initial_limit = 20, .min_limit = 5, .max_limit = 50});
    bulkhead.restore(kRestart, saved);
    return *bulkhead.save(kRestart);
  };
  EXPECT_DOUBLE_EQ(restored({.limit = -1, .latency = {.usual = -1s, .samples = 5}}).limit, 5.0);
  EXPECT_DOUBLE_EQ(restored({.limit = kNaN}).limit, 5.0);
  EXPECT_DOUBLE_EQ(restored({.limit = kInfinity, .latency = {.usual = kForever, .samples = 1'000'000}}).limit, 50.0);
  EXPECT_EQ(restored({.limit = 20, .latency = {.usual = -1s, .samples = 5}}).latency.samples, 0U);
  EXPECT_EQ(restored({.limit = 20, .latency = {.usual = 1s, .samples = 1'000'000}}).latency.samples, kLongRunSamples);
  AdaptiveBulkhead knows;
  std::move(*knows.try_acquire()).settle(kStart, Outcome::success(1s));
  knows.restore(kRestart, {.limit = 7, .latency = {.usual = 9s, .samples = 10}});
  EXPECT_EQ(knows.limit(), 20U) << "what it has learned since is newer";
}

}  // namespace
}  // namespace fuseboard
