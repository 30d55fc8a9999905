// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/silence.h"

#include <gtest/gtest.h>

namespace fuseboard {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr SilenceRule kRule{.threshold = 3, .at_least = seconds(10)};

TEST(Silence, IsJudgedByTheLongestAnswerAndTakesLongerWhileNoneAreKnown) {  // RTY-14.1
  EXPECT_EQ(silence_before_opening(AnswerKind::stream, std::nullopt), seconds(30));
  EXPECT_EQ(silence_before_opening(AnswerKind::plain, std::nullopt), minutes(2));
  EXPECT_EQ(silence_before_opening(AnswerKind::plain, seconds(1)), seconds(10));
  EXPECT_EQ(silence_before_opening(AnswerKind::plain, seconds(119)), seconds(119));
  EXPECT_EQ(silence_before_opening(AnswerKind::stream, minutes(9)), minutes(5));
}

TEST(Silence, NeedsSoManyThatOutlastedTheirPatience) {  // RTY-14.1
  SilenceWatch watch;
  const TimePoint now = kStart + seconds(20);
  EXPECT_FALSE(watch.outlasted(now, kStart, kRule));
  EXPECT_FALSE(watch.outlasted(now, kStart, kRule));
  EXPECT_TRUE(watch.outlasted(now, kStart, kRule));
}

TEST(Silence, AnyAnswerSinceTheFirstBeganEndsIt) {  // RTY-14.1
  SilenceWatch watch;
  EXPECT_FALSE(watch.outlasted(kStart + seconds(20), kStart, kRule));
  EXPECT_FALSE(watch.outlasted(kStart + seconds(20), kStart, kRule));
  watch.answered(kStart + seconds(21));
  EXPECT_FALSE(watch.outlasted(kStart + seconds(22), kStart, kRule)) << "it began before that answer";
  const TimePoint later = kStart + seconds(30);
  EXPECT_FALSE(watch.outlasted(later + seconds(20), later, kRule));
  EXPECT_FALSE(watch.outlasted(later + seconds(20), later, kRule));
  EXPECT_TRUE(watch.outlasted(later + seconds(20), later, kRule));
}

TEST(Silence, HasToLastAsLongAsTheRuleSays) {  // RTY-14.1
  SilenceWatch watch;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(watch.outlasted(kStart + seconds(9), kStart + seconds(i), kRule));
  EXPECT_FALSE(watch.judge(kStart + seconds(9), kRule));
  EXPECT_TRUE(watch.judge(kStart + seconds(10), kRule)) << "ten seconds after the first of them began";
}

TEST(Silence, OfATargetThatHangsOnHalfOfItsCallsTakesMore) {  // RTY-14.4
  SilenceWatch watch;
  TimePoint now = kStart;
  for (int i = 0; i < 200; ++i) {
    now += seconds(20);
    watch.answered(now);
    (void)watch.outlasted(now, now - seconds(20), kRule);  // it began before that answer
  }
  watch.answered(now += seconds(20));
  now += seconds(1);
  int needed = 1;
  while (!watch.outlasted(now + seconds(20), now, kRule)) ASSERT_LT(++needed, 100);
  EXPECT_GE(needed, 15);
  EXPECT_LE(needed, 25) << "two to the power of twenty is a million";
  for (int i = 0; i < 400; ++i) watch.answered(now += seconds(21));
  needed = 1;
  while (!watch.outlasted(now + seconds(20), now, kRule)) ASSERT_LT(++needed, 100);
  EXPECT_EQ(needed, 3) << "that is long ago";
}

TEST(Silence, AThresholdOfZeroIsNeverReached) {  // RTY-14.1
  SilenceWatch watch;
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(watch.outlasted(kStart + seconds(60), kStart, {.threshold = 0, .at_least = seconds(1)}));
}

TEST(Silence, CanBeForgotten) {  // RTY-14.1, BRK-21.2
  SilenceWatch watch;
  const TimePoint now = kStart + seconds(20);
  for (int i = 0; i < 3; ++i) (void)watch.outlasted(now, kStart, kRule);
  watch.mark_silent(now);
  watch.forget();
  EXPECT_FALSE(watch.silent());
  EXPECT_FALSE(watch.judge(now, kRule));
}

TEST(Silence, IsMarkedUntilTheNextAnswer) {  // RTY-14.3
  SilenceWatch watch;
  EXPECT_FALSE(watch.silent());
  watch.mark_silent(kStart);
  EXPECT_TRUE(watch.silent());
  EXPECT_EQ(watch.silent_since(), kStart);
  watch.answered(kStart);
  EXPECT_FALSE(watch.silent());
}

}  // namespace
}  // namespace fuseboard
