// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/budget_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using ::testing::HasSubstr;
using testing::parsed;
using testing::problem;
using testing::with_providers;

Config config(std::string_view text) {
  Loaded loaded = parsed(text);
  EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
  return loaded.config ? std::move(*loaded.config) : Config{};
}

TEST(Budgets, CapsReachTheirLevel) {  // BUD-1 BUD-7
  const Config read =
      config(with_providers("budgets:\n"
                            "  global: {usd: 100.00, period: monthly}\n"
                            "  session: {usd: 0.000000001, tokens: 5000, rounds: 200}\n"
                            "on_missing_price: reject\n"));
  EXPECT_EQ(read.budgets.global.usd, Money::parse("100"));
  EXPECT_EQ(read.budgets.global.period, BudgetPeriod::monthly);
  EXPECT_FALSE(read.budgets.global.tokens);
  EXPECT_EQ(read.budgets.session.usd, Money::from_nanos(1));
  EXPECT_EQ(read.budgets.session.tokens, 5000U);
  EXPECT_EQ(read.budgets.session.rounds, 200U);
  EXPECT_EQ(read.budgets.session.period, BudgetPeriod::total);
  EXPECT_EQ(read.on_missing_price, OnMissingPrice::reject);
}

TEST(Budgets, WithoutThemNothingIsCapped) {  // BUD-1
  const Config read = config(with_providers(""));
  EXPECT_FALSE(read.budgets.global.any() || read.budgets.session.any());
  EXPECT_TRUE(read.prices.empty());
}

TEST(Budgets, ACapInDollarsNeedsAChoiceForModelsWithoutAPrice) {  // BUD-8
  EXPECT_EQ(problem(with_providers("budgets: {global: {usd: 1}}\n")),
            "f.yaml:4:10: budgets: a cap in dollars needs on_missing_price: reject or count_tokens_only, for calls to "
            "models that have no price");
  EXPECT_EQ(problem(with_providers("budgets: {global: {tokens: 1}}\n")), "");
  EXPECT_EQ(problem(with_providers("budgets: {session: {usd: 1}}\non_missing_price: count_tokens_only\n")), "");
  EXPECT_EQ(problem(with_providers("on_missing_price: ignore\n")),
            "f.yaml:4:19: on_missing_price: ignore is not allowed; allowed: reject, count_tokens_only");
}

TEST(Budgets, WhatIsOutOfRangeIsRefusedAtItsKey) {  // CORE-6
  for (const char* value : {"0", "-5", "-99999999999999999999"})
    EXPECT_EQ(problem(with_providers("budgets: {global: {tokens: " + std::string(value) + "}}\n")),
              "f.yaml:4:28: budgets.global.tokens: " + std::string(value) +
                  " is not allowed; allowed: 1 to 9223372036854775807");
  EXPECT_EQ(problem(with_providers("budgets: {session: {period: weekly}}\n")),
            "f.yaml:4:29: budgets.session.period: weekly is not allowed; allowed: total, daily, monthly");
  EXPECT_THAT(problem(with_providers("budgets: {keys: {}}\n")), HasSubstr("budgets.keys: not a known key"));
}

TEST(Budgets, MoneyIsExactOrRefused) {  // BUD-1
  for (const char* value : {"-1", "1e3", "$5", "0.0000000001", "1,000", "nan"})
    EXPECT_EQ(
        problem(with_providers("budgets: {global: {usd: \"" + std::string(value) + "\"}}\non_missing_price: reject\n")),
        "f.yaml:4:25: budgets.global.usd: " + std::string(value) +
            " is not allowed; allowed: US dollars such as 5.00, with at most nine decimals");
}

TEST(Prices, AreByProviderAndModelOrByModelAlone) {  // BUD-8
  const Config read =
      config(with_providers("prices:\n"
                            "  a/org/large: {input: 3.00, cached_input: 0.30, output: 15.00}\n"
                            "  small: {input: 0, output: 0.15}\n"));
  const PriceTable table(read.prices, read.on_missing_price);
  const auto large = table.price("a", "org/large");
  ASSERT_TRUE(large && *large);
  EXPECT_EQ((*large)->input, Money::parse("3"));
  EXPECT_EQ((*large)->cached_input, Money::parse("0.3"));
  EXPECT_EQ((*large)->output, Money::parse("15"));
  const auto small = table.price("b", "small");
  ASSERT_TRUE(small && *small);
  EXPECT_EQ((*small)->output, Money::parse("0.15"));
  EXPECT_FALSE((*small)->cached_input);
  EXPECT_FALSE(*table.price("b", "org/large"));
}

TEST(Prices, ASlipInTheProvidersNameIsFound) {  // CORE-6
  EXPECT_EQ(problem(with_providers("prices: {c/large: {input: 1, output: 1}}\n")),
            "f.yaml:4:10: prices.c/large: what comes before the first / is not the name of one of the providers");
  EXPECT_EQ(problem(with_providers("prices: {a/x: {input: 1}}\n")),
            "f.yaml:4:15: prices.a/x.output: missing; it takes US dollars such as 5.00, with at most nine decimals");
  EXPECT_THAT(problem(with_providers("prices: {a/: {input: 1, output: 1}}\n")), HasSubstr("1 to 256 visible ASCII"));
}

}  // namespace
}  // namespace fuseboard::config
