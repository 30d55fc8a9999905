// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/sliding_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::uint32_t drain(TimePoint now, SlidingWindowLimiter& limiter) {
  std::uint32_t taken = 0;
  while (limiter.try_acquire(now)) ++taken;
  return taken;
}

TEST(SlidingWindow, AdmitsItsLimitInAnyWindowAndOneMoreAtItsEnd) {  // LIM-9.4
  SlidingWindowLimiter limiter({.limit = 3, .window = 10s}, "key");
  ASSERT_TRUE(limiter.try_acquire(kStart));
  ASSERT_TRUE(limiter.try_acquire(kStart + 9s, 2));
  EXPECT_FALSE(limiter.try_acquire(kStart + 10s - 1ns));
  EXPECT_TRUE(limiter.try_acquire(kStart + 10s));
  EXPECT_FALSE(limiter.try_acquire(kStart + 19s - 1ns)) << "no fixed window, around whose edge twice as many pass";
  EXPECT_EQ(limiter.used(kStart + 19s - 1ns), 3U);
  EXPECT_EQ(limiter.used(kStart + 19s), 1U);
  EXPECT_EQ(drain(kStart + 19s, limiter), 2U);
  EXPECT_EQ(drain(kStart + 24h, limiter), 3U);
}

TEST(SlidingWindow, TheWaitInARefusalIsEnough) {  // LIM-9.4 LIM-3
  SlidingWindowLimiter limiter({.limit = 3, .window = 10s}, "key");
  for (int second = 0; second < 3; ++second) ASSERT_TRUE(limiter.try_acquire(kStart + second * 1s));
  for (std::uint32_t cost = 1; cost <= 3; ++cost) {
    const auto rejected = limiter.peek_rejection(kStart + 5s, cost);
    ASSERT_TRUE(rejected && rejected->retry_after);
    EXPECT_EQ(rejected->reason, RejectionReason::rate_limited);
    EXPECT_EQ(rejected->key, "key");
    const Duration needed = 10s + (cost - 1) * 1s - 5s;
    EXPECT_GE(*rejected->retry_after, needed);
    EXPECT_LE(*rejected->retry_after, needed + needed / 10);
    EXPECT_TRUE(limiter.peek_rejection(kStart + 5s + needed - 1ns, cost)) << cost;
    EXPECT_FALSE(limiter.peek_rejection(kStart + 5s + needed, cost)) << cost;
  }
  const auto never = limiter.try_acquire(kStart, 4);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().retry_after, std::nullopt);
}

TEST(SlidingWindow, AskingAndACostOfNothingTakeNothing) {  // LIM-9.4
  SlidingWindowLimiter limiter({.limit = 1});
  EXPECT_FALSE(limiter.peek_rejection(kStart));
  EXPECT_TRUE(limiter.try_acquire(kStart, 0));
  EXPECT_EQ(limiter.used(kStart), 0U);
  EXPECT_EQ(drain(kStart, limiter), 1U);
  EXPECT_FALSE(limiter.try_acquire(kStart, 0)) << "there is no room for one";
}

TEST(SlidingWindow, AnEarlierTimeCountsAsTheLatest) {  // LIM-9.4 CORE-1
  SlidingWindowLimiter limiter({.limit = 2, .window = 10s});
  ASSERT_TRUE(limiter.try_acquire(kStart + 10s));
  ASSERT_TRUE(limiter.try_acquire(kStart));
  EXPECT_FALSE(limiter.try_acquire(kStart + 20s - 1ns));
  EXPECT_FALSE(limiter.try_acquire(TimePoint::min()));
  EXPECT_EQ(drain(kStart + 20s, limiter), 2U);
  EXPECT_FALSE(limiter.try_acquire(TimePoint::min()));
}

TEST(SlidingWindow, WhatDidNotTakePlaceCountsNoMore) {  // LIM-9.4 BRK-11
  SlidingWindowLimiter limiter({.limit = 3, .window = 10s});
  const auto first = limiter.try_acquire(kStart);
  const auto second = limiter.try_acquire(kStart + 1s, 2);
  ASSERT_TRUE(first && second);
  limiter.release(kStart + 1s, *second);
  limiter.release(kStart + 1s, *second);
  EXPECT_EQ(limiter.used(kStart + 1s), 1U) << "once";
  EXPECT_EQ(drain(kStart + 2s, limiter), 2U);
  limiter.release(kStart + 10s, *first);
  EXPECT_EQ(drain(kStart + 10s, limiter), 1U) << "it was over already";
  limiter.reset();
  EXPECT_EQ(drain(kStart + 10s, limiter), 3U);
  limiter.release(kStart + 10s, *second);
  EXPECT_EQ(drain(kStart + 10s, limiter), 0U) << "of before the reset";
}

