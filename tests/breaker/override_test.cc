// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What operators impose [BRK-13].
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class OverrideTest : public testing::Test {
 protected:
  ManualClock clock_;
  CircuitBreaker breaker_{{.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, "key", clock_};
};

TEST_F(OverrideTest, ForceOpenRefusesAndLeavesTheStateUnderneathAlone) {  // BRK-13
  call(breaker_, failed());
  breaker_.set_override(OverrideKind::force_open, "maintenance");
  EXPECT_EQ(rejected(breaker_).reason, RejectionReason::circuit_open);
  EXPECT_EQ(rejected(breaker_).retry_after, std::nullopt) << "nobody knows when it ends";
  EXPECT_EQ(rejected(breaker_).opened_at, std::nullopt);
  EXPECT_EQ(breaker_.peek_rejection()->retry_after, std::nullopt);
  clock_.advance(1h);
  EXPECT_NE(breaker_.peek_rejection(), std::nullopt);
  const BreakerSnapshot snapshot = breaker_.snapshot();
  EXPECT_EQ(snapshot.state, CircuitState::closed);
  EXPECT_EQ(snapshot.denials, 3U);
  EXPECT_EQ(snapshot.override_in_force, (BreakerOverride{.kind = OverrideKind::force_open, .reason = "maintenance"}));
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_FALSE(breaker_.lift_override());
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 1U);
  call(breaker_, failed());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(OverrideTest, EndsByItselfAfterItsTimeToLive) {  // BRK-13
  breaker_.set_override(OverrideKind::force_open, "maintenance", 60s);
  clock_.advance(20s);
  EXPECT_EQ(rejected(breaker_).retry_after, 40s);
  EXPECT_EQ(breaker_.snapshot().override_in_force->remaining, 40s);
  clock_.advance(40s);
  EXPECT_EQ(breaker_.peek_rejection(), std::nullopt);
  call(breaker_, Outcome::success());
  EXPECT_EQ(breaker_.snapshot().override_in_force, std::nullopt);
  EXPECT_FALSE(breaker_.lift_override());
}

TEST_F(OverrideTest, ForceClosedAdmitsAllAndItsCallsAreNoEvidence) {  // BRK-13
  trip(breaker_, 2);
  breaker_.set_override(OverrideKind::force_closed, "the breaker is wrong");
  EXPECT_EQ(breaker_.peek_rejection(), std::nullopt);
  for (int i = 0; i < 5; ++i) call(breaker_, Outcome::success());
  EXPECT_EQ(breaker_.snapshot().state, CircuitState::open) << "underneath";
  EXPECT_EQ(breaker_.snapshot().totals.succeeded, 5U);
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
  breaker_.reset();
  breaker_.set_override(OverrideKind::force_closed, "again");
  for (int i = 0; i < 5; ++i) call(breaker_, failed());
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_EQ(breaker_.snapshot().consecutive_failures, 0U);
}

TEST_F(OverrideTest, AProbeGrantedBeforeAnOverrideStillCounts) {  // BRK-13 BRK-8.5
  trip(breaker_, 2);
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker_);
  breaker_.set_override(OverrideKind::force_open, "maintenance");
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  (void)rejected(breaker_);
}

TEST_F(OverrideTest, MetricsOnlyMovesAsEverButRefusesNothing) {  // BRK-13
  breaker_.set_override(OverrideKind::metrics_only, "first days in production");
  trip(breaker_, 2);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(breaker_.peek_rejection(), std::nullopt);
  for (int i = 0; i < 5; ++i) call(breaker_, Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "calls that it would have refused are no evidence";
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker_);
  EXPECT_TRUE(probe.is_probe());
  BreakerPermit beside = acquired(breaker_);
  EXPECT_FALSE(beside.is_probe());
  std::move(beside).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  std::move(probe).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_EQ(breaker_.snapshot().denials, 0U);
  trip(breaker_, 2);
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_EQ(rejected(breaker_).retry_after, 10s) << "back to the state underneath";
}

TEST_F(OverrideTest, AResetDoesNotLiftIt) {  // BRK-13 BRK-21.2
  breaker_.set_override(OverrideKind::force_open, "maintenance");
  breaker_.reset();
  (void)rejected(breaker_);
}

TEST_F(OverrideTest, CallsThatForceClosedLetInAreNotStuckAfterwards) {  // BRK-13 BRK-2.4
  CircuitBreaker breaker({.stuck_call_age = 60s}, "key", clock_);
  breaker.set_override(OverrideKind::force_closed, "slow on purpose");
  const BreakerPermit slow = acquired(breaker);
  clock_.advance(100s);
  EXPECT_EQ(breaker.snapshot().state, CircuitState::closed);
  EXPECT_TRUE(breaker.lift_override());
  EXPECT_EQ(breaker.snapshot().state, CircuitState::closed);
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, 100s);
}

TEST_F(OverrideTest, ALostProbeIsLeftAloneWhileAnOverrideDecides) {  // BRK-13 PIP-2
  trip(breaker_, 2);
  clock_.advance(10s);
  const BreakerPermit probe = acquired(breaker_);
  for (const OverrideKind kind : {OverrideKind::force_open, OverrideKind::force_closed}) {
    breaker_.set_override(kind, "a while");
    clock_.advance(60s);
    EXPECT_EQ(breaker_.reject_if_open().has_value(), kind == OverrideKind::force_open);
    EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  }
  breaker_.set_override(OverrideKind::metrics_only, "a look first");
  EXPECT_EQ(breaker_.reject_if_open(), std::nullopt);
  EXPECT_EQ(breaker_.state(), CircuitState::open);
}

TEST_F(OverrideTest, EveryChangeIsAnEvent) {  // BRK-13 CORE-4.1
  std::vector<std::string> heard;
  std::uint64_t sequence = 0;
  const auto subscription = breaker_.subscribe([&](const BreakerEvent& event) {
    EXPECT_EQ(event.sequence, ++sequence);
    std::string text(name(event.kind));
    if (event.override_in_force) text += " " + std::string(name(event.override_in_force->kind));
    heard.push_back(text);
  });
  const std::uint64_t generation = breaker_.snapshot().generation;
  breaker_.set_override(OverrideKind::metrics_only, "a");
  trip(breaker_, 2);
  breaker_.set_override(OverrideKind::force_open, "b", 5s);
  clock_.advance(5s);
  (void)breaker_.peek_rejection();
  (void)breaker_.snapshot();
  breaker_.set_override(OverrideKind::force_closed, "c");
  EXPECT_TRUE(breaker_.lift_override());
  EXPECT_THAT(heard,
              ElementsAre("override_set metrics_only", "transition metrics_only", "override_set force_open",
                          "override_expired force_open", "override_set force_closed", "override_lifted force_closed"));
  EXPECT_EQ(breaker_.snapshot().generation, generation + 1) << "an override is no transition";
}

TEST_F(OverrideTest, ATimeToLiveOutOfRangeIsRefused) {  // CORE-6
  EXPECT_THROW(breaker_.set_override(OverrideKind::force_open, "x", 0s), InvalidOptions);
  EXPECT_THROW(breaker_.set_override(OverrideKind::force_open, "x", kForever), InvalidOptions);
  EXPECT_EQ(breaker_.snapshot().override_in_force, std::nullopt);
}

}  // namespace
}  // namespace fuseboard
