// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a call comes to in counters, from records that are written down here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fuseboard/telemetry/breaker_gauge.h"
#include "fuseboard/telemetry/call_series.h"
#include "fuseboard/telemetry/call_stats.h"
#include "fuseboard/telemetry/execution_stats.h"
#include "fuseboard/telemetry/exposition.h"
#include "tests/pipeline/world.h"

namespace fuseboard::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

AttemptRecord attempt(std::uint32_t number, std::uint32_t target, std::optional<Category> failure = {}) {
  AttemptRecord record{.number = number, .target = target};
  if (failure) record.failure = Failure::of(*failure);
  return record;
}

CallRecord call(Ending ending, const std::vector<AttemptRecord>& attempts) {
  CallRecord record;
  record.ending = ending;
  record.candidates.push_back(0);
  record.candidates.push_back(1);
  record.attempts_sent = static_cast<std::uint32_t>(attempts.size());
  for (const AttemptRecord& one : attempts) record.attempts.push_back(one);
  return record;
}

std::uint64_t count(const CallRecord& record, Event event) { return summary_of(record).events[event]; }

TEST(CallSummaries, OnlyWhatWasRetriedHasRecovered) {  // TEL-1.8
  EXPECT_EQ(count(call(Ending::success, {attempt(1, 0)}), Event::retry_recovered), 0U);
  const CallRecord fell_back = call(Ending::success, {attempt(1, 0, Category::overloaded), attempt(2, 1)});
  EXPECT_EQ(count(fell_back, Event::retry_attempted), 0U) << "another target is no retry";
  EXPECT_EQ(count(fell_back, Event::retry_recovered), 0U);
  const CallRecord retried = call(Ending::success, {attempt(1, 0, Category::overloaded), attempt(2, 0)});
  EXPECT_EQ(count(retried, Event::retry_attempted), 1U);
  EXPECT_EQ(count(retried, Event::retry_recovered), 1U);
  const CallRecord in_vain =
      call(Ending::retries_exhausted, {attempt(1, 0, Category::overloaded), attempt(2, 0, Category::overloaded)});
  EXPECT_EQ(count(in_vain, Event::retry_recovered), 0U);
  EXPECT_EQ(count(in_vain, Event::retry_exhausted), 1U);
}

TEST(CallSummaries, AHedgeOrCompanyThatLostIsNeitherARetryNorWhatOneFollows) {  // TEL-1.8, RTY-9.2, RTY-11.2
  for (const bool is_company : {false, true}) {
    AttemptRecord beside = attempt(2, 1, Category::overloaded);
    (is_company ? beside.company : beside.hedge) = true;
    const CallRecord record = call(
        Ending::success, {beside, attempt(1, 0, Category::network), attempt(3, 1, Category::network), attempt(4, 0)});
    EXPECT_EQ(count(record, Event::retry_attempted), 0U) << "0, 1, 0: never the same target twice in a row";
    EXPECT_EQ(count(record, Event::fallback_taken), 2U);
    EXPECT_EQ(count(record, Event::fallback_succeeded), 1U);
    const CallRecord after = call(Ending::success, {attempt(1, 0, Category::network), beside, attempt(3, 1)});
    EXPECT_EQ(count(after, Event::retry_attempted), 0U) << "what it was asked beside another is no earlier try";
    EXPECT_EQ(count(after, Event::fallback_taken), 1U);
  }
}

TEST(CallSummaries, AgreeWithTheSeriesOnRetriesAndFallbacks) {  // TEL-1.2, TEL-1.8
  AttemptRecord company = attempt(2, 1, Category::overloaded);
  company.company = true;
  const CallRecord record = call(Ending::success, {attempt(1, 0, Category::network), company, attempt(3, 1)});
  EXPECT_EQ(retries_of(record), count(record, Event::retry_attempted));
  EXPECT_EQ(fallbacks_of(record).size(), count(record, Event::fallback_taken));
  CallSeries series;
  World world;
  series.call_ended({}, world.plan({"a", "b"}), record);
  Exposition out;
  series.write(out);
  const std::string text = std::move(out).take();
  EXPECT_THAT(text, testing::HasSubstr("fuseboard_retries_total{model=\"other\"} 0\n"));
  EXPECT_THAT(text, testing::HasSubstr("fuseboard_fallbacks_total{model=\"other\"} 1\n"));
}

