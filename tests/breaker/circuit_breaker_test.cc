// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/circuit_breaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;

// Two failures open it for ten seconds.
constexpr BreakerOptions kQuick = {.failure_threshold = 2, .open_time = OpenTime::fixed(10s)};

class CircuitBreakerTest : public testing::Test {
 protected:
  ManualClock clock_;
};

TEST_F(CircuitBreakerTest, ConsecutiveFailuresOpenIt) {  // BRK-2.1
  CircuitBreaker breaker({.failure_threshold = 5}, "key", clock_);
  for (int i = 0; i < 4; ++i) call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, ASuccessClearsTheConsecutiveCount) {  // BRK-3
  CircuitBreaker breaker(kQuick, "key", clock_);
  for (int i = 0; i < 10; ++i) {
    call(breaker, failed());
    call(breaker, Outcome::success());
  }
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 0U);
}

TEST_F(CircuitBreakerTest, NeutralAndThrottledOutcomesChangeNothing) {  // BRK-3
  CircuitBreaker breaker(kQuick, "key", clock_);
  call(breaker, failed());
  for (int i = 0; i < 10; ++i) {
    call(breaker, failed(Category::invalid_request));
    call(breaker, failed(Category::rate_limit));
    call(breaker, Outcome::cancelled());
  }
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, AnOpenCircuitRefusesWithAllItKnows) {  // BRK-21.4
  CircuitBreaker breaker(kQuick, {"openai", "gpt"}, clock_);
  const TimePoint opened = clock_.now();
  trip(breaker, 2);
  clock_.advance(3s);
  const Rejection rejection = rejected(breaker);
  EXPECT_EQ(rejection.reason, RejectionReason::circuit_open);
  EXPECT_EQ(rejection.key, "openai/gpt");
  EXPECT_EQ(rejection.retry_after, 7s);
  EXPECT_EQ(rejection.consecutive_failures, 2U);
  EXPECT_EQ(rejection.opened_at, opened);
  EXPECT_EQ(rejection.last_failure, Category::timeout);
}

TEST_F(CircuitBreakerTest, TheFirstAdmissionAtTheDeadlineIsTheProbe) {  // BRK-5
  CircuitBreaker breaker(kQuick, "key", clock_);
  trip(breaker, 2);
  clock_.advance(10s - 1ns);
  EXPECT_EQ(rejected(breaker).retry_after, 1ns);
  clock_.advance(1ns);
  EXPECT_EQ(breaker.snapshot().state, CircuitState::open) << "asking moves nothing";
  EXPECT_EQ(breaker.snapshot().remaining, 0s);
  const BreakerPermit permit = acquired(breaker);
  EXPECT_TRUE(permit.is_probe());
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
}

TEST_F(CircuitBreakerTest, HalfOpenAdmitsItsProbesAndRefusesTheRest) {  // BRK-6
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_max_probes = 2, .half_open_successes = 2}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  std::vector<BreakerPermit> probes;
  probes.push_back(acquired(breaker));
  clock_.advance(5s);
  probes.push_back(acquired(breaker));
  clock_.advance(1s);
  const Rejection rejection = rejected(breaker);
  EXPECT_EQ(rejection.reason, RejectionReason::half_open_busy);
  EXPECT_EQ(rejection.retry_after, 54s) << "the first lease ends then";
  std::move(probes[0]).settle(Outcome::success());
  EXPECT_TRUE(acquired(breaker).is_probe()) << "a settled probe's slot is free";
}

TEST_F(CircuitBreakerTest, EnoughSuccessfulProbesCloseIt) {  // BRK-7.1
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_successes = 3}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  call(breaker, Outcome::success());
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

TEST_F(CircuitBreakerTest, ProbesOfAnEarlierHalfOpenPeriodDoNotCount) {  // BRK-7.1 BRK-9
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_successes = 2}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  call(breaker, Outcome::success());
  call(breaker, failed());
  clock_.advance(30s);
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
}

