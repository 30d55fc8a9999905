// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the limiters' tests share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "tests/support/together.h"

namespace fuseboard {

inline constexpr int kThreads = 8;

// Where tests begin: not at zero, so that a forgotten time shows.
inline constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

inline std::vector<std::string> fields_of(const Problems& problems) {
  std::vector<std::string> fields;
  for (const Problem& problem : problems) fields.push_back(problem.field);
  return fields;
}

}  // namespace fuseboard
