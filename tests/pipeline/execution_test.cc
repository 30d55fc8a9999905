// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/execution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ExecutionTest : public testing::Test {
 protected:
  // Moves the clock through waits and returns the attempt that comes next; nullopt when the call has ended.
  std::optional<Attempt> next_attempt(Execution& execution) {
    for (;;) {
      const Step step = execution.next(world_.clock.now());
      if (const auto* attempt = std::get_if<Attempt>(&step)) return *attempt;
      if (std::holds_alternative<Finished>(step)) return std::nullopt;
      world_.clock.advance_to(std::get<WaitUntil>(step).time);
    }
  }

  // Targets in the order in which they were asked when every attempt ends as `report`.
  std::vector<std::uint32_t> run(Execution& execution, const AttemptReport& report) {
    std::vector<std::uint32_t> order;
    while (const auto attempt = next_attempt(execution)) {
      order.push_back(attempt->target);
      report_latest(world_.clock.now(), execution, report);
    }
    return order;
  }

  World world_;
};

TEST_F(ExecutionTest, SuccessEndsTheCallAndNamesWhoServed) {  // PIP-3, FBK-3.5
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, succeeded());
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::success);
  EXPECT_EQ(execution.record().served_by, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.succeeded, 1U);
}

TEST_F(ExecutionTest, RetriesOneTargetThenFallsBackInOrder) {  // RTY-1.1, FBK-1.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}, World::quick(2)), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::service_unavailable)), (std::vector<std::uint32_t>{0, 0, 1, 1}));
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
  EXPECT_EQ(execution.record().attempts_sent, 4U);
}

TEST_F(ExecutionTest, WaitsBetweenTriesAsTheBackoffSaysAndRecordsIt) {  // RTY-1.2, RTY-8.4
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  const TimePoint start = world_.clock.now();
  run(execution, failed(Category::service_unavailable));
  EXPECT_EQ(elapsed(start, world_.clock.now()), milliseconds(500) + seconds(1) + seconds(2));
  ASSERT_EQ(execution.record().attempts.size(), 4U);
  EXPECT_EQ(execution.record().attempts[0].waited, Duration::zero());
  EXPECT_EQ(execution.record().attempts[3].waited, seconds(2));
  EXPECT_EQ(execution.record().attempts[3].failure->category, Category::service_unavailable);
}

TEST_F(ExecutionTest, DecorrelatedWaitsGrowFromOneToTheNextAndBeginAnewOnTheNextTarget) {  // RTY-1.3
  PlanOptions options{.retry = {.max_attempts = 4, .jitter = Jitter::decorrelated}, .max_total_attempts = 0};
  options.overall_deadline = kForever;
  Duration longest = Duration::zero();
  for (int i = 0; i < 50; ++i) {
    Execution execution(world_.clock.now(), world_.plan({"a", "b"}, options), {}, world_.rng);
    run(execution, failed(Category::rate_limit));
    const auto& attempts = execution.record().attempts;
    ASSERT_EQ(attempts.size(), 8U);
    EXPECT_LE(attempts[5].waited, 3 * options.retry.base) << "the first wait on the second target";
    for (const std::size_t last : {2U, 3U, 6U, 7U}) EXPECT_LE(attempts[last].waited, 3 * attempts[last - 1].waited);
    longest = std::max(longest, attempts[3].waited);
  }
  EXPECT_GT(longest, 3 * options.retry.base);
}

TEST_F(ExecutionTest, AWaitStandsWhenAskedAboutEarly) {  // PIP-4
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::network));
  const TimePoint until = std::get<WaitUntil>(execution.next(world_.clock.now())).time;
  world_.clock.advance(milliseconds(100));
  EXPECT_EQ(std::get<WaitUntil>(execution.next(world_.clock.now())).time, until);
}

