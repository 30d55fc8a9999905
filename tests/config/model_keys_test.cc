// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::parsed;
using testing::problem;
using testing::problems;
using testing::with_model;
using testing::with_providers;

Config config(std::string_view text) {
  Loaded loaded = parsed(text);
  EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
  return loaded.config ? std::move(*loaded.config) : Config{};
}

ModelConfig model(std::string_view keys) {
  const Config read = config(with_model(keys));
  return read.models.empty() ? ModelConfig{} : read.models[0];
}

BreakerOptions breaker(std::string_view keys) {
  const ModelConfig read = model("    breaker: " + std::string(keys) + "\n");
  return read.targets.empty() ? BreakerOptions{} : read.targets[0].breaker;
}

TEST(Model, DefaultsAreThoseOfTheOptions) {
  const ModelConfig m = model("");
  EXPECT_EQ(m.alias, "m");
  ASSERT_EQ(m.targets.size(), 1U);
  EXPECT_EQ(m.targets[0].provider, "a");
  EXPECT_EQ(m.targets[0].model, "x");
  EXPECT_EQ(m.targets[0].breaker, provider_preset());
  EXPECT_EQ(m.targets[0].timeouts.total, AttemptTimeouts{}.total);
  EXPECT_EQ(m.plan.retry.max_attempts, RetryOptions{}.max_attempts);
  EXPECT_EQ(m.plan.overall_deadline, PlanOptions{}.overall_deadline);
  EXPECT_EQ(m.plan.max_total_attempts, PlanOptions{}.max_total_attempts);
}

TEST(Model, RetryReachesThePlan) {
  const PlanOptions plan = model(
                               "    strategy: ordered\n"
                               "    retry: {max_attempts: 3, base: 1s, factor: 1.5, max: 9s, jitter: decorrelated, "
                               "overall_deadline: 20s, max_total_attempts: 0}\n")
                               .plan;
  EXPECT_EQ(plan.retry.max_attempts, 3U);
  EXPECT_EQ(plan.retry.base, 1s);
  EXPECT_DOUBLE_EQ(plan.retry.factor, 1.5);
  EXPECT_EQ(plan.retry.max, 9s);
  EXPECT_EQ(plan.retry.jitter, Jitter::decorrelated);
  EXPECT_EQ(plan.overall_deadline, 20s);
  EXPECT_EQ(plan.max_total_attempts, 0U);
  EXPECT_EQ(model("    retry: {overall_deadline: none}\n").plan.overall_deadline, kForever);
}

TEST(Model, ABackoffIsExponentialLinearOrAList) {  // RTY-1.3, RTY-1.5, CORE-6
  const RetryOptions linear = model("    retry: {backoff: linear, step: 2s, jitter_width: 0.5}\n").plan.retry;
  EXPECT_TRUE(std::holds_alternative<LinearBackoff>(linear.backoff));
  EXPECT_EQ(linear.step, 2s);
  EXPECT_EQ(linear.jitter_width, 0.5);
  const RetryOptions listed = model("    retry: {backoff: [100ms, 1s]}\n").plan.retry;
  EXPECT_EQ(std::get<BackoffList>(listed.backoff), (BackoffList{100ms, 1s}));
  EXPECT_TRUE(
      std::holds_alternative<ExponentialBackoff>(model("    retry: {backoff: exponential}\n").plan.retry.backoff));
  EXPECT_EQ(problem(with_model("    retry: {backoff: cubic}\n")),
            "f.yaml:7:22: models.m.retry.backoff: cubic is not allowed; allowed: exponential, linear, or a list of "
            "durations such as [100ms, 1s, 10s]");
  EXPECT_EQ(problem(with_model("    retry: {backoff: [1s, soon]}\n")),
            "f.yaml:7:27: models.m.retry.backoff[1]: soon is not allowed; allowed: a duration such as 250ms, 1.5s, 2m "
            "or 1h");
  EXPECT_THAT(problem(with_model("    retry: {backoff: [1s, 40s]}\n")),
              HasSubstr("models.m.retry.backoff: a list is not allowed; allowed: 1 to 100 durations, each 0s to 30s"));
  EXPECT_THAT(problem(with_model("    retry: {backoff: linear, jitter: decorrelated}\n")),
              HasSubstr("models.m.retry.jitter: decorrelated is not allowed; allowed: none, proportional or full"));
  EXPECT_EQ(problem(with_model("    retry: {jitter_width: 2}\n")),
            "f.yaml:7:27: models.m.retry.jitter_width: 2 is not allowed; allowed: 0 to 1");
}

