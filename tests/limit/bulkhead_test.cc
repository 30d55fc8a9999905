// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/bulkhead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "fuseboard/core/rng.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Outcome dropped(Duration latency = 10s) { return Outcome::failed(Failure::of(Category::timeout), latency); }

TEST(Bulkhead, AdmitsItsLimitAndSaysWhyNotMore) {  // LIM-8.1
  Bulkhead bulkhead({.limit = 2}, "key");
  auto first = bulkhead.try_acquire();
  const auto second = bulkhead.try_acquire();
  ASSERT_TRUE(first && second);
  const auto rejected = bulkhead.try_acquire();
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::concurrency_limited);
  EXPECT_EQ(rejected.error().key, "key");
  EXPECT_EQ(rejected.error().retry_after, std::nullopt);
  std::move(*first).release();
  EXPECT_TRUE(bulkhead.try_acquire());
}

TEST(Bulkhead, ASlotIsReleasedOnceWhateverHappens) {  // LIM-8.1
  Bulkhead bulkhead({.limit = 5});
  {
    BulkheadSlot slot = *bulkhead.try_acquire();
    BulkheadSlot moved(std::move(slot));
    std::move(slot).release();  // NOLINT(bugprone-use-after-move): holds nothing
    EXPECT_EQ(bulkhead.in_flight(), 1U);
    BulkheadSlot other = *bulkhead.try_acquire();
    other = std::move(moved);
    EXPECT_EQ(bulkhead.in_flight(), 1U) << "the one that was replaced is free";
    BulkheadSlot& self = other;
    other = std::move(self);
    EXPECT_EQ(bulkhead.in_flight(), 1U);
    std::move(other).release();
    EXPECT_EQ(bulkhead.in_flight(), 0U);
  }
  EXPECT_EQ(bulkhead.in_flight(), 0U);
  try {
    const BulkheadSlot slot = *bulkhead.try_acquire();
    throw std::runtime_error("user code");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

TEST(Bulkhead, EveryProblemIsReported) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(fields_of(BulkheadOptions{.limit = 0}.validate()), ElementsAre("limit"));
  EXPECT_THROW(Bulkhead({.limit = kMaxInFlight + 1}), InvalidOptions);
  const AdaptiveBulkheadOptions options{.initial_limit = 50,
                                        .min_limit = 20,
                                        .max_limit = 10,
                                        .tolerance = nan,
                                        .queue_size = 0,
                                        .smoothing = 0.0,
                                        .long_window = 0,
                                        .usual_doubles_in = 59min,
                                        .drop_backoff = 1.0};
  EXPECT_THAT(fields_of(options.validate()),
              ElementsAre("initial_limit", "min_limit", "tolerance", "queue_size", "smoothing", "long_window",
                          "usual_doubles_in", "drop_backoff"));
  EXPECT_THROW(AdaptiveBulkhead{options}, InvalidOptions);
}

// Keeps as many calls in flight as it may and settles them together, over and over.
template <typename Outcomes>
void run(AdaptiveBulkhead& bulkhead, int rounds, Outcomes outcome_at) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<AdaptiveBulkheadSlot> slots;
    while (auto slot = bulkhead.try_acquire()) slots.push_back(std::move(*slot));
    const auto load = static_cast<double>(slots.size());
    for (AdaptiveBulkheadSlot& slot : slots) std::move(slot).settle(kStart, outcome_at(load));
  }
}

TEST(AdaptiveBulkhead, GrowsToItsMaximumWhileLatencyIsSteady) {  // LIM-8.1
  AdaptiveBulkhead bulkhead({.max_limit = 60});
  run(bulkhead, 50, [](double) { return Outcome::success(100ms); });
  EXPECT_EQ(bulkhead.limit(), 60U);
}

TEST(AdaptiveBulkhead, DoesNotGrowUnderConstantTimeouts) {  // LIM-8.1
  AdaptiveBulkhead bulkhead;
  std::uint32_t last = bulkhead.limit();
  run(bulkhead, 200, [&](double) {
    EXPECT_LE(bulkhead.limit(), last);
    last = bulkhead.limit();
    return dropped();
  });
  EXPECT_EQ(bulkhead.limit(), 1U);
  EXPECT_TRUE(bulkhead.try_acquire()) << "one call always finds out whether it is better";
  run(bulkhead, 200, [](double) { return Outcome::success(100ms); });
  EXPECT_GT(bulkhead.limit(), 20U) << "and it comes back";
}

