// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Tokens that are taken now for a call that is sent later. Those of a window are in sliding_window_test.cc.
#include "fuseboard/limit/reservation.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "fuseboard/limit/token_bucket.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using enum Priority;

TEST(TokenBucketReservation, IsTheNextTokenInTheOrderOfAsking) {  // LIM-9.5
  TokenBucket bucket({.rate = 10, .burst = 2}, "key");
  EXPECT_EQ(bucket.reserve(kStart, 0s)->valid_at, kStart);
  EXPECT_EQ(bucket.reserve(kStart, 0s)->valid_at, kStart);
  EXPECT_EQ(bucket.reserve(kStart, 1s)->valid_at, kStart + 100ms);
  EXPECT_EQ(bucket.reserve(kStart, 1s, 2)->valid_at, kStart + 300ms);
  const auto late = bucket.reserve(kStart, 400ms - 1ns);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, RejectionReason::rate_limited);
  EXPECT_GE(*late.error().retry_after, 400ms);
  EXPECT_EQ(bucket.reserve(kStart, 400ms)->valid_at, kStart + 400ms);
  EXPECT_FALSE(bucket.try_acquire(kStart + 400ms)) << "who has reserved goes first";
  EXPECT_TRUE(bucket.try_acquire(kStart + 500ms));
  EXPECT_DOUBLE_EQ(bucket.available(kStart), 0.0);
}

TEST(TokenBucketReservation, ReachesNoFurtherThanADay) {  // LIM-9.5
  TokenBucket bucket({.rate = 1e-5, .burst = 2});
  ASSERT_TRUE(bucket.try_acquire(kStart, 2));
  EXPECT_FALSE(bucket.reserve(kStart, kForever)) << "100 000 s";
  EXPECT_TRUE(bucket.reserve(kStart + 4h, kForever));
  const auto never = bucket.reserve(kStart, kForever, 3);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().retry_after, std::nullopt);
}

TEST(TokenBucketReservation, OneThatIsReleasedGivesBackWhatLaterOnesLeave) {  // LIM-9.5
  TokenBucket bucket({.rate = 10, .burst = 1});
  ASSERT_TRUE(bucket.try_acquire(kStart));
  const auto first = bucket.reserve(kStart, 1s);
  const auto second = bucket.reserve(kStart, 1s);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->valid_at, kStart + 200ms);
  bucket.release(kStart + 50ms, first->grant);
  const auto third = bucket.reserve(kStart + 50ms, 1s);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->valid_at, kStart + 300ms) << "two at 200 ms would be more than the burst";
  bucket.release(kStart + 50ms, third->grant);
  EXPECT_EQ(bucket.reserve(kStart + 50ms, 1s)->valid_at, kStart + 300ms) << "nobody came later";
  EXPECT_FALSE(bucket.try_acquire(kStart + 400ms - 1ns));
  EXPECT_TRUE(bucket.try_acquire(kStart + 400ms));
}

TEST(TokenBucketReservation, LeavesAPriorityItsReserve) {  // LIM-9.5 LIM-2
  TokenBucket bucket({.rate = 10, .burst = 10, .priorities = PriorityOptions{}});
  ASSERT_TRUE(bucket.try_acquire(kStart, 5, low));
  EXPECT_EQ(bucket.reserve(kStart, 1s, 1, low)->valid_at, kStart + 100ms);
  EXPECT_EQ(bucket.reserve(kStart, 1s, 1, critical)->valid_at, kStart);
  EXPECT_EQ(bucket.reserve(kStart, 1s, 1, low)->valid_at, kStart + 300ms);
}

// A call of low priority waits while less than the burst is missing.
TEST(TokenBucketReservation, ASmallerBurstForgivesNothingWhileSomebodyWaitsForAReserve) {  // LIM-9.1 LIM-9.5
  TokenBucketOptions options{.rate = 1, .burst = 10, .priorities = PriorityOptions{}};
  TokenBucket bucket(options);
  ASSERT_TRUE(bucket.try_acquire(kStart, 5, Priority::low));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bucket.reserve(kStart, 10s, 1, Priority::low));
  options.burst = 1;
  bucket.apply(kStart, options);
  int sent = 5;
  for (TimePoint now = kStart + 1s; now <= kStart + 6s; now += 1s) {
    while (bucket.try_acquire(now, 1, Priority::critical)) ++sent;
  }
  EXPECT_LE(sent, 1 + 5);
}

TEST(TokenBucketReservation, WhoHasNoTimeLeftGetsWhatIsThere) {  // LIM-9.5
  TokenBucket bucket({.rate = 1, .burst = 1});
  EXPECT_TRUE(bucket.reserve(kStart, -1ns)) << "and does not ask for ever";
  EXPECT_FALSE(bucket.reserve(kStart, -1ns));
}

