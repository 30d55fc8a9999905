// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/execution_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/support/together.h"

namespace fuseboard::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using enum ExecutionResult;

constexpr TimePoint kStart = TimePoint(1h);

ExecutionSummary ended(ExecutionResult result, TimePoint at = kStart, Duration duration = 1s,
                       std::uint32_t attempts = 1) {
  return {.result = result, .ended = at, .duration = duration, .attempts = attempts};
}

TEST(ExecutionStats, AveragesAndRatesOfNothingAreZero) {  // TEL-1.7
  const ExecutionSnapshot snapshot = ExecutionStats().snapshot();
  EXPECT_EQ(snapshot.totals.total(), 0U);
  EXPECT_EQ(snapshot.totals.success_rate(), 0.0);
  EXPECT_EQ(snapshot.totals.average_attempts(), 0.0);
  EXPECT_EQ(snapshot.totals.recovery_rate(), 0.0);
  EXPECT_EQ(snapshot.totals.cache_hit_rate(), 0.0);
  EXPECT_EQ(snapshot.totals.duration.average(), 0s);
  EXPECT_THAT(snapshot.recent, IsEmpty());
}

TEST(ExecutionStats, CountsEachResult) {  // TEL-1.5
  ExecutionStats stats;
  for (const ExecutionResult result : {success, success, success, failure, timeout, cancelled})
    stats.record(ended(result, kStart, 2s, 2));
  const ExecutionTotals totals = stats.snapshot().totals;
  EXPECT_EQ(totals.total(), 6U);
  EXPECT_EQ(totals.of(success), 3U);
  EXPECT_EQ(totals.of(failure), 1U);
  EXPECT_EQ(totals.of(timeout), 1U);
  EXPECT_EQ(totals.of(cancelled), 1U);
  EXPECT_EQ(totals.success_rate(), 0.6) << "what the caller stopped is neither";
  EXPECT_EQ(totals.average_attempts(), 2.0);
  EXPECT_EQ(totals.duration.average(), 2s);
  EXPECT_EQ(totals.first_content.count(), 0U);
}

TEST(ExecutionStats, ACallsEventsAndThoseBetweenCallsAddUp) {  // TEL-1.5, TEL-1.6
  ExecutionStats stats;
  ExecutionSummary summary = ended(success);
  summary.first_content = 100ms;
  for (std::size_t i = 0; i < kEvents; ++i) summary.events.add(static_cast<Event>(i), i + 1);
  stats.record(summary);
  for (std::size_t i = 0; i < kEvents; ++i) stats.count(static_cast<Event>(i), 100);
  const ExecutionTotals totals = stats.snapshot().totals;
  for (std::size_t i = 0; i < kEvents; ++i) EXPECT_EQ(totals.events[static_cast<Event>(i)], i + 101);
  EXPECT_EQ(totals.first_content.average(), 100ms);
}

TEST(ExecutionStats, RatesCompareLikeWithLike) {  // TEL-1.5
  ExecutionTotals totals;
  totals.events.add(Event::retry_attempted, 50);
  totals.events.add(Event::retry_recovered, 3);
  totals.events.add(Event::retry_exhausted, 1);
  EXPECT_EQ(totals.recovery_rate(), 0.75);
  totals.events.add(Event::cache_hit, 2);
  totals.events.add(Event::cache_shared, 1);
  totals.events.add(Event::cache_miss, 1);
  totals.events.add(Event::cache_stored, 1);
  EXPECT_EQ(totals.cache_hit_rate(), 0.75);
}

TEST(ExecutionStats, KeepsTheLastHundredTheLatestFirst) {  // TEL-1.6 CORE-5
  ExecutionStats stats;
  for (int i = 0; i < 250; ++i)
    stats.record(ended(i % 2 == 0 ? success : failure, kStart + std::chrono::seconds(i), std::chrono::milliseconds(i),
                       static_cast<std::uint32_t>(i)));
  const std::vector<RecentExecution> recent = stats.snapshot().recent;
  ASSERT_THAT(recent, SizeIs(100));
  for (int i = 0; i < 100; ++i) {
    const int number = 249 - i;
    EXPECT_EQ(recent[static_cast<std::size_t>(i)], (RecentExecution{.result = number % 2 == 0 ? success : failure,
                                                                    .ended = kStart + std::chrono::seconds(number),
                                                                    .duration = std::chrono::milliseconds(number),
                                                                    .attempts = static_cast<std::uint32_t>(number)}));
  }
}

