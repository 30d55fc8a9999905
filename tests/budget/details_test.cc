// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of budgets shows only where levels, prices and ends meet.
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "fuseboard/budget/estimate.h"
#include "tests/budget/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr BudgetAccount kAlice = {.key = "alice", .session = "s1"};

class BudgetDetails : public testing::Test {
 protected:
  ManualWallClock clock_{at(2026, 3, 10, 12h)};
};

TEST_F(BudgetDetails, WhatHasNoPriceAndUsedTokensIsCountedAsSuch) {  // BUD-8
  BudgetLedger ledger({}, clock_);
  granted(ledger, priced(10)).settle({.input = 10});
  EXPECT_EQ(global_of(ledger).unpriced, 0U) << "it has a price";
  granted(ledger, tokens(10)).settle({});
  EXPECT_EQ(global_of(ledger).unpriced, 0U) << "it used nothing";
  granted(ledger, tokens(10)).settle({.input = 10});
  EXPECT_EQ(global_of(ledger).unpriced, 1U);
  granted(ledger, tokens(10)).settle({.input = 10}, usd("0.01"));
  EXPECT_EQ(global_of(ledger).unpriced, 1U) << "its provider said what it cost";
  BudgetReservation sent = granted(ledger, tokens(10));
  sent.mark_sent();
  std::move(sent).release();
  EXPECT_EQ(global_of(ledger).unpriced, 2U);
}

TEST_F(BudgetDetails, ADrawThatFillsACapToTheLastUnitIsGranted) {  // BUD-2
  BudgetLedger ledger({.global = {.tokens = 100, .usd = usd("100"), .rounds = 2}}, clock_);
  BudgetReservation all = granted(ledger, priced(100));
  EXPECT_EQ(rejected(ledger, tokens(1)).kind, BudgetKind::tokens);
  std::move(all).settle({.input = 99});
  EXPECT_EQ(rejected(ledger, priced(2)).requested, 2U);
  granted(ledger, priced(1)).settle({.input = 1});
  EXPECT_EQ(rejected(ledger, {}).kind, BudgetKind::rounds);
}

TEST_F(BudgetDetails, CachedInputIsPartOfTheInputAndCheaper) {  // BUD-8
  EXPECT_EQ(dear().cost({.input = 10, .cached_input = 4}), usd("6.4"));
  EXPECT_EQ(dear().cost({.input = 10, .cached_input = 40}), usd("1")) << "no more of it is cached than there is";
  EXPECT_EQ(dear().cost({.input = 1, .output = 2}), usd("5"));
}

TEST_F(BudgetDetails, AnAbandonedCallIsChargedTheDearerOfItsInputAndWhatWasSeen) {  // BUD-4, BUD-8
  BudgetLedger ledger({}, clock_);
  {
    BudgetReservation left = granted(ledger, priced(10, 100));
    left.observe({.input = 10, .cached_input = 9, .output = 1});
  }
  EXPECT_EQ(global_of(ledger).committed.tokens, 11U);
  EXPECT_EQ(global_of(ledger).committed.cost, usd("10")) << "its input as estimated, for that is dearer than 3.9";
}

TEST_F(BudgetDetails, WhatIsObservedNeverShrinks) {  // BUD-4
  BudgetLedger ledger({}, clock_);
  {
    BudgetReservation left = granted(ledger, tokens(10));
    left.observe({.input = 10, .output = 50});
    left.observe({.input = 5, .output = 20});
  }
  EXPECT_EQ(global_of(ledger).committed.tokens, 60U);
}

TEST_F(BudgetDetails, ARefusalIsCountedAtTheLevelThatRefused) {  // BUD-6
  BudgetLedger ledger({.keys = {{"alice", {.tokens = 10}}}, .session = {.tokens = 100}}, clock_);
  granted(ledger, tokens(5), kAlice).settle({.input = 5});
  (void)rejected(ledger, tokens(6), kAlice);
  const std::vector<BudgetLevelSnapshot> levels = ledger.levels_of(kAlice);
  ASSERT_EQ(levels.size(), 3U);
  EXPECT_EQ(levels[0].rejections, 0U);
  EXPECT_EQ(levels[1].rejections, 1U);
  EXPECT_EQ(levels[2].rejections, 0U);
}

TEST_F(BudgetDetails, AnOverrunIsCountedAtEveryLevel) {  // BUD-3
  BudgetLedger ledger({.keys = {{"alice", {}}}, .session = {.tokens = 100}}, clock_);
  granted(ledger, tokens(5), kAlice).settle({.input = 6});
  for (const BudgetLevelSnapshot& level : ledger.levels_of(kAlice)) EXPECT_EQ(level.overruns, 1U) << name(level.level);
}

TEST_F(BudgetDetails, AKeyThatNobodyNamedHasNoLevel) {  // BUD-1
  BudgetLedger ledger({.keys = {{"alice", {.tokens = 10}}}}, clock_);
  EXPECT_EQ(ledger.levels_of({.key = "bob"}).size(), 1U);
  granted(ledger, tokens(11), {.key = "bob"}).settle({.input = 11});
  EXPECT_EQ(rejected(ledger, tokens(11), {.key = "alice"}).level, BudgetLevel::key);
}

TEST_F(BudgetDetails, AChargeIsNoRound) {  // BUD-9
  BudgetLedger ledger({.global = {.rounds = 1}}, clock_);
  ledger.charge({}, {.input = 3, .output = 4}, usd("2"));
  EXPECT_EQ(global_of(ledger).committed, (BudgetSpend{.tokens = 7, .cost = usd("2")}));
  EXPECT_TRUE(ledger.check_and_tick({}));
  EXPECT_FALSE(ledger.check_and_tick({}));
  EXPECT_EQ(global_of(ledger).rejections, 1U);
}

TEST(PriceTable, AnotherProvidersPriceIsNoModelsPrice) {  // BUD-8
  const PriceTable table({{.model = Key({"openai", "gpt"}), .price = dear()}}, OnMissingPrice::count_tokens_only);
  EXPECT_TRUE(table.price("openai", "gpt")->has_value());
  EXPECT_FALSE(table.price("azure", "gpt")->has_value());
  const PriceTable strict({{.model = Key("gpt"), .price = dear()}}, OnMissingPrice::reject);
  EXPECT_TRUE(strict.price("azure", "gpt")->has_value()) << "a bare name is every provider's";
  EXPECT_FALSE(strict.price("azure", "other"));
  EXPECT_EQ(strict.price("azure", "other").error().model, "azure/other");
}

TEST(Estimate, RoundsTextUpAndCountsAnImageApart) {  // BUD-5
  EXPECT_EQ(estimate_usage({.text_bytes = 4}, {}).input, 1U);
  EXPECT_EQ(estimate_usage({.text_bytes = 5}, {}).input, 2U);
  EXPECT_EQ(estimate_usage({.text_bytes = 4, .images = 2}, {}).input, 1U + 1024U);
  EXPECT_EQ(estimate_usage({}, {}).output, 1024U);
  EXPECT_EQ(estimate_usage({.output_cap = 7}, {}).output, 7U);
}

}  // namespace
}  // namespace fuseboard