TEST_F(CircuitBreakerTest, OneFailedProbeOpensItAgain) {  // BRK-7.2
  CircuitBreaker breaker({.failure_threshold = 5, .half_open_successes = 3}, "key", clock_);
  trip(breaker, 5);
  clock_.advance(30s);
  call(breaker, Outcome::success());
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
  EXPECT_EQ(rejected(breaker).retry_after, 30s);
}

TEST_F(CircuitBreakerTest, ALostProbeCountsAsAFailureAtTheEndOfItsLease) {  // BRK-8.3, BRK-8.4
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(10s), .probe_lease = 20s}, "key",
                         clock_);
  trip(breaker, 1);
  clock_.advance(10s);
  BreakerPermit lost = acquired(breaker);
  clock_.advance(20s - 1ns);
  EXPECT_EQ(rejected(breaker).reason, RejectionReason::half_open_busy);
  clock_.advance(1ns);
  EXPECT_EQ(rejected(breaker).reason, RejectionReason::circuit_open);
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
  clock_.advance(10s);
  BreakerPermit next = acquired(breaker);
  EXPECT_TRUE(next.is_probe());

  std::move(lost).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::half_open) << "the late report changes nothing but totals";
  EXPECT_EQ(breaker.snapshot().totals.succeeded, 1U);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 1U);
  std::move(next).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

TEST_F(CircuitBreakerTest, ALeaseThatEndedUnnoticedOpensFromItsEndAndNotFromTheQuestion) {  // BRK-8.3
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(10s), .probe_lease = 20s}, "key",
                         clock_);
  trip(breaker, 1);
  clock_.advance(10s);
  const BreakerPermit lost = acquired(breaker);
  clock_.advance(25s);
  EXPECT_EQ(breaker.peek_rejection()->retry_after, 5s);
  (void)breaker.snapshot();
  EXPECT_EQ(breaker.state(), CircuitState::half_open) << "asking moves nothing";
  EXPECT_EQ(rejected(breaker).retry_after, 5s);
  clock_.advance(1h);
  EXPECT_TRUE(acquired(breaker).is_probe());
}

