// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/thread_pool.h"

#include <stdexcept>
#include <vector>

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

TEST(ThreadPool, WorkIsDoneAsideWhileTheLoopGoesOn) {
  ThreadPool pool(1);
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::promise<void> looped;
  std::promise<std::pair<bool, bool>> result;
  loop.post([&] {
    spawn(keep_result<std::pair<bool, bool>>(
        [&]() -> Task<std::pair<bool, bool>> {
          const bool aside = co_await run_aside(loop, pool, [&] {
            wait_for(looped.get_future());
            return !loop.on_loop_thread();
          });
          co_return std::pair(aside, loop.on_loop_thread());
        },
        result));
  });
  loop.post([&] { looped.set_value(); });
  EXPECT_EQ(wait_for(result.get_future()), std::pair(true, true));
  loops.stop();
}

TEST(ThreadPool, WhatTheWorkThrowsItsWaiterCatches) {
  ThreadPool pool(2);
  LoopGroup loops(1);
  const auto caught = run_on(loops.at(0), [&]() -> Task<std::string> {
    try {
      co_await run_aside(loops.at(0), pool, []() -> int { throw std::runtime_error("no"); });
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  });
  EXPECT_EQ(caught, "no");
  loops.stop();
}

TEST(ThreadPool, ALoopThatStopsLetsTheWorkEnd) {
  ThreadPool pool(1);
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::promise<void> begun;
  std::promise<void> go_on;
  std::promise<int> result;
  loop.post([&] {
    spawn(keep_result<int>(
        [&] {
          return run_aside(loop, pool, [&] {
            begun.set_value();
            wait_for(go_on.get_future());
            return 7;
          });
        },
        result));
  });
  wait_for(begun.get_future());
  loop.stop();
  go_on.set_value();
  EXPECT_EQ(wait_for(result.get_future()), 7);
  loops.stop();
}

TEST(ThreadPool, StoppingDropsWhatHasNotBegun) {
  ThreadPool pool(1);
  std::promise<void> begun;
  std::promise<void> go_on;
  pool.run([&] {
    begun.set_value();
    wait_for(go_on.get_future());
  });
  const auto dropped = std::make_shared<int>(0);
  pool.run([dropped] { ADD_FAILURE() << "it was done"; });
  wait_for(begun.get_future());
  std::thread stopper([&] { pool.stop(); });
  while (dropped.use_count() > 1) std::this_thread::yield();
  go_on.set_value();
  stopper.join();
  pool.run([dropped] { ADD_FAILURE() << "it was taken after the end"; });
  EXPECT_EQ(dropped.use_count(), 1);
}

TEST(Pauses, AreCountedByTheirBounds) {
  Pauses pauses;
  pauses.add(0ns);
  pauses.add(50us);
  pauses.add(50us + 1ns);
  pauses.add(5ms);
  pauses.add(1s);
  pauses.add(3s);
  const Pauses::Counts counts = pauses.counts();
  EXPECT_EQ(counts.by_bound[0], 2U);
  EXPECT_EQ(counts.by_bound[1], 1U);
  EXPECT_EQ(counts.by_bound[6], 1U);
  EXPECT_EQ(counts.by_bound[12], 1U);
  EXPECT_EQ(counts.by_bound[13], 1U);
  EXPECT_EQ(counts.total, 4s + 5ms + 100us + 1ns);
}

TEST(Pauses, OfALoopTellHowLongOneThingKeptIt) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::promise<void> done;
  loop.post([&] {
    const TimePoint end = saturating_add(loop.now(), 30ms);
    while (loop.now() < end) {
    }
  });
  loop.post([&] { done.set_value(); });
  wait_for(done.get_future());
  const Pauses::Counts counts = loops.pauses();
  std::uint64_t long_ones = 0;
  for (std::size_t i = 9; i < counts.by_bound.size(); ++i) long_ones += counts.by_bound[i];
  EXPECT_GE(long_ones, 1U) << "above 25 ms";
  loops.stop();
}

}  // namespace
}  // namespace fuseboard::net
