// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/call_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

config::Config two_targets() {
  config::Config config;
  for (const char* name : {"p", "q"}) {
    config::ProviderConfig provider{.name = name};
    provider.base_url = {.tls = false, .host = "127.0.0.1", .port = 1, .path = "/v1"};
    config.providers.push_back(std::move(provider));
  }
  config.models = {{.alias = "smart",
                    .targets = {{.provider = "p", .model = "m", .breaker = {}, .timeouts = {}},
                                {.provider = "q", .model = "n", .breaker = {}, .timeouts = {}}},
                    .plan = {}}};
  return config;
}

class CallSeriesTest : public testing::Test {
 protected:
  CallSeriesTest() { metrics_.add(models_.routing->series_names()); }

  void count(std::string_view model, Ending ending, std::initializer_list<AttemptRecord> attempts,
             std::initializer_list<RejectionRecord> refusals = {}) {
    CallRecord record;
    record.ending = ending;
    record.attempts_sent = static_cast<std::uint32_t>(attempts.size());
    record.ended = record.started + seconds(2);
    for (const AttemptRecord& attempt : attempts) record.attempts.push_back(attempt);
    for (const RejectionRecord& refusal : refusals) record.rejections.push_back(refusal);
    metrics_.call_ended({}, models_.find(model)->plan, record);
  }
  std::string text() const {
    telemetry::Exposition out;
    metrics_.write(out);
    return std::move(out).take();
  }

  TestRouting models_{two_targets()};
  telemetry::CallSeries metrics_;
};

TEST_F(CallSeriesTest, CountsCallsRetriesFallbacksAttemptsAndRefusals) {  // TEL-1.1, TEL-1.2
  const Failure overloaded = Failure::of(Category::overloaded);
  count("smart", Ending::success,
        {{.number = 1, .target = 0, .failure = overloaded, .duration = milliseconds(20)},
         {.number = 2, .target = 0, .failure = overloaded, .duration = milliseconds(20)},
         {.number = 3, .target = 1, .duration = seconds(1), .first_content = milliseconds(3)}});
  count("smart", Ending::circuit_open, {}, {{.target = 0}, {.target = 1}});
  const std::string it = text();
  for (const char* line :
       {"fuseboard_calls_total{model=\"smart\",ending=\"success\"} 1\n",
        "fuseboard_calls_total{model=\"smart\",ending=\"circuit_open\"} 1\n",
        "fuseboard_calls_total{model=\"smart\",ending=\"failed\"} 0\n", "fuseboard_retries_total{model=\"smart\"} 1\n",
        "fuseboard_fallbacks_total{model=\"smart\"} 1\n",
        "fuseboard_attempts_total{target=\"p/m\",result=\"success\"} 0\n",
        "fuseboard_attempts_total{target=\"p/m\",result=\"overloaded\"} 2\n",
        "fuseboard_attempts_total{target=\"q/n\",result=\"success\"} 1\n",
        "fuseboard_refusals_total{target=\"p/m\"} 1\n", "fuseboard_refusals_total{target=\"q/n\"} 1\n",
        "fuseboard_call_duration_seconds_count{model=\"smart\"} 2\n",
        "fuseboard_call_duration_seconds_sum{model=\"smart\"} 4\n",
        "fuseboard_attempt_duration_seconds_count{target=\"p/m\"} 2\n",
        "fuseboard_time_to_first_content_seconds_count{model=\"smart\"} 1\n"}) {
    EXPECT_THAT(it, HasSubstr(line));
  }
  EXPECT_EQ(metrics_.totals().calls, 2U);
  EXPECT_EQ(metrics_.totals().succeeded, 1U);
  EXPECT_EQ(metrics_.totals().attempts, 3U);
}

TEST_F(CallSeriesTest, CountsEventsThatWereLeftOut) {  // STR-7
  count("smart", Ending::success, {{.number = 1, .skipped_events = 2}, {.number = 2, .skipped_events = 1}});
  count("p/unheard-of", Ending::success, {{.number = 1, .skipped_events = 5}});
  EXPECT_THAT(text(), HasSubstr("fuseboard_skipped_events_total{model=\"smart\"} 3\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_skipped_events_total{model=\"other\"} 5\n"));
}

TEST_F(CallSeriesTest, CountsAttemptsThatWereSentAgainOverAFreshConnection) {  // RTY-6.4
  count("smart", Ending::success, {{.number = 1, .target = 0, .resent = true}, {.number = 2, .target = 1}});
  EXPECT_THAT(text(), HasSubstr("fuseboard_resent_total{target=\"p/m\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_resent_total{target=\"q/n\"} 0\n"));
}

