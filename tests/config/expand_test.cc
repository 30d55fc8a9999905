// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/expand.h"

#include <gtest/gtest.h>

#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using testing::environment;

const Environment kEnvironment = environment({{"NAME", "value"}, {"EMPTY", ""}, {"NESTED", "${NAME}"}, {"_x9", "low"}});

std::string text(std::string_view input) {
  const auto expanded = expand(input, kEnvironment);
  return expanded ? expanded->text : "error: " + expanded.error();
}

TEST(Expand, VariablesStandAnywhereInAText) {
  EXPECT_EQ(text("${NAME}"), "value");
  EXPECT_EQ(text("a ${NAME} b ${_x9}c"), "a value b lowc");
  EXPECT_EQ(text(""), "");
}

TEST(Expand, ADefaultServesForAnUnsetOrEmptyVariable) {
  EXPECT_EQ(text("${NONE:-spare}"), "spare");
  EXPECT_EQ(text("${EMPTY:-spare}"), "spare");
  EXPECT_EQ(text("${NAME:-spare}"), "value");
  EXPECT_EQ(text("${NONE:-}"), "");
  EXPECT_EQ(text("${NONE:-http://h:80/:-x}"), "http://h:80/:-x");
}

TEST(Expand, AVariableThatIsSetToNothingIsSet) { EXPECT_EQ(text("[${EMPTY}]"), "[]"); }

TEST(Expand, AMissingVariableIsAnErrorThatNamesIt) {
  EXPECT_EQ(text("x${NONE}"), "error: the environment variable NONE is not set");
}

TEST(Expand, TwoDollarsBeforeABraceWriteTheTwoCharacters) {
  EXPECT_EQ(text("$${NAME}"), "${NAME}");
  EXPECT_EQ(text("$$${NAME}"), "$${NAME}");
  EXPECT_EQ(text("$NAME $5 $$ $"), "$NAME $5 $$ $");
}

TEST(Expand, WhatAVariableHoldsIsNotReadAgain) { EXPECT_EQ(text("${NESTED}"), "${NAME}"); }

TEST(Expand, BrokenReferencesAreErrorsThatDoNotQuoteTheText) {
  for (const char* input : {"sk-1${", "sk-1${NAME", "sk-1${}", "sk-1${9}", "sk-1${A B}", "sk-1${:-x}", "sk-1${A-x}",
                            "sk-1${NONE:-${NAME}}"}) {
    const auto expanded = expand(input, kEnvironment);
    ASSERT_FALSE(expanded) << input;
    EXPECT_EQ(expanded.error().find("sk-1"), std::string::npos) << input;
  }
}

TEST(Expand, ItIsKnownWhetherTextCameFromAVariable) {  // TEL-4.1
  EXPECT_TRUE(expand("a${NAME}", kEnvironment)->from_variable);
  EXPECT_FALSE(expand("a${NONE:-b}", kEnvironment)->from_variable);
  EXPECT_FALSE(expand("plain $${NAME}", kEnvironment)->from_variable);
}

TEST(Expand, TheResultIsBounded) {  // CORE-5
  const Environment big = environment({{"BIG", std::string(600'000, 'x')}});
  EXPECT_TRUE(expand("${BIG}", big));
  EXPECT_FALSE(expand("${BIG}${BIG}", big));
}

}  // namespace
}  // namespace fuseboard::config
