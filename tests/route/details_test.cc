// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of routing and parking shows only where two rules meet.
#include <gtest/gtest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "fuseboard/route/credentials.h"
#include "fuseboard/route/eligibility.h"
#include "fuseboard/route/latency.h"
#include "fuseboard/route/order.h"
#include "fuseboard/route/parking.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint(1h);

Outcome failed(Category category, std::optional<Duration> hint = {}) {
  return Outcome::failed(Failure::of(category, hint));
}

// Parking.

class Parking : public testing::Test {
 protected:
  Parking() { settle(failed(Category::authentication), kStart); }
  void settle(const Outcome& outcome, TimePoint at) { std::move(*gate_.try_pass(at)).settle(at, outcome); }
  bool open(TimePoint at) const { return !gate_.peek_rejection(at); }

  ParkingGate gate_{"openai"};
};

TEST_F(Parking, AProbeThatWasGivenUpFreesNobodyElsesPlaceHoweverItEnds) {  // FBK-6.4
  for (const bool is_dropped : {true, false}) {
    ParkingGate gate("openai");
    std::move(*gate.try_pass(kStart)).settle(kStart, failed(Category::authentication));
    auto stale = gate.try_pass(kStart + 60s);
    const TimePoint later = kStart + 60s + gate.options().probe_lease;
    auto fresh = gate.try_pass(later);
    ASSERT_TRUE(stale && fresh);
    if (is_dropped) {
      *stale = ParkingPass();
    } else {
      std::move(*stale).settle(later, failed(Category::network));
    }
    EXPECT_FALSE(gate.try_pass(later + 1s)) << "the fresh probe is in flight";
    EXPECT_TRUE(gate.snapshot(later + 1s).probe_in_flight);
    std::move(*fresh).settle(later + 1s, Outcome::success());
    EXPECT_FALSE(gate.snapshot(later + 1s).parked);
  }
}

TEST_F(Parking, EndsAtItsTimeAndTheLeaseOfItsProbeToo) {  // FBK-6.3, FBK-6.4
  EXPECT_FALSE(open(kStart + 60s - 1ns));
  EXPECT_TRUE(open(kStart + 60s));
  const auto probe = gate_.try_pass(kStart + 60s);
  ASSERT_TRUE(probe);
  EXPECT_EQ(gate_.peek_rejection(kStart + 61s)->retry_after, 64s) << "what is left of the lease";
  EXPECT_FALSE(open(kStart + 125s - 1ns));
  EXPECT_TRUE(open(kStart + 125s));
}

TEST_F(Parking, SaysSinceWhenForWhatAndHowOften) {  // FBK-6.4
  const TimePoint later = kStart + 60s;
  auto probe = gate_.try_pass(later);
  EXPECT_FALSE(gate_.try_pass(later));
  std::move(*probe).settle(later, failed(Category::quota_exhausted, 10min));
  const ParkingGate::Snapshot snapshot = gate_.snapshot(later);
  EXPECT_TRUE(snapshot.parked);
  EXPECT_EQ(snapshot.parked_since, kStart) << "the first time";
  EXPECT_EQ(snapshot.until, later + 10min);
  EXPECT_EQ(snapshot.category, Category::quota_exhausted) << "the last cause";
  EXPECT_EQ(snapshot.times_parked, 2U);
  EXPECT_EQ(snapshot.probes, 1U);
  EXPECT_EQ(snapshot.denials, 1U);
  EXPECT_FALSE(snapshot.probe_in_flight);
  EXPECT_EQ(gate_.peek_rejection(later)->last_failure, Category::quota_exhausted);
  EXPECT_EQ(gate_.peek_rejection(later)->key, "openai");
}

TEST_F(Parking, AHintOfNothingIsNone) {  // FBK-6.3
  ParkingGate gate("openai");
  std::move(*gate.try_pass(kStart)).settle(kStart, failed(Category::quota_exhausted, 0s));
  EXPECT_EQ(gate.snapshot(kStart).until, kStart + 60s);
}

TEST_F(Parking, OfAPassThatIsNoProbeASuccessUnparksNothing) {  // FBK-6.5
  ParkingGate gate("openai");
  auto before = gate.try_pass(kStart);
  std::move(*gate.try_pass(kStart)).settle(kStart, failed(Category::authentication));
  before->accepted();
  EXPECT_TRUE(gate.snapshot(kStart).parked);
  EXPECT_FALSE(before->is_probe());
  std::move(*before).settle(kStart, Outcome::success());
  EXPECT_TRUE(gate.snapshot(kStart).parked);
}

TEST_F(Parking, AProbeOfAnEarlierParkingProvesNothingOfALaterOne) {  // FBK-6.5
  auto probe = gate_.try_pass(kStart + 60s);
  ASSERT_TRUE(probe && probe->is_probe());
  gate_.unpark();
  settle(failed(Category::authentication), kStart + 61s);
  std::move(*probe).settle(kStart + 62s, Outcome::success());
  EXPECT_TRUE(gate_.snapshot(kStart + 62s).parked) << "it speaks of the old secret";
}

