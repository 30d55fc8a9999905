// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_affinity.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

TEST(ProviderAffinity, KnowsWhichProviderGaveAnAnswer) {  // FBK-7.4
  ProviderAffinity homes;
  homes.remember("resp_1", 0);
  homes.remember("resp_2", 1);
  EXPECT_EQ(homes.find("resp_1"), 0U);
  EXPECT_EQ(homes.find("resp_2"), 1U);
  EXPECT_EQ(homes.find("resp_3"), std::nullopt);
  EXPECT_EQ(homes.find(""), std::nullopt);
}

TEST(ProviderAffinity, TheLatestWordAboutAnIdHolds) {  // FBK-7.4
  ProviderAffinity homes;
  homes.remember("resp_1", 0);
  homes.remember("resp_1", 2);
  EXPECT_EQ(homes.find("resp_1"), 2U);
}

TEST(ProviderAffinity, ForgetsTheOldestBeyondItsBound) {  // FBK-7.4
  ProviderAffinity homes;
  for (std::size_t i = 0; i <= ProviderAffinity::kMaxKnown; ++i) homes.remember("resp_" + std::to_string(i), i);
  EXPECT_EQ(homes.find("resp_0"), std::nullopt);
  EXPECT_EQ(homes.find("resp_1"), 1U);
  EXPECT_EQ(homes.find("resp_" + std::to_string(ProviderAffinity::kMaxKnown)), ProviderAffinity::kMaxKnown);
  homes.remember(std::string(ProviderAffinity::kMaxIdBytes + 1, 'x'), 1);
  EXPECT_EQ(homes.find(std::string(ProviderAffinity::kMaxIdBytes + 1, 'x')), std::nullopt);
}

}  // namespace
}  // namespace fuseboard::gateway
