// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a tool guard shows only where the breaker, the bucket and the gate of a tool meet.
#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ToolDetails : public testing::Test {
 protected:
  ManualClock clock_;
};

TEST_F(ToolDetails, ToolsThatAreRefusedTogetherDoNotComeBackTogether) {  // LIM-3
  ToolGuard guard({}, clock_, 7);
  const auto wait_of = [&](const KeyView& tool) {
    while (true) {
      auto permit = guard.try_acquire(tool);
      if (!permit) return *permit.error().retry_after;
      std::move(*permit).settle(ToolOutcome::success);
    }
  };
  EXPECT_NE(wait_of("search"), wait_of("fetch")) << "of one seed, but each by its name";
}

TEST_F(ToolDetails, WhatAToolAskedForIsOverAtItsTime) {  // LIM-4.3
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "search", Failure::of(Category::rate_limit, 7s));
  clock_.advance(7s - 1ns);
  EXPECT_TRUE(guard.peek_rejection("search"));
  EXPECT_EQ(guard.snapshot("search").paused_for, 1ns);
  clock_.advance(1ns);
  EXPECT_FALSE(guard.peek_rejection("search"));
  EXPECT_EQ(guard.snapshot("search").paused_for, 0s);
}

TEST_F(ToolDetails, AResetForgetsWhatAToolAskedFor) {  // BRK-21.2, LIM-4.3
  for (const bool all : {false, true}) {
    ToolGuard guard({.defaults = fragile()}, clock_);
    call(guard, "search", Failure::of(Category::rate_limit, 7s));
    if (all) {
      guard.reset_all();
    } else {
      EXPECT_TRUE(guard.reset("search"));
    }
    EXPECT_FALSE(guard.peek_rejection("search"));
  }
}

TEST_F(ToolDetails, OnlyAHintClosesTheGate) {  // LIM-4.3
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "search", Failure::of(Category::rate_limit));
  EXPECT_FALSE(guard.peek_rejection("search"));
}

TEST_F(ToolDetails, ASlowProbeOfAToolThatSlownessOpenedDoesNotCloseIt) {  // BRK-7.4
  ToolOptions options = fragile();
  options.breaker.slow_call_rate = 0.5;
  options.breaker.slow_call_duration = 1s;
  options.breaker.minimum_calls = 1;
  ToolGuard guard({.defaults = options}, clock_);
  const auto slow = [&] { (void)guard.call("search", [&] { clock_.advance(2s); }); };
  slow();
  ASSERT_EQ(guard.open_count(), 1U);
  clock_.advance(10s);
  slow();
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::open);
  clock_.advance(10s);
  (void)guard.call("search", [&] { clock_.advance(1s); });
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::closed);
}

TEST_F(ToolDetails, APermitThatAnExceptionDropsIsAFailure) {  // BRK-10.3
  ToolGuard guard({.defaults = fragile()}, clock_);
  try {
    const ToolPermit permit = acquired(guard, "search");
    throw std::system_error(std::make_error_code(std::errc::io_error));
  } catch (const std::system_error&) {
  }
  EXPECT_EQ(guard.snapshot("search").circuit.state, CircuitState::open);
  EXPECT_EQ(guard.totals().abandoned, 1U);
}

TEST_F(ToolDetails, WhoeverPausesForRecoveryIsReleasedWithoutTraffic) {  // BRK-16.5
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "search", ToolOutcome::timeout);
  EXPECT_TRUE(guard.should_pause_for_recovery(1));
  clock_.advance(10s);
  EXPECT_FALSE(guard.should_pause_for_recovery(1));
}

TEST_F(ToolDetails, ThrownCancellationsOfEitherNameAreNeutral) {  // BRK-10.6
  ToolGuard guard({.defaults = fragile()}, clock_);
  EXPECT_THROW((void)guard.call("search", [] { throw ToolCancelled(); }), ToolCancelled);
  EXPECT_THROW((void)guard.call("search", [] { throw Cancelled(); }), Cancelled);
  EXPECT_EQ(guard.open_count(), 0U);
  EXPECT_EQ(guard.totals().cancelled, 2U);
}

TEST_F(ToolDetails, EveryRefusalAndResultHasItsCounter) {
  ToolOptions options = fragile();
  options.limit = TokenBucketOptions{.rate = 0.001, .burst = 6.0};
  ToolGuard guard({.defaults = options}, clock_);
  call(guard, "a", ToolOutcome::success);
  call(guard, "a", ToolOutcome::invalid_argument);
  call(guard, "a", ToolOutcome::cancelled);
  call(guard, "b", ToolOutcome::execution_error);
  call(guard, "c", ToolOutcome::timeout);
  call(guard, "d", Failure::of(Category::invalid_request));
  for (int i = 0; i < 3; ++i) call(guard, "a", ToolOutcome::success);
  (void)rejected(guard, "a");
  (void)rejected(guard, "b");
  clock_.advance(10s);
  const ToolPermit probe = acquired(guard, "c");
  (void)rejected(guard, "c");
  const ToolTotals totals = guard.totals();
  EXPECT_EQ(totals.succeeded, 4U);
  EXPECT_EQ(totals.invalid_argument, 1U);
  EXPECT_EQ(totals.cancelled, 1U);
  EXPECT_EQ(totals.execution_error, 1U);
  EXPECT_EQ(totals.timeout, 1U);
  EXPECT_EQ(totals.judged, 1U);
  EXPECT_EQ(totals.rate_limited, 1U);
  EXPECT_EQ(totals.circuit_open, 1U);
  EXPECT_EQ(totals.half_open_busy, 1U);
  EXPECT_EQ(totals.rejected(), 3U);
  EXPECT_EQ(totals.admitted, 10U);
  EXPECT_EQ(totals.transitions.opened, 2U);
  EXPECT_EQ(totals.transitions.half_opened, 1U);
}

TEST_F(ToolDetails, ALookIsAtThePrioritysPrice) {  // LIM-2
  ToolGuard guard({}, clock_);
  for (int i = 0; i < 9; ++i) call(guard, "search", ToolOutcome::success);
  EXPECT_TRUE(guard.peek_rejection("search", Priority::low)) << "one token is left, and low costs two";
  EXPECT_FALSE(guard.peek_rejection("search", Priority::normal));
}

TEST(ToolResults, CodesSayWhatTheyMean) {  // PIP-3
  EXPECT_EQ(outcome_of(std::error_code()), ToolOutcome::success);
  EXPECT_EQ(outcome_of(std::make_error_code(std::errc::timed_out)), ToolOutcome::timeout);
  EXPECT_EQ(outcome_of(std::make_error_code(std::errc::operation_canceled)), ToolOutcome::cancelled);
  EXPECT_EQ(outcome_of(std::make_error_code(std::errc::io_error)), ToolOutcome::execution_error);
}

}  // namespace
}  // namespace fuseboard
