// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/joint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr JointLimiterOptions kLimits = {.requests_per_minute = 60.0,
                                         .requests_burst = 10.0,
                                         .tokens_per_minute = 6000.0,
                                         .tokens_burst = 1000.0,
                                         .concurrency = 3};

JointPermit acquired(TimePoint now, JointLimiter& limiter, const JointRequest& request) {
  auto permit = limiter.try_acquire(now, request);
  if (permit) return std::move(*permit);
  ADD_FAILURE() << "refused: " << name(permit.error().reason);
  return {};
}

void expect_holds(JointLimiter& limiter, double requests, double tokens, std::uint32_t in_flight) {
  const JointSnapshot snapshot = limiter.snapshot(kStart);
  EXPECT_DOUBLE_EQ(*snapshot.requests_available, requests);
  EXPECT_DOUBLE_EQ(*snapshot.tokens_available, tokens);
  EXPECT_EQ(snapshot.in_flight, in_flight);
}

TEST(JointLimiter, ARefusalByOneLimitTakesNothingFromTheOthers) {  // LIM-5.1
  JointLimiter limiter(kLimits, "key");
  const JointPermit first = acquired(kStart, limiter, {.tokens = 900});
  const auto by_tokens = limiter.try_acquire(kStart, {.tokens = 200, .priority = Priority::critical});
  ASSERT_FALSE(by_tokens);
  EXPECT_EQ(by_tokens.error().reason, RejectionReason::rate_limited);
  EXPECT_EQ(by_tokens.error().key, "key");
  EXPECT_EQ(by_tokens.error().retry_after, 1s);
  expect_holds(limiter, 9, 100, 1);

  const JointPermit second = acquired(kStart, limiter, {});
  const JointPermit third = acquired(kStart, limiter, {});
  const auto by_concurrency = limiter.try_acquire(kStart, {.tokens = 10});
  ASSERT_FALSE(by_concurrency);
  EXPECT_EQ(by_concurrency.error().reason, RejectionReason::concurrency_limited);
  EXPECT_EQ(by_concurrency.error().retry_after, std::nullopt);
  expect_holds(limiter, 7, 100, 3);
}

TEST(JointLimiter, TheWaitIsThatOfTheSlowerLimit) {  // LIM-3 LIM-5.1
  JointLimiter limiter({.requests_per_minute = 60.0, .requests_burst = 1.0, .tokens_per_minute = 60.0});
  const JointPermit first = acquired(kStart, limiter, {.tokens = 60});
  EXPECT_EQ(limiter.peek_rejection(kStart, {.tokens = 5, .priority = Priority::high})->retry_after, 5s);
  EXPECT_EQ(limiter.peek_rejection(kStart, {.tokens = 0, .priority = Priority::high})->retry_after, 1s);
  EXPECT_EQ(limiter.peek_rejection(kStart + 5s, {.tokens = 5, .priority = Priority::high}), std::nullopt);
}

TEST(JointLimiter, TheEstimateIsReconciledWithWhatWasUsed) {  // LIM-5.2
  JointLimiter limiter(kLimits);
  acquired(kStart, limiter, {.tokens = 500}).settle(kStart, 100);
  expect_holds(limiter, 9, 900, 0);
  acquired(kStart, limiter, {.tokens = 500}).settle(kStart, 500);
  expect_holds(limiter, 8, 400, 0);
  acquired(kStart, limiter, {.tokens = 100}).settle(kStart, 700);
  expect_holds(limiter, 7, -300, 0);
  EXPECT_EQ(limiter.peek_rejection(kStart, {.tokens = 100, .priority = Priority::high})->retry_after, 4s)
      << "what is owed first";
}

TEST(JointLimiter, AForgottenPermitFreesItsPlaceAndLeavesTheEstimateCharged) {  // LIM-5.2 LIM-8.1
  JointLimiter limiter(kLimits);
  {
    const JointPermit forgotten = acquired(kStart, limiter, {.tokens = 300});
  }
  acquired(kStart, limiter, {.tokens = 100}).settle();
  expect_holds(limiter, 8, 600, 0);
}