TEST(CallSummaries, ACallTimedOutByItsDeadlineOrByTheErrorThatItTells) {  // TEL-1.8
  const auto result = [](Ending ending, std::optional<std::uint32_t> telling, Category first, Category second) {
    CallRecord record = call(ending, {attempt(1, 0, first), attempt(2, 1, second)});
    record.primary_attempt = telling;
    return summary_of(record).result;
  };
  EXPECT_EQ(result(Ending::deadline_exceeded, 1, Category::network, Category::network), ExecutionResult::timeout);
  EXPECT_EQ(result(Ending::retries_exhausted, 2, Category::network, Category::timeout), ExecutionResult::timeout);
  EXPECT_EQ(result(Ending::retries_exhausted, 1, Category::network, Category::timeout), ExecutionResult::failure);
  EXPECT_EQ(result(Ending::cancelled, 2, Category::network, Category::timeout), ExecutionResult::cancelled);
  EXPECT_EQ(result(Ending::no_target, std::nullopt, Category::timeout, Category::timeout), ExecutionResult::failure);
}

TEST(CallSummaries, EveryRefusalHasItsCounter) {  // TEL-1.8
  const auto counted = [](RejectionReason reason) {
    CallRecord record = call(Ending::no_target, {});
    record.rejections.push_back({.reason = reason});
    const EventCounts events = summary_of(record).events;
    return std::vector<std::uint64_t>{events[Event::breaker_denied], events[Event::limiter_denied],
                                      events[Event::budget_refused]};
  };
  using Counts = std::vector<std::uint64_t>;
  EXPECT_EQ(counted(RejectionReason::circuit_open), (Counts{1, 0, 0}));
  EXPECT_EQ(counted(RejectionReason::half_open_busy), (Counts{1, 0, 0}));
  EXPECT_EQ(counted(RejectionReason::rate_limited), (Counts{0, 1, 0}));
  EXPECT_EQ(counted(RejectionReason::concurrency_limited), (Counts{0, 1, 0}));
  EXPECT_EQ(counted(RejectionReason::queue_full), (Counts{0, 1, 0}));
  EXPECT_EQ(counted(RejectionReason::budget_exceeded), (Counts{0, 0, 1}));
  EXPECT_EQ(counted(RejectionReason::price_missing), (Counts{0, 0, 1}));
  EXPECT_EQ(counted(RejectionReason::credential_parked), (Counts{0, 0, 0}));
  EXPECT_EQ(counted(RejectionReason::not_eligible), (Counts{0, 0, 0}));
  EXPECT_EQ(counted(RejectionReason::deadline_exceeded), (Counts{0, 0, 0}));
}

TEST(CallSummaries, EveryUseOfTheCacheHasItsCounter) {  // TEL-1.8
  const auto counted = [](CacheUse use) {
    CallRecord record = call(Ending::success, {});
    record.cache = use;
    const EventCounts events = summary_of(record).events;
    return std::vector<std::uint64_t>{events[Event::cache_hit], events[Event::cache_miss], events[Event::cache_shared]};
  };
  using Counts = std::vector<std::uint64_t>;
  EXPECT_EQ(counted(CacheUse::hit), (Counts{1, 0, 0}));
  EXPECT_EQ(counted(CacheUse::miss), (Counts{0, 1, 0}));
  EXPECT_EQ(counted(CacheUse::shared), (Counts{0, 0, 1}));
  EXPECT_EQ(counted(CacheUse::bypass), (Counts{0, 0, 0}));
}

TEST(CallSummaries, BudgetsAndLimitersAreThoseOfItsAttempts) {  // TEL-1.8
  AttemptRecord over = attempt(1, 0, Category::rate_limit);
  over.charged = BudgetSettlement{.charged = {.tokens = 7}, .overrun = true};
  AttemptRecord within = attempt(2, 1);
  within.charged = BudgetSettlement{.charged = {.tokens = 3}};
  CallRecord record = call(Ending::success, {over, within, attempt(3, 1)});
  record.throttled = 1;
  EXPECT_EQ(count(record, Event::limiter_admitted), 3U);
  EXPECT_EQ(count(record, Event::limiter_throttled), 1U);
  EXPECT_EQ(count(record, Event::budget_reserved), 2U);
  EXPECT_EQ(count(record, Event::budget_settled), 2U);
  EXPECT_EQ(count(record, Event::budget_overrun), 1U);
}

