// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/waiting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/sliding_window.h"
#include "fuseboard/limit/token_bucket.h"
#include "tests/limit/support.h"
#include "tests/support/jumping_waiter.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class WaitForTime : public testing::Test {
 protected:
  Wait within(Duration time) {
    return {.deadline = Deadline::after(clock_.now(), time), .clock = clock_, .waiter = waiter_};
  }
  Duration passed() const { return clock_.now() - kStart; }

  ManualClock clock_{kStart};
  JumpingWaiter waiter_{clock_};
};

// Asks its own wait to stop.
class StoppingWaiter final : public Waiter {
 public:
  void wait_until(TimePoint, const std::stop_token&, WakeFlag&) override { stop.request_stop(); }
  std::stop_source stop{};
};

TEST_F(WaitForTime, ABucketIsWaitedForUntilTheReservationIsValid) {  // LIM-9.7
  TokenBucket bucket({.rate = 10, .burst = 1});
  EXPECT_TRUE(wait_for(bucket, within(0s)));
  EXPECT_EQ(passed(), 0s);
  EXPECT_TRUE(wait_for(bucket, within(1s), std::uint64_t{1}, Priority::high));
  EXPECT_EQ(passed(), 100ms);
  SlidingWindowLimiter window({.limit = 1, .window = 1s});
  EXPECT_TRUE(wait_for(window, within(1s)));
  EXPECT_TRUE(wait_for(window, within(1s)));
  EXPECT_EQ(passed(), 1100ms);
}

TEST_F(WaitForTime, WhoCannotBeServedInTimeIsRefusedAtOnceAndTakesNothing) {  // LIM-9.7
  TokenBucket bucket({.rate = 10, .burst = 1});
  ASSERT_TRUE(bucket.try_acquire(kStart));
  const auto refused = wait_for(bucket, within(99ms));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, RejectionReason::rate_limited);
  AdaptiveLimiter adaptive({.rate = {.rate = 10}, .burst = 1.0});
  auto held = adaptive.try_acquire(kStart);
  EXPECT_FALSE(wait_for(adaptive, within(99ms), std::uint64_t{1}, Priority::critical));
  EXPECT_FALSE(wait_for(adaptive, within(1h), std::uint64_t{2})) << "never";
  EXPECT_EQ(passed(), 0s);
  EXPECT_TRUE(bucket.try_acquire(kStart + 100ms));
}

TEST_F(WaitForTime, ALimitWithoutReservationsIsAskedAgainWhenItSays) {  // LIM-9.7
  AdaptiveLimiter adaptive({.rate = {.rate = 10}, .burst = 1.0});
  auto held = adaptive.try_acquire(kStart);
  auto permit = wait_for(adaptive, within(1s), std::uint64_t{1}, Priority::critical);
  ASSERT_TRUE(permit);
  EXPECT_EQ(passed(), 100ms);
}

TEST_F(WaitForTime, AStopEndsTheWaitAndGivesBackWhatWasReserved) {  // LIM-9.7
  TokenBucket bucket({.rate = 10, .burst = 1});
  ASSERT_TRUE(bucket.try_acquire(kStart));
  StoppingWaiter waiter;
  const Wait wait{.stop = waiter.stop.get_token(), .clock = clock_, .waiter = waiter};
  const auto stopped = wait_for(bucket, wait);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().reason, RejectionReason::deadline_exceeded);
  EXPECT_EQ(bucket.reserve(kStart, 1s)->valid_at, kStart + 100ms);
}

class ThrowingWaiter final : public Waiter {
 public:
  void wait_until(TimePoint, const std::stop_token&, WakeFlag&) override { throw std::runtime_error("interrupted"); }
};

TEST(WaitingBulkhead, AWaiterThatThrowsLeavesTheLine) {  // LIM-9.7
  Bulkhead bulkhead({.limit = 1});
  WaitingBulkhead places(bulkhead);
  ThrowingWaiter waiter;
  auto held = places.try_acquire();
  ASSERT_TRUE(held);
  EXPECT_THROW((void)places.wait_for({.waiter = waiter}), std::runtime_error);
  EXPECT_EQ(places.waiting(), 0U);
  std::move(*held).release();
  EXPECT_TRUE(places.try_acquire());
}

TEST_F(WaitForTime, AWaiterThatThrowsGivesBackWhatWasReserved) {  // LIM-9.7
  TokenBucket bucket({.rate = 1, .burst = 1});
  ASSERT_TRUE(bucket.try_acquire(kStart));
  ThrowingWaiter waiter;
  const Wait wait{.clock = clock_, .waiter = waiter};
  EXPECT_THROW((void)wait_for(bucket, wait), std::runtime_error);
  EXPECT_TRUE(bucket.try_acquire(kStart + 1s));
}

