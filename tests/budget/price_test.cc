// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/price.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "fuseboard/budget/estimate.h"
#include "tests/budget/support.h"

namespace fuseboard {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

const ModelPrice kSonnet = {.input = usd("3.00"), .cached_input = usd("0.30"), .output = usd("15.00")};

TEST(ModelPrice, ChargesInputCachedInputAndOutputApart) {  // BUD-8
  EXPECT_EQ(kSonnet.cost({.input = 1'000'000}), usd("3.00"));
  EXPECT_EQ(kSonnet.cost({.output = 1'000'000}), usd("15.00"));
  EXPECT_EQ(kSonnet.cost({.input = 1'000'000, .cached_input = 1'000'000}), usd("0.30"));
  EXPECT_EQ(kSonnet.cost({.input = 1000, .cached_input = 400, .output = 10}), usd("0.00207"));
}

TEST(ModelPrice, WithoutACachedPriceCachedInputCostsAsInput) {  // BUD-8
  const ModelPrice price = {.input = usd("2.00"), .output = usd("4.00")};
  EXPECT_EQ(price.cost({.input = 10, .cached_input = 10}), price.cost({.input = 10}));
}

TEST(ModelPrice, RoundsUpOnceAndNeverToNothing) {  // BUD-8
  const ModelPrice price = {.input = Money::from_nanos(400'000), .output = Money::from_nanos(400'000)};
  EXPECT_EQ(price.cost({.input = 1}).nanos(), 1U);
  EXPECT_EQ(price.cost({.input = 1, .output = 1}).nanos(), 1U) << "0.8 nano-dollars, not twice 0.4";
  EXPECT_EQ(price.cost({}).nanos(), 0U);
}

TEST(ModelPrice, SurvivesAbsurdUsage) {  // CORE-7
  const ModelPrice price = {.input = Money::max(), .output = Money::max()};
  EXPECT_EQ(price.cost({.input = kMax, .cached_input = kMax, .output = kMax}), Money::max());
  EXPECT_EQ(kSonnet.cost({.input = 10, .cached_input = 50}), kSonnet.cost({.input = 10, .cached_input = 10}));
  EXPECT_EQ((TokenUsage{.input = kMax, .output = 1}).total(), kMax);
}

TEST(PriceTable, APairsOwnPriceGoesBeforeTheBareModels) {  // BUD-8
  const PriceTable table({{.model = Key({"azure", "gpt"}), .price = {.input = usd("1")}},
                          {.model = Key("gpt"), .price = {.input = usd("2")}}},
                         OnMissingPrice::reject);
  EXPECT_EQ(table.price("azure", "gpt")->value().input, usd("1"));
  EXPECT_EQ(table.price("openai", "gpt")->value().input, usd("2"));
}

TEST(PriceTable, AModelWithoutAPriceIsDecidedAsChosen) {  // BUD-8
  const PriceTable strict(OnMissingPrice::reject);
  ASSERT_FALSE(strict.price("local", "llama").has_value());
  EXPECT_EQ(strict.price("local", "llama").error().model, "local/llama");
  const PriceTable lenient(OnMissingPrice::count_tokens_only);
  ASSERT_TRUE(lenient.price("local", "llama").has_value());
  EXPECT_EQ(*lenient.price("local", "llama"), std::nullopt);
}

TEST(PriceTable, AModelNamedTwiceIsAProblem) {  // CORE-6
  EXPECT_THROW(PriceTable({{.model = Key("gpt")}, {.model = Key("gpt")}}, OnMissingPrice::reject), InvalidOptions);
}

TEST(PriceTable, TheChoiceHasNames) {  // BUD-8
  for (const auto choice : {OnMissingPrice::reject, OnMissingPrice::count_tokens_only}) {
    EXPECT_EQ(on_missing_price_from_name(name(choice)), choice);
  }
  EXPECT_EQ(on_missing_price_from_name("ignore"), std::nullopt);
}

TEST(Estimate, CountsBytesImagesAndTheOutputCap) {  // BUD-5
  EXPECT_EQ(estimate_usage({.text_bytes = 4000}), (TokenUsage{.input = 1000, .output = 1024}));
  EXPECT_EQ(estimate_usage({.text_bytes = 4001}).input, 1001U);
  EXPECT_EQ(estimate_usage({.images = 3}).input, 1536U);
  EXPECT_EQ(estimate_usage({.output_cap = 50}).output, 50U);
  EXPECT_EQ(estimate_usage({.output_cap = 0}).output, 0U);
}

TEST(Estimate, TakesOtherNumbers) {  // BUD-5
  const UsageEstimator estimator =
      estimator_by_size({.bytes_per_token = 3, .tokens_per_image = 85, .assumed_output_tokens = 7});
  EXPECT_EQ(estimator({.text_bytes = 10, .images = 2}), (TokenUsage{.input = 174, .output = 7}));
}

TEST(Estimate, NamesEveryOptionOutOfRange) {  // CORE-6
  const EstimationOptions wrong = {
      .bytes_per_token = 0, .tokens_per_image = 1'000'001, .assumed_output_tokens = 10'000'001};
  EXPECT_EQ(wrong.validate().size(), 3U);
  EXPECT_THROW(estimator_by_size(wrong), InvalidOptions);
}

TEST(Estimate, Saturates) {  // CORE-7
  EXPECT_EQ(estimate_usage({.text_bytes = kMax, .images = kMax, .output_cap = kMax}),
            (TokenUsage{.input = kMax, .output = kMax}));
}

}  // namespace
}  // namespace fuseboard
