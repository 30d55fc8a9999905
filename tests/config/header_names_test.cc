// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/header_names.h"

#include <gtest/gtest.h>

namespace fuseboard::config {
namespace {

TEST(MatchesGlob, AStarStandsForAnyCharactersAndNone) {
  for (const auto& [pattern, text] : {std::pair{"", ""},
                                      {"*", ""},
                                      {"*", "anything"},
                                      {"x-*", "x-"},
                                      {"x-*", "x-team"},
                                      {"*-id", "a-id"},
                                      {"x-*-id", "x-a-id-id"},
                                      {"a*b*c", "abbcbc"},
                                      {"**a**", "a"},
                                      {"a*a*a", "aaaa"}})
    EXPECT_TRUE(matches_glob(pattern, text)) << pattern << ' ' << text;
  for (const auto& [pattern, text] : {std::pair{"", "a"},
                                      {"x-*", "x"},
                                      {"x-*", "yx-a"},
                                      {"*-id", "a-ids"},
                                      {"x-*-id", "x-id"},
                                      {"a*a*a", "aa"},
                                      {"?", "a"},
                                      {"[a]", "a"}})
    EXPECT_FALSE(matches_glob(pattern, text)) << pattern << ' ' << text;
}

TEST(CredentialHeader, IsToldByItsWords) {  // FBK-3.4
  for (const char* name : {"authorization", "x-api-key", "x-new-vendor-token", "ocp-apim-subscription-key",
                           "helicone-auth", "x_secret", "openai-project", "cookie", "x-session.password"})
    EXPECT_TRUE(is_credential_header(name)) << name;
  for (const char* name : {"", "x-team", "x-keyboard", "x-author", "authority", "x-tokenizer", "monkey", "openai-beta"})
    EXPECT_FALSE(is_credential_header(name)) << name;
}

}  // namespace
}  // namespace fuseboard::config
