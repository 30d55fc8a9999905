// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where a share of failed probes decides, and not the first that fails [BRK-7.3].
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ProbeShare : public testing::Test {
 protected:
  static BreakerOptions options() {
    return {.failure_threshold = 1,
            .half_open_max_probes = 4,
            .half_open_successes = 1,
            .half_open_failure_rate = 0.5,
            .open_time = OpenTime::exponential(10s, 2.0, 40s),
            .probe_lease = 5s};
  }
  void half_open() {
    call(breaker_, failed());
    ASSERT_EQ(breaker_.state(), CircuitState::open);
    clock_.advance(10s);
  }
  void probes(std::initializer_list<bool> ends) {
    for (const bool good : ends) call(breaker_, good ? Outcome::success() : failed());
  }

  ManualClock clock_;
  CircuitBreaker breaker_{options(), "key", clock_, 1};
};

TEST_F(ProbeShare, DecidesOnceAllAreSettled) {  // BRK-7.3
  half_open();
  probes({false, true, true});
  EXPECT_EQ(breaker_.state(), CircuitState::half_open) << "neither the first failure nor the first success decides";
  probes({true});
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_succeeded);
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(ProbeShare, OpensAgainWhereAtLeastThatShareFailed) {  // BRK-7.3, BRK-4.1
  half_open();
  probes({false, true, false});
  EXPECT_EQ(breaker_.state(), CircuitState::half_open) << "it is decided together, though it could not end otherwise";
  probes({true});
  const BreakerSnapshot after = breaker_.snapshot();
  EXPECT_EQ(after.state, CircuitState::open) << "2 of 4 are 0.5";
  EXPECT_EQ(after.remaining, 20s) << "it grows as after a failed probe";
  EXPECT_EQ(after.transitions.back().cause, TransitionCause::probe_failed);
  clock_.advance(20s);
  probes({true, false, true});
  EXPECT_EQ(breaker_.state(), CircuitState::half_open) << "each period begins with none";
  probes({true});
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(ProbeShare, IsComparedAsItWasWritten) {  // BRK-7.3
  BreakerOptions exact = options();
  exact.half_open_max_probes = 25;
  exact.half_open_failure_rate = 0.28;
  breaker_.apply(exact);
  half_open();
  for (int i = 0; i < 25; ++i) probes({i >= 7});
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "7 of 25 are 0.28, though 0.28 * 25 is more than 7";
}

TEST_F(ProbeShare, LetsThroughNoMoreThanDecide) {  // BRK-7.3, BRK-7.5
  half_open();
  probes({true, true});
  BreakerPermit third = acquired(breaker_);
  BreakerPermit fourth = acquired(breaker_);
  EXPECT_EQ(rejected(breaker_).reason, RejectionReason::half_open_busy);
  EXPECT_EQ(breaker_.peek_rejection()->reason, RejectionReason::half_open_busy);
  std::move(third).settle(Outcome::failed(Failure::of(Category::invalid_request)));
  EXPECT_FALSE(breaker_.peek_rejection()) << "a neutral one gives its place to another";
  std::move(fourth).settle(Outcome::success());
  probes({false});
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(ProbeShare, CountsALostProbeAsOneThatFailedAtTheEndOfItsLease) {  // BRK-7.3, BRK-8.3, BRK-8.4
  half_open();
  BreakerPermit lost = acquired(breaker_);
  clock_.advance(2s);
  BreakerPermit later = acquired(breaker_);
  probes({true});
  clock_.advance(4s);
  EXPECT_FALSE(breaker_.peek_rejection()) << "one is lost, one is in flight, one succeeded: there is room for a fourth";
  BreakerPermit fourth = acquired(breaker_);
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  EXPECT_EQ(rejected(breaker_).retry_after, 1s) << "until the lease of the second ends";
  std::move(lost).settle(Outcome::success());
  EXPECT_EQ(breaker_.snapshot().probes_in_flight, 2U) << "late";
  clock_.advance(10s);
  ASSERT_TRUE(breaker_.peek_rejection());
  EXPECT_EQ(breaker_.peek_rejection()->reason, RejectionReason::circuit_open);
  EXPECT_EQ(breaker_.peek_rejection()->retry_after, 15s) << "open since the last lease ended, 5 s ago, for 20 s";
  EXPECT_EQ(rejected(breaker_).retry_after, 15s);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_lease_expired);
  std::move(later).settle(Outcome::success());
  std::move(fourth).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(ProbeShare, LostProbesBelowTheShareLetItClose) {  // BRK-7.3, BRK-8.3
  half_open();
  BreakerPermit lost = acquired(breaker_);
  probes({true, true, true});
  clock_.advance(5s);
  EXPECT_FALSE(breaker_.peek_rejection());
  acquired(breaker_).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  std::move(lost).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::closed) << "late";
}

TEST_F(ProbeShare, AStreamThatFailsAfterItsFirstContentIsOneFailureNotTwoProbes) {  // BRK-7.3, BRK-8.5
  half_open();
  BreakerPermit stream = acquired(breaker_);
  stream.first_content(1s);
  std::move(stream).settle(failed());
  probes({true, true});
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  probes({true});
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(ProbeShare, OneThatIsOvertakenHasFailed) {  // BRK-7.3, BRK-7.6, RTY-11.2
  half_open();
  acquired(breaker_).overtaken();
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  probes({true, true});
  acquired(breaker_).overtaken();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_silent);
}

TEST_F(ProbeShare, ASlowProbeHasFailedAndAThrottledOneOpensAtOnce) {  // BRK-7.3, BRK-7.4, BRK-7.7
  BreakerOptions slow = options();
  slow.slow_call_rate = 0.9;
  slow.slow_call_duration = 1s;
  breaker_.apply(slow);
  half_open();
  for (int i = 0; i < 2; ++i) call(breaker_, Outcome::success(2s));
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  probes({true, true});
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_slow);
  clock_.advance(20s);
  call(breaker_, failed(Category::rate_limit));
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_throttled);
}