TEST(Model, EveryKeyOfABreakerReachesItsOption) {
  const BreakerOptions options = breaker(
      "{failure_threshold: 3, open: 45s, half_open_max_probes: 2, half_open_successes: 4, "
      "streak_reset_after: 12s, trips_on: [network, rate_limit]}");
  EXPECT_EQ(options.failure_threshold, 3U);
  EXPECT_EQ(options.open_time, OpenTime::fixed(45s));
  EXPECT_EQ(options.half_open_max_probes, 2U);
  EXPECT_EQ(options.half_open_successes, 4U);
  EXPECT_EQ(options.streak_reset_after, 12s);
  EXPECT_EQ(options.trips_on, (CategorySet{Category::network, Category::rate_limit}));
}

TEST(Model, ABreakersRateRulesReachTheirOptions) {  // BRK-2.2, BRK-2.3, BRK-2.4
  const BreakerOptions options = breaker(
      "{failure_rate: 0.5, minimum_calls: 10, window: 60s, slow_call_duration: 30s, slow_call_rate: 0.8, "
      "stuck_call_age: 5m, retry_after_max: 10m, half_open_failure_rate: 0.25}");
  EXPECT_EQ(options.failure_rate, 0.5);
  EXPECT_EQ(options.minimum_calls, 10U);
  EXPECT_EQ(options.window, CallWindow::last(60s));
  EXPECT_EQ(options.slow_call_duration, 30s);
  EXPECT_EQ(options.slow_call_rate, 0.8);
  EXPECT_EQ(options.stuck_call_age, 5min);
  EXPECT_EQ(options.retry_after_max, 10min);
  EXPECT_EQ(options.half_open_failure_rate, 0.25);
  EXPECT_EQ(breaker("{window: 50}").window, CallWindow::last_calls(50));
}

TEST(Model, ABreakersRulesOfFailuresReachTheirOptions) {  // BRK-2.6, BRK-2.7, BRK-2.8
  const BreakerOptions options =
      breaker("{failure_threshold: 0, failures_within: {failures: 12, time: 90s}, failure_run_expires_after: 2m}");
  EXPECT_EQ(options.failure_threshold, 0U);
  EXPECT_EQ(options.failures_within, (FailuresWithin{.failures = 12, .time = 90s}));
  EXPECT_EQ(options.failure_run_expires_after, 2min);
  const BreakerOptions off = breaker("{failures_within: off, failure_run_expires_after: off}");
  EXPECT_EQ(off.failures_within, std::nullopt);
  EXPECT_EQ(off.failure_run_expires_after, std::nullopt);
  EXPECT_EQ(problem(with_model("    breaker: {failures_within: {failures: 0, time: 25h}}\n")),
            "f.yaml:7:43: models.m.breaker.failures_within.failures: 0 is not allowed; allowed: 1 to 10000\n"
            "f.yaml:7:52: models.m.breaker.failures_within.time: 25h is not allowed; allowed: 1ms to 24h");
  EXPECT_EQ(problem(with_model("    breaker: {failures_within: 5}\n")),
            "f.yaml:7:32: models.m.breaker.failures_within: 5 is not allowed; allowed: off, or a map {failures, time}");
  EXPECT_THAT(problem(with_model("    breaker: {failures_within: {failures: 5}}\n")), HasSubstr("time"));
  EXPECT_EQ(problem(with_model("    breaker: {failure_threshold: 0}\n")),
            "f.yaml:7:34: models.m.breaker.failure_threshold: 0 is not allowed; allowed: 1 to 1000000");
}

TEST(Model, AWindowIsACountOrATime) {  // BRK-2.2 CORE-6
  for (const char* value : {"0", "10001", "4294967396", "99999999999999999999"})
    EXPECT_EQ(problem(with_model(fmt::format("    breaker: {{window: {}}}\n", value))),
              fmt::format("f.yaml:7:23: models.m.breaker.window: {} is not allowed; allowed: 1 to 10000", value));
  EXPECT_EQ(problem(with_model("    breaker: {window: 10ms}\n")),
            "f.yaml:7:23: models.m.breaker.window: 10ms is not allowed; allowed: 1s to 24h");
  for (const char* value : {"-5", "1.5", "many"})
    EXPECT_EQ(problem(with_model(fmt::format("    breaker: {{window: {}}}\n", value))),
              fmt::format("f.yaml:7:23: models.m.breaker.window: {} is not allowed; allowed: a number of calls, or a "
                          "duration such as 60s",
                          value));
  EXPECT_EQ(problem(with_model("    breaker: {failure_rate: 0.5, window: 10}\n")),
            "f.yaml:7:14: models.m.breaker.minimum_calls: 20 (the default) is not allowed; allowed: 1 to 10");
}