TEST(SlidingWindow, WhatIsReleasedInTheMiddleMovesNothingElse) {  // LIM-9.4
  SlidingWindowLimiter limiter({.limit = 6, .window = 10s});
  std::vector<WindowGrant> grants;
  for (std::uint32_t cost = 1; cost <= 3; ++cost) grants.push_back(*limiter.try_acquire(kStart + cost * 1s, cost));
  limiter.release(kStart + 4s, grants[1]);
  EXPECT_EQ(limiter.used(kStart + 4s), 4U);
  EXPECT_EQ(limiter.used(kStart + 11s), 3U);
  EXPECT_EQ(limiter.used(kStart + 13s), 0U);
}

TEST(SlidingWindow, NewOptionsCountWhatWasGranted) {  // LIM-9.1 LIM-9.4
  SlidingWindowLimiter limiter({.limit = 4, .window = 10s, .max_reserved = 1});
  for (int second = 0; second < 4; ++second) ASSERT_TRUE(limiter.try_acquire(kStart + second * 1s));
  const auto reserved = limiter.reserve(kStart + 4s, 10s);
  ASSERT_TRUE(reserved);
  limiter.apply(kStart + 4s, {.limit = 2, .window = 10s, .max_reserved = 0});
  EXPECT_FALSE(limiter.peek_rejection(kStart + 13s));
  EXPECT_TRUE(limiter.peek_rejection(kStart + 13s - 1ns));
  limiter.apply(kStart + 4s, {.limit = 6, .window = 10s});
  EXPECT_TRUE(limiter.peek_rejection(kStart + 5s)) << "one holds a permit for later, and was here before";
  limiter.release(kStart + 4s, reserved->grant);
  EXPECT_EQ(drain(kStart + 5s, limiter), 2U);
  limiter.apply(kStart + 5s, {.limit = 6, .window = 3s});
  EXPECT_EQ(limiter.used(kStart + 5s), 3U);
  EXPECT_EQ(limiter.options().window, 3s);
  EXPECT_THROW(limiter.apply(kStart, {.limit = 0}), InvalidOptions);
  EXPECT_EQ(limiter.options().limit, 6U);
}

TEST(SlidingWindow, EveryProblemIsReported) {  // CORE-6
  const SlidingWindowOptions options{.limit = 0, .window = 0s, .max_reserved = 100'001};
  EXPECT_THAT(fields_of(options.validate()), ElementsAre("limit", "window", "max_reserved"));
  EXPECT_THAT(fields_of(SlidingWindowOptions{.limit = kMaxWindowLimit + 1}.validate()), ElementsAre("limit"));
  EXPECT_THROW(SlidingWindowLimiter{options}, InvalidOptions);
}

TEST(SlidingWindow, HoldsAsManyAsItsLargestLimit) {  // LIM-9.4
  SlidingWindowLimiter limiter({.limit = kMaxWindowLimit, .window = 1min, .max_reserved = 0});
  TimePoint now = kStart;
  for (std::uint32_t i = 0; i < kMaxWindowLimit; ++i) ASSERT_TRUE(limiter.try_acquire(now += 1us));
  EXPECT_FALSE(limiter.try_acquire(now));
  EXPECT_TRUE(limiter.try_acquire(kStart + 1us + 1min));
}

TEST(SlidingWindow, AReservationIsTheNextPermitInTheOrderOfAsking) {  // LIM-9.5
  SlidingWindowLimiter limiter({.limit = 2, .window = 10s, .max_reserved = 2}, "key");
  EXPECT_EQ(limiter.reserve(kStart, 0s)->valid_at, kStart);
  EXPECT_EQ(limiter.reserve(kStart + 4s, 0s)->valid_at, kStart + 4s);
  EXPECT_EQ(limiter.reserve(kStart + 5s, 5s)->valid_at, kStart + 10s);
  const auto late = limiter.reserve(kStart + 5s, 9s - 1ns);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, RejectionReason::rate_limited);
  EXPECT_GE(*late.error().retry_after, 9s);
  EXPECT_EQ(limiter.reserve(kStart + 5s, 9s)->valid_at, kStart + 14s);
  const auto full = limiter.reserve(kStart + 5s, 1h);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().reason, RejectionReason::queue_full);
  EXPECT_EQ(full.error().key, "key");
  EXPECT_EQ(limiter.used(kStart + 5s), 2U) << "what is reserved does not count yet";
  EXPECT_FALSE(limiter.try_acquire(kStart + 13s)) << "who has reserved goes first";
  EXPECT_EQ(limiter.reserve(kStart + 13s, 1h)->valid_at, kStart + 20s);
  EXPECT_FALSE(limiter.reserve(kStart, kForever, 3));
}

