// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/hops.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kOurs = "00000000000000aa";
constexpr std::string_view kTheirs = "00000000000000bb";

TEST(Hops, AnInstanceHasAnIdOfItsOwn) {
  Rng one(1);
  Rng other(2);
  const std::string id = new_instance_id(one);
  EXPECT_EQ(id.size(), 16U);
  EXPECT_NE(id, new_instance_id(other));
}

TEST(Hops, ARequestSaysWhereItHasBeenInOrder) {
  EXPECT_EQ(hops_after({}, kOurs, ProviderId{0}), "00000000000000aa-0");
  EXPECT_EQ(hops_after({{"X-Fuseboard-Hops", "a-1 ,, b-2"}, {"x-fuseboard-hops", "c-3"}}, kOurs, ProviderId{12}),
            "a-1, b-2, c-3, 00000000000000aa-12");
}

TEST(Hops, WhatComesRoundNamesTheProviderThatLedHere) {
  for (const char* hops : {"00000000000000aa-2", "00000000000000bb-0, 00000000000000aa-2",
                           "00000000000000aa-2,00000000000000bb-0,00000000000000cc-7", " 00000000000000aa-2 "}) {
    const auto loop = find_loop({{kHopsHeader, hops}}, kOurs);
    ASSERT_TRUE(loop) << hops;
    EXPECT_EQ(loop->provider, ProviderId{2}) << hops;
  }
  const auto second =
      find_loop({{kHopsHeader, "b-1"}, {"X-FUSEBOARD-HOPS", hops_after({}, kOurs, ProviderId{3})}}, kOurs);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->provider, ProviderId{3});
}

TEST(Hops, OtherGatewaysInARowAreNoLoopUpToABound) {
  EXPECT_FALSE(find_loop({}, kOurs));
  for (const char* hops : {"", "00000000000000bb-0", "00000000000000aa", "00000000000000aa-", "00000000000000aa-x",
                           "00000000000000aab-0", "garbage \x01"})
    EXPECT_FALSE(find_loop({{kHopsHeader, hops}}, kOurs)) << hops;
  net::Headers headers;
  for (std::uint32_t i = 0; i + 1 < kMaxHops; ++i)
    headers.set(kHopsHeader, hops_after(headers, kTheirs, ProviderId{i}));
  EXPECT_FALSE(find_loop(headers, kOurs));
  headers.set(kHopsHeader, hops_after(headers, kTheirs, ProviderId{99}));
  const auto loop = find_loop(headers, kOurs);
  ASSERT_TRUE(loop);
  EXPECT_FALSE(loop->provider);
}

}  // namespace
}  // namespace fuseboard::gateway