TEST_F(CallSeriesTest, WhatAttemptsWereChargedCountsByModelAndTarget) {  // TEL-1.3
  const auto charged = [](std::uint64_t tokens, std::uint64_t nanos) {
    return BudgetSettlement{.charged = {.tokens = tokens, .cost = Money::from_nanos(nanos)}};
  };
  count("smart", Ending::success,
        {{.number = 1, .target = 0, .failure = Failure::of(Category::network), .charged = charged(10, 5'000'000)},
         {.number = 2, .target = 1, .charged = charged(100, 1'250'000'000)}});
  count("smart", Ending::success, {{.number = 1, .target = 1, .charged = charged(1, 0)}, {.number = 2, .target = 1}});
  count("p/of-their-own", Ending::success, {{.number = 1, .charged = charged(7, 1'000'000'000)}});
  for (const char* line : {"fuseboard_tokens_total{model=\"smart\",target=\"p/m\"} 10\n",
                           "fuseboard_tokens_total{model=\"smart\",target=\"q/n\"} 101\n",
                           "fuseboard_tokens_total{model=\"other\",target=\"other\"} 7\n",
                           "fuseboard_cost_usd_total{model=\"smart\",target=\"p/m\"} 0.005\n",
                           "fuseboard_cost_usd_total{model=\"smart\",target=\"q/n\"} 1.25\n",
                           "fuseboard_cost_usd_total{model=\"other\",target=\"other\"} 1\n"}) {
    EXPECT_THAT(text(), HasSubstr(line));
  }
}

TEST_F(CallSeriesTest, ATargetThatAPlanGotWithoutBeingAddedCountsAsOther) {  // TEL-3
  std::vector<Target> targets = models_.find("smart")->plan->targets();
  targets.push_back({.name = "p/new", .state = models_.targets.target({"p", "new"})});
  CallRecord record;
  record.ending = Ending::success;
  record.attempts.push_back({.number = 1, .target = 2, .charged = BudgetSettlement{.charged = {.tokens = 3}}});
  metrics_.call_ended({}, std::make_shared<const Plan>("smart", std::move(targets)), record);
  EXPECT_THAT(text(), HasSubstr("fuseboard_calls_total{model=\"smart\",ending=\"success\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_attempts_total{target=\"other\",result=\"success\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_tokens_total{model=\"other\",target=\"other\"} 3\n"));
}

TEST_F(CallSeriesTest, WhatCallersNameBeyondTheConfigurationIsNoLabel) {  // TEL-3
  count("p/of-their-own", Ending::success, {{.number = 1, .target = 0}});
  EXPECT_THAT(text(), HasSubstr("fuseboard_calls_total{model=\"other\",ending=\"success\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_attempts_total{target=\"other\",result=\"success\"} 1\n"));
  EXPECT_THAT(text(), Not(HasSubstr("of-their-own")));
}

TEST_F(CallSeriesTest, CountsUnderstatedUsageByProvider) {  // BUD-10.2, TEL-3
  EXPECT_THAT(text(), HasSubstr("fuseboard_usage_understated_total{provider=\"q\"} 0\n"));
  AttemptRecord attempt{.number = 1, .target = 1, .charged = BudgetSettlement{.understated = true}};
  count("smart", Ending::success, {attempt});
  attempt.charged->understated = false;
  count("smart", Ending::success, {attempt});
  count("q/anything", Ending::success, {{.number = 1, .charged = BudgetSettlement{.understated = true}}});
  EXPECT_THAT(text(), HasSubstr("fuseboard_usage_understated_total{provider=\"p\"} 0\n"));
  EXPECT_THAT(text(), HasSubstr("fuseboard_usage_understated_total{provider=\"q\"} 2\n"));
}

TEST_F(CallSeriesTest, AChangeOfRoutingAddsSeriesAndTakesNoneAway) {  // TEL-3
  const BudgetSettlement charge{.charged = {.tokens = 10}};
  const auto before = models_.find("smart");
  count("smart", Ending::success, {{.number = 1, .target = 1, .charged = charge}});
  config::Config config = two_targets();
  std::swap(config.models[0].targets[0], config.models[0].targets[1]);
  config.models.push_back({.alias = "new", .targets = {{.provider = "q", .model = "new"}}});
  models_.change(config);
  metrics_.add(models_.routing->series_names());
  count("smart", Ending::success, {{.number = 1, .target = 0, .charged = charge}});
  count("new", Ending::success, {{.number = 1, .target = 0, .charged = charge}});
  CallRecord late;
  late.ending = Ending::success;
  late.attempts.push_back({.number = 1, .target = 0, .charged = charge});
  metrics_.call_ended({}, before->plan, late);
  for (const char* line : {"fuseboard_tokens_total{model=\"smart\",target=\"q/n\"} 20\n",
                           "fuseboard_tokens_total{model=\"smart\",target=\"p/m\"} 10\n",
                           "fuseboard_tokens_total{model=\"new\",target=\"q/new\"} 10\n",
                           "fuseboard_calls_total{model=\"smart\",ending=\"success\"} 3\n",
                           "fuseboard_attempts_total{target=\"q/new\",result=\"success\"} 1\n"}) {
    EXPECT_THAT(text(), HasSubstr(line));
  }
}

}  // namespace
}  // namespace fuseboard::gateway
