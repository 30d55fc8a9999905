// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/ledger.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/budget/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr BudgetAccount kAlice = {.key = "alice", .session = "s1"};

class BudgetLedgerTest : public testing::Test {
 protected:
  ManualWallClock clock_{at(2026, 3, 10, 12h)};
};

TEST_F(BudgetLedgerTest, EachKindOfCapHoldsByItself) {  // BUD-1
  BudgetLedger by_tokens({.global = {.tokens = 100}}, clock_);
  EXPECT_EQ(rejected(by_tokens, priced(60, 41)).kind, BudgetKind::tokens);
  BudgetLedger by_usd({.global = {.usd = usd("100")}}, clock_);
  EXPECT_EQ(rejected(by_usd, priced(21, 40)).kind, BudgetKind::usd) << "a dollar in, two out";
  BudgetLedger by_rounds({.global = {.rounds = 2}}, clock_);
  granted(by_rounds, {}).settle({});
  const BudgetReservation second = granted(by_rounds, {});
  EXPECT_EQ(rejected(by_rounds, {}).kind, BudgetKind::rounds);
}

TEST_F(BudgetLedgerTest, WithoutCapsItCountsAndRefusesNothing) {  // BUD-1
  BudgetLedger ledger({}, clock_);
  granted(ledger, priced(10, 5)).settle({.input = 10, .output = 5});
  EXPECT_EQ(global_of(ledger).committed, (BudgetSpend{.tokens = 15, .cost = usd("20"), .rounds = 1}));
  EXPECT_EQ(ledger.check({}), std::nullopt);
}

TEST_F(BudgetLedgerTest, EachLevelHoldsAndAllAreChargedOrNone) {  // BUD-1 BUD-2
  BudgetLedger ledger({.global = {.tokens = 100},
                       .keys = {{"alice", {.tokens = 50}}, {"bob", {.tokens = 90}}},
                       .session = {.tokens = 30}},
                      clock_);
  EXPECT_EQ(rejected(ledger, tokens(31), kAlice).level, BudgetLevel::session);
  EXPECT_EQ(rejected(ledger, tokens(51), {.key = "alice"}).level, BudgetLevel::key);
  EXPECT_EQ(global_of(ledger).reserved, BudgetSpend{}) << "a refusal leaves nothing anywhere";

  granted(ledger, tokens(30), kAlice).settle({.input = 30});
  EXPECT_EQ(rejected(ledger, tokens(1), kAlice).level, BudgetLevel::session);
  granted(ledger, tokens(20), {.key = "alice", .session = "s2"}).settle({.input = 20});
  EXPECT_EQ(rejected(ledger, tokens(1), {.key = "alice", .session = "s3"}).level, BudgetLevel::key);
  granted(ledger, tokens(30), {.key = "bob", .session = "s1"}).settle({.input = 30});
  granted(ledger, tokens(20), {.key = "bob"}).settle({.input = 20});
  EXPECT_EQ(rejected(ledger, tokens(1), {.key = "bob"}).level, BudgetLevel::global);
}

TEST_F(BudgetLedgerTest, AGrantTakesWhatIsLeftAndNoMore) {  // BUD-2
  BudgetLedger ledger({.global = {.tokens = 100}}, clock_);
  granted(ledger, tokens(40)).settle({.input = 40});
  BudgetReservation open = granted(ledger, tokens(30));
  EXPECT_EQ(rejected(ledger, tokens(31)).kind, BudgetKind::tokens);
  const BudgetReservation rest = granted(ledger, tokens(30));
  std::move(open).release();
  EXPECT_EQ(global_of(ledger).reserved.tokens, 30U);
  granted(ledger, tokens(30)).settle({.input = 30});
}

