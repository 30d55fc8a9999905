// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where slowness opens a circuit, a slow probe does not close it [BRK-7.4].
#include <gtest/gtest.h>

#include <utility>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSlow = 5s;

class SlowProbe : public testing::Test {
 protected:
  static BreakerOptions options() {
    return {.slow_call_rate = 0.5,
            .slow_call_duration = kSlow,
            .minimum_calls = 2,
            .open_time = OpenTime::exponential(10s, 2.0, 40s)};
  }
  void open_by_slowness(CircuitBreaker& breaker) {
    for (int i = 0; i < 2; ++i) call(breaker, Outcome::success(10s));
    ASSERT_EQ(breaker.state(), CircuitState::open);
    clock_.advance(10s);
  }

  ManualClock clock_;
  CircuitBreaker breaker_{options(), "key", clock_, 1};
};

TEST_F(SlowProbe, OpensTheCircuitAgainForTheNextOpenTime) {  // BRK-7.4, BRK-4.1
  open_by_slowness(breaker_);
  call(breaker_, Outcome::success(kSlow + 1ns));
  const BreakerSnapshot after = breaker_.snapshot();
  EXPECT_EQ(after.state, CircuitState::open);
  EXPECT_EQ(after.remaining, 20s) << "it grows as after a failed probe";
  EXPECT_EQ(after.transitions.back().cause, TransitionCause::probe_slow);
  EXPECT_EQ(name(TransitionCause::probe_slow), "probe_slow");
  EXPECT_EQ(after.last_failure, Category::timeout);
  EXPECT_EQ(after.consecutive_failures, 1U);
  EXPECT_EQ(after.totals.succeeded, 3U) << "to its caller it was an answer";
  EXPECT_EQ(after.probes_in_flight, 0U);
  EXPECT_EQ(after.in_flight, 0U);
}

TEST_F(SlowProbe, OneThatTakesJustTheDurationIsGood) {  // BRK-7.4
  open_by_slowness(breaker_);
  call(breaker_, Outcome::success(kSlow));
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(SlowProbe, OfAStreamIsJudgedByItsFirstContent) {  // BRK-7.4, BRK-8.5
  open_by_slowness(breaker_);
  BreakerPermit stream = acquired(breaker_);
  stream.first_content(kSlow + 1ns);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().remaining, 20s);
  const std::uint64_t generation = breaker_.snapshot().generation;
  std::move(stream).settle(failed());
  EXPECT_EQ(breaker_.snapshot().generation, generation) << "its end is late, and moves nothing";
  EXPECT_EQ(breaker_.snapshot().remaining, 20s);
  EXPECT_EQ(breaker_.snapshot().totals.failed, 1U);

  clock_.advance(20s);
  BreakerPermit quick = acquired(breaker_);
  quick.first_content(kSlow);
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  std::move(quick).settle(Outcome::success(10min));
}

TEST_F(SlowProbe, EndsAPeriodWithOtherProbesInFlight) {  // BRK-7.4, BRK-9
  BreakerOptions two = options();
  two.half_open_max_probes = 2;
  two.half_open_successes = 2;
  CircuitBreaker breaker(two, "key", clock_, 1);
  open_by_slowness(breaker);
  BreakerPermit first = acquired(breaker);
  BreakerPermit second = acquired(breaker);
  std::move(first).settle(Outcome::success(1s));
  std::move(second).settle(Outcome::success(kSlow + 1ns));
  EXPECT_EQ(breaker.state(), CircuitState::open) << "one good and one slow";
}

TEST_F(SlowProbe, IsGoodWhereOnlyFailuresOpenTheCircuit) {  // BRK-7.4
  BreakerOptions by_failures = options();
  by_failures.slow_call_rate.reset();
  by_failures.failure_threshold = 1;
  CircuitBreaker breaker(by_failures, "key", clock_, 1);
  trip(breaker, 1);
  clock_.advance(10s);
  call(breaker, Outcome::success(1h));
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

TEST_F(SlowProbe, ThatIsNeutralOrThrottledIsNoFailureForBeingSlow) {  // BRK-7.4, BRK-7.5, BRK-7.7
  open_by_slowness(breaker_);
  call(breaker_, Outcome::cancelled(1h));
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  call(breaker_, Outcome::failed(Failure::of(Category::rate_limit), 1h));
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_throttled);
  EXPECT_EQ(breaker_.snapshot().remaining, 10s);
}

TEST_F(SlowProbe, OfATargetThatIsAlwaysSlowLetsNoMoreThanProbesThrough) {  // BRK-7.4
  int admitted = 0;
  for (int second = 0; second < 36'000; ++second) {
    if (auto permit = breaker_.try_acquire()) {
      ++admitted;
      std::move(*permit).settle(Outcome::success(10s));
    }
    clock_.advance(1s);
  }
  // Two to open it, probes after 10 s and 20 s, and then one every 40 s.
  EXPECT_EQ(admitted, 2 + 2 + (36'000 - 30) / 40);
}

}  // namespace
}  // namespace fuseboard