TEST(AdaptiveBulkhead, FallsWhenCallsSlowDownWithTheirNumber) {  // LIM-8.1
  // A target with ten workers: beyond ten calls in flight each waits its turn.
  AdaptiveBulkhead bulkhead({.initial_limit = 100, .long_window = 100'000});
  for (int i = 0; i < 10; ++i) std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::success(100ms));
  const auto at_load = [](double load) { return Outcome::success(saturating_scale(100ms, std::max(1.0, load / 10))); };
  run(bulkhead, 100, at_load);
  EXPECT_GE(bulkhead.limit(), 10U) << "the workers are kept busy";
  EXPECT_LE(bulkhead.limit(), 30U) << "and the queue is short";
}

TEST(AdaptiveBulkhead, OneOverloadCountsOnceHoweverManyCallsItDrops) {  // LIM-8.1
  AdaptiveBulkhead bulkhead({.initial_limit = 100});
  run(bulkhead, 1, [](double) { return dropped(); });
  EXPECT_EQ(bulkhead.limit(), 90U);
  run(bulkhead, 1, [](double) { return dropped(); });
  EXPECT_EQ(bulkhead.limit(), 81U);
}

TEST(AdaptiveBulkhead, AnUnusedLimitDoesNotGrow) {  // LIM-8.1
  AdaptiveBulkhead bulkhead;
  for (int i = 0; i < 1000; ++i) std::move(*bulkhead.try_acquire()).settle(kStart, Outcome::success(100ms));
  EXPECT_EQ(bulkhead.limit(), 20U);
}

TEST(AdaptiveBulkhead, WhatSaysNothingAboutTheLoadTeachesNothing) {  // LIM-8.1
  AdaptiveBulkhead bulkhead;
  run(bulkhead, 20, [](double) { return Outcome::cancelled(1h); });
  run(bulkhead, 20, [](double) { return Outcome::failed(Failure::of(Category::invalid_request), 1h); });
  {
    const auto forgotten = bulkhead.try_acquire();
  }
  EXPECT_EQ(bulkhead.limit(), 20U);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

RC_GTEST_PROP(AdaptiveBulkheadProperty, SlotsAreConservedAndTheLimitStaysInItsRange, ()) {  // LIM-8.1
  const std::uint32_t most = *rc::gen::inRange(1U, 40U);
  const std::uint32_t least = *rc::gen::inRange(1U, most + 1);
  AdaptiveBulkhead bulkhead({.initial_limit = most, .min_limit = least, .max_limit = most});
  std::vector<AdaptiveBulkheadSlot> held;
  const int steps = *rc::gen::inRange(1, 300);
  for (int step = 0; step < steps; ++step) {
    const int choice = *rc::gen::inRange(0, 8);
    if (choice < 4) {
      auto slot = bulkhead.try_acquire();
      RC_ASSERT(slot.has_value() == (held.size() < bulkhead.limit()));
      if (slot) held.push_back(std::move(*slot));
    } else if (!held.empty()) {
      const Duration latency = *rc::gen::element<Duration>(-1s, 0s, 1ms, 1s, kForever);
      if (choice == 4) std::move(held.back()).settle(kStart, Outcome::success(latency));
      if (choice == 5) std::move(held.back()).settle(kStart, dropped(latency));
      if (choice == 6) std::move(held.back()).settle(kStart, Outcome::cancelled(latency));
      held.pop_back();
    }
    RC_ASSERT(bulkhead.in_flight() == held.size());
    RC_ASSERT(bulkhead.limit() >= least);
    RC_ASSERT(bulkhead.limit() <= most);
  }
}

template <typename AnyBulkhead, typename Finish>
void expect_bound_holds(AnyBulkhead& bulkhead, int limit, Finish finish) {
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  std::atomic<std::uint64_t> granted{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 60'000; ++i) {  // long enough that threads overlap on a busy machine
      auto slot = bulkhead.try_acquire();
      if (!slot) continue;
      ++granted;
      const int now = ++in_flight;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      --in_flight;
      finish(std::move(*slot), rng);
    }
  });
  EXPECT_LE(most, limit);
  EXPECT_GT(granted, 0U);
  EXPECT_EQ(bulkhead.in_flight(), 0U);
}

TEST(BulkheadThreads, NeverMoreInFlightThanTheLimit) {  // LIM-8.1
  Bulkhead bulkhead({.limit = 3});
  expect_bound_holds(bulkhead, 3, [](BulkheadSlot slot, Rng& rng) {
    if (rng.below(2) == 0) std::move(slot).release();
  });
}

TEST(BulkheadThreads, NeverMoreInFlightThanTheLargestLimit) {  // LIM-8.1
  AdaptiveBulkhead bulkhead({.initial_limit = 2, .max_limit = 4});
  expect_bound_holds(bulkhead, 4, [](AdaptiveBulkheadSlot slot, Rng& rng) {
    if (rng.below(3) > 0) std::move(slot).settle(kStart, rng.below(4) == 0 ? dropped() : Outcome::success(1ms));
  });
}

TEST(BulkheadThreads, AllThreadsTogetherFillItExactly) {  // LIM-8.1
  for (int round = 0; round < 50; ++round) {
    Bulkhead bulkhead({.limit = 5});
    std::vector<BulkheadSlot> slots(kThreads);
    std::atomic<int> granted{0};
    together(kThreads, [&](int thread) {
      auto slot = bulkhead.try_acquire();
      if (!slot) return;
      ++granted;
      slots[static_cast<std::size_t>(thread)] = std::move(*slot);
    });
    ASSERT_EQ(granted, 5);
    ASSERT_EQ(bulkhead.in_flight(), 5U);
  }
}

}  // namespace
}  // namespace fuseboard