TEST_F(Parking, AProbeThatWasProvenTakesItsLaterRefusalAsAnyPassDoes) {  // FBK-6.4
  auto probe = gate_.try_pass(kStart + 60s);
  probe->accepted();
  EXPECT_FALSE(gate_.snapshot(kStart + 60s).parked);
  std::move(*probe).settle(kStart + 70s, failed(Category::quota_exhausted));
  EXPECT_TRUE(gate_.snapshot(kStart + 70s).parked) << "it speaks of the present";
  EXPECT_EQ(gate_.snapshot(kStart + 70s).parked_since, kStart + 70s);
}

TEST(CredentialGate, UnparkingReachesEveryEndpoint) {  // FBK-6.6
  CredentialGate gate("openai");
  for (std::uint8_t endpoint = 0; endpoint < 3; ++endpoint) {
    Failure of_endpoint = Failure::of(Category::authentication);
    of_endpoint.scope = FailureScope::endpoint;
    std::move(*gate.try_pass(kStart, {.endpoint = endpoint})).settle(kStart, Outcome::failed(of_endpoint));
    EXPECT_TRUE(gate.peek_rejection(kStart, {.endpoint = endpoint}));
  }
  gate.unpark();
  for (std::uint8_t endpoint = 0; endpoint < 3; ++endpoint)
    EXPECT_FALSE(gate.peek_rejection(kStart, {.endpoint = endpoint}));
}

// Who may be asked after a failure.

TEST(Narrowing, AnUnknownWindowOfTheFailedOneIsNoReasonToPassAnybodyBy) {  // FBK-2.6
  const Failure too_long = Failure::of(Category::context_length_exceeded);
  const auto stays = [&](std::optional<std::uint64_t> of_failed, std::optional<std::uint64_t> of_candidate,
                         bool unknown_is_larger) {
    return stays_candidate(too_long, {.context_window = of_failed}, {.context_window = of_candidate},
                           {.unknown_is_larger = unknown_is_larger});
  };
  EXPECT_TRUE(stays(std::nullopt, 8'000, false));
  EXPECT_FALSE(stays(8'000, 8'000, true)) << "as large is not larger";
  EXPECT_TRUE(stays(8'000, 8'001, false));
  EXPECT_FALSE(stays(8'000, std::nullopt, false));
  EXPECT_TRUE(stays(8'000, std::nullopt, true));
}

TEST(Narrowing, AQuotaRulesOutWhoSharesTheCredentialJustAsAuthenticationDoes) {  // FBK-2.5
  const RouteTraits failed_one{.credential = 1};
  for (const Category category : {Category::authentication, Category::quota_exhausted}) {
    EXPECT_FALSE(stays_candidate(Failure::of(category), failed_one, {.credential = 1}, {})) << name(category);
    EXPECT_TRUE(stays_candidate(Failure::of(category), failed_one, {.credential = 2}, {})) << name(category);
  }
  EXPECT_TRUE(stays_candidate(Failure::of(Category::overloaded), failed_one, {.credential = 1}, {}));
}

// The order.

TEST(LeastLatency, OfTwoTheOneInUseLessIsFirst) {  // FBK-1.3, FBK-1.4
  LatencyEstimate slow;
  LatencyEstimate fast;
  slow.begin().settle(kStart, Outcome::success(2s));
  fast.begin().settle(kStart, Outcome::success(1s));
  const std::vector<RouteCandidate> both = {{.weight = 1.0, .latency = &slow}, {.weight = 1.0, .latency = &fast}};
  Rng rng(1);
  EXPECT_EQ(choose_order(kStart, Strategy::least_latency, both, rng)[0], 1U);
  LatencySpan first = fast.begin();
  LatencySpan second = fast.begin();
  EXPECT_EQ(choose_order(kStart, Strategy::least_latency, both, rng)[0], 0U) << "three seconds of load against two";
}

TEST(LatencyEstimate, AFailurePenalisesAtLeastAsMuchAsItsOption) {  // FBK-1.5
  LatencyEstimate latency({.failure_penalty = 7s});
  latency.begin().settle(kStart, failed(Category::overloaded));
  EXPECT_GE(latency.estimate(kStart), 7s - 1ms);
  EXPECT_LE(latency.estimate(kStart), 7s + 1ms);
  LatencyEstimate slower({.failure_penalty = 7s});
  slower.begin().settle(kStart, Outcome::failed(Failure::of(Category::timeout), 30s));
  EXPECT_GE(slower.estimate(kStart), 30s - 10ms);
}

}  // namespace
}  // namespace fuseboard
