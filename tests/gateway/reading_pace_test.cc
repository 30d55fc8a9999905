// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/reading_pace.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

using namespace std::chrono_literals;

TEST(ReadingPace, TimeInWhichTheCallerDoesNotReadIsCounted) {  // STR-3.8, STR-8
  ReadingPace pace;
  TimePoint now{1h};
  pace.wrote(now, now + 7s);
  EXPECT_EQ(pace.paused(), 7s);
  EXPECT_EQ(pace.unheard(), 7s);
  pace.heard();
  pace.wrote(now + 20s, now + 22s);
  EXPECT_EQ(pace.paused(), 9s) << "in all";
  EXPECT_EQ(pace.unheard(), 2s) << "since the upstream was heard";
}

TEST(ReadingPace, AnUpstreamThatWasLeftUnreadForLongMayHaveGivenUp) {  // STR-3.9
  const TimePoint begin{1h};
  ReadingPace once;
  EXPECT_FALSE(once.likely_gave_up(begin));
  once.wrote(begin, begin + 9999ms);
  EXPECT_FALSE(once.likely_gave_up(begin + 10s));
  ReadingPace longer;
  longer.wrote(begin, begin + 10s);
  EXPECT_TRUE(longer.likely_gave_up(begin + 10s));
  EXPECT_TRUE(longer.likely_gave_up(begin + 15s)) << "what it had sent before is still being read";
  EXPECT_FALSE(longer.likely_gave_up(begin + 15s + 1ns)) << "it has been listened to since";
  for (int i = 0; i < 60; ++i) longer.wrote(begin + 10s + i * 100ms, begin + 10s + i * 100ms + 9ms);
  EXPECT_FALSE(longer.likely_gave_up(begin + 16s)) << "writing to a caller that reads is no pause";
}

TEST(ReadingPace, PausesThatFollowOneAnotherCloselyAreOne) {  // STR-3.9
  const TimePoint begin{1h};
  ReadingPace trickling;
  ReadingPace reading;
  for (int i = 0; i < 10; ++i) {
    trickling.wrote(begin + i * 6s, begin + i * 6s + 1s);
    reading.wrote(begin + i * 7s, begin + i * 7s + 1s);
  }
  EXPECT_TRUE(trickling.likely_gave_up(begin + 55s));
  EXPECT_FALSE(reading.likely_gave_up(begin + 64s)) << "six seconds of attention after each second";
  EXPECT_EQ(reading.paused(), 10s);
}

}  // namespace
}  // namespace fuseboard::gateway