TEST_F(BudgetLedgerTest, ARefusalSaysWhatIsGoneAndWhenItBeginsAnew) {  // BUD-6
  BudgetLedger ledger({.keys = {{"alice", {.usd = usd("5.00"), .period = BudgetPeriod::monthly}}}}, clock_);
  granted(ledger, priced(2), kAlice).settle({.input = 2});
  const BudgetReservation open = granted(ledger, priced(1), kAlice);
  const BudgetRejection rejection = rejected(ledger, priced(3), kAlice);
  EXPECT_EQ(rejection.kind, BudgetKind::usd);
  EXPECT_EQ(rejection.level, BudgetLevel::key);
  EXPECT_EQ(rejection.name, "alice");
  EXPECT_EQ(Money::from_nanos(rejection.consumed), usd("2"));
  EXPECT_EQ(Money::from_nanos(rejection.reserved), usd("1"));
  EXPECT_EQ(Money::from_nanos(rejection.requested), usd("3"));
  EXPECT_EQ(Money::from_nanos(rejection.limit), usd("5"));
  EXPECT_EQ(rejection.resets_at, at(2026, 4, 1));
  static_assert(std::is_trivially_copyable_v<BudgetRejection>);
}

TEST_F(BudgetLedgerTest, OfSeveralCapsTheOneIsNamedThatRefusesLongest) {  // BUD-6
  BudgetLedger ledger({.global = {.tokens = 10, .period = BudgetPeriod::daily},
                       .keys = {{"alice", {.tokens = 10, .period = BudgetPeriod::monthly}}},
                       .session = {.tokens = 10}},
                      clock_);
  EXPECT_EQ(rejected(ledger, tokens(11), {.key = "alice"}).resets_at, at(2026, 4, 1));
  EXPECT_EQ(rejected(ledger, tokens(11), kAlice).resets_at, std::nullopt) << "a session's total never begins anew";
  EXPECT_EQ(rejected(ledger, tokens(11), kAlice).name, "alice/s1");
}

TEST_F(BudgetLedgerTest, WhatCostsNothingPassesASpentDollarCap) {  // BUD-1 BUD-8
  BudgetLedger ledger({.global = {.usd = usd("1")}}, clock_);
  granted(ledger, priced(1)).settle({.input = 3});
  EXPECT_EQ(rejected(ledger, priced(1)).kind, BudgetKind::usd);
  granted(ledger, tokens(1'000'000)).settle({.input = 1'000'000});
  EXPECT_EQ(global_of(ledger).unpriced, 1U) << "counted, never silent";
}

TEST_F(BudgetLedgerTest, AnOverrunIsChargedInFullAndMarked) {  // BUD-3
  BudgetLedger ledger({.global = {.tokens = 100, .usd = usd("1000")}}, clock_);
  const BudgetSettlement within = granted(ledger, priced(10, 10)).settle({.input = 10, .output = 10});
  EXPECT_FALSE(within.overrun);
  const BudgetSettlement over = granted(ledger, priced(10, 70)).settle({.input = 10, .output = 200});
  EXPECT_TRUE(over.overrun);
  EXPECT_EQ(over.charged, (BudgetSpend{.tokens = 210, .cost = usd("410"), .rounds = 1}));
  EXPECT_EQ(global_of(ledger).committed.tokens, 230U);
  EXPECT_EQ(global_of(ledger).overruns, 1U);
  EXPECT_EQ(rejected(ledger, tokens(1)).consumed, 230U) << "and nothing more is granted";
}

TEST_F(BudgetLedgerTest, ACostAloneCanOverrun) {  // BUD-3
  BudgetLedger ledger({}, clock_);
  EXPECT_TRUE(granted(ledger, priced(10, 10)).settle({.output = 20}).overrun) << "as many tokens, but dearer ones";
  EXPECT_TRUE(granted(ledger, priced(10)).settle({.input = 10}, usd("11")).overrun);
  EXPECT_FALSE(granted(ledger, priced(10)).settle({.input = 10}, usd("9")).overrun);
  EXPECT_EQ(global_of(ledger).committed.cost, usd("60")) << "what the provider told goes before the price";
}

