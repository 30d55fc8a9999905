// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an adaptive bulkhead takes for usual, over hours of virtual time and by its default options.
#include "fuseboard/limit/latency_baseline.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "fuseboard/limit/bulkhead.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// What a limit comes to that slowness holds down: calls count as twice as slow as they may be at most.
constexpr std::uint32_t kDown = 2 * AdaptiveBulkheadOptions{}.queue_size;

// Keeps as many calls in flight as it may, until `end`; each takes `latency_at` its beginning.
template <typename LatencyAt>
void serve(TimePoint& now, TimePoint end, AdaptiveBulkhead& bulkhead, LatencyAt latency_at) {
  while (now < end) {
    std::vector<AdaptiveBulkheadSlot> slots;
    while (auto slot = bulkhead.try_acquire()) slots.push_back(std::move(*slot));
    const Duration latency = latency_at(now);
    now += latency;
    for (AdaptiveBulkheadSlot& slot : slots) std::move(slot).settle(now, Outcome::success(latency));
  }
}
void serve(TimePoint& now, Duration time, AdaptiveBulkhead& bulkhead, Duration latency) {
  serve(now, now + time, bulkhead, [latency](TimePoint) { return latency; });
}

TEST(AdaptiveBulkheadBaseline, AnHourAtTenTimesTheUsualLatencyLeavesTheLimitDown) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  TimePoint now = kStart;
  serve(now, 1h, bulkhead, 2s);
  ASSERT_EQ(bulkhead.limit(), bulkhead.options().max_limit);
  serve(now, 5min, bulkhead, 20s);
  for (int minute = 5; minute < 60; ++minute) {
    EXPECT_LE(bulkhead.limit(), kDown) << minute;
    serve(now, 1min, bulkhead, 20s);
  }
  serve(now, 3min, bulkhead, 2s);
  EXPECT_EQ(bulkhead.limit(), bulkhead.options().max_limit) << "and what is over is over";
}

TEST(AdaptiveBulkheadBaseline, TimeWithoutCallsIsNoEvidence) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  TimePoint now = kStart;
  serve(now, 10min, bulkhead, 2s);
  now += 7 * 24h;
  serve(now, 1h, bulkhead, 20s);
  EXPECT_LE(bulkhead.limit(), kDown);
}

TEST(AdaptiveBulkheadBaseline, ARestartAmidAnIncidentKnowsWhatWasUsualBefore) {  // LIM-8.2 LIM-10
  AdaptiveBulkhead before;
  TimePoint now = kStart;
  serve(now, 10min, before, 2s);
  serve(now, 30min, before, 20s);
  AdaptiveBulkhead after;
  after.restore(now, *before.save(now));
  serve(now, 30min, after, 20s);
  EXPECT_LE(after.limit(), kDown);
}

TEST(AdaptiveBulkheadBaseline, ALastingChangeIsUsualAfterTheTimeItSays) {  // LIM-8.2
  const AdaptiveBulkheadOptions options;
  AdaptiveBulkhead bulkhead(options);
  TimePoint now = kStart;
  serve(now, 10min, bulkhead, 5s);
  // log2(4 / tolerance) times the time of a doubling; until then the limit rises slowly.
  const Duration usual_after = saturating_scale(options.usual_doubles_in, std::log2(4 / options.tolerance));
  const TimePoint changed = now;
  serve(now, usual_after - (now - changed) - 1h, bulkhead, 20s);
  EXPECT_LE(bulkhead.limit(), options.max_limit / 3);
  serve(now, 2h, bulkhead, 20s);
  EXPECT_EQ(bulkhead.limit(), options.max_limit);
}

TEST(AdaptiveBulkheadBaseline, AnOperatorCanSayThatTheTargetIsAnotherOne) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  TimePoint now = kStart;
  serve(now, 10min, bulkhead, 2s);
  serve(now, 5min, bulkhead, 20s);
  ASSERT_LE(bulkhead.limit(), kDown);
  auto of_before = bulkhead.try_acquire();
  ASSERT_TRUE(of_before);
  bulkhead.reset();
  EXPECT_EQ(bulkhead.limit(), bulkhead.options().initial_limit);
  EXPECT_EQ(bulkhead.in_flight(), 1U);
  std::move(*of_before).settle(now, Outcome::failed(Failure::of(Category::overloaded)));
  EXPECT_EQ(bulkhead.limit(), bulkhead.options().initial_limit) << "of before";
  serve(now, 15min, bulkhead, 20s);
  EXPECT_EQ(bulkhead.limit(), bulkhead.options().max_limit);
}