TEST(SlidingWindow, ACancelledReservationGivesBackWhatLaterOnesAllow) {  // LIM-9.5
  SlidingWindowLimiter limiter({.limit = 1, .window = 10s});
  ASSERT_TRUE(limiter.try_acquire(kStart));
  const auto second = limiter.reserve(kStart, 1h);
  const auto third = limiter.reserve(kStart, 1h);
  ASSERT_TRUE(second && third);
  EXPECT_EQ(third->valid_at, kStart + 20s);
  limiter.release(kStart, second->grant);
  EXPECT_FALSE(limiter.try_acquire(kStart + 10s)) << "nobody passes before who has reserved";
  EXPECT_EQ(limiter.reserve(kStart + 10s, 1h)->valid_at, kStart + 30s);
  limiter.reset();
  ASSERT_TRUE(limiter.try_acquire(kStart + 10s));
  const auto last = limiter.reserve(kStart + 10s, 1h);
  limiter.release(kStart + 11s, last->grant);
  EXPECT_EQ(limiter.reserve(kStart + 11s, 1h)->valid_at, kStart + 20s);
}

TEST(SlidingWindow, NobodyPassesBeforeWhoHasReservedThoughThereIsRoom) {  // LIM-9.5
  SlidingWindowLimiter limiter({.limit = 3, .window = 10s});
  const auto all = limiter.try_acquire(kStart, 3);
  ASSERT_TRUE(all && limiter.reserve(kStart, 1h));
  limiter.release(kStart, *all);
  EXPECT_FALSE(limiter.try_acquire(kStart + 10s - 1ns));
  EXPECT_TRUE(limiter.try_acquire(kStart + 10s));
}

// The simplest thing that could be right: all that was granted, and each moment tried that may be the first.
class Oracle {
 public:
  explicit Oracle(std::uint32_t limit, Duration window) : limit_(limit), window_(window) {}

  TimePoint earliest(TimePoint now, std::uint32_t cost) const {
    TimePoint from = now;
    for (const Use& use : uses_) from = std::max(from, use.time);
    std::vector<TimePoint> candidates{from};
    for (const Use& use : uses_) candidates.push_back(std::max(from, use.time + window_));
    std::ranges::sort(candidates);
    for (const TimePoint when : candidates) {
      if (used(when) + std::max(cost, 1U) <= limit_) return when;
    }
    return kNever;
  }
  void grant(TimePoint when, std::uint32_t cost) { uses_.push_back({when, cost}); }
  void release(std::size_t index) { uses_[index].cost = 0, uses_[index].time = TimePoint::min(); }
  std::size_t size() const { return uses_.size(); }
  bool holds() const {
    return std::ranges::all_of(uses_, [this](const Use& use) { return used(use.time) <= limit_; });
  }

 private:
  struct Use {
    TimePoint time;
    std::uint32_t cost;
  };
  std::uint32_t used(TimePoint when) const {
    std::uint32_t sum = 0;
    for (const Use& use : uses_) {
      if (use.cost > 0 && use.time <= when && use.time + window_ > when) sum += use.cost;
    }
    return sum;
  }

  std::uint32_t limit_;
  Duration window_;
  std::vector<Use> uses_{};
};