TEST_F(BudgetLedgerTest, AForgottenReservationThatWasNotSentIsGivenBack) {  // BUD-4
  BudgetLedger ledger({.global = {.rounds = 1}, .session = {.tokens = 50}}, clock_);
  {
    const BudgetReservation forgotten = granted(ledger, tokens(50), kAlice);
  }
  EXPECT_EQ(global_of(ledger).committed, BudgetSpend{});
  EXPECT_EQ(global_of(ledger).reserved, BudgetSpend{});
  EXPECT_EQ(global_of(ledger).open_reservations, 0U);
  std::move(granted(ledger, tokens(50), kAlice)).release();
  const BudgetReservation again = granted(ledger, tokens(50), kAlice);
}

TEST_F(BudgetLedgerTest, AForgottenReservationThatWasSentIsChargedItsInputAtLeast) {  // BUD-4
  BudgetLedger ledger({}, clock_);
  {
    BudgetReservation gone = granted(ledger, priced(100, 500));
    gone.mark_sent();
  }
  EXPECT_EQ(global_of(ledger).committed, (BudgetSpend{.tokens = 100, .cost = usd("100"), .rounds = 1}));
  EXPECT_EQ(global_of(ledger).reserved, BudgetSpend{});
}

TEST_F(BudgetLedgerTest, AForgottenReservationIsChargedWhatWasObserved) {  // BUD-4
  BudgetLedger ledger({}, clock_);
  {
    BudgetReservation gone = granted(ledger, priced(100, 500));
    gone.observe({.input = 120});
    gone.observe({.output = 7});
    gone.observe({.output = 3});  // out of order: the largest counts
    EXPECT_TRUE(gone.sent());
  }
  EXPECT_EQ(global_of(ledger).committed, (BudgetSpend{.tokens = 127, .cost = usd("134"), .rounds = 1}));
  BudgetReservation cheap = granted(ledger, priced(100));
  cheap.observe({.input = 100, .cached_input = 100});
  EXPECT_EQ(std::move(cheap).release().charged.cost, usd("100")) << "at least the input estimate";
}

TEST_F(BudgetLedgerTest, AReservationEndsOnceWhateverIsCalled) {  // BUD-2
  BudgetLedger ledger({}, clock_);
  static_assert(!std::is_copy_constructible_v<BudgetReservation>);
  BudgetReservation first = granted(ledger, tokens(10));
  BudgetReservation moved = std::move(first);
  std::move(first).settle({.input = 10});  // NOLINT(bugprone-use-after-move): that is the test
  EXPECT_EQ(global_of(ledger).committed.tokens, 0U);
  std::move(moved).settle({.input = 10});
  std::move(moved).settle({.input = 10});  // NOLINT(bugprone-use-after-move)
  std::move(moved).release();
  EXPECT_EQ(global_of(ledger).committed.tokens, 10U);
  EXPECT_EQ(global_of(ledger).committed.rounds, 1U);

  BudgetReservation assigned = granted(ledger, tokens(5));
  assigned = granted(ledger, tokens(6));
  EXPECT_EQ(global_of(ledger).reserved.tokens, 6U) << "what is assigned over is given back";
  BudgetReservation nothing;
  std::move(nothing).settle({.input = 1});
}

TEST_F(BudgetLedgerTest, HugeEstimatesNeitherWrapNorLeaveAnythingBehind) {  // CORE-7
  BudgetLedger ledger({.global = {.rounds = 10}, .keys = {{"capped", {.tokens = 100}}}}, clock_);
  {
    BudgetReservation one = granted(ledger, tokens(kMax, kMax));
    const BudgetReservation two = granted(ledger, tokens(kMax));
    EXPECT_EQ(global_of(ledger).reserved.tokens, kMax);
    EXPECT_EQ(rejected(ledger, tokens(kMax), {.key = "capped"}).requested, kMax);
  }
  EXPECT_EQ(global_of(ledger).reserved, BudgetSpend{});
  ledger.charge({}, {.input = kMax, .output = kMax}, Money::max());
  ledger.charge({}, {.input = kMax}, Money::max());
  EXPECT_EQ(global_of(ledger).committed.tokens, kMax);
  EXPECT_EQ(global_of(ledger).committed.cost, Money::max());
}