TEST(JointLimiter, WhatWasNotSentComesBackWhole) {  // LIM-5.2 BRK-11
  JointLimiter limiter(kLimits);
  acquired(kStart, limiter, {.tokens = 300}).release();
  expect_holds(limiter, 10, 1000, 0);
}

TEST(JointLimiter, WhatHasComeBackByItselfDoesNotComeBackTwice) {  // LIM-1 LIM-5.2
  JointLimiter limiter(kLimits);
  JointPermit unused = acquired(kStart, limiter, {.tokens = 1000});
  JointPermit overestimated = acquired(kStart + 10s, limiter, {.tokens = 1000});
  std::move(unused).release();
  expect_holds(limiter, 9, 0, 1);
  JointPermit next = acquired(kStart + 20s, limiter, {.tokens = 1000});
  std::move(overestimated).settle(kStart + 20s, 10);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 20s).tokens_available, 0.0) << "it was full when the next one came";
  std::move(next).settle(kStart + 20s, 400);
  EXPECT_DOUBLE_EQ(*limiter.snapshot(kStart + 20s).tokens_available, 600.0);
}

TEST(JointLimiter, APermitIsSettledOnceHoweverItIsMoved) {  // LIM-5.1 LIM-8.1
  JointLimiter limiter(kLimits);
  JointPermit first = acquired(kStart, limiter, {.tokens = 100});
  JointPermit second = acquired(kStart, limiter, {.tokens = 100});
  second = std::move(first);
  expect_holds(limiter, 8, 800, 1);
  JointPermit third(std::move(second));
  std::move(third).settle(kStart, 0);
  std::move(third).settle(kStart, 0);  // NOLINT(bugprone-use-after-move): does nothing
  std::move(third).release();          // NOLINT(bugprone-use-after-move)
  expect_holds(limiter, 8, 900, 0);
}

TEST(JointLimiter, ACallLargerThanTheBucketIsRefusedWithoutAWait) {  // LIM-2 LIM-3
  JointLimiter limiter(kLimits);
  const auto rejected = limiter.try_acquire(kStart, {.tokens = 1001});
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::rate_limited);
  EXPECT_EQ(rejected.error().retry_after, std::nullopt);
}

TEST(JointLimiter, PrioritiesKeepTheirReservesInBothBuckets) {  // LIM-2 LIM-5.1
  JointLimiterOptions options = kLimits;
  options.priorities.emplace();
  JointLimiter limiter(options);
  acquired(kStart, limiter, {.tokens = 500, .priority = Priority::low}).settle(kStart, 500);
  EXPECT_FALSE(limiter.try_acquire(kStart, {.tokens = 1, .priority = Priority::low}));
  EXPECT_TRUE(limiter.try_acquire(kStart, {.tokens = 300, .priority = Priority::normal}));
}

TEST(JointLimiter, EachLimitIsOptional) {  // LIM-5.1
  JointLimiter none({});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(none.try_acquire(kStart, {.tokens = 1'000'000'000'000}));
  JointLimiter only_concurrency({.concurrency = 1});
  const JointPermit held = acquired(kStart, only_concurrency, {.tokens = 5});
  EXPECT_FALSE(only_concurrency.try_acquire(kStart));
  EXPECT_EQ(only_concurrency.snapshot(kStart).tokens_available, std::nullopt);
}

TEST(JointLimiter, ItsViewSaysWhatIsLeftAndWhenAllIsThereAgain) {  // LIM-3 LIM-5.1
  JointLimiter limiter(kLimits);
  acquired(kStart, limiter, {.tokens = 300}).settle(kStart, 300);
  const JointView view = limiter.view(kStart + 500ms);
  EXPECT_DOUBLE_EQ(view.requests->per_minute, 60.0);
  EXPECT_DOUBLE_EQ(view.requests->burst, 10.0);
  EXPECT_EQ(view.requests->remaining, 9U) << "half a request is none";
  EXPECT_EQ(view.requests->full_after, 500ms);
  EXPECT_DOUBLE_EQ(view.tokens->per_minute, 6000.0);
  EXPECT_EQ(view.tokens->remaining, 750U);
  EXPECT_EQ(view.tokens->full_after, 2500ms);
  EXPECT_EQ(limiter.view(kStart).tokens->remaining, 700U) << "looking changes nothing";
  EXPECT_EQ(limiter.view(kStart + 1h).tokens->full_after, 0s);

  const JointView none = JointLimiter({.concurrency = 1}).view(kStart);
  EXPECT_FALSE(none.requests || none.tokens);
}