TEST(Model, WhatItSaysOfItsCallsReachesThePlan) {  // FBK-1.4 RTY-4.2
  const PlanOptions plan = model(
                               "    strategy: least_latency\n"
                               "    wait_for_recovery: {max_wait: 3s}\n"
                               "    hedge: {after_percentile: 0.99}\n"
                               "    fallback_on: [content_policy]\n")
                               .plan;
  EXPECT_EQ(plan.strategy, Strategy::least_latency);
  EXPECT_EQ(plan.max_recovery_wait, 3s);
  ASSERT_TRUE(plan.hedge);
  EXPECT_EQ(plan.hedge->percentile, 0.99);
  EXPECT_EQ(plan.fallback_on, CategorySet{Category::content_policy});
  EXPECT_TRUE(model("").plan.patience.enabled);
  EXPECT_FALSE(model("").plan.patience.fixed);
  EXPECT_EQ(model("    patience: 20s\n").plan.patience.fixed, 20s);
  EXPECT_FALSE(model("    patience: off\n").plan.patience.enabled);
  EXPECT_EQ(model("    patience: auto\n").plan.patience, PatienceOptions{});
  EXPECT_EQ(model("    retry: {retry_after_stay: 5s}\n").plan.retry_after_stay, 5s);
  EXPECT_FALSE(model("").plan.hedge);
  EXPECT_EQ(model("    hedge: {}\n").plan.hedge->percentile, HedgeOptions{}.percentile);
}

TEST(Model, WhatAPlanRefusesIsReportedAtItsKey) {  // CORE-6
  EXPECT_EQ(problem(with_model("    hedge: {after_percentile: 1}\n")),
            "f.yaml:7:31: models.m.hedge.after_percentile: 1 is not allowed; allowed: 0.5 to 0.9999");
  EXPECT_EQ(problem(with_model("    wait_for_recovery: {max_wait: 2h}\n")),
            "f.yaml:7:35: models.m.wait_for_recovery.max_wait: 2h is not allowed; allowed: 0s to 1h");
  EXPECT_EQ(problem(with_model("    fallback_on: [timeout]\n")),
            "f.yaml:7:19: models.m.fallback_on[0]: timeout is not allowed; allowed: content_policy");
  EXPECT_EQ(problem(with_model("    strategy: random\n")),
            "f.yaml:7:15: models.m.strategy: random is not allowed; allowed: ordered, weighted, least_latency");
  EXPECT_EQ(problem(with_model("    retry: {budget: {ratio: 11, min_per_second: 2000000}}\n")),
            "f.yaml:7:29: models.m.retry.budget.ratio: 11 is not allowed; allowed: 0 to 10\n"
            "f.yaml:7:49: models.m.retry.budget.min_per_second: 2000000 is not allowed; allowed: 0 to 1000000");
}

TEST(Model, PatienceAndCompanyAreReadAndChecked) {  // RTY-11.9, RTY-11.10, CORE-6
  const ModelConfig read = model("    company: {ratio: 0.1, min_per_second: 0.5}\n");
  EXPECT_EQ(read.targets[0].state.company, (CompanyOptions{.ratio = 0.1, .min_per_second = 0.5}));
  EXPECT_EQ(model("").targets[0].state.company, CompanyOptions{});
  EXPECT_EQ(model("    breaker: {silence_threshold: 7}\n").targets[0].breaker.silence_threshold, 7U);
  EXPECT_EQ(problem(with_model("    patience: soon\n")),
            "f.yaml:7:15: models.m.patience: soon is not allowed; allowed: auto, off, or a duration such as 20s");
  EXPECT_EQ(problem(with_model("    patience: 2h\n")),
            "f.yaml:7:15: models.m.patience: 2h is not allowed; allowed: 1ms to 1h");
  EXPECT_EQ(problem(with_model("    company: {ratio: 2}\n")),
            "f.yaml:7:22: models.m.company.ratio: 2 is not allowed; allowed: 0 to 1");
  EXPECT_EQ(problem(with_model("    breaker: {silence_threshold: 1001}\n")),
            "f.yaml:7:34: models.m.breaker.silence_threshold: 1001 is not allowed; allowed: 0 to 1000");
}

TEST(Model, ItsRetryBudgetIsThatOfItsTargets) {  // RTY-5
  const ModelConfig read = model("    retry: {budget: {ratio: 0.1, min_per_second: 3}}\n");
  EXPECT_EQ(read.targets[0].state.retry_budget, (RetryBudgetOptions{.ratio = 0.1, .min_per_second = 3}));
  EXPECT_EQ(model("").targets[0].state.retry_budget, RetryBudgetOptions{});
}

