// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/client_throttle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint64_t kSeed = 7;

Outcome refused() { return Outcome::failed(Failure::of(Category::overloaded)); }

// What a throttle lets through of so many calls in a row, each of which ends at once.
int pass(TimePoint now, ClientThrottle& throttle, int calls, const Outcome& outcome) {
  int passed = 0;
  for (int i = 0; i < calls; ++i) {
    auto permit = throttle.try_acquire(now);
    if (!permit) continue;
    ++passed;
    std::move(*permit).settle(now, outcome);
  }
  return passed;
}

TEST(ClientThrottle, RejectsByTheBooksFormula) {  // LIM-9.6
  ClientThrottle throttle({.k = 2.0, .min_requests = 0}, "key", kSeed);
  EXPECT_EQ(throttle.rejection_probability(kStart), 0.0);
  throttle.restore(kStart, {.requests = 99, .accepts = 50});
  EXPECT_EQ(throttle.rejection_probability(kStart), 0.0) << "k times what is accepted may be wanted";
  throttle.reset();
  throttle.restore(kStart, {.requests = 99, .accepts = 20});
  EXPECT_DOUBLE_EQ(throttle.rejection_probability(kStart), (99.0 - 2.0 * 20.0) / 100.0);
  throttle.apply(kStart, {.k = 4.0, .min_requests = 0});
  EXPECT_DOUBLE_EQ(throttle.rejection_probability(kStart), (99.0 - 4.0 * 20.0) / 100.0);
  throttle.apply(kStart, {.k = 4.0, .min_requests = 100});
  EXPECT_EQ(throttle.rejection_probability(kStart), 0.0) << "too few to say";
}

TEST(ClientThrottle, ARejectionIsARequestAndHasNoWait) {  // LIM-9.6
  ClientThrottle throttle({.min_requests = 10}, "key", kSeed);
  EXPECT_EQ(pass(kStart, throttle, 10, refused()), 10);
  for (std::uint64_t requests = 10;; ++requests) {
    ASSERT_LT(requests, 100U);
    EXPECT_EQ(throttle.counts(kStart), (ClientThrottleCounts{.requests = requests, .accepts = 0}));
    const auto permit = throttle.try_acquire(kStart);
    if (permit) continue;
    EXPECT_EQ(permit.error().reason, RejectionReason::rate_limited);
    EXPECT_EQ(permit.error().key, "key");
    EXPECT_EQ(permit.error().retry_after, std::nullopt);
    EXPECT_EQ(throttle.counts(kStart).requests, requests + 1);
    break;
  }
}

TEST(ClientThrottle, WhatTheTargetCouldNotTakeIsNotAccepted) {  // LIM-9.6
  for (const Category category : {Category::timeout, Category::overloaded, Category::rate_limit,
                                  Category::service_unavailable, Category::resource_exhausted, Category::network}) {
    ClientThrottle throttle({}, "key", kSeed);
    std::move(*throttle.try_acquire(kStart)).settle(kStart, Outcome::failed(Failure::of(category)));
    EXPECT_EQ(throttle.counts(kStart), (ClientThrottleCounts{.requests = 1, .accepts = 0})) << name(category);
  }
  ClientThrottle throttle({}, "key", kSeed);
  std::move(*throttle.try_acquire(kStart)).settle(kStart, Outcome::failed(Failure::of(Category::invalid_request)));
  std::move(*throttle.try_acquire(kStart)).settle(kStart, Outcome::success());
  EXPECT_EQ(throttle.counts(kStart), (ClientThrottleCounts{.requests = 2, .accepts = 2}));
}

TEST(ClientThrottle, WhatHasNotEndedCountsForNothing) {  // LIM-9.6
  ClientThrottle throttle({}, "key", kSeed);
  std::vector<ClientThrottlePermit> running;
  for (int i = 0; i < 100; ++i) running.push_back(*throttle.try_acquire(kStart));
  EXPECT_EQ(throttle.counts(kStart), ClientThrottleCounts{}) << "calls to a model take minutes";
  std::move(running.back()).settle(kStart, Outcome::cancelled());
  running.clear();
  EXPECT_EQ(throttle.counts(kStart), ClientThrottleCounts{});
  auto permit = *throttle.try_acquire(kStart);
  ClientThrottlePermit moved(std::move(permit));
  std::move(moved).settle(kStart, Outcome::success());
  std::move(moved).settle(kStart, Outcome::success());  // NOLINT(bugprone-use-after-move): holds nothing
  EXPECT_EQ(throttle.counts(kStart).requests, 1U);
}

TEST(ClientThrottle, TheWindowSlides) {  // LIM-9.6
  ClientThrottle throttle({.window = 24s}, "key", kSeed);
  (void)pass(kStart, throttle, 5, refused());
  (void)pass(kStart + 12s, throttle, 3, Outcome::success());
  EXPECT_EQ(throttle.counts(kStart + 23s), (ClientThrottleCounts{.requests = 8, .accepts = 3}));
  EXPECT_EQ(throttle.counts(kStart + 24s), (ClientThrottleCounts{.requests = 3, .accepts = 3}));
  EXPECT_EQ(throttle.counts(kStart), (ClientThrottleCounts{.requests = 8, .accepts = 3})) << "an earlier time";
  EXPECT_EQ(throttle.counts(kStart + 36s), ClientThrottleCounts{});
  (void)pass(kStart + 36s, throttle, 1, refused());
  EXPECT_EQ(throttle.counts(kStart + 36s).requests, 1U);
}

