// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server's retry-after does to the open time [BRK-4.5, BRK-7.7].
#include <gtest/gtest.h>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

Outcome hinted(Category category, Duration retry_after) { return Outcome::failed(Failure::of(category, retry_after)); }

class RetryHints : public testing::Test {
 protected:
  // Lets the open time pass and fails, or whatever, the probe.
  void probe(const Outcome& outcome) {
    clock_.advance(*rejected(breaker_).retry_after);
    BreakerPermit permit = acquired(breaker_);
    ASSERT_TRUE(permit.is_probe());
    std::move(permit).settle(outcome);
  }

  ManualClock clock_;
  CircuitBreaker breaker_{{.failure_threshold = 2, .open_time = OpenTime::exponential(10s, 2.0, 40s)}, "key", clock_};
};

TEST_F(RetryHints, AreAFloorUnderTheOpenTime) {  // BRK-4.5
  call(breaker_, failed());
  call(breaker_, hinted(Category::overloaded, 25s));
  EXPECT_EQ(rejected(breaker_).retry_after, 25s);
  EXPECT_EQ(breaker_.snapshot().open_time, 25s);
}

TEST_F(RetryHints, NeverShortenIt) {  // BRK-4.4
  call(breaker_, failed());
  call(breaker_, hinted(Category::overloaded, 1s));
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
}

TEST_F(RetryHints, OfAnEarlierFailureInTheRowCountFromWhenTheyWereGiven) {  // BRK-4.5
  call(breaker_, hinted(Category::overloaded, 60s));
  clock_.advance(5s);
  call(breaker_, failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 55s);
}

TEST_F(RetryHints, ALaterOneDoesNotShortenAnEarlierOne) {  // BRK-4.4, known mistake: a cooldown made shorter
  call(breaker_, hinted(Category::overloaded, 60s));
  call(breaker_, hinted(Category::overloaded, 20s));
  EXPECT_EQ(rejected(breaker_).retry_after, 60s);
}

TEST_F(RetryHints, AreForgottenWithASuccess) {  // BRK-4.5
  call(breaker_, hinted(Category::overloaded, 60s));
  call(breaker_, Outcome::success());
  trip(breaker_, 2);
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
}

TEST_F(RetryHints, AreCapped) {  // BRK-4.5
  call(breaker_, failed());
  call(breaker_, hinted(Category::overloaded, kForever));
  EXPECT_EQ(rejected(breaker_).retry_after, 5min);
}

TEST_F(RetryHints, AreIgnoredWhereTheCapIsZero) {  // BRK-4.5
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(10s), .retry_after_max = 0s}, "key",
                         clock_);
  call(breaker, hinted(Category::overloaded, 60s));
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
  clock_.advance(10s);
  call(breaker, hinted(Category::rate_limit, 60s));
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
}

TEST_F(RetryHints, OfAFailedProbeAreAFloorUnderTheGrownTime) {  // BRK-4.5
  trip(breaker_, 2);
  probe(hinted(Category::overloaded, 90s));
  EXPECT_EQ(rejected(breaker_).retry_after, 90s);
  probe(hinted(Category::overloaded, 3s));
  EXPECT_EQ(rejected(breaker_).retry_after, 40s) << "10, 20, 40: the hint was no part of the growth";
}

TEST_F(RetryHints, OfALateFailureMoveNoDeadline) {  // BRK-9
  BreakerPermit late = acquired(breaker_);
  trip(breaker_, 2);
  std::move(late).settle(hinted(Category::overloaded, 60s));
  breaker_.report(hinted(Category::overloaded, 60s));
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
}

TEST_F(RetryHints, OfAThrottledProbeAreTheOpenTimeAndItDoesNotGrow) {  // BRK-7.7
  trip(breaker_, 2);
  probe(hinted(Category::rate_limit, 3s));
  EXPECT_EQ(rejected(breaker_).retry_after, 3s);
  EXPECT_EQ(rejected(breaker_).consecutive_failures, 2U) << "a throttle is no failure";
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_throttled);
  probe(hinted(Category::rate_limit, 1h));
  EXPECT_EQ(rejected(breaker_).retry_after, 5min);
  probe(failed());
  EXPECT_EQ(rejected(breaker_).retry_after, 20s) << "the first growth";
}

TEST_F(RetryHints, AProbeThrottledWithoutOneWaitsTheCurrentOpenTime) {  // BRK-7.7
  trip(breaker_, 2);
  probe(failed());
  for (int i = 0; i < 3; ++i) {
    probe(failed(Category::rate_limit));
    EXPECT_EQ(rejected(breaker_).retry_after, 20s);
  }
  probe(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(RetryHints, AThrottleOfAClosedCircuitOpensNothing) {  // BRK-3
  for (int i = 0; i < 20; ++i) call(breaker_, hinted(Category::rate_limit, 60s));
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  trip(breaker_, 2);
  EXPECT_EQ(rejected(breaker_).retry_after, 10s) << "nor is it a floor: the limiter sees to it";
}

}  // namespace
}  // namespace fuseboard