TEST_F(ExecutionTest, ACallWhoseTimeIsOverAsksNoBreaker) {  // PIP-1
  world_.open("a");
  world_.clock.advance(seconds(30));  // the next admission would be the probe
  const CallOptions options{.deadline = Deadline::at(world_.clock.now())};
  Execution late(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
  EXPECT_TRUE(std::holds_alternative<Finished>(late.next(world_.clock.now())));
  EXPECT_EQ(late.record().ending, Ending::deadline_exceeded);

  Execution cancelled(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  cancelled.cancel(world_.clock.now());
  EXPECT_TRUE(std::holds_alternative<Finished>(cancelled.next(world_.clock.now())));
  EXPECT_EQ(cancelled.record().ending, Ending::cancelled);
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::open);
}

TEST_F(ExecutionTest, APermitIsTakenWhenAnAttemptIsSentAndNotBeforeItsWait) {  // PIP-2
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::network));
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(execution.next(world_.clock.now())));
  EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 0U);

  world_.open("a");  // by other calls, while this one waits
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
  EXPECT_EQ(execution.record().attempts_sent, 1U);
  ASSERT_EQ(execution.record().rejections.size(), 1U);
  EXPECT_EQ(execution.record().rejections[0].reason, RejectionReason::circuit_open);
  EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").denials, 1U);
}

TEST_F(ExecutionTest, TheRecordExplainsTheCall) {  // PIP-6.1
  world_.open("a");
  const TimePoint start = world_.clock.now();
  Execution execution(start, world_.plan({"a", "b", "c"}, World::quick(2)), {}, world_.rng);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(next_attempt(execution)->target, 1U);
    world_.clock.advance(seconds(3));
    report_latest(world_.clock.now(), execution, failed(Category::overloaded));
  }
  ASSERT_EQ(next_attempt(execution)->target, 2U);
  report_latest(world_.clock.now(), execution, succeeded());
  EXPECT_FALSE(next_attempt(execution));

  const CallRecord& record = execution.record();
  ASSERT_EQ(record.rejections.size(), 1U);
  EXPECT_EQ(record.rejections[0].target, 0U);
  EXPECT_EQ(record.rejections[0].reason, RejectionReason::circuit_open);
  EXPECT_EQ(record.rejections[0].retry_after, seconds(30));
  ASSERT_EQ(record.attempts.size(), 3U);
  const AttemptRecord& second = record.attempts[1];
  EXPECT_EQ(second.number, 2U);
  EXPECT_EQ(second.target, 1U);
  EXPECT_FALSE(second.probe);
  EXPECT_TRUE(second.answered);
  EXPECT_EQ(second.failure->category, Category::overloaded);
  EXPECT_EQ(second.waited, milliseconds(500));
  EXPECT_EQ(second.started, start + seconds(3) + milliseconds(500));
  EXPECT_EQ(second.duration, seconds(3));
  EXPECT_EQ(record.attempts[2].failure, std::nullopt);
  EXPECT_EQ(record.ending, Ending::success);
  EXPECT_EQ(record.served_by, 2U);
  EXPECT_EQ(record.primary_attempt, std::nullopt);
  EXPECT_EQ(record.started, start);
  EXPECT_EQ(record.duration(), seconds(6) + milliseconds(500));
}

TEST_F(ExecutionTest, ALongRecordKeepsItsBeginningAndItsEnd) {  // PIP-6.1, CORE-5
  PlanOptions options = World::quick(20);
  options.max_total_attempts = 0;
  options.overall_deadline = kForever;
  Execution execution(world_.clock.now(), world_.plan({"a"}, options), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::rate_limit)).size(), 20U);
  const auto& attempts = execution.record().attempts;
  ASSERT_EQ(attempts.size(), 16U);
  EXPECT_EQ(attempts[14].number, 15U);
  EXPECT_EQ(attempts.back().number, 20U);
  EXPECT_EQ(attempts.dropped(), 4U);
  EXPECT_EQ(execution.record().attempts_sent, 20U);
}

TEST_F(ExecutionTest, OneCapHoldsAcrossRetriesAndFallbacks) {  // RTY-6.1; retries multiplied by fallbacks
  PlanOptions options = World::quick(4);
  options.max_total_attempts = 5;
  Execution execution(world_.clock.now(), world_.plan({"a", "b", "c"}, options), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::service_unavailable)), (std::vector<std::uint32_t>{0, 0, 0, 0, 1}));
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
}

TEST_F(ExecutionTest, ACapOfZeroIsNoCap) {  // RTY-6.1
  PlanOptions options = World::quick(4);
  options.max_total_attempts = 0;
  Execution execution(world_.clock.now(), world_.plan({"a", "b", "c"}, options), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::service_unavailable)).size(), 12U);
}