TEST_F(ProbeShare, AThrottledProbeShortensNoWaitThatAFailedOneWasAskedFor) {  // BRK-4.4, BRK-7.7
  half_open();
  call(breaker_, Outcome::failed(Failure::of(Category::overloaded, 60s)));
  call(breaker_, Outcome::failed(Failure::of(Category::rate_limit, 1s)));
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.snapshot().remaining, 60s);
}

TEST_F(ProbeShare, FewerThatDecideDecideAtOnce) {  // BRK-7.3
  half_open();
  probes({true, true, false});
  BreakerOptions fewer = options();
  fewer.half_open_max_probes = 3;
  bool told = false;
  const Subscription subscription = breaker_.subscribe([&](const BreakerEvent&) { told = true; });
  breaker_.apply(fewer);
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_TRUE(told);
}

TEST_F(ProbeShare, ALookSeesWhatFewerProbesDecide) {  // BRK-7.3, BRK-15
  half_open();
  BreakerPermit first = acquired(breaker_);
  BreakerPermit second = acquired(breaker_);
  clock_.advance(1s);
  BreakerPermit third = acquired(breaker_);
  BreakerOptions fewer = options();
  fewer.half_open_max_probes = 1;
  breaker_.apply(fewer);
  clock_.advance(9s);
  ASSERT_TRUE(breaker_.peek_rejection());
  EXPECT_EQ(breaker_.peek_rejection()->retry_after, 15s) << "open since the first was lost, 5 s ago";
  EXPECT_EQ(rejected(breaker_).retry_after, 15s);
}

TEST_F(ProbeShare, WithoutTheRuleOneThatFailedBeforeOpensAgain) {  // BRK-7.2
  half_open();
  BreakerPermit lost = acquired(breaker_);
  clock_.advance(5s);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(breaker_.peek_rejection());
  acquired(breaker_).overtaken();
  BreakerOptions plain = options();
  plain.half_open_failure_rate = std::nullopt;
  breaker_.apply(plain);
  EXPECT_EQ(breaker_.peek_rejection()->reason, RejectionReason::circuit_open);
  EXPECT_EQ(rejected(breaker_).retry_after, 20s);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::probe_silent);
}

TEST_F(ProbeShare, ItsRangeIsThatOfTheOtherRates) {  // CORE-6
  for (const double rate : {0.0, -0.1, 1.1}) {
    BreakerOptions wrong;
    wrong.half_open_failure_rate = rate;
    ASSERT_EQ(wrong.validate().size(), 1U) << rate;
    EXPECT_EQ(wrong.validate().front().field, "half_open_failure_rate");
  }
}

}  // namespace
}  // namespace fuseboard
