// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/longest_latency.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr TimePoint kStart{hours(1)};

void record(TimePoint now, LongestLatency& longest, int samples, Duration latency) {
  for (int i = 0; i < samples; ++i) longest.record(now, latency);
}

TEST(LongestLatency, IsUnknownUntilTenSamples) {  // RTY-11.12
  LongestLatency longest;
  record(kStart, longest, 9, seconds(1));
  EXPECT_FALSE(longest.longest(kStart));
  longest.record(kStart, milliseconds(500));
  EXPECT_EQ(longest.longest(kStart), seconds(1));
}

TEST(LongestLatency, CanBeAskedForWithFewer) {  // RTY-14.1
  LongestLatency longest;
  record(kStart, longest, 4, seconds(1));
  EXPECT_FALSE(longest.longest(kStart, 5));
  longest.record(kStart + minutes(1), seconds(3));
  EXPECT_EQ(longest.longest(kStart + minutes(1), 5), seconds(3));
}

TEST(LongestLatency, ForgetsWhatIsTenMinutesOld) {  // RTY-11.12
  LongestLatency longest;
  longest.record(kStart, seconds(90));
  record(kStart + minutes(5), longest, 20, seconds(2));
  EXPECT_EQ(longest.longest(kStart + minutes(9)), seconds(90));
  EXPECT_EQ(longest.longest(kStart + minutes(10)), seconds(2));
  EXPECT_FALSE(longest.longest(kStart + minutes(15)));
}

TEST(LongestLatency, IsNeverBelowTheTrueValueAndBounded) {  // RTY-11.12, CORE-7
  LongestLatency longest;
  record(kStart, longest, 20, microseconds(1500));
  EXPECT_EQ(longest.longest(kStart), milliseconds(2));
  longest.record(kStart, -seconds(1));
  longest.record(kStart, hours(1000));
  EXPECT_EQ(longest.longest(kStart), hours(24));
}

TEST(LongestLatency, LosesNoSampleOfTwoThreads) {  // RTY-11.12
  LongestLatency longest;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&longest, thread] {
        for (int i = 0; i < 1000; ++i) longest.record(kStart, milliseconds(2 * i + thread));
      });
    }
  }
  EXPECT_EQ(longest.longest(kStart), milliseconds(1999));
}

}  // namespace
}  // namespace fuseboard