TEST(ClientThrottle, TheSameSeedRejectsTheSameCalls) {  // LIM-9.6 CORE-2
  std::vector<bool> first;
  for (const bool again : {false, true}) {
    ClientThrottle throttle({}, "key", kSeed);
    for (std::size_t i = 0; i < 200; ++i) {
      auto permit = throttle.try_acquire(kStart);
      if (!again) first.push_back(permit.has_value());
      EXPECT_EQ(permit.has_value(), first[i]) << i;
      if (permit) std::move(*permit).settle(kStart, i % 10 == 0 ? Outcome::success() : refused());
    }
  }
}

TEST(ClientThrottle, ATargetThatTakesATenthIsAskedForLittleMore) {  // LIM-9.6
  ClientThrottle throttle({}, "key", kSeed);
  constexpr int kWanted = 100;  // a second, of which the target takes ten
  int sent = 0;
  int accepted = 0;
  for (int second = 0; second < 600; ++second) {
    const TimePoint now = kStart + second * 1s;
    int left = 10;
    for (int i = 0; i < kWanted; ++i) {
      auto permit = throttle.try_acquire(now);
      if (!permit) continue;
      const bool takes = left-- > 0;
      if (second >= 300) {
        ++sent;
        accepted += takes ? 1 : 0;
      }
      std::move(*permit).settle(now, takes ? Outcome::success() : refused());
    }
  }
  EXPECT_GT(accepted, 10 * 300 * 95 / 100) << "what it takes it gets";
  EXPECT_LT(sent, 2.2 * accepted) << "and not much more than k times that";
}

TEST(ClientThrottle, IsBackToAllCallsSomeMinutesAfterATotalOutage) {  // LIM-9.6
  ClientThrottle throttle({}, "key", kSeed);
  constexpr int kWanted = 20;
  int sent = 0;
  TimePoint now = kStart;
  for (const TimePoint end = now + 10min; now < end; now += 1s) {
    const int passed = pass(now, throttle, kWanted, refused());
    if (now >= kStart + 5min) sent += passed;
  }
  EXPECT_LE(sent, 12) << "of 6000: about one a window";
  const auto recovers_in = saturating_scale(1min, std::log(kWanted * 120.0));
  for (const TimePoint end = now + recovers_in + recovers_in / 2; now < end; now += 1s) {
    (void)pass(now, throttle, kWanted, Outcome::success());
  }
  EXPECT_EQ(pass(now, throttle, kWanted, Outcome::success()), kWanted);
}

TEST(ClientThrottle, NewOptionsKeepWhatWasCounted) {  // LIM-9.3 LIM-9.6
  ClientThrottle throttle({.window = 2min}, "key", kSeed);
  throttle.restore(kStart, {.requests = 30, .accepts = 10});
  throttle.apply(kStart + 1s, {.window = 10s});
  EXPECT_EQ(throttle.counts(kStart + 9s), (ClientThrottleCounts{.requests = 30, .accepts = 10}));
  EXPECT_EQ(throttle.counts(kStart + 11s), ClientThrottleCounts{});
  EXPECT_EQ(throttle.options().window, 10s);
  EXPECT_THROW(throttle.apply(kStart, {.k = 1.0}), InvalidOptions);
  EXPECT_EQ(throttle.options().k, 2.0);
}

TEST(ClientThrottle, EveryProblemIsReported) {  // CORE-6
  const ClientThrottleOptions options{
      .k = std::numeric_limits<double>::quiet_NaN(), .window = 0s, .min_requests = 1'000'001};
  EXPECT_THAT(fields_of(options.validate()), ElementsAre("k", "window", "min_requests"));
  EXPECT_THROW(ClientThrottle{options}, InvalidOptions);
}

TEST(SavedClientThrottle, KnowsWhatItKnew) {  // LIM-10 LIM-9.6
  ClientThrottle before({}, "key", kSeed);
  EXPECT_EQ(before.save(kStart), std::nullopt);
  (void)pass(kStart, before, 5, refused());
  ClientThrottle after({}, "key", kSeed);
  const TimePoint restart = kStart + 100 * 24h;
  after.restore(restart, *before.save(kStart + 1s));
  EXPECT_EQ(after.counts(restart), (ClientThrottleCounts{.requests = 5, .accepts = 0}));
  after.restore(restart, {.requests = ~std::uint64_t{0}, .accepts = ~std::uint64_t{0}});
  EXPECT_EQ(after.rejection_probability(restart), 0.0);
  EXPECT_LT(after.counts(restart).requests, std::uint64_t{1} << 41) << "nonsense";
}

TEST(ClientThrottleThreads, EachCallIsCountedOnce) {  // LIM-9.6
  ClientThrottle throttle({}, "key", kSeed);
  std::atomic<std::uint64_t> accepted{0};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 2000; ++i) {
      auto permit = throttle.try_acquire(kStart);
      if (!permit) continue;
      const bool takes = rng.below(3) == 0;
      accepted += takes ? 1 : 0;
      std::move(*permit).settle(kStart, takes ? Outcome::success() : refused());
    }
  });
  EXPECT_EQ(throttle.counts(kStart), (ClientThrottleCounts{.requests = kThreads * 2000U, .accepts = accepted}));
}

}  // namespace
}  // namespace fuseboard
