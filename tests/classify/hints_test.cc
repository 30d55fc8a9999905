// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/hints.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// 2026-01-01T00:00:00Z, a Thursday.
constexpr WallTime kNewYear{1767225600s};

RetryHints read(Headers headers, WallTime now = kNewYear) {
  RetryHintReader reader(now);
  for (const auto& [name, value] : headers) reader.header(name, value);
  return reader.hints();
}

std::optional<std::chrono::milliseconds> wait(Headers headers, WallTime now = kNewYear) {
  const auto hint = read(headers, now).retry_after;
  if (!hint) return std::nullopt;
  EXPECT_EQ(*hint % 1ms, 0ns) << "a hint is whole milliseconds";
  return std::chrono::duration_cast<std::chrono::milliseconds>(*hint);
}

TEST(RetryHints,
     AMillisecondHeaderIsReadAsMillisecondsNotSeconds) {  // known mistake: retry-after-ms: 1500 read as 1500 s
  EXPECT_EQ(wait({{"retry-after-ms", "1500"}}), 1500ms);
}

TEST(RetryHints, AnHttpDateIsReadWholeNotAsItsDay) {  // known mistake: an HTTP date read as its day
  EXPECT_EQ(wait({{"retry-after", "Thu, 01 Jan 2026 00:00:42 GMT"}}), 42s);
  EXPECT_EQ(wait({{"retry-after", "Fri, 02 Jan 2026 00:00:00 GMT"}}), 24h);
}

TEST(RetryHints, SecondsMayBeDecimalAndAreRoundedUpToAWholeMillisecond) {
  EXPECT_EQ(wait({{"retry-after", "17"}}), 17s);
  EXPECT_EQ(wait({{"retry-after", "0"}}), 0ms);
  EXPECT_EQ(wait({{"retry-after", "0.5"}}), 500ms);
  EXPECT_EQ(wait({{"retry-after", "0.0001"}}), 1ms);
  EXPECT_EQ(wait({{"retry-after", "1.0000000000001"}}), 1001ms);
  EXPECT_EQ(wait({{"retry-after", "1.0000000000000"}}), 1s);
  EXPECT_EQ(wait({{"retry-after-ms", "1532.4"}}), 1533ms);
  EXPECT_EQ(wait({{"retry-after-ms", "1532.0"}}), 1532ms);
}

TEST(RetryHints, NoDecimalIsBentByBinaryFractions) {
  // 4.35 s is 4349.999... ms as a double.
  EXPECT_EQ(wait({{"retry-after", "4.35"}}), 4350ms);
  EXPECT_EQ(wait({{"retry-after", "1.001"}}), 1001ms);
}

TEST(RetryHints, MillisecondsGoBeforeSecondsWhicheverComesFirst) {
  EXPECT_EQ(wait({{"retry-after", "9"}, {"retry-after-ms", "8412"}}), 8412ms);
  EXPECT_EQ(wait({{"retry-after-ms", "8412"}, {"retry-after", "9"}}), 8412ms);
}

TEST(RetryHints, AnInvalidCarrierLeavesTheWordToTheNext) {
  EXPECT_EQ(wait({{"retry-after-ms", "soon"}, {"retry-after", "9"}}), 9s);
  EXPECT_EQ(wait({{"retry-after-ms", "-5"}, {"retry-after", "9"}}), 9s);
  EXPECT_EQ(wait({{"retry-after", "x"}, {"retry-after", "3"}, {"retry-after", "4"}}), 3s);
}

TEST(RetryHints, WhatIsNoNumberAndNoDateIsIgnored) {
  for (const std::string_view bad : {"",
                                     " ",
                                     "-1",
                                     "+1",
                                     "1e3",
                                     "1.",
                                     ".5",
                                     "1.2.3",
                                     "0x10",
                                     "1s",
                                     "5 seconds",
                                     "NaN",
                                     "inf",
                                     "1,5",
                                     "--",
                                     ".",
                                     "Thu, 01 Jan 2026",
                                     "Thu, 01 Jan 2026 00:00:42",
                                     "Thu, 01 Jan 2026 00:00:42 CET",
                                     "01 Jan 2026 00:00:42 GMT",
                                     "Thu, 30 Feb 2026 00:00:42 GMT",
                                     "Thu, 01 Jan 2026 24:00:00 GMT",
                                     "Thu, 01 Jan 2026 00:60:00 GMT",
                                     "Thu, 01 Jan 2026 00:00:61 GMT",
                                     "Thu, 01 Jan 2026 00:00:42 GMT.",
                                     "Xyz, 01 Jan 2026 00:00:42 GMT",
                                     "2026-01-01T00:00:42Z",
                                     "Thu, 1 Jan 2026 00:00:42 GMT",
                                     "Thu, 00 Jan 2026 00:00:42 GMT"}) {
    EXPECT_EQ(wait({{"retry-after", bad}}), std::nullopt) << bad;
    EXPECT_EQ(wait({{"retry-after-ms", bad}}), std::nullopt) << bad;
  }
  EXPECT_EQ(wait({{"retry-after-ms", "Thu, 01 Jan 2026 00:00:42 GMT"}}), std::nullopt) << "a date is no milliseconds";
}

