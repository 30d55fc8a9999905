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
  constexpr Means(Category category) noexcept { this->category = category; }  // NOLINT(google-explicit-constructor)
  constexpr Means(Category category, Modifier modifier) noexcept {
    this->category = category;
    this->modifier = modifier;
  }
  constexpr Means(PolicyDetail detail) noexcept {  // NOLINT(google-explicit-constructor)
    category = Category::policy_violation;
    this->detail = detail;
  }
};

// A quota because the window that was named is an hour or longer.
constexpr Finding long_window() noexcept { return {.category = Category::quota_exhausted, .by_window = true}; }

}  // namespace fuseboard::classify_internal
