// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/body_memory.h"

#include <thread>
#include <vector>

#include "net/body.h"
#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

std::shared_ptr<BodyMemory> memory_of(std::size_t bytes) { return std::make_shared<BodyMemory>(bytes); }

TEST(BodyMemory, GivesUpToItsBoundAndNoMore) {  // CORE-5
  const auto memory = memory_of(100);
  BodyMemory::Share one(memory);
  BodyMemory::Share two(memory);
  EXPECT_TRUE(one.try_grow(60));
  EXPECT_TRUE(two.try_grow(40));
  EXPECT_FALSE(one.try_grow(61));
  EXPECT_EQ(one.bytes(), 60U);
  EXPECT_TRUE(one.try_grow(10)) << "it has more than that";
  EXPECT_EQ(memory->counters().bytes, 100U);
  two.clear();
  EXPECT_TRUE(one.try_grow(100));
}

TEST(BodyMemory, AShareGoesBackWithItsHolderAndOnlyOnce) {
  const auto memory = memory_of(100);
  {
    BodyMemory::Share share(memory);
    ASSERT_TRUE(share.try_grow(70));
    BodyMemory::Share moved(std::move(share));
    EXPECT_EQ(moved.bytes(), 70U);
    BodyMemory::Share other(memory);
    ASSERT_TRUE(other.try_grow(20));
    other = std::move(moved);
    EXPECT_EQ(memory->counters().bytes, 70U);
  }
  EXPECT_EQ(memory->counters().bytes, 0U);
}

TEST(BodyMemory, WithoutOneNothingIsRefused) {
  BodyMemory::Share share;
  EXPECT_TRUE(share.try_grow(std::size_t{1} << 40U));
  EXPECT_EQ(share.bytes(), std::size_t{1} << 40U);
}

// Waits on a loop for its share, and keeps it.
struct Waiting {
  Waiting(Loop& on, std::shared_ptr<BodyMemory> memory, std::size_t bytes, TimePoint by)
      : loop(on), share(std::move(memory)) {
    loop.post([this, bytes, by] {
      spawn(keep_result<bool>([this, bytes, by] { return share.grow(loop, bytes, by); }, promise));
    });
  }
  bool result() { return wait_for(promise.get_future()); }

  Loop& loop;
  BodyMemory::Share share;
  std::promise<bool> promise;
};

void until_waiting(const BodyMemory& memory, std::uint64_t waiting) {
  while (memory.counters().waited < waiting) std::this_thread::yield();
}

TEST(BodyMemory, WhoWaitsIsServedInTurnAcrossLoops) {  // CORE-5
  const auto memory = memory_of(100);
  LoopGroup loops(2);
  BodyMemory::Share all(memory);
  ASSERT_TRUE(all.try_grow(95));
  Waiting large(loops.at(0), memory, 90, kNever);
  until_waiting(*memory, 1);
  Waiting small(loops.at(1), memory, 5, kNever);
  until_waiting(*memory, 2);
  BodyMemory::Share late(memory);
  EXPECT_FALSE(late.try_grow(1)) << "there is room, and others wait for more";
  all.clear();
  EXPECT_TRUE(large.result());
  EXPECT_TRUE(small.result());
  EXPECT_EQ(memory->counters().bytes, 95U);
  EXPECT_TRUE(late.try_grow(5));
  loops.stop();
}

TEST(BodyMemory, WhoWaitsInVainLetsTheNextOneIn) {
  const auto memory = memory_of(100);
  LoopGroup loops(2);
  BodyMemory::Share most(memory);
  ASSERT_TRUE(most.try_grow(50));
  Waiting large(loops.at(0), memory, 90, saturating_add(loops.at(0).now(), 100ms));
  until_waiting(*memory, 1);
  Waiting small(loops.at(1), memory, 10, kNever);
  EXPECT_FALSE(large.result());
  EXPECT_TRUE(small.result()) << "it fits now that nobody waits before it";
  EXPECT_EQ(memory->counters().timed_out, 1U);
  EXPECT_EQ(memory->counters().bytes, 60U);
  loops.stop();
}

TEST(BodyMemory, StoppingALoopEndsTheWaitOnIt) {
  const auto memory = memory_of(10);
  LoopGroup loops(1);
  BodyMemory::Share all(memory);
  ASSERT_TRUE(all.try_grow(10));
  Waiting waiting(loops.at(0), memory, 5, kNever);
  until_waiting(*memory, 1);
  loops.stop();
  EXPECT_FALSE(waiting.result());
}

TEST(BodyMemory, NothingIsLostOrMadeByManyThreads) {
  const auto memory = memory_of(1000);
  LoopGroup loops(3);
  std::vector<std::promise<std::size_t>> done(30);
  for (std::size_t i = 0; i < done.size(); ++i) {
    Loop& loop = loops.at(i % loops.size());
    loop.post([&loop, &memory, &promise = done[i], i] {
      spawn(keep_result<std::size_t>(
          [&loop, &memory, i]() -> Task<std::size_t> {
            std::size_t granted = 0;
            for (std::size_t turn = 0; turn < 200; ++turn) {
              BodyMemory::Share share(memory);
              granted += co_await share.grow(loop, 100 + (i * turn) % 300, kNever) ? 1 : 0;
              if (memory->counters().bytes > 1000) co_return 0;
              if (turn % 4 == 0) co_await loop.sleep_until(loop.now());
            }
            co_return granted;
          },
          promise));
    });
  }
  for (auto& promise : done) EXPECT_EQ(wait_for(promise.get_future()), 200U);
  EXPECT_EQ(memory->counters().bytes, 0U);
  loops.stop();
}

TEST(Body, GrowsAndKeepsWhatItHas) {
  Body body;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    body.append(piece);
    expected += piece;
  }
  EXPECT_EQ(body.view(), expected);
  Body copy = body;
  const Body moved = std::move(body);
  EXPECT_EQ(moved.view(), expected);
  copy.append("!");
  EXPECT_EQ(moved.view(), expected) << "a copy is its own";
  copy = moved;
  EXPECT_EQ(copy.view(), expected);
}

}  // namespace
}  // namespace fuseboard::net
