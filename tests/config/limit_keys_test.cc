// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/limit_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::parsed;
using testing::problem;
using testing::with_model;
using testing::with_provider;
using testing::with_providers;

Config config(std::string_view text) {
  Loaded loaded = parsed(text);
  EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
  return loaded.config ? std::move(*loaded.config) : Config{};
}

TargetStateOptions limits(std::string_view keys) {
  const Config read = config(with_model("    limits: " + std::string(keys) + "\n"));
  return read.models.empty() ? TargetStateOptions{} : read.models[0].targets.at(0).state;
}

TEST(Limits, WithoutThemNothingIsLimited) {
  const Config read = config(with_model(""));
  const TargetStateOptions& state = read.models[0].targets[0].state;
  EXPECT_TRUE(same_limits(state, TargetStateOptions{}));
  EXPECT_FALSE(state.limits.requests_per_minute || state.limits.tokens_per_minute || state.limits.concurrency);
  EXPECT_FALSE(state.adaptive_rate);
}

TEST(Limits, EveryKeyReachesItsOption) {
  const TargetStateOptions state = limits("{rpm: 500, tpm: 200000, concurrency: 32, queue: {max: 100, max_wait: 5s}}");
  EXPECT_EQ(state.limits.requests_per_minute, 500.0);
  EXPECT_EQ(state.limits.tokens_per_minute, 200000.0);
  EXPECT_EQ(state.limits.concurrency, 32U);
  EXPECT_EQ(state.queue.capacity, 100U);
  EXPECT_EQ(state.queue.max_wait, 5s);
  EXPECT_FALSE(state.adaptive_rate);
}

TEST(Limits, AnAdaptiveRateTakesThePlaceOfTheFixedOne) {  // LIM-4.1
  const TargetStateOptions state = limits("{rpm: 600, tpm: 1000, adaptive: true}");
  ASSERT_TRUE(state.adaptive_rate);
  EXPECT_EQ(state.adaptive_rate->rate.rate, 10.0) << "a second";
  EXPECT_FALSE(state.limits.requests_per_minute);
  EXPECT_EQ(state.limits.tokens_per_minute, 1000.0);
  EXPECT_FALSE(limits("{rpm: 600, adaptive: false}").adaptive_rate);
}

TEST(Limits, AnAdaptiveRateNeedsOneToBeginWith) {  // CORE-6
  EXPECT_EQ(
      problem(with_model("    limits: {adaptive: true}\n")),
      "f.yaml:7:24: models.m.limits.adaptive: true is not allowed; allowed: true beside rpm, the rate that is never "
      "exceeded");
}

TEST(Limits, WhatTheOptionsRefuseIsReportedAtTheKeyWithItsRange) {  // CORE-6
  EXPECT_EQ(problem(with_model("    limits: {rpm: 0}\n")),
            "f.yaml:7:19: models.m.limits.rpm: 0 is not allowed; allowed: 0.0001 to 60000000000");
  EXPECT_EQ(problem(with_model("    limits: {tpm: nan}\n")),
            "f.yaml:7:19: models.m.limits.tpm: nan is not allowed; allowed: 0.0001 to 60000000000");
  EXPECT_EQ(problem(with_model("    limits: {concurrency: -1}\n")),
            "f.yaml:7:27: models.m.limits.concurrency: -1 is not allowed; allowed: 1 to 1000000");
  EXPECT_EQ(problem(with_model("    limits: {queue: {max: 4097}}\n")),
            "f.yaml:7:27: models.m.limits.queue.max: 4097 is not allowed; allowed: 1 to 4096");
  EXPECT_EQ(problem(with_model("    limits: {queue: {max_wait: 2h}}\n")),
            "f.yaml:7:32: models.m.limits.queue.max_wait: 2h is not allowed; allowed: 0s to 1h");
  EXPECT_THAT(problem(with_model("    limits: {rps: 1}\n")), HasSubstr("did you mean \"rpm\"?"));
}

TEST(Limits, TheNearestPlaceWinsValueByValue) {
  const Config read = config(
      "providers: {a: {dialect: openai, base_url: http://a.test, limits: {rpm: 60, tpm: 1000, concurrency: 1}}}\n"
      "models:\n"
      "  m:\n"
      "    limits: {tpm: 2000, adaptive: true}\n"
      "    targets:\n"
      "      - {provider: a, model: near, limits: {rpm: 120, adaptive: false}}\n"
      "      - {provider: a, model: far}\n");
  const TargetStateOptions& near = read.models[0].targets[0].state;
  EXPECT_EQ(near.limits.requests_per_minute, 120.0);
  EXPECT_EQ(near.limits.tokens_per_minute, 2000.0);
  EXPECT_EQ(near.limits.concurrency, 1U);
  const TargetStateOptions& far = read.models[0].targets[1].state;
  ASSERT_TRUE(far.adaptive_rate);
  EXPECT_EQ(far.adaptive_rate->rate.rate, 1.0);
  EXPECT_EQ(read.target("a", "unnamed")->state.limits.requests_per_minute, 60.0) << "the provider's own";
}

TEST(Limits, TwoModelsMustAgreeOnWhatBelongsToATarget) {
  const auto both = [](std::string_view one, std::string_view other) {
    return problem(with_providers("models:\n  m: {targets: [{provider: a, model: x" + std::string(one) +
                                  "}]}\n  n: {targets: [{provider: a, model: x" + std::string(other) + "}]}\n"));
  };
  EXPECT_EQ(both(", limits: {rpm: 1}", ", limits: {rpm: 1}"), "");
  EXPECT_THAT(both(", limits: {rpm: 1}", ", limits: {rpm: 2}"), HasSubstr("the same target has other limits at"));
  EXPECT_THAT(both(", limits: {tpm: 1000}", ", limits: {tpm: 2000}"), HasSubstr("other limits"));
  EXPECT_THAT(both(", limits: {rpm: 1}", ", limits: {rpm: 1, adaptive: true}"), HasSubstr("other limits"));
  EXPECT_THAT(both("", ", context_window: 8000"), HasSubstr("another context window"));
  EXPECT_THAT(both("", ", prefill: true"), HasSubstr("another prefill"));
  EXPECT_EQ(both(", weight: 1", ", weight: 2"), "") << "a weight is the model's own";
  EXPECT_THAT(
      problem(with_providers("models:\n  m: {targets: [{provider: a, model: x}], retry: {budget: {ratio: 0.5}}}\n"
                             "  n: {targets: [{provider: a, model: x}]}\n")),
      HasSubstr("another retry budget"));
}

}  // namespace
}  // namespace fuseboard::config
