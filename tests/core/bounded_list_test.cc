// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/bounded_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace fuseboard {
namespace {

std::vector<int> elements(const BoundedList<int, 4>& list) { return {list.begin(), list.end()}; }

TEST(BoundedList, KeepsItsBeginningAndItsLastElementAndCountsTheRest) {  // CORE-5
  BoundedList<int, 4> list;
  EXPECT_TRUE(list.empty());
  for (int i = 1; i <= 4; ++i) list.push_back(i);
  EXPECT_EQ(elements(list), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(list.dropped(), 0U);
  for (int i = 5; i <= 9; ++i) list.push_back(i);
  EXPECT_EQ(elements(list), (std::vector<int>{1, 2, 3, 9}));
  EXPECT_EQ(list.size(), 4U);
  EXPECT_EQ(list.back(), 9);
  EXPECT_EQ(list.dropped(), 5U);
}

}  // namespace
}  // namespace fuseboard