TEST(JointLimiter, WhatIsOwedIsNothingLeftAndALongerWay) {  // LIM-5.2
  JointLimiter limiter(kLimits);
  acquired(kStart, limiter, {.tokens = 1000}).settle(kStart, 1500);
  const LevelView tokens = *limiter.view(kStart).tokens;
  EXPECT_EQ(tokens.remaining, 0U);
  EXPECT_EQ(tokens.full_after, 15s);
}

TEST(JointLimiter, EveryProblemIsReported) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const JointLimiterOptions options{.requests_per_minute = 0.0,
                                    .requests_burst = nan,
                                    .tokens_per_minute = std::numeric_limits<double>::infinity(),
                                    .tokens_burst = -1.0,
                                    .concurrency = 0,
                                    .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost}};
  EXPECT_THAT(fields_of(options.validate()), ElementsAre("requests_per_minute", "requests_burst", "tokens_per_minute",
                                                         "tokens_burst", "concurrency", "priorities.mode"));
  EXPECT_THROW(JointLimiter{options}, InvalidOptions);
}

// A bucket counted in billionths of a token, and which of what was taken may still come back: what was taken since it
// was last full.
struct NaiveBucket {
  std::int64_t most;
  std::int64_t level = most;
  int filling = 0;

  void refill(Duration wait, std::int64_t rate) { level = std::min(most, level + rate * wait.count()); }
  void take(std::uint64_t tokens) {
    if (level == most) ++filling;
    level -= static_cast<std::int64_t>(tokens) * kOne;
  }
  void put(std::int64_t tokens, int of) {
    if (of == filling) level = std::min(most, level + tokens * kOne);
  }
  bool has(std::uint64_t tokens) const { return level >= static_cast<std::int64_t>(tokens) * kOne; }
  double tokens() const { return static_cast<double>(level) / static_cast<double>(kOne); }

  static constexpr std::int64_t kOne = 1'000'000'000;
};

// Against the obvious bookkeeping.
RC_GTEST_PROP(JointLimiterOracle, AgreesWithNaiveBookkeeping, ()) {  // LIM-5.1 LIM-5.2 LIM-1
  JointLimiter limiter(kLimits);
  NaiveBucket requests{.most = 10 * NaiveBucket::kOne};
  NaiveBucket tokens{.most = 1000 * NaiveBucket::kOne};
  struct Held {
    JointPermit permit;
    std::uint64_t estimate;
    int requests_filling;
    int tokens_filling;
  };
  std::vector<Held> held;
  TimePoint now = kStart;
  (void)limiter.snapshot(now);
  const int steps = *rc::gen::inRange(1, 100);
  for (int step = 0; step < steps; ++step) {
    const Duration wait = *rc::gen::element<Duration>(0ns, 1ns, 10ms, 333ms, 1s, 7s);
    now += wait;
    requests.refill(wait, 1);
    tokens.refill(wait, 100);
    const auto used = static_cast<std::uint64_t>(*rc::gen::inRange(0, 600));
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
      case 1: {
        const bool passes = requests.has(1) && tokens.has(used) && held.size() < 3;
        const bool on_the_edge =
            std::abs(requests.tokens() - 1) < 1e-6 || std::abs(tokens.tokens() - static_cast<double>(used)) < 1e-6;
        auto permit = limiter.try_acquire(now, {.tokens = used});
        RC_ASSERT(permit.has_value() == passes || on_the_edge);
        if (!permit) break;
        requests.take(1);
        tokens.take(used);
        held.push_back({std::move(*permit), used, requests.filling, tokens.filling});
        break;
      }
      case 2:
        if (held.empty()) break;
        if (used > held.back().estimate) {
          tokens.take(used - held.back().estimate);
        } else {
          tokens.put(static_cast<std::int64_t>(held.back().estimate - used), held.back().tokens_filling);
        }
        std::move(held.back().permit).settle(now, used);
        held.pop_back();
        break;
      case 3:
        if (!held.empty()) held.pop_back();
        break;
      default:
        if (held.empty()) break;
        tokens.put(static_cast<std::int64_t>(held.back().estimate), held.back().tokens_filling);
        requests.put(1, held.back().requests_filling);
        std::move(held.back().permit).release();
        held.pop_back();
    }
    const JointSnapshot snapshot = limiter.snapshot(now);
    RC_ASSERT(snapshot.in_flight == held.size());
    RC_ASSERT(std::abs(*snapshot.requests_available - requests.tokens()) < 1e-6);
    RC_ASSERT(std::abs(*snapshot.tokens_available - tokens.tokens()) < 1e-6);
  }
}

