// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_scope.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

Failure refusal(FailureScope scope, Category category = Category::authentication) {
  Failure failure = Failure::of(category);
  failure.scope = scope;
  return failure;
}

TEST(ScopeHere, AnAccountOfTheCallersTakesTheBlameForWhatConcernsAccounts) {  // FBK-6.9
  for (const Category category : {Category::authentication, Category::quota_exhausted, Category::rate_limit})
    EXPECT_EQ(scope_here(refusal(FailureScope::unnamed, category), true), FailureScope::caller) << name(category);
  EXPECT_EQ(scope_here(refusal(FailureScope::unnamed, Category::service_unavailable), true), FailureScope::unnamed);
  EXPECT_EQ(scope_here(refusal(FailureScope::model), false), FailureScope::model);
}

TEST(ScopeHere, AnOrganizationThatNoCallerNamedIsOurs) {  // FBK-6.2
  EXPECT_EQ(scope_here(refusal(FailureScope::caller), false), FailureScope::unnamed);
}

}  // namespace
}  // namespace fuseboard::gateway
