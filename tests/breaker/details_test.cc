// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a breaker shows only where two of its rules meet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr BreakerOptions kThreeProbes = {.failure_threshold = 1,
                                         .half_open_max_probes = 3,
                                         .half_open_successes = 3,
                                         .open_time = OpenTime::exponential(10s, 2.0, 40s)};

class BreakerDetails : public testing::Test {
 protected:
  // Half-open, with as many probes as it lets in.
  std::vector<BreakerPermit> probes(CircuitBreaker& breaker, int number) {
    trip(breaker, 1);
    clock_.advance(10s);
    std::vector<BreakerPermit> probes;
    for (int i = 0; i < number; ++i) probes.push_back(acquired(breaker));
    return probes;
  }

  ManualClock clock_;
};

// Leases.

TEST_F(BreakerDetails, FewerProbesAtOnceLeaveTheLeasesOfThoseInFlightAlone) {  // BRK-14, BRK-8.3
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  auto held = probes(breaker, 3);
  BreakerOptions one = kThreeProbes;
  one.half_open_max_probes = 1;
  breaker.apply(one);
  EXPECT_EQ(breaker.snapshot().probes_in_flight, 3U);
  std::move(held[0]).settle(Outcome::success());
  std::move(held[1]).settle(Outcome::success());
  EXPECT_EQ(rejected(breaker).reason, RejectionReason::half_open_busy) << "the third is in flight still";
  clock_.advance(60s);
  EXPECT_TRUE(breaker.peek_rejection()) << "its lease is over";
  (void)rejected(breaker);
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::probe_lease_expired);
  std::move(held[2]).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(BreakerDetails, AnyFailureThatIsToldNoticesALostProbe) {  // BRK-8.3
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  auto held = probes(breaker, 1);
  clock_.advance(65s);
  breaker.report(failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
  EXPECT_EQ(breaker.snapshot().remaining, 15s) << "opened when the lease ended, five seconds ago, for 20 s";
}

TEST_F(BreakerDetails, AStreamThatFailsAfterAnotherProbeWasLostIsLate) {  // BRK-8.3, BRK-9
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  auto held = probes(breaker, 2);
  held[0].first_content(1s);
  clock_.advance(65s);
  std::move(held[0]).settle(failed(Category::overloaded));
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::probe_lease_expired);
  EXPECT_EQ(breaker.snapshot().remaining, 15s);
  EXPECT_EQ(breaker.snapshot().last_failure, Category::timeout);
}

TEST_F(BreakerDetails, TheProbeThatIsLostFirstIsTheOneThatEndsThePeriod) {  // BRK-8.3
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  trip(breaker, 1);
  clock_.advance(10s);
  auto late = breaker.try_acquire(30s);
  auto early = breaker.try_acquire(5s);
  ASSERT_TRUE(late && early);
  BreakerPermit third = acquired(breaker);
  EXPECT_EQ(rejected(breaker).retry_after, 5s) << "the first lease to end";
  clock_.advance(5s);
  EXPECT_EQ(rejected(breaker).retry_after, 20s);
}

// Growth.

TEST_F(BreakerDetails, EachOfALostAFailedAndASlowProbeGrowsTheOpenTimeToItsCap) {  // BRK-4.1, BRK-7.2, BRK-7.4
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  trip(breaker, 1);
  for (const Duration expected : {20s, 40s, 40s}) {
    clock_.advance(breaker.snapshot().remaining);
    call(breaker, failed());
    EXPECT_EQ(breaker.snapshot().remaining, expected);
  }
}

TEST_F(BreakerDetails, WhatAClosedCircuitSaysOfItsNextOpenTimeForgetsInTime) {  // BRK-4.3, BRK-16.1
  BreakerOptions options = kThreeProbes;
  options.half_open_successes = 1;
  CircuitBreaker breaker(options, "key", clock_);
  trip(breaker, 1);
  clock_.advance(10s);
  call(breaker, failed());
  clock_.advance(20s);
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.snapshot().open_time, 20s);
  clock_.advance(40s - 1ns);
  EXPECT_EQ(breaker.snapshot().open_time, 20s);
  clock_.advance(1ns);
  EXPECT_EQ(breaker.snapshot().open_time, 10s);
}

// Saved states.

TEST_F(BreakerDetails, ARestoredOpenTimeStaysWithinTheOptions) {  // BRK-15, CORE-7
  const auto next_open_time = [&](Duration saved) {
    CircuitBreaker breaker(kThreeProbes, "key", clock_);
    EXPECT_TRUE(breaker.restore({.key = Key("key"), .state = CircuitState::open, .open_base = saved}));
    call(breaker, failed());
    return breaker.snapshot().remaining;
  };
  EXPECT_EQ(next_open_time(15s), 30s);
  EXPECT_EQ(next_open_time(10h), 40s);
  EXPECT_EQ(next_open_time(1s), 20s);
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  ASSERT_TRUE(breaker.restore({.key = Key("key"), .open_base = 10h}));
  EXPECT_EQ(breaker.snapshot().open_time, 40s);
}

