// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a row of a rule table concludes.
#pragma once

#include "fuseboard/classify/classifier.h"

namespace fuseboard::classify_internal {

// In a table a category alone stands for its conclusion, and a detail for a violation of policy.
struct Conclusion {
  Category category = Category::execution_error;
  Modifier modifier = Modifier::none;
  PolicyDetail detail = PolicyDetail::none;
  bool by_window = false;  // of a quota: only a window was named; a hint below an hour says otherwise

  constexpr Conclusion() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Conclusion(Category what, Modifier departure = Modifier::none) noexcept
      : category(what), modifier(departure) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Conclusion(PolicyDetail which) noexcept : category(Category::policy_violation), detail(which) {}
};

// A quota because the window that was named is an hour or longer.
constexpr Conclusion long_window() noexcept {
  Conclusion conclusion(Category::quota_exhausted);
  conclusion.by_window = true;
  return conclusion;
}

}  // namespace fuseboard::classify_internal
