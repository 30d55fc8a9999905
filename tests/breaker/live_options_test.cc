// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Options for live breakers, and states that outlive their process [BRK-14, BRK-15].
#include <gtest/gtest.h>

#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class LiveOptions : public testing::Test {
 protected:
  ManualClock clock_;
  BreakerOptions options_{.failure_threshold = 3, .open_time = OpenTime::exponential(10s, 2.0, 80s)};
  CircuitBreaker breaker_{options_, "key", clock_};
};

TEST_F(LiveOptions, KeepCountsAndPermits) {  // BRK-14
  trip(breaker_, 2);
  BreakerPermit held = acquired(breaker_);
  const std::uint64_t generation = breaker_.snapshot().generation;
  options_.failure_threshold = 2;
  breaker_.apply(options_);
  EXPECT_EQ(breaker_.options(), options_);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 2U);
  EXPECT_EQ(breaker_.snapshot().generation, generation);
  EXPECT_EQ(breaker_.state(), CircuitState::closed) << "judged with the next evidence";
  std::move(held).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(LiveOptions, MoveNoDeadline) {  // BRK-14 BRK-4.4
  trip(breaker_, 3);
  clock_.advance(4s);
  options_.open_time = OpenTime::fixed(1s);
  breaker_.apply(options_);
  EXPECT_EQ(rejected(breaker_).retry_after, 6s);
  clock_.advance(6s);
  call(breaker_, failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 1s);
}

TEST_F(LiveOptions, KeepTheGrowthWithinTheNewBounds) {  // BRK-14
  trip(breaker_, 3);
  for (const Duration open : {10s, 20s}) {
    clock_.advance(open);
    call(breaker_, failed());
  }
  ASSERT_EQ(rejected(breaker_).retry_after, 40s);
  options_.open_time = OpenTime::exponential(10s, 2.0, 30s);
  breaker_.apply(options_);
  clock_.advance(40s);
  call(breaker_, failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 30s);
}

TEST_F(LiveOptions, AFirstOpenTimeThatHasNotGrownIsTheNewOne) {  // BRK-14
  trip(breaker_, 3);
  options_.open_time = OpenTime::exponential(5s, 2.0, 60s);
  breaker_.apply(options_);
  clock_.advance(10s);
  call(breaker_, failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s) << "twice the new one";
}

TEST_F(LiveOptions, AllowMoreOrFewerProbesAtOnce) {  // BRK-14 BRK-6
  trip(breaker_, 3);
  clock_.advance(10s);
  std::vector<BreakerPermit> probes;
  probes.push_back(acquired(breaker_));
  (void)rejected(breaker_);
  options_.half_open_max_probes = options_.half_open_successes = 3;
  breaker_.apply(options_);
  probes.push_back(acquired(breaker_));
  probes.push_back(acquired(breaker_));
  (void)rejected(breaker_);
  options_.half_open_max_probes = 2;
  breaker_.apply(options_);
  std::move(probes[0]).settle(Outcome::success());
  (void)rejected(breaker_);
  std::move(probes[1]).settle(Outcome::success());
  EXPECT_TRUE(acquired(breaker_).is_probe());
  std::move(probes[2]).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(LiveOptions, FewerSuccessesThatCloseWaitForTheNextOne) {  // BRK-14 BRK-7.1
  options_.half_open_successes = 3;
  breaker_.apply(options_);
  trip(breaker_, 3);
  clock_.advance(10s);
  call(breaker_, Outcome::success());
  call(breaker_, Outcome::success());
  options_.half_open_successes = 1;
  breaker_.apply(options_);
  BreakerPermit next = acquired(breaker_);
  EXPECT_EQ(breaker_.state(), CircuitState::half_open) << "judged with the next evidence";
  std::move(next).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(LiveOptions, ChangeWhatCounts) {  // BRK-14 BRK-19.1
  options_.failure_threshold = 1;
  options_.trips_on = {Category::execution_error};
  options_.abandoned_is_failure = true;
  breaker_.apply(options_);
  call(breaker_, failed(Category::timeout));
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  call(breaker_, failed(Category::execution_error));
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  breaker_.reset();
  (void)acquired(breaker_);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(LiveOptions, TurnRulesOnAndOff) {  // BRK-14 BRK-2.2 BRK-2.4
  options_.failure_threshold = 1000;
  BreakerOptions with_rules = options_;
  with_rules.failure_rate = 1.0;
  with_rules.minimum_calls = 2;
  with_rules.stuck_call_age = 60s;
  BreakerPermit before = acquired(breaker_);
  breaker_.apply(with_rules);
  BreakerPermit during = acquired(breaker_);
  clock_.advance(50s);
  EXPECT_EQ(breaker_.snapshot().oldest_in_flight, 50s);
  breaker_.apply(options_);
  BreakerPermit after = acquired(breaker_);
  EXPECT_EQ(breaker_.snapshot().oldest_in_flight, std::nullopt);
  EXPECT_EQ(breaker_.snapshot().window, std::nullopt);
  breaker_.apply(with_rules);
  std::move(before).settle(failed());
  std::move(during).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  std::move(after).settle(failed());
  EXPECT_EQ(breaker_.snapshot().in_flight, 0U);
}

TEST_F(LiveOptions, AWindowKeepsTheNewestCallsThatFit) {  // BRK-14
  options_ = {.failure_threshold = 1000, .failure_rate = 1.0, .minimum_calls = 1, .window = CallWindow::last_calls(6)};
  options_.minimum_calls = 4;
  CircuitBreaker breaker(options_, "key", clock_);
  for (const bool ok : {true, false, true, false, false, true, false}) {
    call(breaker, ok ? Outcome::success() : failed());
  }
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 6, .failures = 4}));
  options_.window = CallWindow::last_calls(4);
  breaker.apply(options_);
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 4, .failures = 3}));
  options_.window = CallWindow::last_calls(100);
  breaker.apply(options_);
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 5, .failures = 3}));
  options_.window = CallWindow::last(60s);
  breaker.apply(options_);
  EXPECT_EQ(breaker.snapshot().window, WindowTotals{}) << "calls say nothing about times";
}

