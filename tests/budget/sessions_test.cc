// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many sessions are held, and what happens at the bound [CORE-5].
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/budget/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class BudgetSessionsTest : public testing::Test {
 protected:
  BudgetReservation reserve(const std::string& session) {
    return granted(ledger_, tokens(1), {.key = "k", .session = session});
  }
  void spend(const std::string& session, std::uint64_t count) {
    granted(ledger_, tokens(count), {.key = "k", .session = session}).settle({.input = count});
  }
  void pass(std::chrono::nanoseconds time) { clock_.set(clock_.now() + time); }
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
  EXPECT_EQ(rejected(ledger_, tokens(1), {.key = "a", .session = "s"}).name, "a/s");
}

TEST_F(BudgetSessionsTest, TenThousandAreHeldByDefaultAndNoneIsForgottenForOthers) {  // BUD-10.9, CORE-5
  BudgetLedger ledger({.session = {.rounds = 1}}, clock_);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(ledger.check_and_tick({.session = "s" + std::to_string(i)}).has_value());
  }
  for (int i = 10'000; i < 20'000; ++i) {
    const auto ticked = ledger.check_and_tick({.session = "s" + std::to_string(i)});
    ASSERT_FALSE(ticked);
    ASSERT_EQ(ticked.error().kind, BudgetKind::sessions);
  }
  EXPECT_EQ(ledger.snapshot().sessions, 10'000U);
  EXPECT_EQ(ledger.snapshot().sessions_forgotten, 0U);
  EXPECT_EQ(ledger.snapshot().sessions_unheld, 10'000U);
  EXPECT_EQ(ledger.check_and_tick({.session = "s0"}).error().kind, BudgetKind::rounds) << "it is still spent";
}

TEST_F(BudgetSessionsTest, AThousandAreHeldOfEachKeyThatIsNamed) {  // BUD-10.9, CORE-5
  BudgetLedger ledger({.keys = {{"a", {}}, {"b", {}}}, .session = {.rounds = 1}}, clock_);
  const auto tick = [&](std::string_view key, int session) {
    return ledger.check_and_tick({.key = key, .session = "s" + std::to_string(session)});
  };
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(tick("a", i));
  EXPECT_EQ(tick("a", 1000).error().kind, BudgetKind::sessions);
  EXPECT_EQ(tick("a", 1000).error().limit, 1000U);
  EXPECT_TRUE(tick("b", 0)) << "another key has room of its own";
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(tick("unnamed", i));
    ASSERT_TRUE(tick("unnamed too", i));
  }
  EXPECT_EQ(tick("", 0).error().limit, 10'000U) << "all others share theirs";
}

TEST_F(BudgetSessionsTest, AtTheBoundANewOneIsRefusedAndToldWhenThereWillBeRoom) {  // BUD-10.9
  spend("a", 4);
  pass(1h);
  spend("b", 5);
  spend("c", 6);
  const BudgetRejection rejection = rejected(ledger_, tokens(1), {.key = "k", .session = "d"});
  EXPECT_EQ(rejection.kind, BudgetKind::sessions);
  EXPECT_EQ(rejection.level, BudgetLevel::session);
  EXPECT_EQ(rejection.name, "k/d");
  EXPECT_EQ(rejection.consumed, 3U);
  EXPECT_EQ(rejection.requested, 1U);
  EXPECT_EQ(rejection.limit, 3U);
  EXPECT_EQ(rejection.resets_at, clock_.now() + 23h);
  EXPECT_EQ(ledger_.check({.key = "k", .session = "d"})->kind, BudgetKind::sessions);
  EXPECT_EQ(ledger_.check_and_tick({.key = "k", .session = "d"}).error().kind, BudgetKind::sessions);
  EXPECT_EQ(global_of(ledger_).reserved.tokens, 0U);
  ledger_.charge({.key = "k", .session = "d"}, {.input = 8}, Money());
  EXPECT_EQ(global_of(ledger_).committed.tokens, 23U) << "charged where there is a level";
  EXPECT_EQ(ledger_.snapshot().sessions_unheld, 3U);
  EXPECT_EQ(spent("a"), 4U);
}

TEST_F(BudgetSessionsTest, OneThatHasSpentIsKeptADayAfterItsLastUse) {  // BUD-10.8
  spend("a", 4);
  pass(24h - 1ns);
  EXPECT_EQ(spent("a"), 4U);
  spend("a", 1);
  pass(24h - 1ns);
  EXPECT_EQ(spent("a"), 5U);
  spend("b", 1);
  pass(1ns);
  EXPECT_EQ(spent("a"), std::nullopt);
  spend("a", 2);
  EXPECT_EQ(spent("a"), 2U) << "it begins anew";
  EXPECT_EQ(ledger_.snapshot().sessions_forgotten, 1U);
  EXPECT_EQ(global_of(ledger_).committed.tokens, 8U) << "and its spend stays outside";
}

TEST_F(BudgetSessionsTest, ACallInFlightIsUseHoweverLongItTakes) {  // BUD-10.8
  BudgetReservation open = reserve("a");
  pass(100h);
  EXPECT_EQ(ledger_.check({.key = "k", .session = "a"}), std::nullopt);
  std::move(open).settle({.input = 7});
  pass(24h - 1ns);
  EXPECT_EQ(spent("a"), 7U);
  pass(1ns);
  EXPECT_EQ(spent("a"), std::nullopt);
}

TEST_F(BudgetSessionsTest, BeingRefusedIsUseToo) {  // BUD-10.8: else a spent one would only have to wait, asking on
  spend("spent", 10);
  for (int i = 0; i < 5; ++i) {
    pass(20h);
    EXPECT_EQ(rejected(ledger_, tokens(1), {.key = "k", .session = "spent"}).kind, BudgetKind::tokens);
  }
}

TEST_F(BudgetSessionsTest, OnesThatAreForgottenMakeRoom) {  // BUD-10.8, BUD-10.9
  for (const char* session : {"a", "b", "c"}) spend(session, 1);
  pass(24h);
  EXPECT_EQ(ledger_.check({.key = "k", .session = "d"}), std::nullopt);
  for (const char* session : {"d", "e", "f"}) spend(session, 1);
  EXPECT_EQ(rejected(ledger_, tokens(1), {.key = "k", .session = "g"}).kind, BudgetKind::sessions);
  EXPECT_EQ(ledger_.snapshot().sessions, 3U);
}

TEST_F(BudgetSessionsTest, OneThatHasSpentNothingTakesNobodysPlace) {   // BUD-10.9
  for (int i = 0; i < 20; ++i) (void)reserve("s" + std::to_string(i));  // given back unsent
  EXPECT_EQ(ledger_.snapshot().sessions, 0U);
  std::vector<BudgetReservation> open;
  for (const char* session : {"a", "b", "c"}) open.push_back(reserve(session));
  EXPECT_EQ(rejected(ledger_, tokens(1), {.key = "k", .session = "d"}).kind, BudgetKind::sessions);
  open.pop_back();
  spend("d", 1);
}

TEST_F(BudgetSessionsTest, AClockThatJumpsDelaysAtMostByADay) {  // BUD-10.8, BUD-7
  spend("a", 1);
  pass(10'000h);
  spend("b", 2);  // a is forgotten
  pass(-10'000h);
  EXPECT_EQ(spent("a"), std::nullopt);
  EXPECT_EQ(spent("b"), 2U);
  spend("c", 3);
  pass(24h);
  spend("d", 4);
  EXPECT_EQ(spent("c"), std::nullopt);
  pass(24h);
  spend("e", 5);
  EXPECT_EQ(spent("b"), std::nullopt) << "though it was used in a future that did not come";
  EXPECT_EQ(ledger_.snapshot().sessions, 1U);
}

TEST_F(BudgetSessionsTest, OfAKeyThatIsNoLongerNamedAreCountedWithTheOthers) {  // BUD-10.9
  BudgetLedger ledger({.keys = {{"a", {}}}, .session = {.rounds = 5}, .max_sessions = 2, .max_sessions_per_key = 2},
                      clock_);
  const auto tick = [&](std::string_view key, std::string_view session) {
    return ledger.check_and_tick({.key = key, .session = session}).has_value();
  };
  EXPECT_TRUE(tick("a", "1"));
  BudgetReservation open = granted(ledger, tokens(1), {.key = "a", .session = "2"});
  open.mark_sent();
  EXPECT_TRUE(tick("", "3"));
  ledger.configure({.session = {.rounds = 5}, .max_sessions = 3});
  EXPECT_TRUE(tick("", "4")) << "the key's level is still in use";
  std::move(open).settle({.input = 1});
  EXPECT_FALSE(tick("", "5")) << "four, where three may be";
  pass(24h);
  for (const char* session : {"6", "7", "8"}) EXPECT_TRUE(tick("", session));
  EXPECT_FALSE(tick("", "9"));
}

TEST_F(BudgetSessionsTest, ARefusedNewOneTakesNobodysPlace) {  // CORE-5
  spend("a", 1);
  spend("b", 1);
  spend("c", 1);
  EXPECT_EQ(rejected(ledger_, tokens(11), {.key = "k", .session = "d"}).kind, BudgetKind::tokens);
  EXPECT_EQ(ledger_.snapshot().sessions_forgotten, 0U);
}

TEST_F(BudgetSessionsTest, WithoutCapsTheyAreNotHeld) {  // CORE-5
  BudgetLedger ledger({.global = {.tokens = 100}}, clock_);
  granted(ledger, tokens(1), {.session = "s"}).settle({.input = 1});
  EXPECT_EQ(ledger.snapshot().sessions, 0U);
}

TEST_F(BudgetSessionsTest, ASmallerBoundForgetsNobody) {  // BUD-10.9, CORE-5
  spend("a", 1);
  spend("b", 2);
  ledger_.configure({.session = {.tokens = 10}, .max_sessions = 1});
  EXPECT_EQ(spent("a"), 1U);
  EXPECT_EQ(rejected(ledger_, tokens(1), {.key = "k", .session = "c"}).limit, 1U);
  pass(24h);
  spend("c", 3);
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
  EXPECT_EQ(smaller.levels_of({.key = "k", .session = "c"}).at(1).committed.tokens, 3U);
}

TEST_F(BudgetSessionsTest, ARestoreKnowsWhenEachWasUsedLast) {  // BUD-10.8 BUD-7
  spend("a", 1);
  pass(10h);
  spend("b", 2);
  const std::vector<BudgetRecord> records = ledger_.records();
  pass(14h);
  BudgetLedger later({.session = {.tokens = 10}}, clock_);
  EXPECT_EQ(later.restore(records), 2U) << "the global level and b";
  EXPECT_EQ(later.levels_of({.key = "k", .session = "a"}).size(), 1U);
  pass(10h - 1ns);
  EXPECT_EQ(later.levels_of({.key = "k", .session = "b"}).size(), 2U);
  pass(1ns);
  EXPECT_EQ(later.levels_of({.key = "k", .session = "b"}).size(), 1U);

  BudgetRecord undated = records.back();
  undated.last_used = {};
  EXPECT_EQ(later.restore(std::vector{undated}), 1U) << "of a store that does not know";
}

}  // namespace
}  // namespace fuseboard
