// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/state_homes.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

TEST(StateHomes, KnowsWhichProviderGaveAnAnswer) {  // FBK-7
  StateHomes homes;
  homes.remember("resp_1", 0);
  homes.remember("resp_2", 1);
  EXPECT_EQ(homes.find("resp_1"), 0U);
  EXPECT_EQ(homes.find("resp_2"), 1U);
  EXPECT_EQ(homes.find("resp_3"), std::nullopt);
  EXPECT_EQ(homes.find(""), std::nullopt);
}

TEST(StateHomes, TheLatestWordAboutAnIdHolds) {  // FBK-7
  StateHomes homes;
  homes.remember("resp_1", 0);
  homes.remember("resp_1", 2);
  EXPECT_EQ(homes.find("resp_1"), 2U);
}

TEST(StateHomes, ForgetsTheOldestBeyondItsBound) {  // FBK-7
  StateHomes homes;
  for (std::size_t i = 0; i <= StateHomes::kMaxKnown; ++i) homes.remember("resp_" + std::to_string(i), i);
  EXPECT_EQ(homes.find("resp_0"), std::nullopt);
  EXPECT_EQ(homes.find("resp_1"), 1U);
  EXPECT_EQ(homes.find("resp_" + std::to_string(StateHomes::kMaxKnown)), StateHomes::kMaxKnown);
  homes.remember(std::string(StateHomes::kMaxIdBytes + 1, 'x'), 1);
  EXPECT_EQ(homes.find(std::string(StateHomes::kMaxIdBytes + 1, 'x')), std::nullopt);
}

}  // namespace
}  // namespace fuseboard::gateway