TEST_F(LiveOptions, ATimeWindowKeepsWhatIsYoungEnough) {  // BRK-14
  options_ = {.failure_threshold = 1000, .failure_rate = 1.0, .window = CallWindow::last(60s, 6)};
  CircuitBreaker breaker(options_, "key", clock_);
  for (int i = 0; i < 6; ++i) {
    call(breaker, failed());
    clock_.advance(10s);
  }
  options_.window = CallWindow::last(30s, 3);
  breaker.apply(options_);
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 2, .failures = 2}));
  options_.window = CallWindow::last(1h, 6);
  breaker.apply(options_);
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 2, .failures = 2}));
}

TEST_F(LiveOptions, KeepTheFailuresThatFitWhatTheyAskFor) {  // BRK-14 BRK-2.6
  BreakerOptions options{.failure_threshold = 0, .failures_within = FailuresWithin{.failures = 4, .time = 10s}};
  CircuitBreaker breaker(options, "key", clock_);
  for (int i = 0; i < 3; ++i) {
    call(breaker, failed());
    clock_.advance(1s);
  }
  options.failures_within->failures = 3;
  breaker.apply(options);
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "judged with the next evidence";
  options.failures_within->time = 1s;
  breaker.apply(options);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "two seconds from the second to the fourth";
  options.failures_within->failures = 5;
  options.failures_within->time = 10s;
  breaker.apply(options);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "three were kept";
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(LiveOptions, ThatFirstAskForTimesOfFailuresBeginWithNone) {  // BRK-14 BRK-2.6
  trip(breaker_, 2);
  options_.failure_threshold = 0;
  options_.failures_within = FailuresWithin{.failures = 2, .time = 10s};
  breaker_.apply(options_);
  call(breaker_, failed());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  call(breaker_, failed());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(LiveOptions, ThatLetARunExpireKnowWhenItBegan) {  // BRK-14 BRK-2.7
  trip(breaker_, 2);
  clock_.advance(10s);
  options_.failure_run_expires_after = 5s;
  breaker_.apply(options_);
  call(breaker_, failed());
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 1U);
}

TEST_F(LiveOptions, ThatAreInvalidChangeNothing) {  // BRK-14 CORE-6
  EXPECT_THROW(breaker_.apply({.failure_threshold = 0}), InvalidOptions);
  EXPECT_EQ(breaker_.options(), options_);
}

class SavedState : public LiveOptions {
 protected:
  // A process later, with a clock of its own.
  ManualClock later_{TimePoint(5s)};
  CircuitBreaker next_{options_, "key", later_};
};

TEST_F(SavedState, AnOpenCircuitIsOpenAgainForTheTimeThatRemained) {  // BRK-15
  trip(breaker_, 3);
  clock_.advance(10s);
  call(breaker_, failed(Category::overloaded));
  clock_.advance(5s);
  ASSERT_TRUE(next_.restore(breaker_.save()));
  const Rejection rejection = rejected(next_);
  EXPECT_EQ(rejection.retry_after, 15s);
  EXPECT_EQ(rejection.consecutive_failures, 4U);
  EXPECT_EQ(rejection.opened_at, later_.now() - 5s);
  EXPECT_EQ(rejection.last_failure, Category::overloaded);
  EXPECT_EQ(next_.snapshot().times_opened, 2U);
  EXPECT_EQ(next_.snapshot().transitions.back().cause, TransitionCause::restored);
  later_.advance(15s);
  call(next_, failed());
  EXPECT_EQ(rejected(next_).retry_after, 40s) << "the growth goes on";
}

TEST_F(SavedState, AHalfOpenCircuitIsReadyForAProbe) {  // BRK-15 BRK-5
  trip(breaker_, 3);
  clock_.advance(10s);
  const BreakerPermit lost = acquired(breaker_);
  ASSERT_TRUE(next_.restore(breaker_.save()));
  EXPECT_EQ(next_.state(), CircuitState::open);
  EXPECT_TRUE(acquired(next_).is_probe());
}

TEST_F(SavedState, AClosedCircuitKeepsItsCountAndItsGrowth) {  // BRK-15
  trip(breaker_, 3);
  clock_.advance(10s);
  call(breaker_, failed());
  clock_.advance(20s);
  call(breaker_, Outcome::success());
  trip(breaker_, 2);
  clock_.advance(79s);
  ASSERT_TRUE(next_.restore(breaker_.save()));
  EXPECT_EQ(next_.snapshot().open_time, 20s);
  later_.advance(1s);
  EXPECT_EQ(next_.snapshot().open_time, 10s) << "eighty seconds closed, across the restart";
  call(next_, failed());
  EXPECT_EQ(next_.state(), CircuitState::open);
}

TEST_F(SavedState, ARunOfFailuresIsAsOldAsItWas) {  // BRK-15 BRK-2.7
  options_.failure_run_expires_after = 10s;
  breaker_.apply(options_);
  next_.apply(options_);
  trip(breaker_, 2);
  clock_.advance(6s);
  ASSERT_TRUE(next_.restore(breaker_.save()));
  later_.advance(4s + 1ns);
  call(next_, failed());
  EXPECT_EQ(next_.snapshot().consecutive_failures, 1U);
  later_.advance(1s);
  trip(next_, 2);
  EXPECT_EQ(next_.state(), CircuitState::open);
}

TEST_F(SavedState, AnOverrideComesBackWithItsTime) {  // BRK-15 BRK-13
  breaker_.set_override(OverrideKind::force_open, "maintenance", 60s);
  clock_.advance(20s);
  ASSERT_TRUE(next_.restore(breaker_.save()));
  EXPECT_EQ(rejected(next_).retry_after, 40s);
  EXPECT_EQ(next_.snapshot().override_in_force->reason, "maintenance");
}

TEST_F(SavedState, ALiveCircuitThatIsOpenKnowsBetter) {  // BRK-15 BRK-4.4
  const SavedBreaker saved = breaker_.save();
  trip(next_, 3);
  EXPECT_FALSE(next_.restore(saved));
  EXPECT_EQ(rejected(next_).retry_after, 10s);
}

TEST_F(SavedState, WhatNobodyCouldHaveSavedIsClamped) {  // BRK-15 CORE-7
  ASSERT_TRUE(next_.restore({.key = Key("key"),
                             .state = CircuitState::open,
                             .consecutive_failures = ~0U,
                             .open_base = Duration::min(),
                             .remaining = kForever,
                             .opened_ago = Duration::min()}));
  EXPECT_EQ(rejected(next_).retry_after, 48h);
  later_.advance(48h);
  call(next_, failed());
  EXPECT_EQ(rejected(next_).retry_after, 20s);
}

}  // namespace
}  // namespace fuseboard
