// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calendar periods, and wall clocks that jump.
#include "fuseboard/budget/period.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/budget/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

TEST(BudgetPeriods, DaysAndMonthsBeginAtMidnightUtc) {  // BUD-7
  EXPECT_EQ(period_start(BudgetPeriod::daily, at(2026, 2, 28, 23h)), at(2026, 2, 28));
  EXPECT_EQ(period_end(BudgetPeriod::daily, at(2026, 2, 28)), at(2026, 3, 1));
  EXPECT_EQ(period_start(BudgetPeriod::monthly, at(2024, 2, 29, 23h)), at(2024, 2, 1));
  EXPECT_EQ(period_end(BudgetPeriod::monthly, at(2024, 2, 1)), at(2024, 3, 1));
  EXPECT_EQ(period_end(BudgetPeriod::monthly, at(2026, 12, 1)), at(2027, 1, 1));
  EXPECT_EQ(period_end(BudgetPeriod::total, period_start(BudgetPeriod::total, at(2026, 1, 1))), std::nullopt);
  EXPECT_EQ(period_start(BudgetPeriod::daily, at(1969, 12, 31, 1h)), at(1969, 12, 31)) << "before the epoch, too";
}

TEST(BudgetPeriods, TheEndsOfTimeAreNoTrouble) {  // CORE-7
  for (const BudgetPeriod period : {BudgetPeriod::daily, BudgetPeriod::monthly}) {
    EXPECT_LE(period_start(period, WallTime::max()), WallTime::max());
    EXPECT_EQ(period_end(period, period_start(period, WallTime::max())), std::nullopt);
    EXPECT_GT(period_end(period, period_start(period, WallTime::min())), WallTime::min());
  }
}

TEST(BudgetPeriods, HaveNames) {  // BUD-7
  for (const auto period : {BudgetPeriod::total, BudgetPeriod::daily, BudgetPeriod::monthly}) {
    EXPECT_EQ(budget_period_from_name(name(period)), period);
  }
  EXPECT_EQ(budget_period_from_name("weekly"), std::nullopt);
}

class BudgetPeriodTest : public testing::Test {
 protected:
  void spend(std::uint64_t count) { granted(ledger_, tokens(count)).settle({.input = count}); }
  ManualWallClock clock_{at(2026, 3, 10, 12h)};
  BudgetLedger ledger_{{.global = {.tokens = 100, .period = BudgetPeriod::daily}}, clock_};
};

TEST_F(BudgetPeriodTest, ADailyBudgetBeginsAnewAtMidnight) {  // BUD-7
  spend(100);
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 3, 11));
  clock_.set(at(2026, 3, 11) - 1ns);
  EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U);
  clock_.set(at(2026, 3, 11));
  EXPECT_EQ(global_of(ledger_).committed.tokens, 0U);
  EXPECT_EQ(global_of(ledger_).resets_at, at(2026, 3, 12));
  spend(100);
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 3, 12));
}

TEST_F(BudgetPeriodTest, AClockThatJumpsBackOpensNoSpentPeriodAgain) {  // BUD-7
  spend(100);
  clock_.set(at(2026, 3, 9));
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 3, 11)) << "the day it had reached goes on";
  clock_.set(at(2026, 3, 10, 1h));
  EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U) << "and is not opened again when it comes again";
  clock_.set(at(2026, 3, 11));
  spend(100);
  for (int i = 0; i < 3; ++i) {  // to and fro over midnight
    clock_.set(at(2026, 3, 10, 23h));
    EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U);
    clock_.set(at(2026, 3, 11, 1h));
    EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U);
  }
}

TEST_F(BudgetPeriodTest, AClockThatJumpsForwardOpensTheLaterPeriodOnceAndItLastsToItsEnd) {  // BUD-7
  spend(60);
  clock_.set(at(2026, 3, 20));
  spend(100);
  clock_.set(at(2026, 3, 11));
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 3, 21));
  clock_.set(at(2026, 3, 20));
  EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U);
  clock_.set(at(2026, 3, 21));
  spend(100);
}

TEST_F(BudgetPeriodTest, AskingWhileTheClockIsAheadOpensNothing) {  // BUD-7
  spend(100);
  clock_.set(at(2026, 3, 20));
  EXPECT_EQ(ledger_.check({}), std::nullopt);
  EXPECT_EQ(global_of(ledger_).committed.tokens, 0U);
  (void)ledger_.snapshot();
  clock_.set(at(2026, 3, 10, 13h));
  EXPECT_EQ(rejected(ledger_, tokens(1)).consumed, 100U);
}

TEST_F(BudgetPeriodTest, AReservationMadeWhileTheClockIsAheadOpensThatPeriod) {  // BUD-2 BUD-7
  spend(100);
  clock_.set(at(2026, 3, 20));
  const BudgetReservation open = granted(ledger_, tokens(100));
  clock_.set(at(2026, 3, 10, 13h));
  const BudgetRejection rejection = rejected(ledger_, tokens(1));
  EXPECT_EQ(rejection.consumed, 0U) << "or the period it came from would hold more than its cap";
  EXPECT_EQ(rejection.reserved, 100U);
  EXPECT_EQ(rejection.resets_at, at(2026, 3, 21));
}

TEST_F(BudgetPeriodTest, AResetBeginsThePresentPeriodAfterAClockWasPutRight) {  // BUD-7
  clock_.set(at(2100, 1, 1));
  spend(100);
  clock_.set(at(2026, 3, 10));
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2100, 1, 2));
  EXPECT_TRUE(ledger_.reset(BudgetLevel::global));
  spend(100);
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 3, 11));
}

TEST_F(BudgetPeriodTest, AReservationOpenAtTheTurnCountsInTheNewPeriod) {  // BUD-2 BUD-7
  BudgetReservation open = granted(ledger_, tokens(70));
  clock_.set(at(2026, 3, 11));
  EXPECT_EQ(rejected(ledger_, tokens(31)).reserved, 70U);
  std::move(open).settle({.input = 65});
  EXPECT_EQ(global_of(ledger_).committed.tokens, 65U);
  EXPECT_EQ(rejected(ledger_, tokens(36)).consumed, 65U);
}

TEST_F(BudgetPeriodTest, ANewPeriodOfTheOptionsKeepsTheSpendOfWhatItHolds) {  // BUD-7
  spend(100);
  ledger_.configure({.global = {.tokens = 100, .period = BudgetPeriod::monthly}});
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, at(2026, 4, 1));
  ledger_.configure({.global = {.tokens = 100, .period = BudgetPeriod::total}});
  EXPECT_EQ(rejected(ledger_, tokens(1)).resets_at, std::nullopt);
}

}  // namespace
}  // namespace fuseboard