TEST_F(ExecutionTest, ALocallyRefusedAttemptDrawsOnNoCap) {  // RTY-6.2
  world_.open("a");
  world_.open("b");
  PlanOptions options = World::quick(1);
  options.max_total_attempts = 1;
  Execution execution(world_.clock.now(), world_.plan({"a", "b", "c"}, options), {}, world_.rng);
  EXPECT_EQ(run(execution, succeeded()), (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(execution.record().rejections.size(), 2U);
  EXPECT_EQ(execution.record().attempts_sent, 1U);
}

TEST_F(ExecutionTest, ASingleFailureThatNothingMendsPassesThroughUnwrapped) {  // RTY-4.1, RTY-8.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::invalid_request)), (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(execution.record().ending, Ending::failed);
  EXPECT_EQ(execution.record().primary_attempt, 1U);
}

TEST_F(ExecutionTest, TheLastOfSeveralFailuresIsNoSingleOne) {  // RTY-8.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  run(execution, failed(Category::model_not_found));
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
}

TEST_F(ExecutionTest, AFailureOfTheModelFallsBackWithoutARetry) {  // RTY-4.1, FBK-2.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  EXPECT_EQ(run(execution, failed(Category::model_not_found)), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(ExecutionTest, WhatASafetySystemRefusedGoesNoFurtherUnlessThePlanSaysSo) {  // FBK-2.2
  Execution stops(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  EXPECT_EQ(run(stops, failed(Category::content_policy)), (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(stops.record().ending, Ending::failed);

  PlanOptions options = World::quick();
  options.fallback_on = {Category::content_policy};
  Execution goes_on(world_.clock.now(), world_.plan({"a", "b"}, options), {}, world_.rng);
  EXPECT_EQ(run(goes_on, failed(Category::content_policy)), (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(ExecutionTest, AProbesLeaseEndsSoonAfterItsCall) {  // BRK-8.2
  world_.open("a");
  world_.clock.advance(seconds(30));
  const CallOptions hurried{.deadline = Deadline::after(world_.clock.now(), seconds(60))};
  {
    Execution lost(world_.clock.now(), world_.plan({"a"}), hurried, world_.rng);
    ASSERT_TRUE(next_attempt(lost));
    EXPECT_EQ(world_.breakers.peek_rejection("a")->retry_after, seconds(65)) << "the attempt ends with the call's 60 s";
  }
  Execution lost(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(lost));
  EXPECT_EQ(world_.breakers.peek_rejection("a")->retry_after, seconds(125)) << "2 min, though it may take 10";
}

TEST_F(ExecutionTest, TheErrorToShowIsTheFirstRealOneFromUpstream) {  // FBK-4
  world_.open("a");
  Execution execution(world_.clock.now(), world_.plan({"a", "b", "c", "d"}, World::quick(1)), {}, world_.rng);
  ASSERT_EQ(next_attempt(execution)->target, 1U);
  report_latest(world_.clock.now(), execution, {.outcome = Outcome::failed(Failure::of(Category::network))});
  ASSERT_EQ(next_attempt(execution)->target, 2U);
  report_latest(world_.clock.now(), execution, failed(Category::overloaded));
  ASSERT_EQ(next_attempt(execution)->target, 3U);
  report_latest(world_.clock.now(), execution, failed(Category::service_unavailable));
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().primary_attempt, 2U) << "an answered failure tells more than a broken connection";
}

TEST_F(ExecutionTest, AnErrorAboutTheRequestTellsMoreThanAnEarlierOne) {  // FBK-4, RTY-8.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}, World::quick(1)), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::overloaded));
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::invalid_request));
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().primary_attempt, 2U);
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
}

TEST_F(ExecutionTest, AllTargetsOpenEndsAsCircuitOpenWithTheSoonestRecovery) {  // FBK-2.3, BRK-21.4, RTY-8.2
  world_.open("a");
  world_.clock.advance(seconds(10));
  world_.open("b");
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::circuit_open);
  EXPECT_EQ(execution.record().retry_after, seconds(20));
  EXPECT_EQ(execution.record().attempts_sent, 0U);
}

TEST_F(ExecutionTest, AProbeInFlightIsWaitedForASecondAndNotForItsLease) {  // BRK-21.4
  world_.open("a");
  world_.open("b");
  world_.clock.advance(seconds(30));
  Execution probe(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(probe));
  ASSERT_GT(world_.breakers.peek_rejection("a")->retry_after, seconds(60));
  PlanOptions options = World::quick();
  options.max_recovery_wait = Duration::zero();
  Execution late(world_.clock.now(), world_.plan({"a"}, options), {}, world_.rng);
  EXPECT_FALSE(next_attempt(late));
  EXPECT_EQ(late.record().ending, Ending::circuit_open);
  EXPECT_EQ(late.record().retry_after, seconds(1));
}

TEST_F(ExecutionTest, AnOpenCircuitIsLeftAtOnceNotWaitedFor) {  // RTY-4.1
  PlanOptions options = World::quick(10);
  options.max_total_attempts = 0;
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}, options), {}, world_.rng);
  std::vector<std::uint32_t> order;
  while (const auto attempt = next_attempt(execution)) {
    order.push_back(attempt->target);
    report_latest(world_.clock.now(), execution, attempt->target == 0 ? failed(Category::network) : succeeded());
  }
  // The fifth failure opens the circuit of `a`: no sixth try, and no wait before `b`.
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(execution.record().attempts.back().waited, Duration::zero());
}

