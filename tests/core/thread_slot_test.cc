// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/thread_slot.h"

#include <gtest/gtest.h>

#include <barrier>
#include <set>
#include <thread>
#include <vector>

namespace fuseboard {
namespace {

struct alignas(64) Cell {
  std::atomic<std::uint64_t> count{0};
};

TEST(ThreadSlot, LiveThreadsHoldDifferentSlotsUntilThereAreNone) {  // CORE-5
  const std::uint32_t threads = ThreadSlot::count() + 8;
  std::vector<std::uint32_t> slots(threads);
  std::barrier all_have_one(static_cast<std::ptrdiff_t>(threads));
  {
    std::vector<std::jthread> running;
    for (std::uint32_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        slots[t] = ThreadSlot::current();
        all_have_one.arrive_and_wait();
      });
    }
  }
  std::set<std::uint32_t> exclusive;
  std::size_t shared = 0;
  for (const std::uint32_t slot : slots) {
    ASSERT_LT(slot, ThreadSlot::count());
    if (slot == ThreadSlot::kShared) {
      ++shared;
    } else {
      EXPECT_TRUE(exclusive.insert(slot).second) << "two live threads in slot " << slot;
    }
  }
  EXPECT_GE(shared, 8U);
  EXPECT_EQ(exclusive.size() + shared, threads);
}

TEST(ThreadSlot, AnEndedThreadsSlotIsUsedAgain) {  // CORE-5
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::thread([&] { first = ThreadSlot::current(); }).join();
  std::thread([&] { second = ThreadSlot::current(); }).join();
  EXPECT_EQ(first, second);
  EXPECT_NE(first, ThreadSlot::kShared);
}

TEST(ThreadCells, NothingIsLostWithMoreThreadsThanSlots) {
  ThreadCells<Cell> cells;
  const std::uint32_t threads = ThreadSlot::count() + 4;
  for (int round = 0; round < 3; ++round) {
    std::barrier start(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::jthread> running;
    for (std::uint32_t t = 0; t < threads; ++t) {
      running.emplace_back([&] {
        start.arrive_and_wait();
        for (int i = 0; i < 1000; ++i) cells.add(&Cell::count);
      });
    }
  }
  EXPECT_EQ(cells.sum(&Cell::count), 3U * threads * 1000U);
}

}  // namespace
}  // namespace fuseboard
