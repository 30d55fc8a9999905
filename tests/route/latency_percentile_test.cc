// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/latency_percentile.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

TEST(LatencyPercentile, SaysNothingBeforeItHasEnoughSamples) {
  LatencyPercentile percentile({.min_samples = 3});
  percentile.record(1s, kStart);
  percentile.record(1s, kStart);
  EXPECT_FALSE(percentile.at(0.95, kStart));
  percentile.record(1s, kStart);
  EXPECT_TRUE(percentile.at(0.95, kStart));
  EXPECT_EQ(percentile.samples(kStart), 3U);
}

TEST(LatencyPercentile, FindsTheShareOfTheSlowOnes) {
  LatencyPercentile percentile({.min_samples = 1});
  for (int i = 0; i < 95; ++i) percentile.record(100ms, kStart);
  for (int i = 0; i < 5; ++i) percentile.record(10s, kStart);
  EXPECT_LT(*percentile.at(0.95, kStart), 113ms);
  EXPECT_GE(*percentile.at(0.95, kStart), 100ms);
  EXPECT_GE(*percentile.at(0.96, kStart), 10s);
  EXPECT_LT(*percentile.at(1.0, kStart), 11250ms);
  EXPECT_LT(*percentile.at(0.0, kStart), 113ms) << "the least share is that of one sample";
  EXPECT_GE(*percentile.at(std::numeric_limits<double>::quiet_NaN(), kStart), 10s);
}

TEST(LatencyPercentile, ForgetsAfterOneToTwoWindows) {
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  const TimePoint begin = TimePoint(60min);
  percentile.record(10s, begin);
  EXPECT_TRUE(percentile.at(0.5, begin + 120s - 1ns));
  EXPECT_FALSE(percentile.at(0.5, begin + 120s));
  percentile.record(1s, begin + 120s);
  EXPECT_EQ(percentile.samples(begin + 120s), 1U) << "the old window's words were taken over";
  percentile.record(10s, begin + 120s);
  EXPECT_EQ(percentile.samples(begin + 120s), 2U);
}

TEST(LatencyPercentile, AnOlderReadingOfTheClockForgetsNothing) {  // CORE-1
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  percentile.record(1s, TimePoint(62min));
  EXPECT_EQ(percentile.samples(TimePoint(61min)), 1U);
  percentile.record(1s, TimePoint(60min));
  EXPECT_EQ(percentile.samples(TimePoint(62min)), 1U) << "its window is gone";
}

TEST(LatencyPercentile, TheEndsOfTheRangeStandForWhatIsBeyond) {  // CORE-7
  LatencyPercentile percentile({.min_samples = 1});
  percentile.record(Duration::min(), kStart);
  EXPECT_LT(*percentile.at(1, kStart), 1200us);
  percentile.record(kForever, kStart);
  EXPECT_EQ(*percentile.at(1, kStart), Duration(std::int64_t{1} << LatencyPercentile::kLastOctave));
  for (const TimePoint t : {TimePoint::min(), TimePoint(), TimePoint::max()}) {
    LatencyPercentile other({.window = 1s, .min_samples = 1});
    other.record(1s, t);
    EXPECT_EQ(other.samples(t), 1U);
  }
}

TEST(LatencyPercentile, OptionsAreChecked) {  // CORE-6
  EXPECT_EQ((LatencyPercentileOptions{.window = 0s, .min_samples = 0}.validate().size()), 2U);
  EXPECT_THROW(LatencyPercentile({.window = 25h}), InvalidOptions);
}

RC_GTEST_PROP(LatencyPercentileProperty, IsAtMostAnEighthAboveASortedList, ()) {
  LatencyPercentile percentile({.min_samples = 1});
  std::vector<Duration> all;
  const int count = *rc::gen::inRange(1, 200);
  for (int i = 0; i < count; ++i) {
    all.emplace_back(
        *rc::gen::inRange<std::int64_t>(1 << 20, *rc::gen::element<std::int64_t>(1 << 21, 1 << 28, 1LL << 40)));
    percentile.record(all.back(), kStart);
  }
  std::sort(all.begin(), all.end());
  const double share = *rc::gen::element(0.01, 0.5, 0.9, 0.95, 0.99, 1.0);
  const auto rank = static_cast<std::size_t>(std::ceil(share * count));
  const Duration truth = all[std::max<std::size_t>(rank, 1) - 1];
  const Duration answer = *percentile.at(share, kStart);
  RC_ASSERT(answer >= truth);
  RC_ASSERT(answer - truth <= truth / 8);
}

TEST(LatencyPercentile, ThreadsTogetherLoseNoSample) {
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      percentile.record(std::chrono::milliseconds(1 + i % 7 * 100), kStart);
      if (i % 100 != 0) continue;
      EXPECT_TRUE(percentile.at(0.95, kStart)) << thread;
    }
  });
  EXPECT_EQ(percentile.samples(kStart), 2000U * kThreads);
}

}  // namespace
}  // namespace fuseboard