TEST_F(ExecutionTest, TheLastTargetsOpenCircuitEndsTheCallAtOnce) {  // RTY-4.5
  Execution execution(world_.clock.now(), world_.plan({"a"}, World::quick(10)), {}, world_.rng);
  std::size_t attempts = 0;
  TimePoint last = world_.clock.now();
  for (; next_attempt(execution); ++attempts) {
    last = world_.clock.now();
    report_latest(last, execution, failed(Category::network));
  }
  EXPECT_EQ(attempts, 5U);
  EXPECT_EQ(execution.record().ending, Ending::retries_exhausted);
  EXPECT_EQ(execution.record().ended, last);
  EXPECT_EQ(execution.record().retry_after, seconds(30));
}

TEST(ExecutionOverAQuickBreaker, AnOpenCircuitIsNotWaitedForWhileAnotherTargetIsLeft) {  // RTY-4.1
  World world({.failure_threshold = 1, .open_time = OpenTime::fixed(milliseconds(1))});
  Execution execution(world.clock.now(), world.plan({"a", "b"}), {}, world.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(execution.next(world.clock.now())));
  report_latest(world.clock.now(), execution, failed(Category::network));
  const Step step = execution.next(world.clock.now());
  ASSERT_TRUE(std::holds_alternative<Attempt>(step));
  EXPECT_EQ(std::get<Attempt>(step).target, 1U);
}

TEST(ExecutionOverAQuickBreaker, ACircuitThatAdmitsByTheEndOfTheBackoffIsTriedAgain) {  // RTY-4.2
  World world({.failure_threshold = 1, .open_time = OpenTime::fixed(milliseconds(500))});
  Execution execution(world.clock.now(), world.plan({"a"}), {}, world.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(execution.next(world.clock.now())));
  report_latest(world.clock.now(), execution, failed(Category::network));
  ASSERT_EQ(world.breakers.snapshot("a").state, CircuitState::open);
  world.clock.advance_to(std::get<WaitUntil>(execution.next(world.clock.now())).time);
  const Step again = execution.next(world.clock.now());
  ASSERT_TRUE(std::holds_alternative<Attempt>(again));
  EXPECT_TRUE(std::get<Attempt>(again).probe);
}

TEST_F(ExecutionTest, AWaitThatDoesNotFitTheDeadlineIsNotBegun) {  // RTY-2, RTY-8.3
  const CallOptions options{.deadline = Deadline::after(world_.clock.now(), seconds(5))};
  Execution execution(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::rate_limit, seconds(30)));
  const Step step = execution.next(world_.clock.now());
  ASSERT_TRUE(std::holds_alternative<Finished>(step));
  EXPECT_EQ(execution.record().ending, Ending::deadline_exceeded);
  EXPECT_EQ(execution.record().duration(), Duration::zero());
}

TEST_F(ExecutionTest, AHintBeyondTheDeadlineFallsBackInstead) {  // RTY-2, FBK-1.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::rate_limit, minutes(5)));
  EXPECT_EQ(next_attempt(execution)->target, 1U);
  EXPECT_EQ(execution.record().attempts.back().waited, Duration::zero());
}

