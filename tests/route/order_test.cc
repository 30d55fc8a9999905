// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <numeric>
#include <vector>

#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

std::vector<int> order_of(Strategy strategy, const std::vector<RouteCandidate>& candidates, Rng& rng) {
  const TargetOrder order = choose_order(kStart, strategy, candidates, rng);
  return {order.begin(), order.end()};
}

std::vector<RouteCandidate> weights(std::initializer_list<double> values) {
  std::vector<RouteCandidate> candidates;
  for (const double weight : values) candidates.push_back({.weight = weight});
  return candidates;
}

// Targets whose estimates are these; zero is none.
class Estimates {
 public:
  Estimates(std::initializer_list<Duration> latencies) {
    for (const Duration latency : latencies) {
      LatencyEstimate& estimate = estimates_.emplace_back();
      if (latency != Duration::zero()) estimate.observe(kStart, Outcome::success(latency));
      candidates.push_back({.latency = &estimate});
    }
  }
  LatencyEstimate& operator[](std::size_t i) { return estimates_[i]; }

  std::vector<RouteCandidate> candidates;

 private:
  std::deque<LatencyEstimate> estimates_;
};

TEST(Strategy, HasANameThatLeadsBackToIt) {  // FBK-1.1, FBK-1.2, FBK-1.3
  for (const Strategy strategy : {Strategy::ordered, Strategy::weighted, Strategy::least_latency})
    EXPECT_EQ(strategy_from_name(name(strategy)), strategy);
  EXPECT_EQ(name(Strategy::least_latency), "least_latency");
  EXPECT_FALSE(strategy_from_name("random"));
}

TEST(Ordered, KeepsThePlansOrderWhateverItKnows) {  // FBK-1.1
  Rng rng(1);
  Estimates targets{3s, 1s, 2s};
  targets.candidates[0].weight = 0;
  EXPECT_THAT(order_of(Strategy::ordered, targets.candidates, rng), ElementsAre(0, 1, 2));
  EXPECT_EQ(rng.next(), Rng(1).next()) << "no chance in it";
}

TEST(Weighted, DrawsThePlacesInProportionToTheWeightsThatAreLeft) {  // FBK-1.2
  Rng rng(7);
  const auto candidates = weights({5, 3, 2});
  std::map<std::vector<int>, int> seen;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) ++seen[order_of(Strategy::weighted, candidates, rng)];
  ASSERT_EQ(seen.size(), 6U);
  // P(0, 1, 2) = 5/10 * 3/5, and so on. Five standard deviations of the least likely are 0.5 %.
  const std::map<std::vector<int>, double> expected = {{{0, 1, 2}, 0.5 * 3 / 5}, {{0, 2, 1}, 0.5 * 2 / 5},
                                                       {{1, 0, 2}, 0.3 * 5 / 7}, {{1, 2, 0}, 0.3 * 2 / 7},
                                                       {{2, 0, 1}, 0.2 * 5 / 8}, {{2, 1, 0}, 0.2 * 3 / 8}};
  for (const auto& [order, share] : expected)
    EXPECT_NEAR(static_cast<double>(seen[order]) / kDraws, share, 0.008) << testing::PrintToString(order);
}

TEST(Weighted, AsksAWeightOfZeroOnlyAfterAllOthers) {  // FBK-1.2
  Rng rng(7);
  for (int i = 0; i < 1000; ++i) {
    const auto order = order_of(Strategy::weighted, weights({0, 1e-300, 0, 1e300, 0}), rng);
    EXPECT_THAT(order, ElementsAre(3, 1, 0, 2, 4));
  }
  EXPECT_THAT(order_of(Strategy::weighted, weights({0, 0}), rng), ElementsAre(0, 1));
}

TEST(Weighted, TreatsWhatIsNoPositiveNumberAsZero) {  // FBK-1.2 CORE-6
  Rng rng(7);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(order_of(Strategy::weighted, weights({nan, -1, 1}), rng), ElementsAre(2, 0, 1));
}

TEST(LeastLatency, AsksTheFasterOfTwoFirst) {  // FBK-1.3
  Rng rng(7);
  Estimates targets{3s, 1s};
  for (int i = 0; i < 100; ++i)
    EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 0));
}

TEST(LeastLatency, GivesTheFirstPlaceByThePowerOfTwoChoices) {  // FBK-1.3
  Rng rng(7);
  Estimates targets{4s, 3s, 2s, 1s};
  std::array<int, 4> first{};
  constexpr int kDraws = 60'000;
  for (int i = 0; i < kDraws; ++i) {
    const auto order = order_of(Strategy::least_latency, targets.candidates, rng);
    ++first[static_cast<std::size_t>(order[0])];
    std::vector<int> rest = {3, 2, 1, 0};
    std::erase(rest, order[0]);
    EXPECT_THAT(std::vector<int>(order.begin() + 1, order.end()), ElementsAreArray(rest)) << "the best that is left";
  }
  EXPECT_EQ(first[0], 0) << "the slowest loses against every other";
  // Of the six pairs the fastest wins three, the next two, the third one.
  EXPECT_NEAR(first[3] / double{kDraws}, 3.0 / 6, 0.01);
  EXPECT_NEAR(first[2] / double{kDraws}, 2.0 / 6, 0.01);
  EXPECT_NEAR(first[1] / double{kDraws}, 1.0 / 6, 0.01);
}

