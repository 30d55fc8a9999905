// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Headers that name things alike can be included together.
#include <gtest/gtest.h>

#include "fuseboard/limit/tool_limiter.h"
#include "fuseboard/pipeline/blocking.h"

namespace fuseboard {
namespace {

TEST(PublicHeaders, TheToolLimiterStandsBesideTheBlockingDriver) {  // LIM-6 PIP-4
  const EnvironmentVariables variables = [](std::string_view) { return std::optional<std::string>("7"); };
  EXPECT_EQ(tool_limiter_options_from(variables, nullptr).rate, 7.0);
  const Environment environment = Environment::process();
  EXPECT_EQ(environment.observer, nullptr);
}

}  // namespace
}  // namespace fuseboard
