// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A circuit that opens because its target answers nobody, and what an answer does to it [RTY-14.8, BRK-7.6].

#include <gtest/gtest.h>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/breaker/scopes.h"
#include "support.h"

namespace fuseboard {
namespace {

using std::chrono::seconds;

class Silence : public testing::Test {
 protected:
  Transition last() { return breaker_.snapshot().transitions.back(); }
  BreakerPermit admitted() {
    auto permit = breaker_.try_acquire();
    EXPECT_TRUE(permit);
    return std::move(*permit);
  }

  ManualClock clock_;
  CircuitBreaker breaker_{provider_preset(), "target", clock_, 1};
};

TEST_F(Silence, OpensTheCircuitForItsOpenTimeAndSaysWhy) {  // RTY-14.1
  EXPECT_TRUE(breaker_.open_silent());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(last().cause, TransitionCause::silent);
  EXPECT_EQ(name(last().cause), "silent");
  EXPECT_EQ(breaker_.peek_rejection()->retry_after, seconds(30));
  EXPECT_EQ(breaker_.peek_rejection()->last_failure, Category::timeout);
}

TEST_F(Silence, AnAnswerOfWhoWasInFlightClosesTheCircuitAndItsVerdictCountsAfterwards) {  // RTY-14.8, BRK-9, BRK-1.3
  BreakerPermit waiting = admitted();
  breaker_.open_silent();
  waiting.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_EQ(last().cause, TransitionCause::answered);
  std::move(waiting).settle(Outcome::failed(Failure::of(Category::service_unavailable)));
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 1U);
}

TEST_F(Silence, AnAnswerClosesAHalfOpenCircuitTooAndAfterSilentProbes) {  // RTY-14.8, BRK-1.3
  BreakerPermit waiting = admitted();
  breaker_.open_silent();
  clock_.advance(seconds(30));
  BreakerPermit probe = admitted();
  ASSERT_TRUE(probe.is_probe());
  std::move(probe).overtaken();
  ASSERT_EQ(breaker_.state(), CircuitState::open);
  clock_.advance(seconds(30));
  const BreakerPermit second_probe = admitted();
  ASSERT_EQ(breaker_.state(), CircuitState::half_open);
  waiting.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(Silence, ALateAnswerClosesNoCircuitThatOpenedForAnotherCause) {  // BRK-9
  BreakerPermit waiting = admitted();
  for (int i = 0; i < 5; ++i) breaker_.report(Outcome::failed(Failure::of(Category::service_unavailable)));
  ASSERT_EQ(breaker_.state(), CircuitState::open);
  waiting.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(Silence, AnAnswerClosesNothingOnceAProbeHasFailedOtherwise) {  // BRK-9
  BreakerPermit waiting = admitted();
  breaker_.open_silent();
  clock_.advance(seconds(30));
  BreakerPermit probe = admitted();
  std::move(probe).settle(Outcome::failed(Failure::of(Category::service_unavailable)));
  waiting.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(Silence, AnAttemptThatBeganAfterwardsDoesNotClose) {  // BRK-9
  breaker_.open_silent();
  clock_.advance(seconds(30));
  BreakerPermit probe = admitted();
  probe.answered();
  EXPECT_EQ(breaker_.state(), CircuitState::half_open) << "a probe closes by its verdict";
}

TEST_F(Silence, AProbeThatIsOvertakenHasFailedAndSaysSo) {  // BRK-7.6
  breaker_.open_silent();
  clock_.advance(seconds(30));
  BreakerPermit probe = admitted();
  std::move(probe).overtaken();
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(last().from, CircuitState::half_open);
  EXPECT_EQ(name(last().cause), "silent");
  EXPECT_EQ(breaker_.snapshot().totals.failed, 1U);
  EXPECT_EQ(breaker_.snapshot().probes_in_flight, 0U);
}

TEST_F(Silence, AnyOtherAttemptThatIsOvertakenIsNoEvidence) {  // RTY-11.2
  BreakerPermit permit = admitted();
  std::move(permit).overtaken();
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
  EXPECT_EQ(breaker_.snapshot().totals.neutral, 1U);
  EXPECT_EQ(breaker_.snapshot().in_flight, 0U);
}

TEST_F(Silence, OverridesThatAdmitAllHold) {  // RTY-14.9, BRK-13
  breaker_.set_override(OverrideKind::force_closed, "we know");
  EXPECT_FALSE(breaker_.open_silent());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  breaker_.set_override(OverrideKind::metrics_only, "to look at");
  EXPECT_FALSE(breaker_.open_silent());
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "it shows what the breaker would do";
  EXPECT_TRUE(breaker_.try_acquire()) << "and refuses nothing";
}

TEST_F(Silence, ConcernsTheInnermostScope) {  // BRK-22
  BreakerRegistry breakers(provider_preset(), clock_, 1);
  const BreakerScopes scopes({breakers.handle("provider"), breakers.handle("model")});
  breakers.handle("model").open_silent();
  clock_.advance(seconds(30));
  auto probe = scopes.try_acquire();
  ASSERT_TRUE(probe);
  std::move(*probe).overtaken();
  EXPECT_EQ(breakers.snapshot("model").state, CircuitState::open);
  EXPECT_EQ(breakers.snapshot("provider").state, CircuitState::closed);
  EXPECT_EQ(breakers.snapshot("provider").in_flight, 0U);
}

TEST(SilenceThreshold, IsTheFailureThresholdAndAtLeastThreeUnlessItIsSet) {  // RTY-14.1, CORE-6
  EXPECT_EQ(provider_preset().silent_after(), 5U);
  EXPECT_EQ(BreakerOptions{.failure_threshold = 1}.silent_after(), 3U);
  EXPECT_EQ(BreakerOptions{.silence_threshold = 0}.silent_after(), 0U);
  EXPECT_TRUE(BreakerOptions{.silence_threshold = 1000}.validate().empty());
  const Problems problems = BreakerOptions{.silence_threshold = 1001}.validate();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].field, "silence_threshold");
}

}  // namespace
}  // namespace fuseboard