TEST(RetryHints, TheThreeDateFormatsSayTheSame) {
  EXPECT_EQ(wait({{"retry-after", "Thu, 01 Jan 2026 00:01:00 GMT"}}), 60s);
  EXPECT_EQ(wait({{"retry-after", "Thursday, 01-Jan-26 00:01:00 GMT"}}), 60s);
  EXPECT_EQ(wait({{"retry-after", "Thu Jan  1 00:01:00 2026"}}), 60s);
  EXPECT_EQ(wait({{"retry-after", "Mon Jan 12 00:00:00 2026"}}), 11 * 24h);
}

TEST(RetryHints, APastDateIsNow) {
  EXPECT_EQ(wait({{"retry-after", "Wed, 31 Dec 2025 23:59:00 GMT"}}), 0ms);
  EXPECT_EQ(wait({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}), 0ms);
  EXPECT_EQ(wait({{"retry-after", "Mon, 01 Jan 0001 00:00:00 GMT"}}), 0ms);
}

TEST(RetryHints, ADateIsRoundedUpAgainstAClockBetweenMilliseconds) {
  EXPECT_EQ(wait({{"retry-after", "Thu, 01 Jan 2026 00:00:01 GMT"}}, kNewYear + 1ns), 1s);
  EXPECT_EQ(wait({{"retry-after", "Thu, 01 Jan 2026 00:00:01 GMT"}}, kNewYear + 999'999'999ns), 1ms);
}

TEST(RetryHints, ATwoDigitYearIsTheNearestOne) {
  EXPECT_EQ(wait({{"retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"}}), 0ms) << "1994, not 2094";
  const WallTime end_of_century = std::chrono::sys_days(std::chrono::year(2099) / 12 / 31) + 23h + 59min;
  EXPECT_EQ(wait({{"retry-after", "Friday, 01-Jan-00 00:00:00 GMT"}}, end_of_century), 60s) << "2100, not 2000";
}

TEST(RetryHints, ALeapSecondAndALeapDayAreDates) {
  EXPECT_EQ(wait({{"retry-after", "Thu, 01 Jan 2026 00:00:60 GMT"}}), 60s);
  EXPECT_NE(wait({{"retry-after", "Tue, 29 Feb 2028 00:00:00 GMT"}}), std::nullopt);
  EXPECT_EQ(wait({{"retry-after", "Mon, 29 Feb 2027 00:00:00 GMT"}}), std::nullopt);
}

