// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_ids.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

TEST(ProviderIds, ANameHasOneIdForGood) {
  ProviderIds ids;
  const ProviderId one = ids.id_of("one");
  EXPECT_EQ(one, ProviderId{0});
  EXPECT_EQ(ids.id_of("other"), ProviderId{1});
  EXPECT_EQ(ids.id_of("one"), one);
}

TEST(ProviderIds, AnIdTellsItsName) {
  ProviderIds ids;
  const ProviderId one = ids.id_of("one");
  EXPECT_EQ(ids.name_of(one), "one");
  EXPECT_EQ(ids.name_of(ProviderId{1}), std::nullopt) << "nobody has it yet";
}

}  // namespace
}  // namespace fuseboard::gateway
