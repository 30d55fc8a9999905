// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/spare_memory.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(TrimDecision, WaitsForThreeQuietLooksAfterMemoryHasGrown) {
  TrimDecision decision(20 * kMiB);
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 80 * kMiB)) << "it is in use";
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 30 * kMiB)) << "more than a quarter of the growth is in use again";
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 25 * kMiB)) << "a quarter is not much";
  EXPECT_TRUE(decision.should_trim(120 * kMiB, 0));
}

TEST(TrimDecision, MeasuresFromBeforeTheFirstLook) {
  TrimDecision decision(10 * kMiB);  // load came before anybody looked
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 50 * kMiB));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_TRUE(decision.should_trim(60 * kMiB, 0));
}

TEST(TrimDecision, AsksOnceForEachGrowth) {
  TrimDecision decision(20 * kMiB);
  int trims = 0;
  for (int i = 0; i < 10; ++i) {
    if (!decision.should_trim(60 * kMiB, 0)) continue;
    ++trims;
    decision.trimmed(59 * kMiB);  // what could not be given back
  }
  EXPECT_EQ(trims, 1) << "1 MiB above what was left is not worth it";
  for (int i = 0; i < 10; ++i) trims += decision.should_trim(59 * kMiB + TrimDecision::kWorthwhile - 1, 0) ? 1 : 0;
  EXPECT_EQ(trims, 1);
  for (int i = 0; i < 3; ++i) trims += decision.should_trim(59 * kMiB + TrimDecision::kWorthwhile, 0) ? 1 : 0;
  EXPECT_EQ(trims, 2);
}

TEST(TrimDecision, MeasuresFromTheLeastThatWasResident) {
  TrimDecision decision(100 * kMiB);
  decision.should_trim(40 * kMiB, 0);  // the system took some by itself
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_TRUE(decision.should_trim(60 * kMiB, 0));
}

TEST(ResidentBytes, TellsWhatThisProcessHas) {
  EXPECT_GT(resident_bytes(), kMiB);
  EXPECT_LT(resident_bytes(), std::size_t{1} << 40U);
}

}  // namespace
}  // namespace fuseboard::gateway
