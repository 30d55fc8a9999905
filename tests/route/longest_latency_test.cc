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

void record(LongestLatency& longest, int samples, Duration latency, TimePoint now) {
  for (int i = 0; i < samples; ++i) longest.record(latency, now);
}

TEST(LongestLatency, IsUnknownUntilTenSamples) {  // RTY-11.12
  LongestLatency longest;
  record(longest, 9, seconds(1), kStart);
  EXPECT_FALSE(longest.longest(kStart));
  longest.record(milliseconds(500), kStart);
  EXPECT_EQ(longest.longest(kStart), seconds(1));
}

TEST(LongestLatency, CanBeAskedForWithFewer) {  // RTY-14.1
  LongestLatency longest;
  record(longest, 4, seconds(1), kStart);
  EXPECT_FALSE(longest.longest(kStart, 5));
  longest.record(seconds(3), kStart + minutes(1));
  EXPECT_EQ(longest.longest(kStart + minutes(1), 5), seconds(3));
}

TEST(LongestLatency, ForgetsWhatIsTenMinutesOld) {  // RTY-11.12
  LongestLatency longest;
  longest.record(seconds(90), kStart);
  record(longest, 20, seconds(2), kStart + minutes(5));
  EXPECT_EQ(longest.longest(kStart + minutes(9)), seconds(90));
  EXPECT_EQ(longest.longest(kStart + minutes(10)), seconds(2));
  EXPECT_FALSE(longest.longest(kStart + minutes(15)));
}

TEST(LongestLatency, IsNeverBelowTheTrueValueAndBounded) {  // RTY-11.12, CORE-7
  LongestLatency longest;
  record(longest, 20, microseconds(1500), kStart);
  EXPECT_EQ(longest.longest(kStart), milliseconds(2));
  longest.record(-seconds(1), kStart);
  longest.record(hours(1000), kStart);
  EXPECT_EQ(longest.longest(kStart), hours(24));
}

TEST(LongestLatency, LosesNoSampleOfTwoThreads) {  // RTY-11.12
  LongestLatency longest;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 2; ++thread) {
      threads.emplace_back([&longest, thread] {
        for (int i = 0; i < 1000; ++i) longest.record(milliseconds(2 * i + thread), kStart);
      });
    }
  }
  EXPECT_EQ(longest.longest(kStart), milliseconds(1999));
}

}  // namespace
}  // namespace fuseboard
