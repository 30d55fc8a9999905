// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of routing share.
#pragma once

#include <vector>

#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"
#include "tests/support/together.h"

namespace fuseboard {

inline constexpr int kThreads = 8;

// Where tests begin: not at zero, so that a forgotten time shows.
inline constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

inline Outcome failed(Category category, Duration latency = Duration::zero()) {
  return Outcome::failed(Failure::of(category), latency);
}

}  // namespace fuseboard