TEST(Model, ATargetHasAWindowAWeightAndPrefill) {  // FBK-1.3 FBK-2.6
  const Config read = config(with_providers(
      "models: {m: {targets: [{provider: a, model: x, context_window: 200000, weight: 0.5, prefill: true},\n"
      "                       {provider: a, model: y}]}}\n"));
  const TargetConfig& target = read.models[0].targets[0];
  EXPECT_EQ(target.context_window, 200000U);
  EXPECT_EQ(target.weight, 0.5);
  EXPECT_TRUE(target.request.prefill);
  EXPECT_FALSE(read.models[0].targets[1].context_window || read.models[0].targets[1].request.prefill);
  EXPECT_EQ(read.models[0].targets[1].weight, 1.0);
  const auto refused = [](std::string_view key) {
    return problem(with_providers("models: {m: {targets: [{provider: a, model: x, " + std::string(key) + "}]}}\n"));
  };
  EXPECT_THAT(refused("context_window: 0"), HasSubstr("0 is not allowed; allowed: 1 to 1000000000"));
  EXPECT_THAT(refused("weight: -1"), HasSubstr("-1 is not allowed; allowed: 0 to 1000000"));
  EXPECT_THAT(refused("weight: nan"), HasSubstr("nan is not allowed; allowed: 0 to 1000000"));
}

TEST(Model, ATargetCapsAnswersForCallersThatDoNot) {
  const auto target = [](std::string_view key) {
    return with_providers("models: {m: {targets: [{provider: a, model: x" + std::string(key) + "}]}}\n");
  };
  const auto cap = [&](std::string_view key) {
    return config(target(key)).models.at(0).targets.at(0).request.max_tokens;
  };
  EXPECT_EQ(cap(""), 4096U);
  EXPECT_EQ(cap(", max_tokens: 1"), 1U);
  EXPECT_EQ(cap(", max_tokens: 1000000"), 1'000'000U);
  for (const char* value : {"0", "-1", "1000001", "4294967297", "99999999999999999999"}) {
    EXPECT_EQ(
        problem(target(fmt::format(", max_tokens: {}", value))),
        fmt::format("f.yaml:4:60: models.m.targets[0].max_tokens: {} is not allowed; allowed: 1 to 1000000", value));
  }
  EXPECT_EQ(problem(target(", max_tokens: 1.5")),
            "f.yaml:4:60: models.m.targets[0].max_tokens: 1.5 is not allowed; allowed: a whole number");
  EXPECT_EQ(problem(target(", max_token: 5")),
            "f.yaml:4:48: models.m.targets[0].max_token: not a known key; did you mean \"max_tokens\"?");
}

TEST(Model, ATargetSaysHowItIsToldToReason) {
  const auto target = [](std::string_view key) {
    return with_providers("models: {m: {targets: [{provider: a, model: x" + std::string(key) + "}]}}\n");
  };
  const auto reasoning = [&](std::string_view key) {
    return config(target(key)).models.at(0).targets.at(0).request.reasoning;
  };
  EXPECT_EQ(reasoning(""), Reasoning::budget);
  EXPECT_EQ(reasoning(", reasoning: budget"), Reasoning::budget);
  EXPECT_EQ(reasoning(", reasoning: effort"), Reasoning::effort);
  EXPECT_EQ(reasoning(", reasoning: leave_out"), Reasoning::leave_out);
  EXPECT_EQ(problem(target(", reasoning: high")),
            "f.yaml:4:59: models.m.targets[0].reasoning: high is not allowed; allowed: budget, effort, leave_out");
  EXPECT_EQ(problem(target(", reasonning: effort")),
            "f.yaml:4:48: models.m.targets[0].reasonning: not a known key; did you mean \"reasoning\"?");
}

TEST(Model, ItSaysWhatBecomesOfBrokenStreams) {  // STR-5.14 STR-7
  EXPECT_EQ(model("").stream_recovery, StreamRecoveryMode::continue_answer);
  EXPECT_EQ(model("").malformed_events, MalformedEvents::fail);
  for (const auto mode : {StreamRecoveryMode::continue_answer, StreamRecoveryMode::restart, StreamRecoveryMode::fail})
    EXPECT_EQ(model(fmt::format("    stream_recovery: {}\n", name(mode))).stream_recovery, mode);
  for (const auto events : {MalformedEvents::fail, MalformedEvents::skip})
    EXPECT_EQ(model(fmt::format("    malformed_events: {}\n", name(events))).malformed_events, events);
  EXPECT_EQ(problem(with_model("    stream_recovery: resume\n    malformed_events: drop\n")),
            "f.yaml:7:22: models.m.stream_recovery: resume is not allowed; allowed: continue, restart, fail\n"
            "f.yaml:8:23: models.m.malformed_events: drop is not allowed; allowed: fail, skip");
  EXPECT_EQ(problem(with_model("    stream_recovry: fail\n    malformed_event: skip\n")),
            "f.yaml:7:5: models.m.stream_recovry: not a known key; did you mean \"stream_recovery\"?\n"
            "f.yaml:8:5: models.m.malformed_event: not a known key; did you mean \"malformed_events\"?");
}

