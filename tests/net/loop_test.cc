// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/loop.h"

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

TEST(Loop, RunsPostedWorkOnItsOwnThread) {
  LoopGroup loops(2);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    EXPECT_FALSE(loops.at(i).on_loop_thread());
    EXPECT_TRUE(run_on(loops.at(i), [&loop = loops.at(i)]() -> Task<bool> { co_return loop.on_loop_thread(); }));
    EXPECT_EQ(loops.at(i).index(), i);
  }
}

TEST(Loop, SleepsAtLeastUntilTheTime) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  const TimePoint when = saturating_add(loop.now(), 20ms);
  EXPECT_TRUE(run_on(loop, [&]() { return loop.sleep_until(when); }));
  EXPECT_GE(loop.now(), when);
}

TEST(Loop, StopEndsASleep) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::promise<bool> slept;
  loop.post([&] { spawn(keep_result<bool>([&] { return loop.sleep_until(kNever); }, slept)); });
  loops.stop();
  EXPECT_FALSE(wait_for(slept.get_future()));
}

TEST(Timer, CancelEndsTheWait) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::unique_ptr<Timer> timer;
  std::promise<bool> result;
  loop.post([&] {
    timer = std::make_unique<Timer>(loop);
    spawn(keep_result<bool>([&] { return timer->wait_until(kNever); }, result));
    timer->cancel();
  });
  EXPECT_FALSE(wait_for(result.get_future()));
  // A cancelled timer stays cancelled.
  EXPECT_FALSE(run_on(loop, [&] { return timer->wait_until(loop.now()); }));
  loops.stop();
}

TEST(Timer, DestroyingItEndsTheWait) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  std::promise<bool> result;
  loop.post([&] {
    auto timer = std::make_unique<Timer>(loop);
    spawn(keep_result<bool>([&timer = *timer] { return timer.wait_until(kNever); }, result));
    timer.reset();
  });
  EXPECT_FALSE(wait_for(result.get_future()));
}

TEST(Timer, WaitsAgainAndAgain) {
  LoopGroup loops(1);
  Loop& loop = loops.at(0);
  const int rounds = run_on(loop, [&]() -> Task<int> {
    Timer timer(loop);
    int passed = 0;
    for (int i = 0; i < 5; ++i) passed += co_await timer.wait_until(saturating_add(loop.now(), 1ms)) ? 1 : 0;
    co_return passed;
  });
  EXPECT_EQ(rounds, 5);
}

}  // namespace
}  // namespace fuseboard::net