TEST_F(CircuitBreakerTest, AReportAfterTheLeaseIsLateEvenIfNobodyAskedMeanwhile) {  // BRK-8.4
  CircuitBreaker breaker({.failure_threshold = 1, .probe_lease = 20s}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  BreakerPermit late = acquired(breaker);
  clock_.advance(20s);
  std::move(late).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, AnAttemptNamesItsOwnLeaseWithinBounds) {  // BRK-8.1
  CircuitBreaker breaker({.failure_threshold = 1}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  const auto probe = breaker.try_acquire(7s);
  EXPECT_EQ(rejected(breaker).retry_after, 7s);
  clock_.advance(7s + 30s);
  const auto forever = breaker.try_acquire(kForever);
  EXPECT_EQ(rejected(breaker).retry_after, kMaxProbeLease) << "no probe may be lost for ever";
  clock_.advance(kMaxProbeLease + 30s);
  const auto negative = breaker.try_acquire(-1s);
  EXPECT_EQ(rejected(breaker).retry_after, kMinProbeLease);
}

TEST_F(CircuitBreakerTest, AStreamedProbeSucceedsAtItsFirstContentAndGoesOnAsAClosedCall) {  // BRK-8.5
  CircuitBreaker breaker({.failure_threshold = 1}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  BreakerPermit stream = acquired(breaker);
  stream.first_content(100ms);
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  EXPECT_FALSE(stream.is_probe());
  EXPECT_EQ(stream.generation(), breaker.snapshot().generation);
  EXPECT_EQ(breaker.snapshot().in_flight, 1U);
  clock_.advance(1h);  // no lease any more
  std::move(stream).settle(failed());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "its end is evidence like that of any call";
  EXPECT_EQ(breaker.snapshot().totals.failed, 2U);
  EXPECT_EQ(breaker.snapshot().totals.succeeded, 0U) << "a call is counted once";
}

TEST_F(CircuitBreakerTest, FirstContentOfACallThatIsNoProbeDoesNothing) {  // BRK-8.5
  CircuitBreaker breaker(kQuick, "key", clock_);
  call(breaker, failed());
  BreakerPermit stream = acquired(breaker);
  stream.first_content(100ms);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U);
  std::move(stream).settle(failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, FirstContentAfterTheLeaseClosesNothing) {  // BRK-8.4
  CircuitBreaker breaker({.failure_threshold = 1}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  BreakerPermit stream = acquired(breaker);
  clock_.advance(60s);
  stream.first_content(60s);
  EXPECT_EQ(breaker.state(), CircuitState::open);
  std::move(stream).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, AStreamThatBreaksWhileMoreProbesAreWantedOpensAgain) {  // BRK-7.2 BRK-8.5
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_successes = 2}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  BreakerPermit stream = acquired(breaker);
  stream.first_content(1s);
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0U);
  std::move(stream).settle(failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, AStreamedProbeCountsOnceTowardsClosing) {  // BRK-7.1 BRK-8.5
  CircuitBreaker breaker({.failure_threshold = 1, .half_open_successes = 2}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  BreakerPermit stream = acquired(breaker);
  stream.first_content(1s);
  std::move(stream).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::half_open);
}

TEST_F(CircuitBreakerTest, EveryTransitionStartsAGeneration) {  // BRK-9
  CircuitBreaker breaker(kQuick, "key", clock_);
  const std::uint64_t first = breaker.snapshot().generation;
  trip(breaker, 2);
  EXPECT_EQ(breaker.snapshot().generation, first + 1);
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker);
  EXPECT_EQ(probe.generation(), first + 2);
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker.snapshot().generation, first + 3);
  breaker.reset();
  EXPECT_EQ(breaker.snapshot().generation, first + 4);
}

TEST_F(CircuitBreakerTest, AFailureOfAnEarlierGenerationCountsInTheTotalsAlone) {  // BRK-9
  CircuitBreaker breaker(kQuick, "key", clock_);
  BreakerPermit early = acquired(breaker);
  trip(breaker, 2);
  clock_.advance(10s);
  call(breaker, Outcome::success());
  std::move(early).settle(failed());
  const BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.consecutive_failures, 0U);
  EXPECT_EQ(snapshot.totals.failed, 3U);
}

TEST_F(CircuitBreakerTest, ASuccessOfAnEarlierGenerationClearsNoCount) {  // BRK-9
  CircuitBreaker breaker(kQuick, "key", clock_);
  BreakerPermit early = acquired(breaker);
  breaker.reset();
  call(breaker, failed());
  std::move(early).settle(Outcome::success());
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U);
}

static_assert(!std::is_copy_constructible_v<BreakerPermit> && !std::is_copy_assignable_v<BreakerPermit>);
static_assert(std::is_nothrow_move_constructible_v<BreakerPermit> && std::is_nothrow_move_assignable_v<BreakerPermit>);

TEST_F(CircuitBreakerTest, APermitIsSettledOnce) {  // BRK-10.1
  CircuitBreaker breaker(kQuick, "key", clock_);
  BreakerPermit permit = acquired(breaker);
  std::move(permit).settle(failed());
  std::move(permit).settle(failed());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(breaker.snapshot().totals.failed, 1U);
  EXPECT_EQ(breaker.snapshot().totals.abandoned, 0U);
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

TEST_F(CircuitBreakerTest, AMovedPermitIsOnePermit) {  // BRK-10.1
  CircuitBreaker breaker(kQuick, "key", clock_);
  {
    BreakerPermit first = acquired(breaker);
    BreakerPermit second = std::move(first);
    BreakerPermit third = acquired(breaker);
    third = std::move(second);  // abandons what it held
    EXPECT_EQ(breaker.snapshot().totals.abandoned, 1U);
  }
  EXPECT_EQ(breaker.snapshot().totals.abandoned, 2U);
  EXPECT_EQ(breaker.snapshot().in_flight, 0U);
}

TEST_F(CircuitBreakerTest, AnAbandonedPermitIsNeutral) {  // BRK-10.2
  CircuitBreaker breaker(kQuick, "key", clock_);
  call(breaker, failed());
  for (int i = 0; i < 5; ++i) (void)acquired(breaker);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U);
  EXPECT_EQ(breaker.snapshot().totals.abandoned, 5U);
}