TEST(RetryHints, HugeValuesSaturate) {  // CORE-7
  const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(Duration::max());
  for (const std::string_view huge :
       {"9223372036854775807", "9223372036854775808", "99999999999999999999999999", "9223372036.855", "10000000000"}) {
    EXPECT_EQ(wait({{"retry-after", huge}}), most) << huge;
  }
  EXPECT_EQ(wait({{"retry-after-ms", "9223372036854.5"}}), most);
  EXPECT_EQ(wait({{"retry-after", "9223372036.853"}}), most - 1ms);
  // 250 years fit a duration; 7 973 do not.
  EXPECT_LT(wait({{"retry-after", "Sat, 01 Jan 2276 00:00:00 GMT"}}), most);
  EXPECT_EQ(wait({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), most);
}

TEST(RetryHints, HeaderNamesHaveNoCaseAndValuesMayHaveSpaceAround) {
  EXPECT_EQ(wait({{"Retry-After", " 20\t"}}), 20s);
  EXPECT_EQ(wait({{"RETRY-AFTER-MS", "7"}}), 7ms);
  EXPECT_EQ(wait({{"x-retry-after", "7"}, {"retry-afte", "7"}, {"", "7"}}), std::nullopt);
}

TEST(RetryHints, TheServersWordOnRetryingIsReadExactly) {
  EXPECT_EQ(read({{"x-should-retry", "true"}}).should_retry, true);
  EXPECT_EQ(read({{"X-Should-Retry", " false "}}).should_retry, false);
  EXPECT_EQ(read({{"x-should-retry", "no"}}).should_retry, std::nullopt);
  EXPECT_EQ(read({}).should_retry, std::nullopt);
}

TEST(RetryHints, EveryMillisecondOfADecimalIsKept) {
  for (int ms = 0; ms < 20'000; ms += 7) {
    char text[16];
    std::snprintf(text, sizeof text, "%d.%03d", ms / 1000, ms % 1000);
    EXPECT_EQ(parse_decimal_duration(text, 1s), std::chrono::milliseconds(ms)) << text;
  }
}

TEST(RetryHints, ADateTooFarForADurationSaturates) {  // CORE-7
  EXPECT_GT(*parse_rfc3339_reset(kNewYear, "9999-12-31T23:59:59Z"), 24h * 365 * 200);
  EXPECT_GT(*wait({{"retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"}}), 24h * 365 * 200);
  EXPECT_GT(*parse_reset(kNewYear, "99999999999999999999"), 24h * 365 * 200);
  EXPECT_GT(*parse_unit_duration("99999999999999999999h9999999999d"), 24h * 365 * 200);
}

TEST(RetryHints, UnitsAreThoseOfGoAndProtobuf) {
  EXPECT_EQ(parse_unit_duration("8ms"), 8ms);
  EXPECT_EQ(parse_unit_duration("1s"), 1s);
  EXPECT_EQ(parse_unit_duration("6m0s"), 6min);
  EXPECT_EQ(parse_unit_duration("2m59.56s"), 179560ms);
  EXPECT_EQ(parse_unit_duration("7h12m5.4s"), 25925400ms);
  EXPECT_EQ(parse_unit_duration("34.4s"), 34400ms);
  EXPECT_EQ(parse_unit_duration("1d"), 24h);
  EXPECT_EQ(parse_unit_duration("1500us"), 2ms) << "rounded up";
  EXPECT_EQ(parse_unit_duration("1ns"), 1ms);
  EXPECT_EQ(parse_unit_duration("0ns"), 0ms);
  for (const std::string_view none : {"", "5", "s", "-1s", "1s2", "1 s", "1x", "1.s", ".5s"}) {
    EXPECT_EQ(parse_unit_duration(none), std::nullopt) << none;
  }
}

TEST(RetryHints, AResetIsSecondsFromNowOrATimeInSecondsOrMilliseconds) {
  EXPECT_EQ(parse_reset(kNewYear, "42"), 42s);
  EXPECT_EQ(parse_reset(std::nullopt, "0.5"), 500ms);
  EXPECT_EQ(parse_reset(kNewYear, "1767225642"), 42s);
  EXPECT_EQ(parse_reset(kNewYear, "1767225642.25"), 42250ms);
  EXPECT_EQ(parse_reset(kNewYear, "1767225642000"), 42s);
  EXPECT_EQ(parse_reset(kNewYear, "1767225000"), 0s) << "passed";
  EXPECT_EQ(parse_reset(std::nullopt, "1767225642"), std::nullopt);
  EXPECT_EQ(parse_reset(kNewYear, "soon"), std::nullopt);
}

TEST(RetryHints, ADateOfRfc3339MayHaveAFractionAndAnOffset) {
  EXPECT_EQ(parse_rfc3339_reset(kNewYear, "2026-01-01T00:00:42Z"), 42s);
  EXPECT_EQ(parse_rfc3339_reset(kNewYear, "2026-01-01T00:00:42.0001Z"), 42001ms);
  EXPECT_EQ(parse_rfc3339_reset(kNewYear, "2026-01-01T01:00:42+01:00"), 42s);
  EXPECT_EQ(parse_rfc3339_reset(kNewYear, "2025-12-31T23:00:42-01:00"), 42s);
  for (const std::string_view none :
       {"2026-01-01", "2026-02-30T00:00:00Z", "2026-01-01T00:00:42", "2026-01-01T00:00:42.Z"}) {
    EXPECT_EQ(parse_rfc3339_reset(kNewYear, none), std::nullopt) << none;
  }
}

TEST(RetryHints, AWindowOfAPlanCountsOnceItsPercentAreUsed) {
  const auto reset = [](Headers headers) { return read(headers).window_reset; };
  EXPECT_EQ(reset({{"x-codex-primary-used-percent", "100"},
                   {"x-codex-primary-reset-after-seconds", "95"},
                   {"x-codex-secondary-used-percent", "20"},
                   {"x-codex-secondary-reset-after-seconds", "400000"}}),
            95s);
  EXPECT_EQ(reset({{"x-codex-primary-used-percent", "99"}, {"x-codex-primary-reset-after-seconds", "95"}}),
            std::nullopt);
}

TEST(RetryHints, AWindowBySizeIsUsedUpWhereLessIsLeftThanTheRequestCosts) {
  const auto reset = [](Headers headers) { return read(headers).window_reset; };
  EXPECT_EQ(reset({{"ratelimitbysize-remaining", "0"}, {"ratelimitbysize-reset", "23"}}), 23s);
  EXPECT_EQ(reset({{"ratelimitbysize-remaining", "100"},
                   {"ratelimitbysize-query-cost", "3000"},
                   {"ratelimitbysize-reset", "40"}}),
            40s);
  EXPECT_EQ(reset({{"ratelimitbysize-remaining", "100"}, {"ratelimitbysize-reset", "40"}}), std::nullopt);
}

TEST(RetryHints, OnlyUsedUpWindowsCountAndOfThoseTheLatest) {
  const auto reset = [](Headers headers) { return read(headers).window_reset; };
  EXPECT_EQ(reset({{"x-ratelimit-remaining-requests", "0"},
                   {"x-ratelimit-reset-requests", "120ms"},
                   {"x-ratelimit-remaining-tokens", "9"},
                   {"x-ratelimit-reset-tokens", "6m0s"}}),
            120ms);
  EXPECT_EQ(reset({{"anthropic-ratelimit-requests-remaining", "0"},
                   {"anthropic-ratelimit-requests-reset", "2026-01-01T00:00:42Z"},
                   {"anthropic-ratelimit-tokens-remaining", "0"},
                   {"anthropic-ratelimit-tokens-reset", "2026-01-01T00:01:05Z"}}),
            65s);
  EXPECT_EQ(
      reset({{"anthropic-ratelimit-unified-status", "rejected"}, {"anthropic-ratelimit-unified-reset", "1767232800"}}),
      2h);
  EXPECT_EQ(
      reset({{"anthropic-ratelimit-unified-status", "allowed"}, {"anthropic-ratelimit-unified-reset", "1767232800"}}),
      std::nullopt);
  EXPECT_EQ(reset({{"ratelimit", "\"api\";r=0;t=189"}}), 189s);
  EXPECT_EQ(reset({{"ratelimit", "\"api\";r=3;t=189"}}), std::nullopt);
  EXPECT_EQ(reset({{"ratelimit", "limit=20, remaining=0, reset=7"}}), 7s);
  EXPECT_EQ(reset({{"ratelimit-remaining", "0"}, {"ratelimit-reset", "12"}}), 12s);
  EXPECT_EQ(reset({{"ratelimit-remaining", "1"}, {"ratelimit-reset", "12"}}), std::nullopt);
  EXPECT_EQ(reset({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1767225690"}}), 90s);
  EXPECT_EQ(reset({{"x-ratelimit-reset", "7"}}), 7s);
}

TEST(RetryHints, OfSeveralPoliciesInOneFieldEachHasItsOwnRemainder) {
  const auto reset = [](std::string_view field) { return read({{"ratelimit", field}}).window_reset; };
  EXPECT_EQ(reset("\"burst\";r=5;t=1, \"day\";r=0;t=3600"), 1h) << "the second is the one that is used up";
  EXPECT_EQ(reset("\"day\";r=0;t=3600, \"burst\";r=5;t=9000"), 1h) << "what is left of the second does not count";
  EXPECT_EQ(reset("\"minute\";r=0;t=30, \"day\";r=0;t=3600"), 1h) << "the latest of those that are used up";
  EXPECT_EQ(reset("\"day\";r=0;t=3600, \"minute\";r=0;t=30"), 1h);
  EXPECT_EQ(reset("\"day\";r=1;t=3600, \"minute\";r=2;t=30"), std::nullopt);
  EXPECT_EQ(reset("\"day\";r=1;t=3600, \"minute\";t=30"), 30s) << "one that does not say is taken for used up";
}

TEST(RetryHints, WhatAServerAsksForGoesBeforeItsPushbackAndBothBeforeItsWindows) {
  EXPECT_EQ(wait({{"grpc-retry-pushback-ms", "900"}}), 900ms);
  EXPECT_EQ(wait({{"grpc-retry-pushback-ms", "900"}, {"retry-after", "2"}}), 2s);
  const RetryHints hints = read({{"retry-after", "2"}, {"ratelimit-remaining", "0"}, {"ratelimit-reset", "12"}});
  EXPECT_EQ(hints.retry_after, 2s);
  EXPECT_EQ(hints.window_reset, 12s);
}

TEST(RetryHints, NamedWindowsGoBeforeThoseOfTheDraftAndOfPlainNames) {
  const auto reset = [](Headers headers) { return read(headers).window_reset; };
  EXPECT_EQ(reset({{"x-ratelimit-remaining-tokens", "0"},
                   {"x-ratelimit-reset-tokens", "4s"},
                   {"ratelimit-remaining", "0"},
                   {"ratelimit-reset", "12"}}),
            4s);
  EXPECT_EQ(reset({{"ratelimit-reset", "12"}, {"x-ratelimit-reset", "7"}}), 12s);
}

}  // namespace
}  // namespace fuseboard