TEST(CallSummaries, TheFirstContentIsThatOfTheAttemptThatBeganTheAnswer) {  // TEL-1.8, STR-5.8
  AttemptRecord began = attempt(1, 0, Category::network);
  began.first_content = milliseconds(300);
  AttemptRecord mended = attempt(2, 1);
  mended.first_content = milliseconds(900);
  mended.recovery = true;
  CallRecord record = call(Ending::success, {began, mended});
  record.started = TimePoint(seconds(10));
  record.ended = TimePoint(seconds(14));
  EXPECT_EQ(summary_of(record).first_content, milliseconds(300));
  EXPECT_EQ(summary_of(record).duration, seconds(4));
  EXPECT_EQ(summary_of(record).ended, TimePoint(seconds(14)));
  EXPECT_EQ(summary_of(call(Ending::success, {attempt(1, 0)})).first_content, std::nullopt);
}

// Sums.

TEST(ExecutionTotals, AddUpEveryPart) {  // TEL-1.5
  ExecutionTotals one;
  ExecutionSummary summary{
      .result = ExecutionResult::timeout, .duration = seconds(3), .first_content = seconds(1), .attempts = 2};
  summary.events.add(Event::cache_stored, 5);
  one.add(summary);
  one.add({.duration = seconds(1), .attempts = 1});
  ExecutionTotals sum;
  sum.merge(one);
  sum.merge(one);
  EXPECT_EQ(sum.of(ExecutionResult::timeout), 2U);
  EXPECT_EQ(sum.of(ExecutionResult::success), 2U);
  EXPECT_EQ(sum.total(), 4U);
  EXPECT_EQ(sum.attempts, 6U);
  EXPECT_EQ(sum.events[Event::cache_stored], 10U);
  EXPECT_EQ(sum.duration.count(), 4U);
  EXPECT_EQ(sum.duration.average(), seconds(2));
  EXPECT_EQ(sum.first_content.count(), 2U);
  EXPECT_EQ(sum.first_content.average(), seconds(1));
  EXPECT_DOUBLE_EQ(sum.success_rate(), 0.5);
  EXPECT_DOUBLE_EQ(sum.average_attempts(), 1.5);
}

TEST(ExecutionTotals, ACancelledCallIsNoneThatCouldHaveSucceeded) {  // TEL-1.5
  ExecutionTotals totals;
  totals.add({.result = ExecutionResult::success});
  totals.add({.result = ExecutionResult::cancelled});
  EXPECT_DOUBLE_EQ(totals.success_rate(), 1.0);
  EXPECT_EQ(totals.total(), 2U);
}

TEST(ExecutionTotals, ASharedAnswerSparesACallAsAHitDoes) {  // TEL-1.5
  ExecutionTotals totals;
  totals.events.add(Event::cache_shared);
  totals.events.add(Event::cache_hit);
  totals.events.add(Event::cache_miss, 2);
  EXPECT_DOUBLE_EQ(totals.cache_hit_rate(), 0.5);
  totals.events.add(Event::retry_recovered, 3);
  totals.events.add(Event::retry_exhausted, 1);
  EXPECT_DOUBLE_EQ(totals.recovery_rate(), 0.75);
}

// Buckets.

TEST(Histogram, ALatencyOfJustABoundIsWithinIt) {  // TEL-3
  EXPECT_EQ(latency_bucket(milliseconds(1)), 0U);
  EXPECT_EQ(latency_bucket(milliseconds(1) + Duration(1)), 1U);
  EXPECT_EQ(latency_bucket(seconds(600)), kLatencyBounds.size() - 1);
  EXPECT_EQ(latency_bucket(seconds(601)), kLatencyBounds.size());
}

TEST(Exposition, ABreakerIsInOneStateAndHasASeriesForEach) {  // TEL-2
  Exposition out;
  const std::vector<BreakerGauge> breakers = {{.key = "a", .state = "half_open"}};
  write_breaker_states(out, breakers);
  const std::string text = std::move(out).take();
  EXPECT_NE(text.find("fuseboard_breaker_state{key=\"a\",state=\"closed\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("fuseboard_breaker_state{key=\"a\",state=\"open\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("fuseboard_breaker_state{key=\"a\",state=\"half_open\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace fuseboard::telemetry