TEST_F(CircuitBreakerTest, AnAbandonedPermitIsAFailureWhereThatIsSet) {  // BRK-10.2
  CircuitBreaker breaker({.failure_threshold = 2, .abandoned_is_failure = true}, "key", clock_);
  (void)acquired(breaker);
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  (void)acquired(breaker);
  EXPECT_EQ(breaker.state(), CircuitState::open);
  EXPECT_EQ(breaker.snapshot().last_failure, Category::cancelled);
  clock_.advance(30s);
  (void)acquired(breaker);
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, AProbeWhoseCallThrowsHasFailedAndGivesItsPlaceBack) {  // BRK-10.3 BRK-11
  CircuitBreaker breaker({.failure_threshold = 1}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(30s);
  try {
    const BreakerPermit probe = acquired(breaker);
    throw std::runtime_error("the call");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0U);
  EXPECT_EQ(rejected(breaker).retry_after, 30s);
  clock_.advance(30s);
  EXPECT_TRUE(acquired(breaker).is_probe());
}

TEST_F(CircuitBreakerTest, ClosingLeavesNoOldEvidence) {  // BRK-12
  CircuitBreaker breaker(kQuick, "key", clock_);
  trip(breaker, 2);
  clock_.advance(10s);
  call(breaker, Outcome::success());
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "one failure of two";
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, LookSaysWhatAnAdmissionWouldSayAndTakesNothing) {  // BRK-6 FBK-2.4
  CircuitBreaker breaker(kQuick, "key", clock_);
  EXPECT_EQ(breaker.peek_rejection(), std::nullopt);
  trip(breaker, 2);
  EXPECT_EQ(breaker.peek_rejection()->reason, RejectionReason::circuit_open);
  EXPECT_EQ(breaker.peek_rejection()->retry_after, 10s);
  clock_.advance(10s);
  EXPECT_EQ(breaker.peek_rejection(), std::nullopt);
  EXPECT_EQ(breaker.peek_rejection(), std::nullopt);
  EXPECT_EQ(breaker.state(), CircuitState::open);
  const BreakerPermit probe = acquired(breaker);
  EXPECT_EQ(breaker.peek_rejection()->reason, RejectionReason::half_open_busy);
  EXPECT_EQ(breaker.snapshot().denials, 0U) << "a look is no denial";
}

TEST_F(CircuitBreakerTest, ReportsAreEvidenceWhileClosedAndTotalsOtherwise) {  // BRK-21.1
  CircuitBreaker breaker(kQuick, "key", clock_);
  breaker.report(failed());
  breaker.report(Outcome::success());
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 0U);
  breaker.report(failed());
  breaker.report(failed());
  ASSERT_EQ(breaker.state(), CircuitState::open);
  breaker.report(failed());
  breaker.report(Outcome::success());
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker);
  breaker.report(Outcome::success());
  breaker.report(failed());
  breaker.report(failed(Category::rate_limit));
  const BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.state, CircuitState::half_open);
  EXPECT_EQ(snapshot.consecutive_failures, 2U);
  EXPECT_EQ(snapshot.in_flight, 1U);
  EXPECT_EQ(snapshot.totals,
            (BreakerTotals{.admitted = 1, .succeeded = 3, .failed = 5, .throttled = 1, .reported = 9}));
}