TEST(TokenBucketReservation, AFullBucketAfterAResetWaitsForNobody) {  // LIM-9.5
  TokenBucket bucket({.rate = 1, .burst = 2});
  ASSERT_TRUE(bucket.reserve(kStart, 1h, 2));
  ASSERT_TRUE(bucket.reserve(kStart, 1h, 2));
  bucket.reset();
  const auto granted = bucket.try_acquire(kStart, 2);
  ASSERT_TRUE(granted);
  bucket.release(kStart, *granted);
  EXPECT_TRUE(bucket.try_acquire(kStart, 2)) << "all of it has come back at once";
}

TEST(TokenBucketReservation, NewOptionsForgetNothingThatIsReserved) {  // LIM-9.1 LIM-9.5
  TokenBucket bucket({.rate = 10, .burst = 10});
  ASSERT_TRUE(bucket.try_acquire(kStart, 10));
  ASSERT_TRUE(bucket.reserve(kStart, 1s, 5));
  bucket.apply(kStart, {.rate = 1000, .burst = 4});
  EXPECT_FALSE(bucket.peek_rejection(kStart + 12ms + 1us, 1));
  EXPECT_TRUE(bucket.peek_rejection(kStart + 11ms, 1)) << "fifteen were taken, of a burst that is four now";
  bucket.apply(kStart, {.rate = 1e9, .burst = 1e9});
  bucket.apply(kStart, {.rate = 1e-6, .burst = 1});
  EXPECT_TRUE(bucket.peek_rejection(kStart + 1h));
}

TEST(TokenBucketReservation, IsNoPartOfWhatIsSaved) {  // LIM-10 LIM-9.5
  TokenBucket bucket({.rate = 10, .burst = 2});
  ASSERT_TRUE(bucket.try_acquire(kStart, 2));
  ASSERT_TRUE(bucket.reserve(kStart, 1h, 2));
  EXPECT_DOUBLE_EQ(bucket.save(kStart)->missing, 2.0);
  bucket.reset();
  EXPECT_EQ(bucket.reserve(kStart, 0s)->valid_at, kStart);
}

RC_GTEST_PROP(TokenBucketReservationProperty, NoIntervalSeesMoreThanBurstAndRate, ()) {  // LIM-9.5 LIM-1
  const double rate = *rc::gen::element(3.0, 10.0, 1000.0);
  const auto burst = *rc::gen::inRange<std::uint64_t>(1, 6);
  TokenBucket bucket({.rate = rate, .burst = static_cast<double>(burst)});
  struct Use {
    TimePoint at;
    std::uint64_t cost;
    TokenGrant grant;
  };
  std::vector<Use> uses;
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    now += *rc::gen::inRange(0, 300) * 1ms;
    const auto cost = *rc::gen::inRange<std::uint64_t>(1, burst + 1);
    const int choice = *rc::gen::inRange(0, 6);
    if (choice == 0) {
      if (const auto granted = bucket.try_acquire(now, cost)) uses.push_back({now, cost, *granted});
    } else if (choice == 1) {
      const auto unsent = std::ranges::find_if(uses, [now](const Use& use) { return use.at >= now; });
      if (unsent == uses.end()) continue;
      bucket.release(now, unsent->grant);
      uses.erase(unsent);
    } else if (const auto reserved = bucket.reserve(now, 5s, cost)) {
      RC_ASSERT(reserved->valid_at >= now);
      RC_ASSERT(reserved->valid_at <= now + 5s);
      uses.push_back({reserved->valid_at, cost, reserved->grant});
    }
  }
  for (const Use& from : uses) {
    for (const Use& to : uses) {
      std::uint64_t sum = 0;
      for (const Use& use : uses) sum += use.at >= from.at && use.at <= to.at ? use.cost : 0;
      const double seconds = static_cast<double>(elapsed(from.at, to.at).count()) / 1e9;
      if (to.at >= from.at) {
        RC_ASSERT(static_cast<double>(sum) <= static_cast<double>(burst) + rate * seconds + 1e-3);
      }
    }
  }
}

TEST(TokenBucketReservationThreads, EachTokenIsReservedOnce) {  // LIM-9.5
  TokenBucket bucket({.rate = 1000, .burst = 1});
  std::atomic<Duration::rep> latest{0};
  together(kThreads, [&](int) {
    for (int i = 0; i < 500; ++i) {
      const auto reserved = bucket.reserve(kStart, 1h);
      if (!reserved) {
        ADD_FAILURE() << "within an hour";
        return;
      }
      const Duration::rep after = (reserved->valid_at - kStart).count();
      for (Duration::rep seen = latest; after > seen && !latest.compare_exchange_weak(seen, after);) {
      }
    }
  });
  EXPECT_EQ(Duration(latest), (kThreads * 500 - 1) * 1ms);
}

}  // namespace
}  // namespace fuseboard
