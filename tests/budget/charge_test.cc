// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/charge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace fuseboard {
namespace {

constexpr TokenUsage kEstimate = {.input = 100, .output = 50'000};

TEST(ChargedUsage, IsWhatWasToldWhereThatIsNotFarBelowWhatWasSeen) {  // BUD-10.1
  const TokenUsage told = {.input = 3, .cached_input = 2, .output = 25};
  EXPECT_EQ(charged_usage(told, kEstimate, {.output = 100}).usage, told);
  EXPECT_FALSE(charged_usage(told, kEstimate, {.output = 100}).understated);
  EXPECT_EQ(charged_usage(TokenUsage{}, kEstimate, {}).usage, TokenUsage{}) << "nothing told and nothing seen";
}

TEST(ChargedUsage, IsWhatWasSeenWhereLessThanAQuarterOfThatWasTold) {  // BUD-10.2
  const ChargedUsage charged = charged_usage(TokenUsage{.input = 3, .output = 25}, kEstimate, {.output = 101});
  EXPECT_EQ(charged.usage, (TokenUsage{.input = 100, .output = 101})) << "nor is its word taken for the input";
  EXPECT_TRUE(charged.understated);
  EXPECT_EQ(charged_usage(TokenUsage{.input = 300}, kEstimate, {.output = 1}).usage,
            (TokenUsage{.input = 300, .output = 1}));
}

TEST(ChargedUsage, IsTheInputEstimateAndTheOutputSeenWhereNothingIsTold) {  // BUD-10.4
  const ChargedUsage charged = charged_usage(std::nullopt, kEstimate, {.output = 7});
  EXPECT_EQ(charged.usage, (TokenUsage{.input = 100, .output = 7})) << "never what was merely allowed";
  EXPECT_FALSE(charged.understated);
  EXPECT_EQ(charged_usage(std::nullopt, kEstimate, {.input = 120, .cached_input = 60, .output = 7}).usage,
            (TokenUsage{.input = 120, .cached_input = 60, .output = 7}))
      << "as far as it was told before the answer broke off";
}

// Whatever is told: no more than three quarters of what was seen goes uncharged, and the cap is charged nowhere.
RC_GTEST_PROP(ChargedUsage, LeavesAtMostThreeQuartersOfWhatWasSeen,  // BUD-10.2, BUD-10.4
              (std::uint64_t input, std::uint64_t output, std::uint64_t seen, std::uint64_t cap, bool tells)) {
  const auto told = tells ? std::optional(TokenUsage{.input = input, .output = output}) : std::nullopt;
  const ChargedUsage charged = charged_usage(told, {.input = 100, .output = cap}, {.output = seen});
  RC_ASSERT(charged.usage.output >= seen / 4);
  RC_ASSERT(charged.usage.output == seen || (tells && charged.usage.output == output));
  RC_ASSERT(charged.understated == (tells && charged.usage.output != output));
  RC_ASSERT(!charged.understated || output < seen);
}

TEST(ChargedUsage, HoldsAtTheLargestNumbers) {  // BUD-10.2
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(charged_usage(TokenUsage{.output = kMax / 4 + 1}, {}, {.output = kMax}).understated);
  EXPECT_TRUE(charged_usage(TokenUsage{.output = kMax / 4 - 1}, {}, {.output = kMax}).understated);
}

}  // namespace
}  // namespace fuseboard