TEST_F(CircuitBreakerTest, AResetClearsCountsAndGrowthAndKeepsTotals) {  // BRK-1.2 BRK-21.2
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "key", clock_);
  trip(breaker, 1);
  clock_.advance(5s);
  call(breaker, failed());
  ASSERT_EQ(rejected(breaker).retry_after, 10s);
  breaker.reset();
  BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.state, CircuitState::closed);
  EXPECT_EQ(snapshot.consecutive_failures, 0U);
  EXPECT_EQ(snapshot.totals.failed, 2U);
  EXPECT_EQ(snapshot.denials, 1U);
  EXPECT_EQ(snapshot.times_opened, 2U);
  EXPECT_EQ(snapshot.open_time, 5s);
  trip(breaker, 1);
  EXPECT_EQ(rejected(breaker).retry_after, 5s);
}

TEST_F(CircuitBreakerTest, AResetTakesProbesOutOfTheAccount) {  // BRK-9 BRK-21.2
  CircuitBreaker breaker(kQuick, "key", clock_);
  trip(breaker, 2);
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker);
  breaker.reset();
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 0U);
  std::move(probe).settle(failed());
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 0U);
}

TEST_F(CircuitBreakerTest, ASnapshotTellsAll) {  // BRK-16.1
  CircuitBreaker breaker(kQuick, {"openai", "gpt"}, clock_);
  const TimePoint start = clock_.now();
  call(breaker, Outcome::success());
  call(breaker, failed(Category::rate_limit));
  call(breaker, failed(Category::invalid_request));
  trip(breaker, 2);
  clock_.advance(4s);
  (void)rejected(breaker);
  (void)rejected(breaker);
  const BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.key.view(), KeyView("openai", "gpt"));
  EXPECT_EQ(snapshot.state, CircuitState::open);
  EXPECT_EQ(snapshot.consecutive_failures, 2U);
  EXPECT_EQ(snapshot.totals, (BreakerTotals{.admitted = 5, .succeeded = 1, .failed = 2, .throttled = 1, .neutral = 1}));
  EXPECT_EQ(snapshot.in_flight, 0U);
  EXPECT_EQ(snapshot.open_time, 10s);
  EXPECT_EQ(snapshot.remaining, 6s);
  EXPECT_EQ(snapshot.opened_at, start);
  EXPECT_EQ(snapshot.times_opened, 1U);
  EXPECT_EQ(snapshot.denials, 2U);
  EXPECT_EQ(snapshot.last_denial, start + 4s);
  EXPECT_EQ(snapshot.last_failure, Category::timeout);
  EXPECT_THAT(snapshot.transitions, ElementsAre(Transition{.at = start,
                                                           .from = CircuitState::closed,
                                                           .to = CircuitState::open,
                                                           .cause = TransitionCause::consecutive_failures,
                                                           .generation = snapshot.generation}));
}

TEST_F(CircuitBreakerTest, AFreshSnapshotKnowsNothing) {  // BRK-16.1
  CircuitBreaker breaker(kQuick, "key", clock_);
  const BreakerSnapshot snapshot = breaker.snapshot();
  EXPECT_EQ(snapshot.state, CircuitState::closed);
  EXPECT_EQ(snapshot.totals, BreakerTotals{});
  EXPECT_EQ(snapshot.opened_at, std::nullopt);
  EXPECT_EQ(snapshot.last_denial, std::nullopt);
  EXPECT_EQ(snapshot.last_failure, std::nullopt);
  EXPECT_TRUE(snapshot.transitions.empty());
}