TEST(Model, ItSaysWhatBecomesOfFieldsThatAnotherDialectLacks) {
  EXPECT_EQ(model("").unsupported_fields, UnsupportedFields::reject);
  for (const auto fields : {UnsupportedFields::reject, UnsupportedFields::drop})
    EXPECT_EQ(model(fmt::format("    unsupported_fields: {}\n", name(fields))).unsupported_fields, fields);
  EXPECT_EQ(problem(with_model("    unsupported_fields: ignore\n")),
            "f.yaml:7:25: models.m.unsupported_fields: ignore is not allowed; allowed: reject, drop");
  EXPECT_EQ(problem(with_model("    unsupported_field: drop\n")),
            "f.yaml:7:5: models.m.unsupported_field: not a known key; did you mean \"unsupported_fields\"?");
}

TEST(Model, ItsCacheIsOffUnlessItIsNamed) {  // CCH-3 CCH-5
  EXPECT_FALSE(model("").cache);
  const CacheConfig all =
      *model("    cache: {ttl: 30m, max_bytes: 1GiB, backend: memory, nondeterministic: true}\n").cache;
  EXPECT_EQ(all.ttl, 30min);
  EXPECT_EQ(all.store.max_bytes, std::size_t{1} << 30U);
  EXPECT_TRUE(all.nondeterministic);
  const CacheConfig usual = *model("    cache: {}\n").cache;
  EXPECT_EQ(usual.ttl, 10min);
  EXPECT_EQ(usual.store.max_bytes, MemoryCacheOptions{}.max_bytes);
  EXPECT_FALSE(usual.nondeterministic);
  EXPECT_EQ(problem(with_model("    cache: {ttl: 0s, max_bytes: 10, backend: redis}\n")),
            "f.yaml:7:18: models.m.cache.ttl: 0s is not allowed; allowed: 1s to 720h\n"
            "f.yaml:7:33: models.m.cache.max_bytes: 10 is not allowed; allowed: 1024 to 1099511627776\n"
            "f.yaml:7:46: models.m.cache.backend: redis is not allowed; allowed: memory");
}

TEST(Model, PresetsAreTheLibrarysAndCanBeWidened) {  // BRK-20
  EXPECT_EQ(breaker("{preset: provider}"), provider_preset());
  EXPECT_EQ(breaker("{preset: tool}"), tool_preset());
  EXPECT_EQ(breaker("{preset: strict_provider}"), strict_provider_preset());
  BreakerOptions widened = tool_preset();
  widened.failure_threshold = 2;
  EXPECT_EQ(breaker("{failure_threshold: 2, preset: tool}"), widened);
  EXPECT_EQ(problem(with_model("    breaker: {preset: tools}\n")),
            "f.yaml:7:23: models.m.breaker.preset: tools is not allowed; allowed: provider, tool, strict_provider");
}

TEST(Model, OpenTimesAreFixedOrGrow) {  // BRK-4.1
  EXPECT_EQ(breaker("{open: {initial: 5s, factor: 2, max: 120s, jitter: 0.1}}").open_time,
            OpenTime::exponential(5s, 2, 120s, 0.1));
  EXPECT_EQ(breaker("{open: {initial: 2h}}").open_time, OpenTime::fixed(2h));
  EXPECT_EQ(breaker("{open: {initial: 5s, factor: 3}}").open_time, OpenTime::exponential(5s, 3, 1h));
  EXPECT_EQ(problem(with_model("    breaker: {open: {factor: 2}}\n")),
            "f.yaml:7:21: models.m.breaker.open.initial: missing; it takes a duration such as 250ms, 1.5s, 2m or 1h");
  EXPECT_EQ(problem(with_model("    breaker: {open: {initial: 5s, max: 1s, factor: 0, jitter: 1}}\n")),
            "f.yaml:7:40: models.m.breaker.open.max: 1s is not allowed; allowed: 5s to 24h\n"
            "f.yaml:7:52: models.m.breaker.open.factor: 0 is not allowed; allowed: 1 to 100\n"
            "f.yaml:7:63: models.m.breaker.open.jitter: 1 is not allowed; allowed: 0 to 0.9");
}

TEST(Model, ARangeThatIsLeftTwiceIsOneProblem) {
  EXPECT_EQ(problem(with_model("    breaker: {open: 48h}\n")),
            "f.yaml:7:21: models.m.breaker.open: 48h is not allowed; allowed: 1ms to 24h");
  EXPECT_EQ(problem(with_model("    breaker: {open: {initial: 48h}}\n")),
            "f.yaml:7:31: models.m.breaker.open.initial: 48h is not allowed; allowed: 1ms to 24h");
}

