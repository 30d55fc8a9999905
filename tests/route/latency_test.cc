// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/latency.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Time in an estimate goes in steps of 4.2 ms; these whole numbers of them are exact.
constexpr Duration kTick = Duration(std::int64_t{1} << 22);
constexpr TimePoint kExact = TimePoint(kTick * 1000);
constexpr LatencyEstimateOptions kSecondDecay{.decay = kTick * 256, .failure_penalty = kTick * 10'000};

double ns(TimePoint now, const LatencyEstimate& estimate) {
  return static_cast<double>(estimate.estimate(now).value_or(Duration(-1)).count());
}

TEST(LatencyEstimate, KnowsNothingBeforeTheFirstSample) {  // FBK-1.4
  const LatencyEstimate estimate;
  EXPECT_FALSE(estimate.estimate(kStart));
  EXPECT_EQ(estimate.load(kStart), 0.0);
}

TEST(LatencyEstimate, TakesASlowerSampleAtOnce) {  // FBK-1.4
  LatencyEstimate estimate(kSecondDecay);
  estimate.observe(kExact, Outcome::success(kTick));
  EXPECT_EQ(estimate.estimate(kExact), kTick);
  estimate.observe(kExact, Outcome::success(kTick * 64));
  EXPECT_EQ(estimate.estimate(kExact), kTick * 64);
}

TEST(LatencyEstimate, TakesFasterSamplesAsTimeGoesBy) {  // FBK-1.4
  LatencyEstimate estimate(kSecondDecay);
  estimate.observe(kExact, Outcome::success(kTick * 64));
  const TimePoint later = kExact + kSecondDecay.decay;
  estimate.observe(later, Outcome::success(kTick));
  const double tick = static_cast<double>(kTick.count());
  const double left = std::exp(-1.0);
  EXPECT_FLOAT_EQ(static_cast<float>(ns(later, estimate)), static_cast<float>(tick * (64 * left + 1 - left)));
  estimate.observe(later, Outcome::success(kTick));
  EXPECT_FLOAT_EQ(static_cast<float>(ns(later, estimate)), static_cast<float>(tick * (64 * left + 1 - left)))
      << "many samples at one time are no more than one";
}

TEST(LatencyEstimate, FadesInSilenceSoThatATargetIsTriedAgain) {  // FBK-1.4
  LatencyEstimate estimate(kSecondDecay);
  estimate.observe(kExact, failed(Category::service_unavailable));
  EXPECT_EQ(estimate.estimate(kExact), kSecondDecay.failure_penalty);
  const float penalty = static_cast<float>(kSecondDecay.failure_penalty.count());
  EXPECT_FLOAT_EQ(static_cast<float>(ns(kExact + kSecondDecay.decay * 3, estimate)), penalty * std::exp(-3.0F));
  EXPECT_EQ(estimate.estimate(kExact + 1h), 0ns);
}

TEST(LatencyEstimate, AQuickFailureIsSlow) {  // FBK-1.5
  for (const Category category :
       {Category::network, Category::timeout, Category::rate_limit, Category::overloaded, Category::service_unavailable,
        Category::authentication, Category::model_not_found, Category::permission_denied, Category::quota_exhausted,
        Category::resource_exhausted, Category::circuit_open}) {
    LatencyEstimate estimate({.failure_penalty = 30s});
    estimate.observe(kStart, failed(category, 5ms));
    EXPECT_FLOAT_EQ(static_cast<float>(ns(kStart, estimate)), 30e9F) << name(category);
    estimate.observe(kStart, failed(category, 60s));
    EXPECT_FLOAT_EQ(static_cast<float>(ns(kStart, estimate)), 60e9F) << name(category);
  }
}

TEST(LatencyEstimate, WhatTheCallerDidIsNoSampleAndOnlyALowerBound) {  // FBK-1.4
  for (const Category category : {Category::cancelled, Category::invalid_request, Category::context_length_exceeded,
                                  Category::content_policy, Category::execution_error}) {
    LatencyEstimate estimate(kSecondDecay);
    estimate.observe(kExact, Outcome::success(kTick * 8));
    const TimePoint later = kExact + kSecondDecay.decay;
    const double before = ns(later, estimate);
    estimate.observe(later, failed(category, kTick));
    EXPECT_EQ(ns(later, estimate), before) << name(category);
    estimate.observe(later, failed(category, kTick * 4));
    EXPECT_EQ(estimate.estimate(later), kTick * 4) << name(category);
  }
}

TEST(LatencyEstimate, ADepartureOfTheClassifierDecidesWhoseFaultItWas) {  // FBK-1.5
  Outcome crashed = failed(Category::execution_error);
  crashed.failure->evidence = Evidence::counts;
  LatencyEstimate one(kSecondDecay);
  one.observe(kExact, crashed);
  EXPECT_EQ(one.estimate(kExact), kSecondDecay.failure_penalty);
  Outcome ours = failed(Category::resource_exhausted);
  ours.failure->evidence = Evidence::does_not_count;
  LatencyEstimate other(kSecondDecay);
  other.observe(kExact, ours);
  EXPECT_EQ(other.estimate(kExact), 0ns);
}

TEST(LatencyEstimate, LoadGrowsWithWhatIsInFlight) {  // FBK-1.4
  LatencyEstimate estimate(kSecondDecay);
  estimate.observe(kExact, Outcome::success(kTick));
  const double tick = static_cast<double>(kTick.count());
  EXPECT_EQ(estimate.load(kExact), tick);
  {
    const LatencySpan one = estimate.begin();
    LatencySpan two = estimate.begin();
    EXPECT_EQ(estimate.load(kExact), 3 * tick);
    std::move(two).settle(kExact, Outcome::success(kTick));
    EXPECT_EQ(estimate.in_flight(), 1U);
  }
  EXPECT_EQ(estimate.load(kExact), tick) << "a span that is forgotten is over too";
}

TEST(LatencySpan, CountsOnceHoweverItIsMoved) {  // FBK-1.4
  LatencyEstimate a;
  LatencyEstimate b;
  LatencySpan span = a.begin();
  LatencySpan moved = std::move(span);
  EXPECT_EQ(a.in_flight(), 1U);
  moved = b.begin();
  EXPECT_EQ(a.in_flight(), 0U);
  EXPECT_EQ(b.in_flight(), 1U);
  std::move(moved).settle(kStart, Outcome::success(1s));
  std::move(moved).settle(kStart, Outcome::success(9s));
  EXPECT_EQ(b.in_flight(), 0U);
  EXPECT_FLOAT_EQ(static_cast<float>(ns(kStart, b)), 1e9F);
  LatencySpan().settle(kStart, Outcome::success(1s));
}

TEST(LatencyEstimate, AnOlderReadingOfTheClockChangesNoTime) {  // CORE-1
  LatencyEstimate estimate(kSecondDecay);
  const TimePoint later = kExact + kTick * 100;
  estimate.observe(later, Outcome::success(kTick));
  EXPECT_EQ(estimate.estimate(kExact), kTick);
  estimate.observe(kExact, Outcome::success(kTick * 2));
  EXPECT_EQ(estimate.estimate(later), kTick * 2) << "faded from the later reading on";
}

TEST(LatencyEstimate, TheEndsOfTimeAreNoTrouble) {  // CORE-7
  for (const TimePoint t : {TimePoint::min(), TimePoint(), TimePoint::max()}) {
    LatencyEstimate estimate;
    estimate.observe(t, Outcome::success(kForever));
    EXPECT_GT(*estimate.estimate(t), 24h * 365 * 290);
    LatencyEstimate unknown;
    const LatencySpan trial = unknown.begin();
    EXPECT_LT(estimate.load(t), unknown.load(t)) << "an unknown one in use is slower than any";
    LatencyEstimate negative;
    negative.observe(t, Outcome::success(Duration::min()));
    EXPECT_EQ(negative.estimate(t), 0ns);
  }
}

TEST(LatencyEstimate, OptionsAreChecked) {  // CORE-6
  EXPECT_EQ((LatencyEstimateOptions{.decay = 0s, .failure_penalty = -1s}.validate().size()), 2U);
  EXPECT_THROW(LatencyEstimate({.decay = 2h}), InvalidOptions);
}

// A naive double-precision copy, fed the same samples.
RC_GTEST_PROP(LatencyEstimateProperty, AgreesWithANaiveOne, ()) {  // FBK-1.4
  LatencyEstimate estimate(kSecondDecay);
  double value = -1;
  TimePoint at = kExact;
  TimePoint now = kExact;
  const int steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) {
    now += kTick * *rc::gen::element(0, 1, 7, 256, 5000);
    const Duration latency = kTick * *rc::gen::element(1, 2, 100, 9000);
    const double sample = static_cast<double>(latency.count());
    estimate.observe(now, Outcome::success(latency));
    const double left = std::exp(-static_cast<double>((now - at) / kTick) / 256.0);
    value = value < 0 || sample >= value ? sample : value * left + sample * (1 - left);
    at = now;
    RC_ASSERT(std::abs(ns(now, estimate) - value) <= value * 1e-5);
  }
}

TEST(LatencyEstimate, ThreadsTogetherLeaveNothingInFlight) {  // FBK-1.4
  LatencyEstimate estimate;
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      LatencySpan span = estimate.begin();
      if (i % 3 != 0) std::move(span).settle(kStart, Outcome::success(std::chrono::milliseconds(thread + 1)));
      EXPECT_GE(estimate.load(kStart), 0.0);
    }
  });
  EXPECT_EQ(estimate.in_flight(), 0U);
  EXPECT_FLOAT_EQ(static_cast<float>(ns(kStart, estimate)), 1e6F * kThreads) << "the slowest at one time";
}

}  // namespace
}  // namespace fuseboard