TEST(LeastLatency, CountsWhatIsInFlight) {  // FBK-1.4
  Rng rng(7);
  Estimates targets{1s, 3s};
  const LatencySpan one = targets[0].begin();
  const LatencySpan two = targets[0].begin();
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(0, 1)) << "3 s each";
  const LatencySpan three = targets[0].begin();
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 0));
}

TEST(LeastLatency, TriesANewTargetWithOneCallUntilItHasAnswered) {  // FBK-1.6
  Rng rng(7);
  Estimates targets{1s, 0s};
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 0));
  LatencySpan trial = targets[1].begin();
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(0, 1))
      << "one that never answers holds one call, not all";
  std::move(trial).settle(kStart, Outcome::success(100ms));
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 0));
}

// Whatever the end of its first call, a dead new target has an estimate then, and is not the fastest for ever.
TEST(LeastLatency, ANewTargetThatFailsIsNotAskedFirstAgain) {  // FBK-1.6
  for (const CategoryProperties& row : all_categories()) {
    Rng rng(7);
    Estimates targets{1s, 0s};
    std::move(targets[1].begin()).settle(kStart, failed(row.category, 2s));
    EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(0, 1)) << row.name;
  }
}

TEST(LeastLatency, ACandidateWithoutAnEstimateCountsAsNew) {  // FBK-1.6
  Rng rng(7);
  Estimates targets{1s, 1s};
  targets.candidates[1].latency = nullptr;
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 0));
}

TEST(LeastLatency, AsksAWeightOfZeroOnlyAfterAllOthers) {  // FBK-1.3
  Rng rng(7);
  Estimates targets{1s, 2s, 3s};
  targets.candidates[0].weight = 0;
  EXPECT_THAT(order_of(Strategy::least_latency, targets.candidates, rng), ElementsAre(1, 2, 0));
}

TEST(ChooseOrder, NoTargetsAreNoOrder) {  // FBK-1.1
  Rng rng(7);
  for (const Strategy strategy : {Strategy::ordered, Strategy::weighted, Strategy::least_latency})
    EXPECT_THAT(order_of(strategy, {}, rng), IsEmpty());
}

TEST(ChooseOrder, OrdersAsManyTargetsAsAPlanMayHaveAndStopsAtMore) {  // CORE-5
  Rng rng(7);
  const std::vector<RouteCandidate> most(kMaxTargets);
  EXPECT_EQ(order_of(Strategy::weighted, most, rng).size(), kMaxTargets);
  const std::vector<RouteCandidate> more(kMaxTargets + 1);
  EXPECT_DEATH(order_of(Strategy::weighted, more, rng), "more targets than can be ordered");
}

RC_GTEST_PROP(ChooseOrderProperty, IsAPermutationAndTheSameForTheSameSeed, ()) {  // FBK-1.1 FBK-1.2 FBK-1.3 CORE-2
  const auto size = *rc::gen::inRange<std::size_t>(0, kMaxTargets + 1);
  std::deque<LatencyEstimate> estimates;
  std::vector<RouteCandidate> candidates;
  for (std::size_t i = 0; i < size; ++i) {
    RouteCandidate& candidate = candidates.emplace_back();
    candidate.weight = *rc::gen::element(0.0, 0.1, 1.0, 1e6);
    const auto latency = *rc::gen::element<Duration>(-1ns, 0ns, 1ms, 1ms, 5s, kForever);
    if (latency < 0ns) continue;
    candidate.latency = &estimates.emplace_back();
    estimates.back().observe(kStart, Outcome::success(latency));
  }
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  for (const Strategy strategy : {Strategy::ordered, Strategy::weighted, Strategy::least_latency}) {
    Rng rng(seed);
    const std::vector<int> order = order_of(strategy, candidates, rng);
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> all(size);
    std::iota(all.begin(), all.end(), 0);
    RC_ASSERT(sorted == all);
    Rng again(seed);
    RC_ASSERT(order_of(strategy, candidates, again) == order);
    if (strategy == Strategy::ordered) continue;
    RC_ASSERT(std::is_partitioned(order.begin(), order.end(),
                                  [&](int i) { return candidates[static_cast<std::size_t>(i)].weight > 0; }));
  }
}

}  // namespace
}  // namespace fuseboard