TEST(Model, CategoriesAreTheTaxonomys) {  // BRK-19.1
  EXPECT_THAT(
      problem(with_model("    breaker: {trips_on: [network, netwrk]}\n")),
      HasSubstr("f.yaml:7:35: models.m.breaker.trips_on[1]: netwrk is not allowed; allowed: network, timeout,"));
  EXPECT_EQ(
      problem(with_model("    breaker: {trips_on: []}\n")),
      "f.yaml:7:25: models.m.breaker.trips_on: an empty list is not allowed; allowed: at least one failure category");
  EXPECT_EQ(problem(with_model("    breaker: {trips_on: network}\n")),
            "f.yaml:7:25: models.m.breaker.trips_on: text is not allowed; allowed: a list of failure categories");
}

TEST(Model, WhatTheOptionsRefuseIsReportedAtTheFieldWithItsRange) {  // CORE-6
  EXPECT_EQ(problem(with_model("    retry: {max_attempts: 0}\n")),
            "f.yaml:7:27: models.m.retry.max_attempts: 0 is not allowed; allowed: 1 to 100");
  EXPECT_EQ(problem(with_model("    retry: {overall_deadline: 25h}\n")),
            "f.yaml:7:31: models.m.retry.overall_deadline: 25h is not allowed; allowed: 1ms to 24h");
  EXPECT_EQ(problem(with_model("    retry: {factor: nan}\n")),
            "f.yaml:7:21: models.m.retry.factor: nan is not allowed; allowed: 1 to 10");
  EXPECT_EQ(problem(with_model("    retry: {factor: inf}\n")),
            "f.yaml:7:21: models.m.retry.factor: inf is not allowed; allowed: 1 to 10");
  EXPECT_EQ(problem(with_model("    timeouts: {first_content: 0s}\n")),
            "f.yaml:7:31: models.m.timeouts.first_content: 0s is not allowed; allowed: 1ms to 24h");
}

TEST(Model, ADefaultThatAnotherValueRulesOutSaysSo) {  // CORE-6
  EXPECT_EQ(problem(with_model("    retry: {base: 60s}\n")),
            "f.yaml:7:12: models.m.retry.max: 30s (the default) is not allowed; allowed: 1m to 24h");
}

TEST(Model, CountsThatDoNotFitAreOutOfRangeAndNotWrapped) {  // CORE-6
  for (const char* field :
       {"breaker: {failure_threshold: ", "breaker: {half_open_max_probes: ", "breaker: {half_open_successes: ",
        "retry: {max_attempts: ", "retry: {max_total_attempts: "}) {
    for (const char* value :
         {"-1", "4294967295", "4294967296", "4294967297", "99999999999999999999", "-99999999999999999999"}) {
      EXPECT_THAT(problem(with_model(fmt::format("    {}{}}}\n", field, value))),
                  HasSubstr(fmt::format(": {} is not allowed; allowed: ", value)));
    }
    for (const char* value : {"1.5", "one", "0x1", "1_0", "+1", "1 0"}) {
      EXPECT_THAT(problem(with_model(fmt::format("    {}{}}}\n", field, value))),
                  HasSubstr(fmt::format(": {} is not allowed; allowed: a whole number", value)));
    }
  }
}

TEST(Model, WrongKindsSayWhatWasExpected) {
  EXPECT_EQ(
      problem(with_model("    retry: 3\n")),
      "f.yaml:7:12: models.m.retry: text is not allowed; allowed: a map with the keys max_attempts, base, factor, "
      "step, max, backoff, jitter, jitter_width, overall_deadline, max_total_attempts, retry_after_stay, budget");
  EXPECT_EQ(
      problem(with_model("    retry: {base: {}}\n")),
      "f.yaml:7:19: models.m.retry.base: a map is not allowed; allowed: a duration such as 250ms, 1.5s, 2m or 1h");
  EXPECT_EQ(problem(with_model("    retry: {base: 5}\n")),
            "f.yaml:7:19: models.m.retry.base: 5 is not allowed; allowed: a duration such as 250ms, 1.5s, 2m or 1h");
  EXPECT_EQ(problem(with_model("    retry: {max_attempts:}\n")),
            "f.yaml:7:13: models.m.retry.max_attempts: nothing is not allowed; allowed: a whole number");
  EXPECT_EQ(problem(with_providers("models: {m: {targets: {provider: a, model: x}}}\n")),
            "f.yaml:4:23: models.m.targets: a map is not allowed; allowed: a list of targets, at least one");
}