TEST(WaitingBulkhead, ADeadlineAndAFullQueueRefuse) {  // LIM-9.7
  ManualClock clock(kStart);
  JumpingWaiter waiter(clock);
  Bulkhead bulkhead({.limit = 1});
  WaitingBulkhead places(bulkhead, {.capacity = 1}, "key", clock);
  auto held = places.wait_for({.clock = clock, .waiter = waiter});
  ASSERT_TRUE(held);
  EXPECT_EQ(places.try_acquire().error().reason, RejectionReason::concurrency_limited);
  const auto late =
      places.wait_for({.deadline = Deadline::after(kStart, 5s), .clock = clock, .waiter = waiter}, Priority::high);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, RejectionReason::deadline_exceeded);
  EXPECT_EQ(late.error().key, "key");
  EXPECT_EQ(clock.now(), kStart + 5s);
  EXPECT_EQ(places.waiting(), 0U);

  // While one waits the queue is full.
  class Asking final : public Waiter {
   public:
    explicit Asking(WaitingBulkhead<Bulkhead>& asked) : asked_(asked) {}
    void wait_until(TimePoint, const std::stop_token&, WakeFlag&) override {
      reason = asked_.wait_for({}).error().reason;
      stop.request_stop();
    }
    std::stop_source stop{};
    std::optional<RejectionReason> reason{};

   private:
    WaitingBulkhead<Bulkhead>& asked_;
  } asking(places);
  EXPECT_FALSE(places.wait_for({.stop = asking.stop.get_token(), .clock = clock, .waiter = asking}));
  EXPECT_EQ(asking.reason, RejectionReason::queue_full);
  std::move(*held).release();
  EXPECT_TRUE(places.try_acquire());
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

TEST(WaitingBulkhead, WhoComesLaterDoesNotPassThoughAPlaceIsFree) {  // LIM-9.7
  Bulkhead bulkhead({.limit = 1});
  WaitingBulkhead places(bulkhead);
  // Frees the place past the waiters, so that it is free while one waits.
  class Freeing final : public Waiter {
   public:
    Freeing(BulkheadSlot slot, WaitingBulkhead<Bulkhead>& asked) : slot_(std::move(slot)), asked_(asked) {}
    void wait_until(TimePoint, const std::stop_token&, WakeFlag&) override {
      std::move(slot_).release();
      later_passed = asked_.try_acquire().has_value();
    }
    std::optional<bool> later_passed{};

   private:
    BulkheadSlot slot_;
    WaitingBulkhead<Bulkhead>& asked_;
  } freeing(*bulkhead.try_acquire(), places);
  EXPECT_TRUE(places.wait_for({.waiter = freeing}));
  EXPECT_EQ(freeing.later_passed, false);
}

// Says when it has begun to wait.
class AnnouncingWaiter final : public Waiter {
 public:
  void wait_until(TimePoint time, const std::stop_token& stop, WakeFlag& woken) override {
    begun.release();
    ThreadWaiter::instance().wait_until(time, stop, woken);
  }
  std::counting_semaphore<> begun{0};
};

TEST(WaitingBulkhead, AReleaseWakesTheHighestPriorityThenWhoCameFirst) {  // LIM-9.7
  Bulkhead bulkhead({.limit = 1});
  WaitingBulkhead places(bulkhead, {.ageing_step = 1h});
  auto held = places.try_acquire();
  ASSERT_TRUE(held);
  std::mutex mutex;
  std::vector<int> order;
  AnnouncingWaiter waiter;
  std::vector<std::jthread> threads;
  int number = 0;
  for (const Priority priority : {Priority::low, Priority::normal, Priority::high, Priority::normal}) {
    threads.emplace_back([&, priority, id = number++] {
      auto place = places.wait_for({.waiter = waiter}, priority);
      const std::lock_guard lock(mutex);
      if (place) order.push_back(id);
    });
    waiter.begun.acquire();
  }
  EXPECT_FALSE(places.try_acquire()) << "nobody passes before those who wait";
  std::move(*held).release();
  threads.clear();
  EXPECT_THAT(order, ElementsAre(2, 1, 3, 0));
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

TEST(WaitingBulkhead, WhatAnAdaptiveOneLearnsLetsWaitersIn) {  // LIM-9.7 LIM-8.1
  AdaptiveBulkhead bulkhead({.initial_limit = 1});
  WaitingBulkhead places(bulkhead);
  auto held = places.try_acquire();
  ASSERT_TRUE(held);
  AnnouncingWaiter waiter;
  std::atomic<int> served{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      if (auto place = places.wait_for({.waiter = waiter})) {
        ++served;
        std::move(*place).settle(kStart, Outcome::success(1ms));
      }
    });
    waiter.begun.acquire();
  }
  std::move(*held).settle(kStart, Outcome::success(1ms));
  threads.clear();
  EXPECT_EQ(served, 3);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

TEST(WaitingBulkheadThreads, EveryoneIsServedAndNeverMoreThanTheLimit) {  // LIM-9.7
  Bulkhead bulkhead({.limit = 2});
  WaitingBulkhead places(bulkhead);
  std::atomic<int> in_flight{0};
  std::atomic<int> served{0};
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 500; ++i) {
      auto place = places.wait_for({}, static_cast<Priority>(thread % 4));
      if (!place) continue;
      EXPECT_LE(++in_flight, 2);
      ++served;
      --in_flight;
    }
  });
  EXPECT_EQ(served, kThreads * 500);
  EXPECT_EQ(places.waiting(), 0U);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

}  // namespace
}  // namespace fuseboard
