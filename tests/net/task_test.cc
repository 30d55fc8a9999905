// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace fuseboard::net {
namespace {

Task<int> answer() { co_return 42; }

Task<int> depth(int n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await depth(n - 1);
}

Task<void> run_count(int& count) {
  ++count;
  co_return;
}

TEST(Task, DoesNotStartBeforeItIsAwaited) {
  int count = 0;
  {
    const Task<void> task = run_count(count);
    EXPECT_EQ(count, 0);
  }
  EXPECT_EQ(count, 0);
  spawn(run_count(count));
  EXPECT_EQ(count, 1);
}

TEST(Task, HandsItsValueToTheAwaiter) {
  int seen = 0;
  spawn([](int& out) -> Task<void> { out = co_await answer(); }(seen));
  EXPECT_EQ(seen, 42);
}

TEST(Task, CarriesMoveOnlyValues) {
  std::unique_ptr<int> seen;
  spawn([](std::unique_ptr<int>& out) -> Task<void> {
    out = co_await []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); }();
  }(seen));
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(*seen, 7);
}

TEST(Task, ManyTasksOneAfterTheOtherDoNotGrowTheStack) {
  long sum = 0;
  spawn([](long& out) -> Task<void> {
    for (int i = 0; i < 100'000; ++i) out += co_await answer();
  }(sum));
  EXPECT_EQ(sum, 4'200'000);
}

TEST(Task, NestsDeeply) {
  int seen = 0;
  spawn([](int& out) -> Task<void> { out = co_await depth(1000); }(seen));
  EXPECT_EQ(seen, 1000);
}

TEST(Task, AnExceptionReachesTheAwaiter) {
  std::string seen;
  spawn([](std::string& out) -> Task<void> {
    try {
      co_await []() -> Task<int> {
        throw std::runtime_error("broken");
        co_return 0;
      }();
    } catch (const std::runtime_error& error) {
      out = error.what();
    }
  }(seen));
  EXPECT_EQ(seen, "broken");
}

TEST(TaskDeathTest, AnExceptionThatLeavesASpawnedTaskStopsTheProgram) {
  EXPECT_DEATH(spawn([]() -> Task<void> {
                 throw std::runtime_error("secret");
                 co_return;
               }()),
               "an exception left a spawned task");
}

TEST(OneShot, ResumesItsWaiterWhenItIsSet) {
  OneShot<int> shot;
  int seen = 0;
  spawn([](OneShot<int>& s, int& out) -> Task<void> { out = co_await s; }(shot, seen));
  EXPECT_EQ(seen, 0);
  EXPECT_TRUE(shot.set(5));
  EXPECT_EQ(seen, 5);
  EXPECT_FALSE(shot.set(6));
}

TEST(OneShot, SetBeforehandDoesNotSuspend) {
  OneShot<> shot;
  shot.set();
  bool passed = false;
  spawn([](OneShot<>& s, bool& out) -> Task<void> {
    co_await s;
    out = true;
  }(shot, passed));
  EXPECT_TRUE(passed);
}

TEST(OneShot, ForgetsAWaiterThatIsDestroyedWhileItWaits) {
  OneShot<> shot;
  {
    // Started by hand, so that it can be destroyed half-way.
    Task<void> task = [](OneShot<>& s) -> Task<void> { co_await s; }(shot);
    task.await_suspend(std::noop_coroutine()).resume();
  }
  EXPECT_TRUE(shot.set());
}

}  // namespace
}  // namespace fuseboard::net