TEST(Model, TheNearestPlaceWinsValueByValue) {
  const Config read = config(
      "providers:\n"
      "  a:\n"
      "    {dialect: openai, base_url: http://a.test, timeouts: {connect: 1s, idle: 2s, total: 3s},\n"
      "     breaker: {failure_threshold: 11, open: 12s}}\n"
      "models:\n"
      "  m:\n"
      "    timeouts: {idle: 20s, total: 30s}\n"
      "    breaker: {failure_threshold: 21, half_open_successes: 2}\n"
      "    targets:\n"
      "      - {provider: a, model: near, timeouts: {total: 300s}, breaker: {failure_threshold: 31}}\n"
      "      - {provider: a, model: far}\n");
  const TargetConfig& near = read.models[0].targets[0];
  EXPECT_EQ(near.timeouts.connect, 1s);
  EXPECT_EQ(near.timeouts.idle, 20s);
  EXPECT_EQ(near.timeouts.total, 300s);
  EXPECT_EQ(near.breaker.failure_threshold, 31U);
  EXPECT_EQ(near.breaker.half_open_successes, 2U);
  EXPECT_EQ(near.breaker.open_time, OpenTime::fixed(12s));
  EXPECT_EQ(read.models[0].targets[1].timeouts.total, 30s);
  EXPECT_EQ(read.models[0].targets[1].breaker.failure_threshold, 21U);
}

TEST(Model, OffTakesAwayARuleThatAFartherPlaceSets) {  // BRK-2.2 BRK-2.3 BRK-2.4 BRK-7.3
  const Config read = config(
      "providers: {a: {dialect: openai, base_url: http://a.test, breaker: {failure_rate: 0.5, slow_call_rate: 0.5,\n"
      "  half_open_failure_rate: 0.5, stuck_call_age: 5m}}}\n"
      "models: {m: {breaker: {failure_rate: off, slow_call_rate: off, half_open_failure_rate: off,\n"
      "  stuck_call_age: off}, targets: [{provider: a, model: x}]}}\n");
  EXPECT_EQ(read.models[0].targets[0].breaker, provider_preset());
  for (const char* key : {"failure_rate", "slow_call_rate", "half_open_failure_rate"})
    EXPECT_EQ(problem(with_model(fmt::format("    breaker: {{{}: of}}\n", key))),
              fmt::format("f.yaml:7:{}: models.m.breaker.{}: of is not allowed; allowed: off, or a number",
                          17 + std::string_view(key).size(), key));
  EXPECT_THAT(problem(with_model("    breaker: {stuck_call_age: no}\n")),
              ::testing::HasSubstr("allowed: off, or a duration"));
}

TEST(Model, APresetReplacesAllThatFartherPlacesSay) {
  const Config read = config(
      "providers: {a: {dialect: openai, base_url: http://a.test, breaker: {half_open_successes: 9}}}\n"
      "models: {m: {breaker: {preset: tool, failure_threshold: 3}, targets: [{provider: a, model: x}]}}\n");
  BreakerOptions expected = tool_preset();
  expected.failure_threshold = 3;
  EXPECT_EQ(read.models[0].targets[0].breaker, expected);
}

TEST(Model, AProblemStandsWhereTheValueIsSetHoweverManyTargetsItReaches) {
  EXPECT_THAT(problems("providers: {a: {dialect: openai, base_url: http://a.test, timeouts: {idle: 0s}}}\n"
                       "models:\n"
                       "  m: {timeouts: {total: 0s}, targets: [{provider: a, model: x}, {provider: a, model: y}]}\n"),
              ElementsAre("f.yaml:1:76: providers.a.timeouts.idle: 0s is not allowed; allowed: 1ms to 24h",
                          "f.yaml:3:25: models.m.timeouts.total: 0s is not allowed; allowed: 1ms to 24h"));
}

TEST(Model, AWrongValueIsAProblemEvenWhereEveryTargetReplacesIt) {
  EXPECT_EQ(problem(with_providers("models: {m: {breaker: {failure_threshold: 0}, targets: "
                                   "[{provider: a, model: x, breaker: {failure_threshold: 1}}]}}\n")),
            "f.yaml:4:43: models.m.breaker.failure_threshold: 0 is not allowed; allowed: 1 to 1000000");
}

TEST(Model, OneTargetCannotHaveTwoSetsOfValues) {
  EXPECT_THAT(problems(with_providers("models:\n"
                                      "  one: {targets: [{provider: a, model: x}], timeouts: {idle: 9s}}\n"
                                      "  two: {targets: [{provider: b, model: x}, {provider: a, model: x}]}\n"
                                      "  three: {targets: [{provider: a, model: x}], breaker: {preset: tool}, "
                                      "timeouts: {idle: 9s}}\n")),
              ElementsAre("f.yaml:6:44: models.two.targets[1]: the same target has other timeouts at "
                          "models.one.targets[0] (line 5); they belong to the target, so they must be equal",
                          "f.yaml:7:21: models.three.targets[0]: the same target has another breaker at "
                          "models.one.targets[0] (line 5); they belong to the target, so they must be equal"));
}