TEST_F(ExecutionTest, AHintOfMoreThanAMinuteIsToldAndNotWaitedFor) {  // RTY-2
  const auto ending_after = [&](const char* target, Duration hint) {
    Execution execution(world_.clock.now(), world_.plan({target}), {}, world_.rng);
    EXPECT_TRUE(next_attempt(execution));
    report_latest(world_.clock.now(), execution, failed(Category::rate_limit, hint));
    const Step step = execution.next(world_.clock.now());
    return std::holds_alternative<Finished>(step) ? std::optional(execution.record().ending) : std::nullopt;
  };
  EXPECT_EQ(ending_after("a", minutes(1)), std::nullopt) << "it waits";
  EXPECT_EQ(ending_after("b", minutes(1) + milliseconds(1)), Ending::retries_exhausted);
}

TEST_F(ExecutionTest, NothingStartsAfterTheDeadline) {  // RTY-3.1
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  world_.clock.advance(minutes(10));
  report_latest(world_.clock.now(), execution, failed(Category::timeout));
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::deadline_exceeded);
  EXPECT_EQ(execution.record().attempts_sent, 1U);
}

TEST_F(ExecutionTest, TheSoonerOfTheCallersDeadlineAndThePlansHolds) {  // RTY-3.1
  for (const auto& [callers, plans] : {std::pair(seconds(5), seconds(60)), std::pair(seconds(60), seconds(5))}) {
    PlanOptions options = World::quick();
    options.overall_deadline = plans;
    const TimePoint begin = world_.clock.now();
    Execution execution(begin, world_.plan({"a"}, options), {.deadline = Deadline::after(begin, callers)}, world_.rng);
    const auto attempt = next_attempt(execution);
    ASSERT_TRUE(attempt);
    EXPECT_EQ(attempt->total_by, begin + seconds(5));
  }
}

TEST_F(ExecutionTest, TheDeadlineBoundsAnAttemptOnlyUntilItsFirstContent) {  // RTY-3.1, RTY-3.4
  const CallOptions options{.streaming = true, .deadline = Deadline::after(world_.clock.now(), seconds(3))};
  Execution execution(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
  const auto attempt = next_attempt(execution);
  ASSERT_TRUE(attempt);
  const TimePoint deadline = options.deadline.time();
  EXPECT_EQ(attempt->connect_by, deadline);
  EXPECT_EQ(attempt->headers_by, deadline);
  EXPECT_EQ(attempt->first_content_by, deadline);
  EXPECT_EQ(attempt->total_by, saturating_add(world_.clock.now(), minutes(10)));
}

TEST_F(ExecutionTest, APlainAttemptIsBoundedByTotalAndDeadline) {  // RTY-3.1, STR-3.1
  Execution execution(world_.clock.now(), world_.plan({"a"}, World::quick(), {.total = seconds(20)}), {}, world_.rng);
  const auto attempt = next_attempt(execution);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(attempt->headers_by, saturating_add(world_.clock.now(), seconds(20)));
  EXPECT_EQ(attempt->total_by, attempt->headers_by);
}

TEST_F(ExecutionTest, AStreamHasALimitForEachStageOfItsAttempt) {  // STR-3.1, RTY-10
  PlanOptions options = World::quick();
  options.overall_deadline = kForever;
  Execution execution(world_.clock.now(), world_.plan({"a"}, options), {.streaming = true}, world_.rng);
  EXPECT_TRUE(execution.deadline().is_never());
  const auto attempt = next_attempt(execution);
  ASSERT_TRUE(attempt);
  const TimePoint now = world_.clock.now();
  EXPECT_EQ(attempt->connect_by, now + seconds(5));
  EXPECT_EQ(attempt->headers_by, now + seconds(30));
  EXPECT_EQ(attempt->first_content_by, now + seconds(60));
  EXPECT_EQ(attempt->total_by, now + minutes(10));
  EXPECT_EQ(attempt->idle, seconds(30));
}

TEST_F(ExecutionTest, ASilentTargetIsNotAskedAgainWhileAnotherIsLeft) {  // RTY-7.3
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {}, world_.rng);
  const AttemptReport silence{.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true};
  // `b` is the last one left, so it is retried.
  EXPECT_EQ(run(execution, silence), (std::vector<std::uint32_t>{0, 1, 1, 1, 1}));
}

