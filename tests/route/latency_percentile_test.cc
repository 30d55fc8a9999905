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
  percentile.record(kStart, 1s);
  percentile.record(kStart, 1s);
  EXPECT_FALSE(percentile.at(kStart, 0.95));
  percentile.record(kStart, 1s);
  EXPECT_TRUE(percentile.at(kStart, 0.95));
  EXPECT_EQ(percentile.samples(kStart), 3U);
}

TEST(LatencyPercentile, FindsTheShareOfTheSlowOnes) {
  LatencyPercentile percentile({.min_samples = 1});
  for (int i = 0; i < 95; ++i) percentile.record(kStart, 100ms);
  for (int i = 0; i < 5; ++i) percentile.record(kStart, 10s);
  EXPECT_LT(*percentile.at(kStart, 0.95), 113ms);
  EXPECT_GE(*percentile.at(kStart, 0.95), 100ms);
  EXPECT_GE(*percentile.at(kStart, 0.96), 10s);
  EXPECT_LT(*percentile.at(kStart, 1.0), 11250ms);
  EXPECT_LT(*percentile.at(kStart, 0.0), 113ms) << "the least share is that of one sample";
  EXPECT_GE(*percentile.at(kStart, std::numeric_limits<double>::quiet_NaN()), 10s);
}

TEST(LatencyPercentile, ForgetsAfterOneToTwoWindows) {
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  const TimePoint begin = TimePoint(60min);
  percentile.record(begin, 10s);
  EXPECT_TRUE(percentile.at(begin + 120s - 1ns, 0.5));
  EXPECT_FALSE(percentile.at(begin + 120s, 0.5));
  percentile.record(begin + 120s, 1s);
  EXPECT_EQ(percentile.samples(begin + 120s), 1U) << "the old window's words were taken over";
  percentile.record(begin + 120s, 10s);
  EXPECT_EQ(percentile.samples(begin + 120s), 2U);
}

TEST(LatencyPercentile, AnOlderReadingOfTheClockForgetsNothing) {  // CORE-1
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  percentile.record(TimePoint(62min), 1s);
  EXPECT_EQ(percentile.samples(TimePoint(61min)), 1U);
  percentile.record(TimePoint(60min), 1s);
  EXPECT_EQ(percentile.samples(TimePoint(62min)), 1U) << "its window is gone";
}

TEST(LatencyPercentile, TheEndsOfTheRangeStandForWhatIsBeyond) {  // CORE-7
  LatencyPercentile percentile({.min_samples = 1});
  percentile.record(kStart, Duration::min());
  EXPECT_LT(*percentile.at(kStart, 1), 1200us);
  percentile.record(kStart, kForever);
  EXPECT_EQ(*percentile.at(kStart, 1), Duration(std::int64_t{1} << LatencyPercentile::kLastOctave));
  for (const TimePoint t : {TimePoint::min(), TimePoint(), TimePoint::max()}) {
    LatencyPercentile other({.window = 1s, .min_samples = 1});
    other.record(t, 1s);
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
    percentile.record(kStart, all.back());
  }
  std::sort(all.begin(), all.end());
  const double share = *rc::gen::element(0.01, 0.5, 0.9, 0.95, 0.99, 1.0);
  const auto rank = static_cast<std::size_t>(std::ceil(share * count));
  const Duration truth = all[std::max<std::size_t>(rank, 1) - 1];
  const Duration answer = *percentile.at(kStart, share);
  RC_ASSERT(answer >= truth);
  RC_ASSERT(answer - truth <= truth / 8);
}

TEST(LatencyPercentile, ThreadsTogetherLoseNoSample) {
  LatencyPercentile percentile({.window = 60s, .min_samples = 1});
  together(kThreads, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      percentile.record(kStart, std::chrono::milliseconds(1 + i % 7 * 100));
      if (i % 100 != 0) continue;
      EXPECT_TRUE(percentile.at(kStart, 0.95)) << thread;
    }
  });
  EXPECT_EQ(percentile.samples(kStart), 2000U * kThreads);
}

}  // namespace
}  // namespace fuseboard
