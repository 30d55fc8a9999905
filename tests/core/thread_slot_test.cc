// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/thread_slot.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

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

// ThreadSanitizer lets no thread begin in the child of a process that had several.
#if defined(__has_feature)
#define FUSEBOARD_TEST_FORK !__has_feature(thread_sanitizer)
#else
#define FUSEBOARD_TEST_FORK 1
#endif
#if FUSEBOARD_TEST_FORK
TEST(ThreadSlot, AChildOfForkHasTheSlotsOfThreadsItDoesNotHave) {  // CORE-5
  const std::uint32_t mine = ThreadSlot::current();
  const std::uint32_t threads = ThreadSlot::count();
  std::barrier all_there(static_cast<std::ptrdiff_t>(threads) + 1);
  std::barrier leave(static_cast<std::ptrdiff_t>(threads) + 1);
  std::vector<std::jthread> running;
  for (std::uint32_t t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      (void)ThreadSlot::current();
      all_there.arrive_and_wait();
      leave.arrive_and_wait();
    });
  }
  all_there.arrive_and_wait();
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::uint32_t others = ThreadSlot::kShared;
    std::thread([&] { others = ThreadSlot::current(); }).join();
    ::_exit(others != ThreadSlot::kShared && others != mine && ThreadSlot::current() == mine ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  leave.arrive_and_wait();
}
#endif

}  // namespace
}  // namespace fuseboard