TEST_F(ExecutionTest, ANonIdempotentCallIsRetriedOnlyWhenItProvablyDidNotRun) {  // RTY-7.2
  const CallOptions options{.idempotent = false};
  Execution may_have_run(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
  EXPECT_EQ(run(may_have_run, failed(Category::network)).size(), 1U);

  Execution did_not_run(world_.clock.now(), world_.plan({"b"}), options, world_.rng);
  AttemptReport rejected = failed(Category::network);
  rejected.may_have_run = false;
  EXPECT_EQ(run(did_not_run, rejected).size(), 4U);
}

TEST_F(ExecutionTest, CancellingSettlesNeutralAndEndsTheCall) {  // STR-6.1, PIP-7
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  execution.cancel(world_.clock.now());
  EXPECT_FALSE(execution.attempt_in_flight());
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::cancelled);
  const BreakerSnapshot breaker = world_.breakers.snapshot("a");
  EXPECT_EQ(breaker.totals.neutral, 1U);
  EXPECT_EQ(breaker.in_flight, 0U);
}

TEST_F(ExecutionTest, CancellingAProbeFreesItsPlace) {  // STR-6.1
  world_.open("a");
  world_.clock.advance(minutes(60));
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  const auto probe = next_attempt(execution);
  ASSERT_TRUE(probe && probe->probe);
  EXPECT_EQ(world_.breakers.snapshot("a").probes_in_flight, 1U);
  execution.cancel(world_.clock.now());
  EXPECT_EQ(world_.breakers.snapshot("a").probes_in_flight, 0U);
  Execution next(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  const auto another = next_attempt(next);
  EXPECT_TRUE(another && another->probe);
}

TEST_F(ExecutionTest, CancellingDuringAWaitEndsTheCall) {  // STR-6.1
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, failed(Category::network));
  execution.cancel(world_.clock.now());
  EXPECT_TRUE(std::holds_alternative<Finished>(execution.next(world_.clock.now())));
  EXPECT_EQ(execution.record().ending, Ending::cancelled);
}

TEST_F(ExecutionTest, CancellingAfterTheEndChangesNothing) {  // STR-6.1
  Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  report_latest(world_.clock.now(), execution, succeeded());
  execution.cancel(world_.clock.now());
  EXPECT_FALSE(next_attempt(execution));
  EXPECT_EQ(execution.record().ending, Ending::success);
}

TEST_F(ExecutionTest, AnExecutionDestroyedInFlightGivesItsPermitBack) {  // PIP-7, BRK-10.2
  {
    Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
    ASSERT_TRUE(next_attempt(execution));
    EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 1U);
  }
  EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.abandoned, 1U);
}

