// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A circuit that an operator or a test moves [BRK-21.5, BRK-21.6, BRK-21.7].
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ByHand : public testing::Test {
 protected:
  TransitionCause last_cause() { return breaker_.snapshot().transitions.back().cause; }

  ManualClock clock_;
  CircuitBreaker breaker_{{.failure_threshold = 2, .open_time = OpenTime::exponential(10s, 2.0, 40s)}, "key", clock_};
};

TEST_F(ByHand, ATripOpensForAnOpenTimeAndItRecoversByItself) {  // BRK-21.5 BRK-1.2
  EXPECT_TRUE(breaker_.trip());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(last_cause(), TransitionCause::operator_trip);
  EXPECT_EQ(name(TransitionCause::operator_trip), "operator_trip");
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
  EXPECT_EQ(rejected(breaker_).last_failure, std::nullopt) << "nothing has failed";
  clock_.advance(10s);
  call(breaker_, Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

// A throttled probe's hint is longer than the open time that a lost one leads to.
TEST_F(ByHand, OneHalfOpenedEarlyIsSaidToRefuseForAsLongAsItDoes) {  // BRK-21.6 BRK-4.4
  trip(breaker_, 2);
  clock_.advance(10s);
  call(breaker_, Outcome::failed(Failure::of(Category::rate_limit, 100s)));
  ASSERT_TRUE(breaker_.half_open());
  auto lost = breaker_.try_acquire(1s);
  ASSERT_TRUE(lost);
  clock_.advance(2s);
  const auto said = breaker_.peek_rejection();
  ASSERT_TRUE(said);
  EXPECT_EQ(said->retry_after, 98s);
  EXPECT_EQ(rejected(breaker_).retry_after, 98s);
}

TEST_F(ByHand, OneWhoseTimeIsOverIsHalfOpenBecauseOfThat) {  // BRK-21.6
  trip(breaker_, 2);
  clock_.advance(10s);
  EXPECT_TRUE(breaker_.half_open());
  EXPECT_EQ(last_cause(), TransitionCause::open_time_elapsed);
}

TEST_F(ByHand, ATripOfACircuitThatRefusesLeavesItAsItIs) {  // BRK-21.5
  trip(breaker_, 2);
  clock_.advance(4s);
  const std::uint64_t generation = breaker_.snapshot().generation;
  EXPECT_FALSE(breaker_.trip());
  EXPECT_EQ(rejected(breaker_).retry_after, 6s);
  EXPECT_EQ(breaker_.snapshot().generation, generation);
}

TEST_F(ByHand, ATripOfACircuitWhoseTimeIsOverBeginsAnother) {  // BRK-21.5
  trip(breaker_, 2);
  clock_.advance(15s);
  EXPECT_TRUE(breaker_.trip());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
  EXPECT_EQ(last_cause(), TransitionCause::operator_trip);
  EXPECT_EQ(breaker_.snapshot().times_opened, 2U);
}

TEST_F(ByHand, ATripOfAHalfOpenCircuitTakesTheProbesAwayAndGrowsNothing) {  // BRK-21.5 BRK-21.7 BRK-9
  trip(breaker_, 2);
  clock_.advance(10s);
  call(breaker_, failed());
  ASSERT_EQ(rejected(breaker_).retry_after, 20s);
  clock_.advance(20s);
  BreakerPermit probe = acquired(breaker_);
  ASSERT_TRUE(probe.is_probe());
  EXPECT_TRUE(breaker_.trip());
  EXPECT_EQ(rejected(breaker_).retry_after, 20s) << "no probe has failed";
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "too late";
  clock_.advance(20s);
  EXPECT_TRUE(acquired(breaker_).is_probe()) << "the place is free";
}

TEST_F(ByHand, ATripBeforeTheGrowthIsForgottenHasTheLastOpenTime) {  // BRK-21.5 BRK-4.3
  trip(breaker_, 2);
  clock_.advance(10s);
  call(breaker_, failed());
  clock_.advance(20s);
  call(breaker_, Outcome::success());
  clock_.advance(39s);
  EXPECT_TRUE(breaker_.trip());
  EXPECT_EQ(rejected(breaker_).retry_after, 20s);
  clock_.advance(20s);
  call(breaker_, Outcome::success());
  clock_.advance(40s);
  EXPECT_TRUE(breaker_.trip());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s) << "closed for long enough";
}

TEST_F(ByHand, WhatWasInFlightBeforeATripIsLate) {  // BRK-21.7 BRK-9
  BreakerPermit before = acquired(breaker_);
  BreakerPermit also_before = acquired(breaker_);
  EXPECT_TRUE(breaker_.trip());
  std::move(before).settle(failed());
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker_);
  std::move(also_before).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(ByHand, HalfOpenLetsAProbeInAtOnce) {  // BRK-21.6 BRK-6 BRK-1.2
  trip(breaker_, 2);
  EXPECT_TRUE(breaker_.half_open());
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  EXPECT_EQ(last_cause(), TransitionCause::operator_half_open);
  EXPECT_EQ(name(TransitionCause::operator_half_open), "operator_half_open");
  BreakerPermit probe = acquired(breaker_);
  EXPECT_TRUE(probe.is_probe());
  EXPECT_EQ(rejected(breaker_).reason, RejectionReason::half_open_busy);
  EXPECT_FALSE(breaker_.half_open()) << "it is";
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_FALSE(breaker_.half_open()) << "a closed one has nothing to probe";
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(ByHand, AProbeLetInEarlyThatFailsShortensNoOpenTime) {  // BRK-21.6 BRK-4.4
  breaker_.apply({.failure_threshold = 2, .open_time = OpenTime::fixed(10s)});
  trip(breaker_, 2);
  clock_.advance(1s);
  EXPECT_TRUE(breaker_.half_open());
  call(breaker_, failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
}

TEST_F(ByHand, AProbeWhoseLeaseIsOverHasFailedBefore) {  // BRK-21.7 BRK-8.3
  trip(breaker_, 2);
  clock_.advance(10s);
  const BreakerPermit lost = acquired(breaker_);
  clock_.advance(61s);
  EXPECT_TRUE(breaker_.half_open()) << "it opened again a second ago";
  EXPECT_EQ(breaker_.snapshot().times_opened, 2U);
  EXPECT_TRUE(acquired(breaker_).is_probe());
}

TEST_F(ByHand, TheAutomaticStateMovesUnderAnOverride) {  // BRK-21.7 BRK-13
  breaker_.set_override(OverrideKind::force_closed, "a test", 5s);
  EXPECT_TRUE(breaker_.trip());
  EXPECT_FALSE(acquired(breaker_).is_probe()) << "forced";
  clock_.advance(5s);
  EXPECT_EQ(rejected(breaker_).retry_after, 5s);
  breaker_.set_override(OverrideKind::force_open, "another");
  EXPECT_TRUE(breaker_.half_open());
  (void)rejected(breaker_);
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_TRUE(acquired(breaker_).is_probe());
}

TEST_F(ByHand, WhoWasRejectedHasReasonToAskAgain) {  // BRK-21.6
  std::vector<std::pair<TransitionCause, bool>> seen;
  const auto subscription =
      breaker_.subscribe([&](const BreakerEvent& event) { seen.emplace_back(event.cause, event.admits_again()); });
  EXPECT_TRUE(breaker_.trip());
  EXPECT_TRUE(breaker_.half_open());
  EXPECT_EQ(seen, (std::vector<std::pair<TransitionCause, bool>>{{TransitionCause::operator_trip, false},
                                                                 {TransitionCause::operator_half_open, true}}));
}

TEST_F(ByHand, ASilentCircuitThatIsTrippedIsNotClosedByALateAnswer) {  // BRK-21.7 RTY-14.8
  BreakerPermit waiting = acquired(breaker_);
  ASSERT_TRUE(breaker_.open_silent());
  EXPECT_TRUE(breaker_.half_open());
  EXPECT_TRUE(breaker_.trip());
  waiting.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(ByHand, KeysOfARegistryAreMovedByName) {  // BRK-21.5 BRK-21.6
  BreakerRegistry registry(BreakerOptions{.open_time = OpenTime::fixed(10s)}, clock_);
  EXPECT_FALSE(registry.half_open("unknown"));
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_TRUE(registry.trip("search")) << "before it is first called";
  EXPECT_FALSE(registry.trip("search"));
  EXPECT_EQ(registry.open_count(), 1U);
  EXPECT_FALSE(registry.try_acquire("search"));
  EXPECT_TRUE(registry.half_open("search"));
  EXPECT_EQ(registry.open_count(), 0U);
  const BreakerHandle handle = registry.handle("search");
  EXPECT_TRUE(handle.trip());
  EXPECT_TRUE(handle.half_open());
  EXPECT_TRUE(acquired(handle).is_probe());
  BreakerRegistry full(BreakerRegistryOptions{.max_keys = 1}, clock_);
  const BreakerHandle held = full.handle("held");
  EXPECT_FALSE(full.trip("too many"));
  EXPECT_FALSE(full.handle("too many").half_open());
}

}  // namespace
}  // namespace fuseboard
