// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The explorer and the check of histories: that they run what there is, each once, and find what is wrong.
#include "tests/interleave/explorer.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fuseboard/core/mutex.h"
#include "tests/interleave/history.h"

namespace fuseboard::interleave {
namespace {

// Shared values, and what each thread has seen.
struct Values {
  std::array<Atomic<int>, 3> value{};
  std::array<Mutex, 2> mutex{};
  std::array<int, 3> seen{};
};
using Work = std::function<void(Values&)>;

// Explores a piece of work for each thread; `outcomes` are all that came out.
Explored explore(const std::vector<Work>& threads, std::set<std::array<int, 3>>& outcomes, bool reduce = true) {
  std::optional<Values> values;
  Explorer explorer;
  return explorer.explore({.operations = std::vector<std::size_t>(threads.size(), 1),
                           .begin = [&] { values.emplace(); },
                           .run = [&](std::size_t thread, std::size_t) { threads[thread](*values); },
                           .end =
                               [&] {
                                 outcomes.insert(values->seen);
                                 return std::string();
                               }},
                          reduce);
}

std::uint64_t schedules_of(const std::vector<Work>& threads) {
  std::set<std::array<int, 3>> outcomes;
  const Explored explored = explore(threads, outcomes);
  EXPECT_EQ(explored.failure, "");
  return explored.schedules;
}

Work writes(std::size_t place) {
  return [place](Values& values) { values.value[place].store(1); };
}
Work reads(std::size_t place) {
  return [place](Values& values) { (void)values.value[place].load(); };
}
// Adds one, by a load and a store.
Work adds(std::size_t thread) {
  return [thread](Values& values) {
    values.seen[thread] = values.value[0].load() + 1;
    values.value[0].store(values.seen[thread]);
  };
}
Work locked(std::size_t mutex, Work work) {
  return [mutex, work = std::move(work)](Values& values) {
    const MutexLock lock(values.mutex[mutex]);
    work(values);
  };
}

TEST(Explorer, RunsOneInterleavingOfEachClass) {
  EXPECT_EQ(schedules_of({writes(0), writes(1), writes(2)}), 1U) << "independent";
  EXPECT_EQ(schedules_of({reads(0), reads(0), reads(0)}), 1U);
  EXPECT_EQ(schedules_of({writes(0), writes(0)}), 2U);
  EXPECT_EQ(schedules_of({writes(0), writes(0), writes(0)}), 6U);
  EXPECT_EQ(schedules_of({writes(0), reads(0), reads(0)}), 4U) << "each reader before or after";
  EXPECT_EQ(schedules_of({locked(0, writes(0)), locked(0, writes(0)), locked(0, writes(0))}), 6U);
  EXPECT_EQ(schedules_of({locked(0, reads(0)), locked(1, reads(0)), locked(0, reads(0))}), 2U);
}

TEST(Explorer, FindsEveryOutcomeOfThreadsThatLoseUpdates) {
  std::set<std::array<int, 3>> outcomes;
  EXPECT_EQ(explore({adds(0), adds(1)}, outcomes).schedules, 4U) << "6 interleavings; the two loads may change places";
  EXPECT_EQ(outcomes, (std::set<std::array<int, 3>>{{1, 2, 0}, {2, 1, 0}, {1, 1, 0}}));
}

// What the classic "store buffering" shows one after the other, and weaker memory in a fourth way.
TEST(Explorer, IsSequentiallyConsistent) {
  std::set<std::array<int, 3>> outcomes;
  const auto work = [](std::size_t mine, std::size_t other) -> Work {
    return [=](Values& values) {
      values.value[mine].store(1);
      values.seen[mine] = values.value[other].load();
    };
  };
  EXPECT_EQ(explore({work(0, 1), work(1, 0)}, outcomes).schedules, 3U);
  EXPECT_EQ(outcomes, (std::set<std::array<int, 3>>{{0, 1, 0}, {1, 0, 0}, {1, 1, 0}}));
}

// Programs with every kind of step, made by counting: the reduction must find what trying all interleavings finds.
TEST(Explorer, TheReductionLosesNoOutcome) {
  const auto step = [](Values& values, std::size_t thread, std::size_t kind) {
    int& seen = values.seen[thread];
    switch (kind) {
      case 0:
        seen = 10 * seen + values.value[0].load();
        break;
      case 1:
        values.value[0].store(static_cast<int>(thread) + 1);
        break;
      case 2:
        seen = 10 * seen + values.value[1].fetch_add(1);
        break;
      default: {
        const MutexLock lock(values.mutex[0]);
        seen = 10 * seen + values.value[0].load();
        values.value[1].store(seen);
      }
    }
  };
  std::uint64_t all = 0;
  std::uint64_t reduced = 0;
  for (std::size_t program = 0; program < 4096; program += 11) {
    std::vector<Work> threads;
    for (std::size_t thread = 0; thread < 3; ++thread) {
      const std::size_t kinds = program >> (4 * thread);
      threads.emplace_back([=](Values& values) {
        step(values, thread, kinds & 3U);
        step(values, thread, (kinds >> 2U) & 3U);
      });
    }
    std::set<std::array<int, 3>> expected;
    std::set<std::array<int, 3>> found;
    all += explore(threads, expected, false).schedules;
    reduced += explore(threads, found).schedules;
    ASSERT_EQ(found, expected) << "program " << program;
  }
  EXPECT_GT(all, 10 * reduced);
}

TEST(Explorer, FindsThreadsThatWaitForEachOther) {
  std::set<std::array<int, 3>> outcomes;
  const std::string failure =
      explore({locked(0, locked(1, reads(0))), locked(1, locked(0, reads(0)))}, outcomes).failure;
  EXPECT_NE(failure.find("wait for each other"), std::string::npos) << failure;
}

}  // namespace
}  // namespace fuseboard::interleave