TEST_F(ExecutionTest, ATimeoutThatTheCallersOwnDeadlineCausedDoesNotCount) {  // BRK-19.4
  for (int i = 0; i < 20; ++i) {
    const CallOptions options{.deadline = Deadline::after(world_.clock.now(), milliseconds(50))};
    Execution execution(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
    ASSERT_TRUE(next_attempt(execution));
    world_.clock.advance(milliseconds(50));
    report_latest(world_.clock.now(), execution, failed(Category::timeout));
    EXPECT_FALSE(next_attempt(execution));
  }
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
}

TEST_F(ExecutionTest, ATimeoutForWhichEarlierAttemptsLeftTooLittleTimeDoesNotCount) {  // BRK-19.4
  const CallOptions options{.streaming = true};
  PlanOptions quick = World::quick(1);
  quick.overall_deadline = seconds(60);
  for (int i = 0; i < 4; ++i) {
    Execution execution(world_.clock.now(), world_.plan({"a", "b"}, quick), options, world_.rng);
    ASSERT_EQ(next_attempt(execution)->target, 0U);
    world_.clock.advance(seconds(55));
    report_latest(world_.clock.now(), execution, failed(Category::timeout));
    ASSERT_EQ(next_attempt(execution)->target, 1U);
    world_.clock.advance(seconds(5));
    report_latest(world_.clock.now(), execution, failed(Category::timeout));
    EXPECT_FALSE(next_attempt(execution));
  }
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 4U);
  EXPECT_EQ(world_.breakers.snapshot("b").consecutive_failures, 0U) << "it got 5 s of the 60 s that it may take";
  EXPECT_EQ(world_.breakers.snapshot("b").totals.neutral, 4U);

  // A limit of its own that passes is its own, whoever went before.
  const AttemptTimeouts short_limits{.first_content = seconds(3)};
  Execution execution(world_.clock.now(), world_.plan({"c", "d"}, quick, short_limits), options, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  world_.clock.advance(seconds(57));
  report_latest(world_.clock.now(), execution, failed(Category::network));
  ASSERT_EQ(next_attempt(execution)->target, 1U);
  world_.clock.advance(seconds(3));
  report_latest(world_.clock.now(), execution, failed(Category::timeout));
  EXPECT_EQ(world_.breakers.snapshot("d").consecutive_failures, 1U);
}

TEST_F(ExecutionTest, ASilenceInTheMiddleOfAnAnswerCountsWhateverTheCallersDeadline) {  // BRK-19.4
  const CallOptions options{.streaming = true, .deadline = Deadline::after(world_.clock.now(), seconds(3))};
  Execution execution(world_.clock.now(), world_.plan({"a"}), options, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  execution.first_content(world_.clock.now(), execution.record().attempts_sent);
  world_.clock.advance(seconds(30));
  report_latest(world_.clock.now(), execution, failed(Category::timeout));
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 1U);
}

TEST_F(ExecutionTest, TimeoutsOfThePlanCount) {  // BRK-19.4
  for (int i = 0; i < 5; ++i) {
    Execution execution(world_.clock.now(), world_.plan({"a"}, World::quick(1)), {}, world_.rng);
    ASSERT_TRUE(next_attempt(execution));
    world_.clock.advance(seconds(60));
    report_latest(world_.clock.now(), execution, failed(Category::timeout));
    EXPECT_FALSE(next_attempt(execution));
  }
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::open);
}

TEST_F(ExecutionTest, AStreamsVerdictIsGivenAtItsEnd) {  // STR-1; success counted when a stream opens
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {.streaming = true}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  execution.first_content(world_.clock.now(), execution.record().attempts_sent);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.succeeded, 0U);
  world_.clock.advance(seconds(2));
  report_latest(world_.clock.now(), execution, failed(Category::network));
  EXPECT_FALSE(next_attempt(execution)) << "a committed answer is not replayed elsewhere";
  EXPECT_EQ(execution.record().ending, Ending::interrupted);
  EXPECT_EQ(execution.record().served_by, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 1U);
}

TEST_F(ExecutionTest, AStreamedProbeClosesAtItsFirstContentAndIsJudgedAgainAtItsEnd) {  // BRK-8.5, STR-1
  world_.open("a");
  world_.clock.advance(seconds(30));
  Execution execution(world_.clock.now(), world_.plan({"a"}), {.streaming = true}, world_.rng);
  const auto attempt = next_attempt(execution);
  ASSERT_TRUE(attempt);
  EXPECT_TRUE(attempt->probe);
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::half_open);
  execution.first_content(world_.clock.now(), execution.record().attempts_sent);
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
  report_latest(world_.clock.now(), execution, failed(Category::network));
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 1U);
}

TEST_F(ExecutionTest, AStreamedProbeClosesAtItsFirstSignOfWorkAndCommitsNothing) {  // BRK-8.5, STR-4
  world_.open("a");
  world_.clock.advance(seconds(30));
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}), {.streaming = true}, world_.rng);
  ASSERT_TRUE(next_attempt(execution)->probe);
  world_.clock.advance(seconds(3));
  EXPECT_TRUE(execution.working(world_.clock.now(), 1));
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
  EXPECT_FALSE(execution.committed());
  report_latest(world_.clock.now(), execution, failed(Category::network));
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 1U) << "the final verdict still counts";
  EXPECT_EQ(execution.record().attempts[0].first_sign, seconds(3));
  EXPECT_FALSE(execution.working(world_.clock.now(), 1)) << "not in flight any more";
}

