// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/caller_account.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

TEST(CallersAccount, IsThatOfAHeaderThatTravelledAsTheCallerWroteIt) {  // FBK-6.9
  const net::Headers caller = {{"openai-organization", "org-bogus"}};
  EXPECT_TRUE(names_callers_account(caller, {{"OpenAI-Organization", "org-bogus"}}));
  EXPECT_FALSE(names_callers_account(caller, {})) << "it stayed at home";
  EXPECT_FALSE(names_callers_account(caller, {{"openai-organization", "org-ours"}})) << "the configured one went";
  EXPECT_FALSE(names_callers_account({}, {{"openai-organization", "org-ours"}}));
  EXPECT_TRUE(names_callers_account({{"openai-project", "p"}}, {{"openai-project", "p"}}));
}

}  // namespace
}  // namespace fuseboard::gateway
