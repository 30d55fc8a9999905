// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/patience.h"

#include <gtest/gtest.h>

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr AnswerKind kPlain = AnswerKind::plain;
constexpr AnswerKind kStream = AnswerKind::stream;

TEST(Patience, IsTenSecondsForAStreamAndThirtyForAPlainCallUntilLatenciesAreKnown) {  // RTY-11.7
  EXPECT_EQ(patience_of({}, kStream, {}), seconds(10));
  EXPECT_EQ(patience_of({}, kPlain, {}), seconds(30));
  EXPECT_EQ(kKnownAfter, 5U);
}

TEST(Patience, IsTwiceTheP95WithinTenSecondsAndFiveMinutes) {  // RTY-11.6
  const auto known = [](Duration p95) { return PatienceEvidence{.p95 = p95, .p95_of_waits = p95}; };
  EXPECT_EQ(patience_of({}, kPlain, known(seconds(40))), seconds(80));
  EXPECT_EQ(patience_of({}, kPlain, known(milliseconds(800))), seconds(10)) << "below that a pause is no silence";
  EXPECT_EQ(patience_of({}, kStream, known(minutes(4))), minutes(5));
}

TEST(Patience, AnOvertakenAttemptCountsWithTheAgeItHadUntilAnswersAreKnown) {  // RTY-11.7
  EXPECT_EQ(patience_of({}, kPlain, {.p95_of_waits = seconds(62)}), seconds(62)) << "and not twice";
  EXPECT_EQ(patience_of({}, kPlain, {.p95 = seconds(8), .p95_of_waits = seconds(62)}), seconds(16));
}

TEST(Patience, AProbesIsTwoMinutesAtMostUnlessTheTargetTakesLonger) {  // RTY-11.8, BRK-8.2
  EXPECT_EQ(patience_of_probe({}, kStream, {}), seconds(10));
  EXPECT_EQ(patience_of_probe({}, kStream, {.overtaken_in_a_row = 40}), minutes(2));
  EXPECT_EQ(patience_of_probe({}, kPlain, {.p95 = seconds(90), .p95_of_waits = seconds(90), .overtaken_in_a_row = 9}),
            minutes(3));
  EXPECT_EQ(patience_of_probe({.fixed = minutes(4)}, kPlain, {}), minutes(4));
}

TEST(Patience, TwoOvertakenInARowDoubleItToFiveMinutes) {  // RTY-11.8
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = 1}), seconds(30));
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = 2}), seconds(60));
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = 3}), seconds(60));
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = 4}), seconds(120));
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = 8}), minutes(5));
  EXPECT_EQ(patience_of({}, kPlain, {.overtaken_in_a_row = ~0U}), minutes(5));
}

TEST(Patience, OneThatIsSetHoldsWhateverTheTargetTakes) {  // RTY-11.9
  const PatienceOptions options{.fixed = seconds(20)};
  EXPECT_EQ(patience_of(options, kPlain, {.p95 = minutes(2), .p95_of_waits = minutes(2), .overtaken_in_a_row = 6}),
            seconds(20));
}

TEST(Patience, RefusesWhatIsOutOfRange) {  // CORE-6
  EXPECT_TRUE(PatienceOptions{}.validate().empty());
  EXPECT_TRUE(PatienceOptions{.fixed = milliseconds(1)}.validate().empty());
  ASSERT_EQ(PatienceOptions{.fixed = Duration::zero()}.validate().size(), 1U);
  EXPECT_EQ(PatienceOptions{.fixed = minutes(61)}.validate()[0].field, "fixed");
}

TEST(Patience, AnAttemptHangsAtThreeTimesTheLongestAndAtLeastThirtySeconds) {  // RTY-11.12
  EXPECT_EQ(hangs_after(seconds(2)), seconds(30));
  EXPECT_EQ(hangs_after(seconds(40)), minutes(2));
}

TEST(Patience, AFailureIsSlowAfterItsPatienceOrTenSeconds) {  // RTY-12
  EXPECT_EQ(slow_failure_after(seconds(4)), seconds(4));
  EXPECT_EQ(slow_failure_after(minutes(2)), seconds(10));
}

}  // namespace
}  // namespace fuseboard