TEST(Model, OneTargetHasOneCapOnItsAnswers) {
  EXPECT_EQ(problem(with_providers("models:\n"
                                   "  one: {targets: [{provider: a, model: x, max_tokens: 4096}]}\n"
                                   "  two: {targets: [{provider: a, model: x}]}\n"
                                   "  three: {targets: [{provider: a, model: x, max_tokens: 100}]}\n")),
            "f.yaml:7:21: models.three.targets[0]: the same target has other max_tokens at models.one.targets[0] (line "
            "5); they belong to the target, so they must be equal");
}

TEST(Model, OneTargetIsToldToReasonInOneWay) {
  EXPECT_EQ(problem(with_providers("models:\n"
                                   "  one: {targets: [{provider: a, model: x, reasoning: budget}]}\n"
                                   "  two: {targets: [{provider: a, model: x}]}\n"
                                   "  three: {targets: [{provider: a, model: x, reasoning: effort}]}\n")),
            "f.yaml:7:21: models.three.targets[0]: the same target has another reasoning at models.one.targets[0] "
            "(line 5); they belong to the target, so they must be equal");
}

TEST(Model, OneTargetMayServeSeveralModelsWithTheSameValues) {
  const Config read =
      config(with_providers("models:\n"
                            "  one: {targets: [{provider: a, model: x}], timeouts: {idle: 9s}}\n"
                            "  two: {targets: [{provider: a, model: x, timeouts: {idle: 9000ms}}]}\n"));
  EXPECT_EQ(read.target("a", "x")->timeouts.idle, 9s);
  EXPECT_EQ(read.target("a", "y")->timeouts.idle, AttemptTimeouts{}.idle);
  EXPECT_EQ(read.find_model("two")->targets.size(), 1U);
  EXPECT_EQ(read.find_model("three"), nullptr);
  EXPECT_EQ(read.find_provider("b")->name, "b");
  EXPECT_EQ(read.find_provider("c"), nullptr);
}

TEST(Model, TargetsNameProvidersThatExistOnceEach) {
  EXPECT_THAT(
      problems(with_providers("models:\n"
                              "  m: {targets: [{provider: c, model: x}, {provider: a, model: \"\"}, {model: x}, "
                              "{provider: a}, {provider: b, model: x}, {provider: b, model: x}]}\n")),
      ElementsAre("f.yaml:5:28: models.m.targets[0].provider: c is not allowed; allowed: a, b",
                  "f.yaml:5:63: models.m.targets[1].model: an empty value is not allowed; allowed: the "
                  "provider's name for a model: 1 to 256 visible ASCII characters",
                  "f.yaml:5:68: models.m.targets[2].provider: missing; it takes the name of one of the providers",
                  "f.yaml:5:80: models.m.targets[3].model: missing; it takes the provider's name for a model: 1 "
                  "to 256 visible ASCII characters",
                  "f.yaml:5:120: models.m.targets[5]: this target is in the list already; retry says how often "
                  "it is tried"));
}

TEST(Model, AModelHasTargets) {
  EXPECT_EQ(problem(with_providers("models: {m: {}}\n")),
            "f.yaml:4:13: models.m.targets: missing; it takes a list of {provider, model}");
  EXPECT_EQ(problem(with_providers("models: {m: {targets: []}}\n")),
            "f.yaml:4:23: models.m.targets: an empty list is not allowed; allowed: a list of targets, at least one");
}

TEST(Model, NamesAreChecked) {
  EXPECT_EQ(
      problem(with_providers("models: {a/b: {targets: [{provider: a, model: org/x}]}}\n")),
      "f.yaml:4:10: models.a/b: a model's name is 1 to 128 letters, digits and . _ : @ + - (no /, which divides a "
      "provider from its model)");
  EXPECT_EQ(problem(with_providers("models: {\"llama3:8b\": {targets: [{provider: a, model: org/x}]}}\n")), "");
}

TEST(Model, UnknownKeysComeWithTheNearestKnownName) {
  EXPECT_EQ(problem(with_model("    retries: {}\n")),
            "f.yaml:7:5: models.m.retries: not a known key; did you mean \"retry\"?");
  EXPECT_EQ(problem(with_model("    retry: {max_atempts: 3}\n")),
            "f.yaml:7:13: models.m.retry.max_atempts: not a known key; did you mean \"max_attempts\"?");
  EXPECT_EQ(problem(with_model("    breaker: {Failure_Threshold: 3}\n")),
            "f.yaml:7:15: models.m.breaker.Failure_Threshold: not a known key; did you mean \"failure_threshold\"?");
  EXPECT_EQ(problem(with_model("    zzzz: {rpm: 5}\n")),
            "f.yaml:7:5: models.m.zzzz: not a known key; known here: strategy, retry, wait_for_recovery, hedge, "
            "patience, company, fallback_on, targets, cache, stream_recovery, malformed_events, unsupported_fields, "
            "breaker, limits, "
            "timeouts");
}

}  // namespace
}  // namespace fuseboard::config
