// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_affinity.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

TEST(ProviderAffinity, KnowsWhichProviderGaveAnAnswer) {  // FBK-7.4
  ProviderAffinity homes;
  homes.remember("resp_1", ProviderId{0});
  homes.remember("resp_2", ProviderId{1});
  EXPECT_EQ(homes.find("resp_1"), ProviderId{0});
  EXPECT_EQ(homes.find("resp_2"), ProviderId{1});
  EXPECT_EQ(homes.find("resp_3"), std::nullopt);
  EXPECT_EQ(homes.find(""), std::nullopt);
}

TEST(ProviderAffinity, TheLatestWordAboutAnIdHolds) {  // FBK-7.4
  ProviderAffinity homes;
  homes.remember("resp_1", ProviderId{0});
  homes.remember("resp_1", ProviderId{2});
  EXPECT_EQ(homes.find("resp_1"), ProviderId{2});
}

TEST(ProviderAffinity, ForgetsTheOldestBeyondItsBound) {  // FBK-7.4
  ProviderAffinity homes;
  constexpr std::uint32_t kLast = ProviderAffinity::kMaxKnown;
  for (std::uint32_t i = 0; i <= kLast; ++i) homes.remember("resp_" + std::to_string(i), ProviderId{i});
  EXPECT_EQ(homes.find("resp_0"), std::nullopt);
  EXPECT_EQ(homes.find("resp_1"), ProviderId{1});
  EXPECT_EQ(homes.find("resp_" + std::to_string(kLast)), ProviderId{kLast});
  homes.remember(std::string(ProviderAffinity::kMaxIdBytes + 1, 'x'), ProviderId{1});
  EXPECT_EQ(homes.find(std::string(ProviderAffinity::kMaxIdBytes + 1, 'x')), std::nullopt);
}

}  // namespace
}  // namespace fuseboard::gateway