TEST(AdaptiveBulkheadBaseline, ATargetThatHasBecomeFasterIsHeldToIt) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  TimePoint now = kStart;
  serve(now, 1h, bulkhead, 20s);
  serve(now, 4h, bulkhead, 2s);
  serve(now, 1h, bulkhead, 20s);
  EXPECT_LE(bulkhead.limit(), kDown) << "as slow as it used to be, and ten times as slow as it is";
}

TEST(AdaptiveBulkheadBaseline, SomeMinutesOfFastCallsDoNotMakeTheUsualOnesSlow) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  TimePoint now = kStart;
  serve(now, 1h, bulkhead, 9s);
  serve(now, 20min, bulkhead, 3s);
  serve(now, 30min, bulkhead, 9s);
  EXPECT_EQ(bulkhead.limit(), bulkhead.options().max_limit);
}

TEST(AdaptiveBulkheadBaseline, ADailySwingOfTwiceTheLatencyIsFollowed) {  // LIM-8.2
  AdaptiveBulkhead bulkhead;
  const TimePoint start = kStart;
  TimePoint now = start;
  const auto swing = [start](TimePoint at) {
    const double days = static_cast<double>((at - start).count()) / static_cast<double>(Duration(24h).count());
    return saturating_scale(10s, std::exp2(0.5 - 0.5 * std::cos(2 * std::numbers::pi * days)));
  };
  for (int hour = 1; hour <= 48; ++hour) {
    serve(now, start + hour * 1h, bulkhead, swing);
    EXPECT_EQ(bulkhead.limit(), bulkhead.options().max_limit) << hour;
  }
}

TEST(AdaptiveBulkheadBaseline, AResetOneIsLikeANewOne) {  // LIM-8.2 LIM-9.2 LIM-10
  AdaptiveBulkhead bulkhead;
  auto slot = bulkhead.try_acquire();
  ASSERT_TRUE(slot);
  std::move(*slot).settle(kStart, Outcome::failed(Failure::of(Category::overloaded)));
  ASSERT_TRUE(bulkhead.save(kStart));
  bulkhead.reset();
  EXPECT_FALSE(bulkhead.save(kStart));
  bulkhead.apply(kStart, {.initial_limit = 50});
  EXPECT_EQ(bulkhead.limit(), 50U);
  bulkhead.restore(kStart, {.limit = 7});
  EXPECT_EQ(bulkhead.limit(), 7U);
}

TEST(LatencyBaseline, SomeUntypicalFirstCallsAreNoLongRun) {  // LIM-8.2
  LatencyBaseline baseline;
  TimePoint now = kStart;
  for (int i = 0; i < 10; ++i) baseline.add(now += 1s, 20e6, 600, 6h);
  for (int i = 0; i < 5000; ++i) baseline.add(now += 100ms, 5e9, 600, 6h);
  EXPECT_GT(baseline.usual(), 1e9);
}

TEST(LatencyBaseline, AFasterTargetIsKnownAtOnce) {  // LIM-8.2
  LatencyBaseline baseline;
  for (int i = 0; i < 1000; ++i) baseline.add(kStart, 20e9, 600, 6h);
  for (int i = 0; i < 40; ++i) baseline.add(kStart, 2e9, 600, 6h);
  EXPECT_LE(baseline.usual(), 5e9);
  EXPECT_GE(baseline.usual(), 2e9);
}

TEST(LatencyBaseline, DoublesInNoLessThanItSaysHoweverOftenItIsAsked) {  // LIM-8.2
  for (const Duration between : std::array<Duration, 3>{1ms, 10s, 59s}) {
    LatencyBaseline baseline;
    TimePoint now = kStart;
    for (std::uint32_t i = 0; i < kLongRunSamples; ++i) baseline.add(now += between, 1e9, 10, 1h);
    const TimePoint end = now + 30min;
    while (now < end) baseline.add(now += between, 100e9, 10, 1h);
    EXPECT_LE(baseline.usual(), 1e9 * std::exp2(0.52));
    EXPECT_GE(baseline.usual(), 1e9 * std::exp2(0.48));
  }
}

TEST(LatencyBaseline, AnEarlierTimeMovesNothing) {  // LIM-8.2 CORE-1
  LatencyBaseline baseline;
  for (std::uint32_t i = 0; i < kLongRunSamples; ++i) baseline.add(kStart, 1e9, 10, 1h);
  for (int i = 0; i < 1000; ++i) baseline.add(kStart - i * 1s, 100e9, 10, 1h);
  EXPECT_DOUBLE_EQ(baseline.usual(), 1e9);
}

}  // namespace
}  // namespace fuseboard
