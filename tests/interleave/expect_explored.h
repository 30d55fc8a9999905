// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of the policies share.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/interleave/history.h"

namespace fuseboard::interleave {

// Explores each program on a world of its own; ends at the first that fails.
template <typename World>
Explored explore_all(const std::vector<Threads<World>>& programs, const std::function<std::unique_ptr<World>()>& make) {
  Explored all;
  for (const Threads<World>& program : programs) {
    all += LinearizabilityCheck<World>(program, make).explore();
    if (!all.failure.empty()) break;
  }
  return all;
}
template <typename World, typename Make>
Explored explore_all(const std::vector<Threads<World>>& programs, Make make) {
  return explore_all(programs, std::function<std::unique_ptr<World>()>(make));
}

// That nothing was wrong, and that at least so much was explored: nearly as many schedules and states as when the test
// was written. Far fewer would mean that steps are no longer seen.
inline void expect_explored(const Explored& explored, std::uint64_t schedules, std::uint64_t states) {
  EXPECT_TRUE(explored.failure.empty()) << explored.failure;
  EXPECT_GE(explored.schedules, schedules);
  EXPECT_GE(explored.states, states);
  testing::Test::RecordProperty("schedules", std::to_string(explored.schedules));
  testing::Test::RecordProperty("states", std::to_string(explored.states));
}

}  // namespace fuseboard::interleave
