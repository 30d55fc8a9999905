// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/text_rules.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "fuseboard/core/glob.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("10us"), 10us);
  EXPECT_EQ(parse_duration("0"), Duration::zero());
  EXPECT_EQ(parse_duration("0s"), Duration::zero());
}

TEST(Durations, AreNothingElse) {
  for (const char* text : {"", "s", "5", "-1s", "1 s", "1e9s", "infs", "nans", "1..5s", ".5s", "24.01h", "1d", "0x1s",
                           "99999999999999999999999999999999h"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Counts, AreDigitsUpToTheBound) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("1000000000"), 1'000'000'000U);
  EXPECT_FALSE(parse_count("1000000001").has_value());
  EXPECT_FALSE(parse_count("").has_value());
  EXPECT_FALSE(parse_count("+1").has_value());
  EXPECT_FALSE(parse_count("99999999999999999999").has_value());
}

TEST(Globs, MatchTheWholeText) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("gpt-*", "gpt-5"));
  EXPECT_FALSE(glob_match("gpt-*", "my-gpt-5"));
  EXPECT_TRUE(glob_match("*-5*", "gpt-5-5-nano"));
  EXPECT_TRUE(glob_match("/v1/?hat/*", "/v1/chat/completions"));
  EXPECT_FALSE(glob_match("a?", "a"));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(Globs, ManyStarsEndInReasonableTime) { EXPECT_FALSE(glob_match("*a*a*a*a*a*a*a*a*a*a*b", std::string(200, 'a'))); }

TEST(Mixing, IsTheSameInEveryRun) {
  EXPECT_EQ(mix(1, std::uint64_t{2}), mix(1, std::uint64_t{2}));
  EXPECT_NE(mix(1, std::uint64_t{2}), mix(2, std::uint64_t{1}));
  EXPECT_NE(mix(1, "a"), mix(1, "b"));
  // A change here changes every recorded answer.
  EXPECT_EQ(mix(1, "fuseboard"), 4816172766624416622U);
}

}  // namespace
}  // namespace fuseboard::sim