TEST_F(BudgetLedgerTest, CheckAsksForTheLeastAndChangesNothing) {  // BUD-9
  BudgetLedger ledger({.global = {.tokens = 10}, .session = {.rounds = 1}}, clock_);
  EXPECT_EQ(ledger.check(kAlice), std::nullopt);
  ledger.charge({}, {.input = 9}, Money());
  EXPECT_EQ(ledger.check({}), std::nullopt);
  ledger.charge({}, {.input = 1}, Money());
  EXPECT_EQ(ledger.check({})->kind, BudgetKind::tokens);
  EXPECT_EQ(ledger.snapshot().sessions, 0U);
  EXPECT_EQ(global_of(ledger).rejections, 0U);
}

TEST_F(BudgetLedgerTest, CheckSeesWhatIsReserved) {  // BUD-9
  BudgetLedger ledger({.global = {.tokens = 10}}, clock_);
  const BudgetReservation open = granted(ledger, tokens(10));
  EXPECT_EQ(ledger.check({})->reserved, 10U);
}

TEST_F(BudgetLedgerTest, ATickTakesARoundOnEveryLevelOrNone) {  // BUD-9
  BudgetLedger ledger({.global = {.rounds = 3}, .session = {.rounds = 2}}, clock_);
  EXPECT_TRUE(ledger.check_and_tick(kAlice).has_value());
  EXPECT_TRUE(ledger.check_and_tick(kAlice).has_value());
  EXPECT_EQ(ledger.check_and_tick(kAlice).error().level, BudgetLevel::session);
  EXPECT_EQ(global_of(ledger).committed.rounds, 2U);
  EXPECT_TRUE(ledger.check_and_tick({}).has_value());
  EXPECT_EQ(ledger.check_and_tick({}).error().level, BudgetLevel::global);
  EXPECT_EQ(global_of(ledger).rejections, 1U);
}

TEST_F(BudgetLedgerTest, AChargeIsTakenWhateverTheCapsSay) {  // BUD-9
  BudgetLedger ledger({.global = {.usd = usd("1")}, .session = {.tokens = 10}}, clock_);
  ledger.charge(kAlice, {.input = 20, .output = 5}, usd("3"));
  EXPECT_EQ(global_of(ledger).committed, (BudgetSpend{.tokens = 25, .cost = usd("3")}));
  EXPECT_EQ(rejected(ledger, tokens(1), kAlice).consumed, 25U);
}

TEST_F(BudgetLedgerTest, ResetForgetsWhatIsSpentAndKeepsWhatIsReserved) {  // BUD-7
  BudgetLedger ledger({.global = {.tokens = 100}, .keys = {{"alice", {}}}, .session = {.tokens = 100}}, clock_);
  granted(ledger, tokens(60), kAlice).settle({.input = 60});
  BudgetReservation open = granted(ledger, tokens(30), kAlice);
  EXPECT_TRUE(ledger.reset(BudgetLevel::session, kAlice));
  EXPECT_EQ(ledger.levels_of(kAlice).at(2).committed.tokens, 0U);
  EXPECT_EQ(ledger.levels_of(kAlice).at(2).reserved.tokens, 30U);
  EXPECT_EQ(global_of(ledger).committed.tokens, 60U);
  EXPECT_FALSE(ledger.reset(BudgetLevel::key, {.key = "nobody"}));
  ledger.reset_all();
  EXPECT_EQ(global_of(ledger).committed.tokens, 0U);
  std::move(open).settle({.input = 30});
  EXPECT_EQ(global_of(ledger).committed.tokens, 30U);
}