TEST(ExecutionStats, OfCallsThatEndedAtOneTimeTheLastRecordedComesFirst) {  // TEL-1.6
  ExecutionStats stats;
  for (std::uint32_t i = 0; i < 103; ++i) stats.record(ended(success, kStart, 1s, i));
  const std::vector<RecentExecution> recent = stats.snapshot().recent;
  ASSERT_THAT(recent, SizeIs(100));
  for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(recent[i].attempts, 102 - i);
}

TEST(ExecutionStats, ThreadsTogetherLoseNothing) {  // TEL-1.5
  ExecutionStats stats;
  std::atomic<std::int64_t> clock{0};
  constexpr int kMany = 40;  // more than there are places of their own
  together(kMany, [&](int thread) {
    for (int i = 0; i < 200; ++i) {
      stats.record(ended(static_cast<ExecutionResult>(i % 4), kStart + Duration(clock.fetch_add(1)), 1ms, 1));
      stats.count(Event::breaker_opened);
      if (thread != 0 || i % 50 != 0) continue;
      EXPECT_LE(stats.snapshot().recent.size(), 100U);
    }
  });
  const ExecutionSnapshot snapshot = stats.snapshot();
  EXPECT_EQ(snapshot.totals.total(), 200U * kMany);
  EXPECT_EQ(snapshot.totals.of(timeout), 50U * kMany);
  EXPECT_EQ(snapshot.totals.attempts, 200U * kMany);
  EXPECT_EQ(snapshot.totals.duration.count(), 200U * kMany);
  EXPECT_EQ(snapshot.totals.events[Event::breaker_opened], 200U * kMany);
  ASSERT_THAT(snapshot.recent, SizeIs(100));
  EXPECT_TRUE(std::is_sorted(snapshot.recent.begin(), snapshot.recent.end(),
                             [](const auto& a, const auto& b) { return a.ended > b.ended; }));
}

// Whichever threads record, those shown are those that ended last.
TEST(ExecutionStats, ABusyThreadPushesOutNobodysLastCalls) {  // TEL-1.6
  ExecutionStats stats;
  std::barrier turn(2);
  together(2, [&](int thread) {
    (void)ThreadSlot::current();
    turn.arrive_and_wait();  // both have a place
    if (thread == 0) {
      for (int i = 0; i < 10; ++i) stats.record(ended(failure, kStart + 10h));
    }
    turn.arrive_and_wait();
    if (thread == 1) {
      for (int i = 0; i < 1000; ++i) stats.record(ended(success, kStart + std::chrono::seconds(i)));
    }
    turn.arrive_and_wait();
  });
  const std::vector<RecentExecution> recent = stats.snapshot().recent;
  ASSERT_THAT(recent, SizeIs(100));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(recent[i].result, i < 10 ? failure : success);
}

TEST(ExecutionStats, WritesPrometheusFamiliesWithBoundedLabels) {  // TEL-1.5 TEL-1.6 TEL-3
  ExecutionStats stats;
  ExecutionSummary summary = ended(timeout, kStart, 30ms);
  summary.events.add(Event::breaker_half_opened);
  stats.record(summary);
  Exposition out;
  const Label label{"app", "agent"};
  write(out, stats.snapshot().totals, std::span(&label, 1));
  const std::string text = std::move(out).take();
  EXPECT_THAT(text, HasSubstr("fuseboard_executions_total{app=\"agent\",result=\"timeout\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fuseboard_executions_total{app=\"agent\",result=\"success\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE fuseboard_breaker_events_total counter\n"));
  EXPECT_THAT(text, HasSubstr("fuseboard_breaker_events_total{app=\"agent\",event=\"half_opened\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fuseboard_cache_events_total{app=\"agent\",event=\"shared\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("fuseboard_execution_duration_seconds_bucket{app=\"agent\",le=\"0.05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("fuseboard_execution_duration_seconds_sum{app=\"agent\"} 0.03\n"));
}

TEST(ExecutionStats, EachFamilyIsAnnouncedOnceAndEachEventHasItsOwnSeries) {  // TEL-3
  Exposition out;
  write(out, ExecutionTotals{});
  const std::string text = std::move(out).take();
  std::set<std::string> families;
  std::set<std::string> series;
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("# TYPE")) {
      EXPECT_TRUE(families.insert(line).second) << line;
    } else if (!line.starts_with('#')) {
      ++lines;
      series.insert(line.substr(0, line.rfind(' ')));
    }
  }
  EXPECT_THAT(families, SizeIs(9));
  EXPECT_THAT(series, SizeIs(lines)) << "no series twice";
}

}  // namespace
}  // namespace fuseboard::telemetry