TEST_F(BreakerDetails, ARestoredOverrideEndsWhenItWouldHave) {  // BRK-15, BRK-13
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  ASSERT_TRUE(breaker.restore({.key = Key("key"),
                               .override_in_force = BreakerOverride{
                                   .kind = OverrideKind::force_open, .reason = "maintenance", .remaining = 40s}}));
  EXPECT_EQ(breaker.snapshot().override_in_force->remaining, 40s);
  clock_.advance(40s - 1ns);
  EXPECT_TRUE(breaker.peek_rejection());
  clock_.advance(1ns);
  EXPECT_FALSE(breaker.peek_rejection());
  EXPECT_TRUE(breaker.try_acquire());
}

TEST_F(BreakerDetails, ARestoredOverrideWithoutATimeStaysUntilItIsLifted) {  // BRK-15, BRK-13
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  ASSERT_TRUE(breaker.restore(
      {.key = Key("key"), .override_in_force = BreakerOverride{.kind = OverrideKind::force_open, .reason = "x"}}));
  clock_.advance(10'000h);
  EXPECT_EQ(rejected(breaker).retry_after, std::nullopt);
  EXPECT_TRUE(breaker.lift_override());
}

TEST_F(BreakerDetails, ARestoredTimeOfAnOverrideIsBelievedForAYearAtMost) {  // BRK-15, CORE-7
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  ASSERT_TRUE(breaker.restore(
      {.key = Key("key"),
       .override_in_force = BreakerOverride{.kind = OverrideKind::force_open, .reason = "x", .remaining = kForever}}));
  EXPECT_EQ(rejected(breaker).retry_after, 365 * 24h);
}

TEST_F(BreakerDetails, OnlyWhatDiffersFromANewKeyIsWorthSaving) {  // BRK-15
  BreakerRegistry registry(kThreeProbes, clock_, 1);
  registry.report("fine", Outcome::success());
  registry.report("open", failed());
  ASSERT_TRUE(registry.set_override("forced", OverrideKind::force_closed, "x"));
  // Closed again, with an open time that has grown.
  registry.report("grown", failed());
  clock_.advance(10s);
  std::move(*registry.try_acquire("grown")).settle(failed());
  clock_.advance(20s);
  for (int i = 0; i < 3; ++i) std::move(*registry.try_acquire("grown")).settle(Outcome::success());
  std::vector<std::string> saved;
  for (const SavedBreaker& state : registry.save()) saved.push_back(to_text(state.key.view()));
  EXPECT_THAT(saved, ElementsAre("open", "forced", "grown"));
}

// What is told.

TEST_F(BreakerDetails, AnEventOfAnOpeningSaysForHowLongAndUnderWhichOverride) {  // CORE-4.1, BRK-13
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  std::vector<BreakerEvent> events;
  const Subscription subscription = breaker.subscribe([&](const BreakerEvent& event) { events.push_back(event); });
  breaker.set_override(OverrideKind::metrics_only, "trial", 5min);
  call(breaker, failed(Category::overloaded));
  clock_.advance(10s);
  BreakerPermit probe = acquired(breaker);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, BreakerEventKind::override_set);
  EXPECT_EQ(events[0].open_time, 0s);
  EXPECT_EQ(events[1].kind, BreakerEventKind::transition);
  EXPECT_EQ(events[1].open_time, 10s);
  EXPECT_EQ(events[1].last_failure, Category::overloaded);
  EXPECT_EQ(events[1].consecutive_failures, 1U);
  EXPECT_EQ(events[1].override_in_force->remaining, 5min);
  EXPECT_EQ(events[2].to, CircuitState::half_open);
  EXPECT_EQ(events[2].open_time, 0s);
  EXPECT_EQ(events[2].at, clock_.now());
}

TEST_F(BreakerDetails, TheTotalsOfARegistryAreThoseOfAllItsKeys) {  // BRK-16.4
  BreakerOptions options = kThreeProbes;
  options.half_open_successes = 1;
  BreakerRegistry registry(options, clock_, 1);
  for (const char* key : {"a", "b"}) registry.report(key, failed());
  clock_.advance(10s);
  std::move(*registry.try_acquire("a")).settle(Outcome::success());
  EXPECT_TRUE(registry.reset("b"));
  EXPECT_TRUE(registry.reset("b")) << "of a closed circuit, which is no closing";
  EXPECT_EQ(registry.transitions(), (TransitionTotals{.opened = 2, .half_opened = 1, .closed = 2}));
  EXPECT_EQ(registry.open_count(), 0U);
}

TEST_F(BreakerDetails, ADenialIsDatedByTheLatest) {  // BRK-16.1
  CircuitBreaker breaker(kThreeProbes, "key", clock_);
  trip(breaker, 1);
  EXPECT_EQ(breaker.snapshot().last_denial, std::nullopt);
  (void)rejected(breaker);
  clock_.advance(3s);
  (void)breaker.reject_if_open();
  EXPECT_EQ(breaker.snapshot().last_denial, clock_.now());
  EXPECT_EQ(breaker.snapshot().denials, 2U);
}

TEST_F(BreakerDetails, AResetForgetsWhatAServerAskedFor) {  // BRK-21.2, BRK-4.5
  CircuitBreaker breaker({.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, "key", clock_);
  call(breaker, Outcome::failed(Failure::of(Category::overloaded, 100s)));
  breaker.reset();
  trip(breaker, 2);
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
}

}  // namespace
}  // namespace fuseboard
