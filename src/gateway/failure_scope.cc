// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_scope.h"

#include "fuseboard/core/category.h"

namespace fuseboard::gateway {

FailureScope scope_here(const Failure& failure, bool callers_account) noexcept {
  if (callers_account && kAccountCategories.contains(failure.category)) return FailureScope::caller;
  return failure.scope == FailureScope::caller ? FailureScope::unnamed : failure.scope;
}

}  // namespace fuseboard::gateway
