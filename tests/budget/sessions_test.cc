// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many sessions are held, and what happens at the bound [CORE-5].
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/budget/support.h"

namespace fuseboard {
namespace {

class BudgetSessionsTest : public testing::Test {
 protected:
  BudgetReservation reserve(const std::string& session) {
    return granted(ledger_, tokens(1), {.key = "k", .session = session});
  }
  void spend(const std::string& session, std::uint64_t count) {
    granted(ledger_, tokens(count), {.key = "k", .session = session}).settle({.input = count});
  }
  // Of a session that is not held: nullopt.
  std::optional<std::uint64_t> spent(const std::string& session) {
    const auto levels = ledger_.levels_of({.key = "k", .session = session});
    return levels.back().level == BudgetLevel::session ? std::optional(levels.back().committed.tokens) : std::nullopt;
  }

  ManualWallClock clock_{at(2026, 3, 10)};
  BudgetLedger ledger_{{.session = {.tokens = 10}, .max_sessions = 3}, clock_};
};

TEST_F(BudgetSessionsTest, AreToldApartByTheirKeyToo) {  // BUD-1
  granted(ledger_, tokens(10), {.key = "a", .session = "s"}).settle({.input = 10});
  granted(ledger_, tokens(10), {.key = "b", .session = "s"}).settle({.input = 10});
  granted(ledger_, tokens(10), {.session = "s"}).settle({.input = 10});
  EXPECT_EQ(refused(ledger_, tokens(1), {.key = "a", .session = "s"}).name, "a/s");
}

TEST_F(BudgetSessionsTest, TenThousandAreHeldByDefault) {  // CORE-5
  BudgetLedger ledger({.session = {.rounds = 1}}, clock_);
  for (int i = 0; i < 10'001; ++i) {
    ASSERT_TRUE(ledger.check_and_tick({.session = "s" + std::to_string(i)}).has_value());
  }
  EXPECT_EQ(ledger.snapshot().sessions, 10'000U);
  EXPECT_EQ(ledger.snapshot().sessions_forgotten, 1U);
  EXPECT_FALSE(ledger.check_and_tick({.session = "s1"}).has_value());
  EXPECT_TRUE(ledger.check_and_tick({.session = "s0"}).has_value()) << "the one that was forgotten";
}

TEST_F(BudgetSessionsTest, AtTheBoundTheLongestIdleOneGoesAndItsSpendStaysOutside) {  // CORE-5 BUD-1
  spend("a", 4);
  spend("b", 5);
  spend("c", 6);
  spend("a", 1);
  spend("d", 7);
  EXPECT_EQ(spent("b"), std::nullopt);
  EXPECT_EQ(spent("a"), 5U);
  EXPECT_EQ(global_of(ledger_).committed.tokens, 23U);
  EXPECT_EQ(ledger_.snapshot().sessions_forgotten, 1U);
}

TEST_F(BudgetSessionsTest, OneThatIsStillAskedForIsNotForgottenForBeingSpent) {  // CORE-5 BUD-1
  spend("spent", 10);
  for (int i = 0; i < 20; ++i) {
    spend("s" + std::to_string(i), 1);
    EXPECT_FALSE(ledger_.reserve({.key = "k", .session = "spent"}, tokens(1)).has_value());
  }
}

TEST_F(BudgetSessionsTest, WithCallsInFlightNoneGoesAndANewOneIsRefused) {  // CORE-5
  std::vector<BudgetReservation> open;
  for (const char* session : {"a", "b", "c"}) open.push_back(reserve(session));
  const BudgetRefusal refusal = refused(ledger_, tokens(1), {.key = "k", .session = "d"});
  EXPECT_EQ(refusal.kind, BudgetKind::sessions);
  EXPECT_EQ(refusal.limit, 3U);
  EXPECT_EQ(global_of(ledger_).reserved.tokens, 3U);
  EXPECT_EQ(ledger_.check_and_tick({.key = "k", .session = "d"}).error().kind, BudgetKind::sessions);
  ledger_.charge({.key = "k", .session = "d"}, {.input = 8}, Money());
  EXPECT_EQ(global_of(ledger_).committed.tokens, 8U) << "charged where there is a level";
  EXPECT_EQ(ledger_.snapshot().sessions_unheld, 3U);

  open.push_back(reserve("a"));
  open.erase(open.begin() + 1);  // b comes to rest
  open.push_back(reserve("d"));
  EXPECT_EQ(spent("b"), std::nullopt);
  EXPECT_EQ(spent("a"), 0U);
}

TEST_F(BudgetSessionsTest, ARefusedNewOneTakesNobodysPlace) {  // CORE-5
  spend("a", 1);
  spend("b", 1);
  spend("c", 1);
  EXPECT_EQ(refused(ledger_, tokens(11), {.key = "k", .session = "d"}).kind, BudgetKind::tokens);
  EXPECT_EQ(ledger_.snapshot().sessions_forgotten, 0U);
}

TEST_F(BudgetSessionsTest, WithoutCapsTheyAreNotHeld) {  // CORE-5
  BudgetLedger ledger({.global = {.tokens = 100}}, clock_);
  granted(ledger, tokens(1), {.session = "s"}).settle({.input = 1});
  EXPECT_EQ(ledger.snapshot().sessions, 0U);
}

TEST_F(BudgetSessionsTest, ASmallerBoundAppliesAtOnceToTheIdleOnes) {  // CORE-5
  spend("a", 1);
  const BudgetReservation open = reserve("b");
  spend("c", 1);
  ledger_.configure({.session = {.tokens = 10}, .max_sessions = 1});
  EXPECT_EQ(spent("b"), 0U);
  EXPECT_EQ(ledger_.snapshot().sessions, 1U);
}

TEST_F(BudgetSessionsTest, WithoutSessionCapsAnyMoreTheyGoAsTheirCallsEnd) {  // CORE-5
  spend("a", 1);
  BudgetReservation open = reserve("b");
  ledger_.configure({});
  EXPECT_EQ(ledger_.snapshot().sessions, 1U);
  std::move(open).settle({.input = 1});
  EXPECT_EQ(ledger_.snapshot().sessions, 0U);
}

TEST_F(BudgetSessionsTest, ASnapshotListsTheBusyThenTheLastUsedUpToItsBound) {  // CORE-5
  spend("a", 1);
  const BudgetReservation open = reserve("b");
  spend("c", 1);
  const BudgetSnapshot snapshot = ledger_.snapshot(2);
  ASSERT_EQ(snapshot.levels.size(), 3U);
  EXPECT_EQ(to_text(snapshot.levels[1].name.view()), "k/b");
  EXPECT_EQ(to_text(snapshot.levels[2].name.view()), "k/c");
  EXPECT_EQ(snapshot.sessions, 3U);
}

TEST_F(BudgetSessionsTest, ARestoreBeyondTheBoundKeepsTheOnesUsedLast) {  // CORE-5 BUD-7
  spend("a", 1);
  spend("b", 2);
  spend("c", 3);
  BudgetLedger smaller({.session = {.tokens = 10}, .max_sessions = 2}, clock_);
  EXPECT_EQ(smaller.restore(ledger_.records()), 3U) << "the global level and two sessions";
  EXPECT_EQ(smaller.levels_of({.key = "k", .session = "a"}).size(), 1U);
  granted(smaller, tokens(1), {.key = "k", .session = "d"}).settle({});
  EXPECT_EQ(smaller.levels_of({.key = "k", .session = "b"}).size(), 1U) << "and forgets in the old order";
  EXPECT_EQ(smaller.levels_of({.key = "k", .session = "c"}).at(1).committed.tokens, 3U);
}

}  // namespace
}  // namespace fuseboard
