// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_scope.h"

#include "fuseboard/core/category.h"

namespace fuseboard::gateway {
namespace {

// What is held against an account.
constexpr CategorySet kOfAccounts = {Category::authentication, Category::permission_denied, Category::quota_exhausted,
                                     Category::rate_limit};

}  // namespace

FailureScope scope_here(const Failure& failure, bool callers_account) noexcept {
  if (callers_account && kOfAccounts.contains(failure.category)) return FailureScope::caller;
  return failure.scope == FailureScope::caller ? FailureScope::unnamed : failure.scope;
}

}  // namespace fuseboard::gateway
