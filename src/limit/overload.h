// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which failures say that a target bears no more than it has.
#pragma once

#include "fuseboard/core/category.h"

namespace fuseboard {

inline bool says_overloaded(Category category) noexcept {
  return category == Category::timeout || category == Category::overloaded || category == Category::rate_limit ||
         category == Category::service_unavailable || category == Category::resource_exhausted;
}

}  // namespace fuseboard