RC_GTEST_PROP(SlidingWindowProperty, DoesWhatANaiveLogDoes, ()) {  // LIM-9.4 LIM-9.5
  const std::uint32_t limit = *rc::gen::inRange(1U, 8U);
  const Duration window = *rc::gen::inRange(1, 30) * 1ms;
  const std::uint32_t most_reserved = 1000;
  SlidingWindowLimiter limiter({.limit = limit, .window = window, .max_reserved = most_reserved});
  Oracle oracle(limit, window);
  std::vector<WindowGrant> grants;
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 120);
  for (int step = 0; step < steps; ++step) {
    now += *rc::gen::inRange(0, 12) * 1ms;
    const std::uint32_t cost = *rc::gen::inRange(1U, limit + 1);
    const TimePoint earliest = oracle.earliest(now, cost);
    switch (*rc::gen::inRange(0, 4)) {
      case 0: {
        const auto reserved = limiter.reserve(now, 40ms, cost);
        RC_ASSERT(reserved.has_value() == (earliest - now <= 40ms));
        if (!reserved) break;
        RC_ASSERT(reserved->valid_at == earliest);
        oracle.grant(earliest, cost);
        grants.push_back(reserved->grant);
        break;
      }
      case 1: {
        if (grants.empty()) break;
        const auto index = *rc::gen::inRange<std::size_t>(0, grants.size());
        limiter.release(now, grants[index]);
        oracle.release(index);
        break;
      }
      default: {
        const auto rejected = limiter.peek_rejection(now, cost);
        RC_ASSERT(rejected.has_value() == (earliest > now));
        const auto granted = limiter.try_acquire(now, cost);
        RC_ASSERT(granted.has_value() == (earliest == now));
        if (rejected) {
          RC_ASSERT(*rejected->retry_after >= earliest - now);
          RC_ASSERT(!limiter.peek_rejection(now + *rejected->retry_after, cost));
          break;
        }
        oracle.grant(now, cost);
        grants.push_back(*granted);
      }
    }
    RC_ASSERT(oracle.holds());
  }
}

TEST(SavedSlidingWindow, CountsAsItDid) {  // LIM-10 LIM-9.4
  const SlidingWindowOptions options{.limit = 4, .window = 10s};
  const TimePoint restart = kStart + 100 * 24h;
  SlidingWindowLimiter before(options);
  EXPECT_EQ(before.save(kStart), std::nullopt);
  for (int second = 0; second < 3; ++second) ASSERT_TRUE(before.try_acquire(kStart + second * 1s));
  ASSERT_TRUE(before.try_acquire(kStart + 3s));
  ASSERT_TRUE(before.reserve(kStart + 3s, 1h));
  const auto saved = before.save(kStart + 3s);
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->uses.size(), 4U) << "what is reserved is not spent";
  SlidingWindowLimiter after(options);
  const auto since = after.try_acquire(restart, 2);
  ASSERT_TRUE(since);
  after.restore(restart, *saved);
  EXPECT_EQ(after.used(restart), 4U) << "what is more than the limit decides nothing";
  EXPECT_EQ(after.used(restart + 9s), 3U);
  EXPECT_TRUE(after.peek_rejection(restart + 9s - 1ns));
  EXPECT_FALSE(after.peek_rejection(restart + 9s));
  after.release(restart, *since);
  EXPECT_EQ(after.used(restart), 4U) << "grants of before a restore are spent";
  EXPECT_EQ(before.save(kStart + 24h), std::nullopt);
}

TEST(SavedSlidingWindow, NonsenseIsTakenForWhatTheOptionsAllow) {  // LIM-10
  SlidingWindowLimiter limiter({.limit = 3, .window = 10s, .max_reserved = 0});
  limiter.restore(kStart, {.uses = {{.ago = -1h, .cost = 0}}});
  EXPECT_EQ(limiter.used(kStart), 1U);
  limiter.restore(kStart, {.uses = {{.ago = kForever, .cost = 1}}});
  EXPECT_EQ(limiter.used(kStart), 1U) << "long over";
  limiter.restore(kStart, {.uses = std::vector<SavedSlidingWindow::Use>(1000, {.ago = 1s, .cost = 4'000'000'000})});
  EXPECT_TRUE(limiter.peek_rejection(kStart + 9s - 1ns));
  EXPECT_EQ(drain(kStart + 10s, limiter), 3U);
}

TEST(SlidingWindowThreads, NoThreadsTakeMoreThanTheLimitInAnyWindow) {  // LIM-9.4
  constexpr std::uint32_t kLimit = 20;
  constexpr Duration kWindow = 1ms;
  SlidingWindowLimiter limiter({.limit = kLimit, .window = kWindow});
  std::atomic<Duration::rep> time{0};
  std::atomic<std::uint64_t> kept{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 2000; ++i) {
      const TimePoint now = kStart + Duration(time.fetch_add(static_cast<Duration::rep>(rng.below(10'000))));
      const auto grant = limiter.try_acquire(now);
      if (!grant) continue;
      if (rng.below(4) == 0) {
        limiter.release(now, *grant);
      } else {
        ++kept;
      }
    }
  });
  EXPECT_LE(kept, kLimit * static_cast<std::uint64_t>(time / kWindow.count() + 1));
  EXPECT_GT(kept, kLimit);
}

}  // namespace
}  // namespace fuseboard