TEST_F(ExecutionTest, AProbesLeaseIsFiveSecondsLongerThanItsAttemptMayTake) {  // BRK-8.2
  PlanOptions options = World::quick();
  options.overall_deadline = kForever;
  const AttemptTimeouts timeouts{.first_content = seconds(7), .total = seconds(20)};
  world_.open("a");
  world_.open("b");
  world_.clock.advance(seconds(30));
  Execution plain(world_.clock.now(), world_.plan({"a"}, options, timeouts), {}, world_.rng);
  Execution streamed(world_.clock.now(), world_.plan({"b"}, options, timeouts), {.streaming = true}, world_.rng);
  ASSERT_TRUE(next_attempt(plain));
  ASSERT_TRUE(next_attempt(streamed));
  EXPECT_EQ(world_.breakers.peek_rejection("a")->retry_after, seconds(25));
  EXPECT_EQ(world_.breakers.peek_rejection("b")->retry_after, seconds(12));
}

TEST_F(ExecutionTest,
       AProbeThatIsCancelledGivesItsSlotBack) {  // BRK-7.5, BRK-11; a probe lost when its caller is cancelled
  world_.open("a");
  world_.clock.advance(seconds(30));
  {
    Execution execution(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
    ASSERT_TRUE(next_attempt(execution));
    execution.cancel(world_.clock.now());
  }
  Execution second(world_.clock.now(), world_.plan({"a"}), {}, world_.rng);
  EXPECT_TRUE(next_attempt(second));
}

TEST_F(ExecutionTest, ACallKeepsItsPlanThroughASwap) {  // PIP-5
  auto plan = world_.plan({"a", "b"}, World::quick(1));
  Execution execution(world_.clock.now(), plan, {}, world_.rng);
  ASSERT_TRUE(next_attempt(execution));
  plan = world_.plan({"c"});
  report_latest(world_.clock.now(), execution, failed(Category::network));
  const auto attempt = next_attempt(execution);
  ASSERT_TRUE(attempt);
  EXPECT_EQ(execution.plan().targets()[attempt->target].name, "b");
}

TEST(Plan, RefusesBadOptionsWithEveryProblem) {  // CORE-6
  World world;
  PlanOptions options;
  options.retry.max_attempts = 0;
  options.overall_deadline = Duration::zero();
  try {
    const Plan plan("bad",
                    {{.name = "a", .state = world.state("a"), .timeouts = {.idle = Duration::zero()}}, {.name = "b"}},
                    options);
    FAIL() << "accepted";
  } catch (const InvalidOptions& error) {
    ASSERT_EQ(error.problems().size(), 4U) << error.what();
    EXPECT_EQ(error.problems()[0].field, "plan.retry.max_attempts");
    EXPECT_EQ(error.problems()[1].field, "plan.overall_deadline");
    EXPECT_EQ(error.problems()[2].field, "target a.timeouts.idle");
    EXPECT_EQ(error.problems()[3].field, "target b.state");
  }
}

TEST(Plan, ItsDefaultsAreTheStatedOnes) {  // RTY-1.1, RTY-1.2, RTY-3.1, RTY-6.1
  const PlanOptions options;
  EXPECT_EQ(options.retry.max_attempts, 4U);
  EXPECT_EQ(options.retry.jitter, Jitter::full);
  EXPECT_TRUE(options.retry.honor_retry_after);
  EXPECT_EQ(options.overall_deadline, minutes(10));
  EXPECT_EQ(options.retry_after_stay, seconds(2));
  EXPECT_TRUE(options.patience.enabled);
  EXPECT_FALSE(options.patience.fixed);
  EXPECT_EQ(options.max_total_attempts, 8U);
}

TEST(Plan, ChecksEveryLimitOfAnAttempt) {  // CORE-6
  const AttemptTimeouts none{.connect = {}, .headers = {}, .first_content = {}, .idle = {}, .total = {}};
  std::vector<std::string> fields;
  for (const Problem& problem : none.validate()) fields.push_back(problem.field);
  EXPECT_EQ(fields, (std::vector<std::string>{"connect", "headers", "first_content", "idle", "total"}));
}

TEST(Plan, ChecksTheCapOnAttempts) {  // CORE-6
  EXPECT_TRUE(PlanOptions{.max_total_attempts = 1000}.validate().empty());
  EXPECT_EQ(PlanOptions{.max_total_attempts = 1001}.validate().size(), 1U);
}

TEST(Plan, NeedsATarget) {  // CORE-6
  EXPECT_THROW(Plan("empty", {}), InvalidOptions);
}

}  // namespace
}  // namespace fuseboard