TEST_F(BudgetLedgerTest, NewCapsApplyToWhatIsCountedAlready) {  // BUD-1
  BudgetLedger ledger({.global = {.tokens = 100}, .keys = {{"alice", {.tokens = 100}}, {"bob", {.tokens = 100}}}},
                      clock_);
  granted(ledger, tokens(50), {.key = "alice"}).settle({.input = 50});
  BudgetReservation bobs = granted(ledger, tokens(20), {.key = "bob"});
  EXPECT_THROW(ledger.configure({.global = {.tokens = 0}}), InvalidOptions);
  ledger.configure({.global = {.tokens = 1000}, .keys = {{"alice", {.tokens = 60}}}});
  EXPECT_EQ(rejected(ledger, tokens(11), {.key = "alice"}).consumed, 50U);
  EXPECT_EQ(ledger.levels_of({.key = "bob"}).size(), 1U) << "no longer a level";
  std::move(bobs).settle({.input = 20});
  EXPECT_EQ(global_of(ledger).committed.tokens, 70U);
  ledger.configure({.keys = {{"bob", {.tokens = 100}}}});
  EXPECT_EQ(ledger.levels_of({.key = "bob"}).at(1).committed.tokens, 0U);
}

TEST_F(BudgetLedgerTest, ARestoredLedgerGoesOnAndChargesWhatWasReserved) {  // BUD-7
  const BudgetOptions options = {
      .global = {.tokens = 100, .usd = usd("1000")}, .keys = {{"alice", {.tokens = 90}}}, .session = {.tokens = 80}};
  BudgetLedger before(options, clock_);
  granted(before, priced(30), kAlice).settle({.input = 30});
  const BudgetReservation open = granted(before, priced(20), kAlice);
  const auto records = before.records();

  BudgetLedger after(options, clock_);
  EXPECT_EQ(after.restore(records), 3U);
  EXPECT_EQ(after.restore(records), 3U) << "twice is as good as once";
  for (const BudgetLevelSnapshot& level : after.levels_of(kAlice)) {
    EXPECT_EQ(level.committed, (BudgetSpend{.tokens = 50, .cost = usd("50"), .rounds = 2})) << name(level.level);
    EXPECT_EQ(level.reserved, BudgetSpend{});
  }
  EXPECT_EQ(rejected(after, tokens(31), kAlice).level, BudgetLevel::session);
}

TEST_F(BudgetLedgerTest, RecordsOfAPeriodThatIsOverOrOfUnknownKeysAreLeft) {  // BUD-7
  BudgetOptions options = {.global = {.tokens = 100, .period = BudgetPeriod::daily},
                           .keys = {{"alice", {.tokens = 90}}},
                           .session = {.tokens = 80, .period = BudgetPeriod::daily}};
  BudgetLedger before(options, clock_);
  granted(before, tokens(30), kAlice).settle({.input = 30});
  const auto records = before.records();
  clock_.set(at(2026, 3, 11));
  options.keys[0].key = "bob";
  BudgetLedger after(options, clock_);
  EXPECT_EQ(after.restore(records), 0U);
  EXPECT_EQ(after.snapshot().sessions, 0U);
  EXPECT_EQ(global_of(after).committed, BudgetSpend{});
}

TEST_F(BudgetLedgerTest, ARestartWithAClockThatJumpedBackOpensNoSpentPeriodAgain) {  // BUD-7
  const BudgetOptions options = {.global = {.tokens = 100, .period = BudgetPeriod::daily}};
  BudgetLedger before(options, clock_);
  granted(before, tokens(100)).settle({.input = 100});
  clock_.set(at(2026, 3, 1));
  BudgetLedger after(options, clock_);
  EXPECT_EQ(after.restore(before.records()), 1U);
  EXPECT_EQ(rejected(after, tokens(1)).resets_at, at(2026, 3, 11));
}

TEST_F(BudgetLedgerTest, OptionsAreCheckedAllAtOnce) {  // CORE-6
  const BudgetOptions wrong = {.global = {.tokens = 0, .rounds = 0},
                               .keys = {{"a", {.tokens = kMax}}, {"a", {}}, {"", {}}},
                               .session = {.rounds = 0},
                               .max_sessions = 0};
  const Problems problems = wrong.validate();
  EXPECT_EQ(problems.size(), 7U);
  EXPECT_EQ(problems.at(0).message(), "global.tokens: 0 is not allowed; allowed: 1 to 9223372036854775807");
  EXPECT_THROW(BudgetLedger(wrong, clock_), InvalidOptions);
}

}  // namespace
}  // namespace fuseboard
