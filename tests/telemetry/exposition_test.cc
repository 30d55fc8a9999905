// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fuseboard/telemetry/histogram.h"

namespace fuseboard::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Exposition, AnnouncesAFamilyAndEscapesLabelValues) {
  Exposition out;
  out.family("fuseboard_calls_total", Exposition::Type::counter, "Calls \\ by\nresult");
  out.sample("fuseboard_calls_total", {{"model", "a\"b\\c\nd"}, {"result", "success"}}, 3);
  EXPECT_EQ(std::move(out).take(),
            "# HELP fuseboard_calls_total Calls \\\\ by\\nresult\n# TYPE fuseboard_calls_total counter\n"
            "fuseboard_calls_total{model=\"a\\\"b\\\\c\\nd\",result=\"success\"} 3\n");
}

TEST(Exposition, NoLabelSteersATerminal) {  // TEL-4.9
  Exposition out;
  out.sample("m", {{"key", "\na\u202Eb\u009B\x1B[2J\n\xFF\t"}}, std::uint64_t{1});
  EXPECT_EQ(std::move(out).take(), "m{key=\"\\na\\\\u{202e}b\\\\u{009b}\\\\x1b[2J\\n\\\\xff\\\\x09\"} 1\n");
}

TEST(Histogram, CountsEachObservationInItsBucketAndAllAboveIt) {  // TEL-3
  Histogram histogram;
  histogram.observe(milliseconds(1));  // on a bound: belongs to it
  histogram.observe(milliseconds(30));
  histogram.observe(seconds(100));
  Exposition out;
  const Label model{"model", "fast"};
  histogram.write(out, "latency_seconds", std::span(&model, 1));
  const std::string text = std::move(out).take();
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{model=\"fast\",le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{model=\"fast\",le=\"0.025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{model=\"fast\",le=\"0.05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{model=\"fast\",le=\"60\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{model=\"fast\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_sum{model=\"fast\"} 100.031\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_count{model=\"fast\"} 3\n"));
}

TEST(Histogram, BucketsReachTenMinutesAsLongAsAnAnswerMayTake) {
  Histogram histogram;
  histogram.observe(seconds(599));
  histogram.observe(seconds(601));
  Exposition out;
  histogram.write(out, "latency_seconds", {});
  const std::string text = std::move(out).take();
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{le=\"120\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{le=\"300\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{le=\"600\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("latency_seconds_bucket{le=\"+Inf\"} 2\n"));
}

TEST(Histogram, TakesANegativeLatencyAsZero) {  // CORE-7
  Histogram histogram;
  histogram.observe(milliseconds(-5));
  EXPECT_EQ(histogram.count(), 1U);
}

}  // namespace
}  // namespace fuseboard::telemetry