TEST_F(CircuitBreakerTest, TheLastSixteenTransitionsAreKeptOldestFirst) {  // BRK-16.2 CORE-5
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(1s)}, "key", clock_);
  trip(breaker, 1);
  for (int i = 0; i < 10; ++i) {
    clock_.advance(1s);
    call(breaker, failed());
  }
  clock_.advance(1s);
  call(breaker, Outcome::success());
  const BreakerSnapshot snapshot = breaker.snapshot();
  ASSERT_EQ(snapshot.transitions.size(), kTransitionsKept);
  for (std::size_t i = 1; i < kTransitionsKept; ++i) {
    EXPECT_EQ(snapshot.transitions[i].generation, snapshot.transitions[i - 1].generation + 1);
    EXPECT_EQ(snapshot.transitions[i].from, snapshot.transitions[i - 1].to);
    EXPECT_GE(snapshot.transitions[i].at, snapshot.transitions[i - 1].at);
  }
  EXPECT_EQ(snapshot.transitions.back().cause, TransitionCause::probe_succeeded);
  EXPECT_EQ(snapshot.transitions.back().generation, snapshot.generation);
}

TEST_F(CircuitBreakerTest, WhichCategoriesCountIsItsOwnAffair) {  // BRK-19.1, BRK-19.3
  CircuitBreaker breaker({.failure_threshold = 1, .trips_on = {Category::rate_limit}}, "key", clock_);
  call(breaker, failed(Category::timeout));
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  call(breaker, failed(Category::rate_limit));
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(CircuitBreakerTest, EventsTellEveryMoveInOrder) {  // CORE-4.1 BRK-1.1 BRK-1.2 BRK-1.4
  CircuitBreaker breaker(kQuick, "key", clock_);
  std::vector<BreakerEvent> events;
  const auto subscription = breaker.subscribe([&](const BreakerEvent& event) { events.push_back(event); });
  trip(breaker, 2);
  clock_.advance(10s);
  call(breaker, failed());
  clock_.advance(10s);
  call(breaker, Outcome::success());
  breaker.reset();
  std::vector<TransitionCause> causes;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].sequence, i + 1);
    EXPECT_EQ(events[i].key, "key");
    EXPECT_EQ(events[i].from, i == 0 ? CircuitState::closed : events[i - 1].to);
    causes.push_back(events[i].cause);
  }
  EXPECT_THAT(causes, ElementsAre(TransitionCause::consecutive_failures, TransitionCause::open_time_elapsed,
                                  TransitionCause::probe_failed, TransitionCause::open_time_elapsed,
                                  TransitionCause::probe_succeeded, TransitionCause::operator_reset));
  EXPECT_EQ(events[0].open_time, 10s);
  EXPECT_EQ(events[0].last_failure, Category::timeout);
  EXPECT_EQ(events[2].consecutive_failures, 3U);
}

TEST_F(CircuitBreakerTest, AListenerMayCallBackAndThrow) {  // CORE-3 CORE-4.3 CORE-4.4
  CircuitBreaker breaker(kQuick, "key", clock_);
  int heard = 0;
  const auto subscription = breaker.subscribe([&](const BreakerEvent& event) {
    ++heard;
    if (event.to == CircuitState::open) breaker.reset();
    (void)breaker.snapshot();
    throw std::runtime_error("listener");
  });
  trip(breaker, 2);
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  EXPECT_EQ(heard, 2);
}

// Asks the breaker from inside the clock: a breaker that read it under its lock would wait for itself.
class AskingClock final : public Clock {
 public:
  TimePoint now() const noexcept override {
    if (breaker != nullptr && !asking) {
      asking = true;
      (void)breaker->snapshot();
      asking = false;
    }
    return clock.now();
  }
  ManualClock clock;
  CircuitBreaker* breaker = nullptr;
  mutable bool asking = false;
};

TEST(CircuitBreakerLock, IsNeverHeldWhileTheClockIsRead) {  // CORE-3
  AskingClock clock;
  CircuitBreaker breaker(kQuick, "key", clock);
  clock.breaker = &breaker;
  trip(breaker, 2);
  (void)rejected(breaker);
  clock.clock.advance(10s);
  BreakerPermit probe = acquired(breaker);
  (void)breaker.peek_rejection();
  (void)rejected(breaker);
  probe.first_content(1s);
  breaker.report(failed());
  breaker.reset();
  (void)breaker.snapshot();
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

}  // namespace
}  // namespace fuseboard