RC_GTEST_PROP(JointLimiterView, WhatRemainsCanBeTakenAndTheBucketIsFullWhenItSays, ()) {  // LIM-3 LIM-5.1
  const auto per_minute = *rc::gen::element(0.0001, 0.7, 60.0, 333.3, 60e9);
  const auto burst = *rc::gen::element(1.0, 2.5, 1000.0, 1e9);
  JointLimiter limiter({.requests_per_minute = 60.0, .tokens_per_minute = per_minute, .tokens_burst = burst});
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 20);
  for (int step = 0; step < steps; ++step) {
    now += *rc::gen::element<Duration>(0ns, 1ns, 10ms, 7s, 1h);
    const auto estimate = static_cast<std::uint64_t>(*rc::gen::inRange(0, 1000));
    if (auto permit = limiter.try_acquire(now, {.tokens = estimate, .priority = Priority::critical}))
      std::move(*permit).settle(now, static_cast<std::uint64_t>(*rc::gen::inRange(0, 2000)));
    const LevelView view = *limiter.view(now).tokens;
    RC_ASSERT(static_cast<double>(view.remaining) <= burst);
    RC_ASSERT(view.full_after >= 0ns);
    const TimePoint full = saturating_add(now, view.full_after);
    if (full == TimePoint::max()) {  // debts of centuries
      RC_ASSERT(limiter.view(full - 1ns).tokens->full_after > 0ns);
    } else {
      RC_ASSERT(limiter.view(full).tokens->full_after == 0ns);
      RC_ASSERT(limiter.view(full).tokens->remaining == static_cast<std::uint64_t>(burst));
      if (view.full_after > 0ns) RC_ASSERT(limiter.view(full - 1ns).tokens->full_after == 1ns);
    }
    const bool passes = view.remaining > 0 && limiter.view(now).requests->remaining > 0;
    if (passes) RC_ASSERT(!limiter.peek_rejection(now, {.tokens = view.remaining}));
    RC_ASSERT(limiter.peek_rejection(now, {.tokens = view.remaining + 1, .priority = Priority::critical}).has_value());
  }
}

TEST(JointLimiterThreads, PlacesAndTokensAreConserved) {  // LIM-5.1 LIM-8.1
  JointLimiter limiter({.requests_per_minute = 60.0,
                        .requests_burst = 1e6,
                        .tokens_per_minute = 60.0,
                        .tokens_burst = 1e6,
                        .concurrency = 3});
  std::atomic<int> in_flight{0};
  std::atomic<int> most{0};
  std::atomic<std::uint64_t> admitted{0};
  std::atomic<std::uint64_t> used{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 3000; ++i) {
      auto permit = limiter.try_acquire(kStart, {.tokens = 10});
      if (!permit) continue;
      const int now = ++in_flight;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      --in_flight;
      switch (rng.below(3)) {
        case 0:
          std::move(*permit).release();
          break;
        case 1:
          ++admitted;
          used += 25;
          std::move(*permit).settle(kStart, 25);
          break;
        default:
          ++admitted;
          used += 10;
      }
    }
  });
  EXPECT_LE(most, 3);
  expect_holds(limiter, 1e6 - static_cast<double>(admitted), 1e6 - static_cast<double>(used), 0);
}

}  // namespace
}  // namespace fuseboard
