// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/append_only_map.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace fuseboard {
namespace {

TEST(AppendOnlyMap, WhatIsThereStaysWhereItIs) {
  AppendOnlyMap<int> map;
  EXPECT_EQ(map.find("a"), nullptr);
  map.add({"a", "b"});
  int* const a = map.find("a");
  ASSERT_NE(a, nullptr);
  *a = 7;
  const auto& before = map.all();
  map.add({"a", "c"});
  EXPECT_EQ(map.find("a"), a);
  EXPECT_EQ(*a, 7);
  EXPECT_EQ(before.size(), 2U);
  EXPECT_EQ(map.all().size(), 3U);
}

TEST(AppendOnlyMap, AddingNothingNewCostsNothing) {
  AppendOnlyMap<int> map;
  map.add({"a"});
  const auto* const before = &map.all();
  map.add({"a"});
  EXPECT_EQ(&map.all(), before);
}

TEST(AppendOnlyMap, IsReadWhileItGrows) {
  AppendOnlyMap<std::atomic<int>> map;
  map.add({"kept"});
  std::atomic<bool> over{false};
  std::thread reader([&] {
    while (!over.load()) map.find("kept")->fetch_add(1);
  });
  for (int i = 0; i < 100; ++i) map.add({"n" + std::to_string(i)});
  while (map.find("kept")->load() == 0) std::this_thread::yield();
  over.store(true);
  reader.join();
  EXPECT_EQ(map.all().size(), 101U);
}

}  // namespace
}  // namespace fuseboard
