// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a row of a rule table concludes.
#pragma once

#include "fuseboard/classify/classifier.h"

namespace fuseboard::classify_internal {

struct Finding {
  Category category = Category::execution_error;
  Modifier modifier = Modifier::none;
  PolicyDetail detail = PolicyDetail::none;
  bool by_window = false;  // of a quota: only a window was named; a hint below an hour says otherwise
};

// For tables. A category alone converts.
struct Means : Finding {
  constexpr Means(Category what) noexcept : Finding{.category = what} {}  // NOLINT(google-explicit-constructor)
  constexpr Means(Category what, Modifier departure) noexcept : Finding{.category = what, .modifier = departure} {}
  constexpr Means(PolicyDetail which) noexcept  // NOLINT(google-explicit-constructor)
      : Finding{.category = Category::policy_violation, .detail = which} {}
};

// A quota because the window that was named is an hour or longer.
constexpr Finding long_window() noexcept { return {.category = Category::quota_exhausted, .by_window = true}; }

}  // namespace fuseboard::classify_internal
