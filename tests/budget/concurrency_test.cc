// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Many threads on one ledger. Nothing here waits for time to pass; threads start at a barrier.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/budget/support.h"
#include "tests/support/together.h"

namespace fuseboard {
namespace {

constexpr int kThreads = 8;

class BudgetThreadsTest : public testing::Test {
 protected:
  ManualWallClock clock_{at(2026, 3, 10)};
};

TEST_F(BudgetThreadsTest, ABudgetIsNotRacedPastByConcurrentCalls) {  // BUD-2, known mistake
  for (int round = 0; round < 300; ++round) {
    BudgetLedger ledger({.global = {.tokens = 100}}, clock_);
    std::atomic<std::uint64_t> held{0};
    std::atomic<int> grants{0};
    together(kThreads, [&](int) {
      std::vector<BudgetReservation> mine;
      for (int i = 0; i < 10; ++i) {
        auto reservation = ledger.reserve({}, tokens(7));
        if (!reservation) continue;
        EXPECT_LE(held.fetch_add(7) + 7, 100U);
        ++grants;
        mine.push_back(std::move(*reservation));
      }
      for (BudgetReservation& reservation : mine) {
        // Before it is settled nobody else may have it, after that neither: nothing is given back.
        std::move(reservation).settle({.input = 7});
      }
    });
    EXPECT_EQ(grants, 14) << "and what fits is granted";
    EXPECT_EQ(global_of(ledger).committed.tokens, 98U);
  }
}

TEST_F(BudgetThreadsTest, ReservationsComingAndGoingNeverHoldMoreThanTheCap) {  // BUD-2, known mistake
  // The inner cap lets one call in at a time, the outer one three: a race at either shows.
  BudgetLedger ledger({.global = {.tokens = 21}, .session = {.tokens = 7}}, clock_);
  std::atomic<int> held{0};
  std::array<std::atomic<int>, 4> held_by_session{};
  together(kThreads, [&](int t) {
    const std::string session = "s" + std::to_string(t % 4);
    std::atomic<int>& mine = held_by_session[static_cast<std::size_t>(t % 4)];
    for (int i = 0; i < 5000; ++i) {  // as many as a narrow race needs to show on two busy cores
      auto reservation = ledger.reserve({.session = session}, tokens(7));
      if (!reservation) continue;
      EXPECT_LE(held.fetch_add(1) + 1, 3);
      EXPECT_LE(mine.fetch_add(1) + 1, 1);
      std::this_thread::yield();
      --mine;
      --held;
      std::move(*reservation).release();
    }
  });
  EXPECT_EQ(global_of(ledger).reserved, BudgetSpend{});
}

TEST_F(BudgetThreadsTest, TicksStopAtTheCap) {  // BUD-2 BUD-9
  BudgetLedger ledger({.global = {.rounds = 1000}, .session = {.rounds = 90}}, clock_);
  std::atomic<int> ticks{0};
  together(kThreads, [&](int t) {
    const std::string session = "s" + std::to_string(t % 4);
    for (int i = 0; i < 100; ++i) {
      if (ledger.check_and_tick({.session = session})) ++ticks;
    }
  });
  EXPECT_EQ(ticks, 4 * 90);
  EXPECT_EQ(global_of(ledger).committed.rounds, 360U);
}

TEST_F(BudgetThreadsTest, ReservationsAreNotLeakedByDisconnects) {  // BUD-4, known mistake
  BudgetLedger ledger({.global = {.tokens = 10'000'000}, .session = {.tokens = 1'000'000}, .max_sessions = 5}, clock_);
  std::atomic<std::uint64_t> sent{0};
  together(kThreads, [&](int t) {
    for (int i = 0; i < 300; ++i) {
      const std::string session = "s" + std::to_string((t + i) % 12);
      auto reservation = ledger.reserve({.key = "k", .session = session}, tokens(3, 50));
      if (!reservation) continue;
      if (i % 3 == 0) {
        reservation->mark_sent();
        ++sent;
      }
      // The caller goes away.
    }
  });
  const BudgetSnapshot snapshot = ledger.snapshot();
  for (const BudgetLevelSnapshot& level : snapshot.levels) {
    EXPECT_EQ(level.open_reservations, 0U);
    EXPECT_EQ(level.reserved, BudgetSpend{});
  }
  EXPECT_EQ(global_of(ledger).committed.tokens, 3 * sent);
  EXPECT_EQ(global_of(ledger).committed.rounds, sent);
  EXPECT_LE(snapshot.sessions, 5U);
}

TEST_F(BudgetThreadsTest, OperationMayRunBesideCalls) {  // BUD-2 BUD-7
  BudgetLedger ledger({.keys = {{"k", {.tokens = 1'000'000'000}}}, .session = {.rounds = 1'000'000}}, clock_);
  together(kThreads, [&](int t) {
    for (int i = 0; i < 100; ++i) {
      if (t == 0) {
        ledger.configure({.keys = i % 2 == 0 ? std::vector<BudgetOptions::ForKey>{}
                                             : std::vector<BudgetOptions::ForKey>{{"k", {.tokens = 1'000'000'000}}},
                          .session = {.rounds = i % 3 == 0 ? std::optional<std::uint64_t>() : 1'000'000}});
      } else if (t == 1) {
        ledger.reset_all();
        (void)ledger.snapshot();
        (void)ledger.records();
      } else {
        granted(ledger, tokens(5), {.key = "k", .session = "s" + std::to_string(i % 7)}).settle({.input = 5});
      }
    }
  });
  for (const BudgetLevelSnapshot& level : ledger.snapshot().levels) {
    EXPECT_EQ(level.open_reservations, 0U);
    EXPECT_EQ(level.reserved, BudgetSpend{});
  }
}

}  // namespace
}  // namespace fuseboard
