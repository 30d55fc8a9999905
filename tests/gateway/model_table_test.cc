// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_table.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/core/clock.h"
#include "fuseboard/pipeline/admission.h"

namespace fuseboard::gateway {
namespace {

config::Config one_provider() {
  config::Config config;
  config::ProviderConfig provider;
  provider.name = "p";
  provider.base_url = {.tls = false, .host = "127.0.0.1", .port = 1, .path = "/v1"};
  config.providers.push_back(std::move(provider));
  config.models = {
      {.alias = "fast", .targets = {{.provider = "p", .model = "m", .breaker = {}, .timeouts = {}}}, .plan = {}},
      {.alias = "smart", .targets = {{.provider = "p", .model = "m", .breaker = {}, .timeouts = {}}}, .plan = {}}};
  return config;
}

// Both dialects; a provider for each way to authenticate.
config::Config many_providers() {
  config::Config config;
  const auto add = [&](std::string name, config::Dialect dialect, config::Auth auth, std::string key) {
    config::ProviderConfig provider;
    provider.name = std::move(name);
    provider.dialect = dialect;
    provider.auth = auth;
    provider.api_key = config::Secret(std::move(key));
    provider.base_url = {.tls = true, .host = "h.test", .port = 443, .path = ""};
    config.providers.push_back(std::move(provider));
  };
  add("chat", config::Dialect::openai, config::Auth::bearer, "one");
  add("messages", config::Dialect::anthropic, config::Auth::x_api_key, "two");
  add("passed", config::Dialect::anthropic, config::Auth::passthrough, "");
  add("open", config::Dialect::openai, config::Auth::none, "");
  config.providers[0].cap_field = config::CapField::max_completion_tokens;
  config.providers[0].query = {{"a b", config::Secret("c&d")}, {"e", config::Secret("")}};
  config::TargetConfig target{.provider = "messages", .model = "m", .breaker = {}, .timeouts = {}};
  target.request.prefill = true;
  target.request.max_tokens = 100;
  target.request.reasoning = config::Reasoning::effort;
  config::TargetConfig other{.provider = "passed", .model = "m", .breaker = {}, .timeouts = {}};
  config.models = {{.alias = "smart", .targets = {target, other}, .plan = {}}};
  config.models[0].stream_recovery = config::StreamRecoveryMode::restart;
  config.models[0].malformed_events = config::MalformedEvents::skip;
  config.models[0].unsupported_fields = config::UnsupportedFields::drop;
  return config;
}

class ModelTableTest : public testing::Test {
 protected:
  TargetState* state(std::string_view model) { return models_.find(model)->plan->targets()[0].state.get(); }

  BreakerRegistry breakers_;
  ModelTable models_{one_provider(), breakers_};
};

TEST_F(ModelTableTest, ATargetHasOneStateWhateverNameLeadsToIt) {
  EXPECT_EQ(state("fast"), state("smart"));
  EXPECT_EQ(state("fast"), state("p/m"));
}

TEST(ModelTable, ProvidersKnowTheirDialectAndHowCredentialsTravel) {  // FBK-3.1, TEL-4.2
  BreakerRegistry breakers;
  const ModelTable models(many_providers(), breakers);
  const std::vector<Provider>& providers = models.providers();
  EXPECT_EQ(providers[0].dialect, llm::Dialect::openai);
  EXPECT_EQ(providers[1].dialect, llm::Dialect::anthropic);
  EXPECT_EQ(providers[0].headers.get("authorization"), "Bearer one");
  EXPECT_EQ(providers[1].headers.get("x-api-key"), "two");
  EXPECT_EQ(providers[2].auth, config::Auth::passthrough);
  EXPECT_TRUE(providers[2].headers.empty());
  EXPECT_TRUE(providers[3].headers.empty());
  EXPECT_EQ(providers[0].query, "a%20b=c%26d&e=");
  EXPECT_EQ(providers[0].cap_field, config::CapField::max_completion_tokens);
  EXPECT_EQ(providers[3].cap_field, config::CapField::max_tokens);
}

TEST(ModelTable, OnlyCredentialsOfOursAreParked) {  // FBK-6.9
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto target = [&](std::string_view name) { return models.find(name)->plan->targets()[0]; };
  for (const char* own : {"chat/m", "messages/m", "open/m"}) {
    EXPECT_NE(target(own).state->credential(), nullptr) << own;
    EXPECT_NE(target(own).traits.credential, kNoCredential) << own;
  }
  EXPECT_NE(target("chat/m").traits.credential, target("messages/m").traits.credential);
  for (const char* none : {"passed/m", "passed/n"}) {
    EXPECT_EQ(target(none).state->credential(), nullptr) << none;
    EXPECT_EQ(target(none).traits.credential, kNoCredential) << none;
  }
}

TEST(ModelTable, ARouteSaysHowItsAnswersAreRelayed) {  // STR-5.14 STR-7
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto route = models.find("smart");
  EXPECT_EQ(route->stream_recovery, config::StreamRecoveryMode::restart);
  EXPECT_EQ(route->malformed_events, config::MalformedEvents::skip);
  EXPECT_EQ(route->unsupported_fields, config::UnsupportedFields::drop);
  EXPECT_TRUE(route->upstreams[0].request.prefill);
  EXPECT_EQ(route->upstreams[0].request.max_tokens, 100U);
  EXPECT_EQ(route->upstreams[0].request.reasoning, config::Reasoning::effort);
  EXPECT_FALSE(route->upstreams[1].request.prefill);
  EXPECT_EQ(route->upstreams[1].request.max_tokens, config::kDefaultMaxTokens);
  EXPECT_EQ(route->upstreams[1].request.reasoning, config::Reasoning::budget);
}

TEST(ModelTable, ADirectRouteHasTheDefaultsAndItsTargetsValues) {  // STR-5.14 STR-7
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto known = models.find("messages/m");
  EXPECT_EQ(known->stream_recovery, config::StreamRecoveryMode::continue_answer);
  EXPECT_EQ(known->malformed_events, config::MalformedEvents::fail);
  EXPECT_EQ(known->unsupported_fields, config::UnsupportedFields::reject);
  EXPECT_TRUE(known->upstreams[0].request.prefill) << "the target's, whatever name leads to it";
  EXPECT_EQ(known->upstreams[0].request.max_tokens, 100U);
  EXPECT_EQ(known->upstreams[0].request.reasoning, config::Reasoning::effort);
  const auto unknown = models.find("messages/n");
  EXPECT_FALSE(unknown->upstreams[0].request.prefill);
  EXPECT_EQ(unknown->upstreams[0].request.max_tokens, config::kDefaultMaxTokens);
  EXPECT_EQ(unknown->upstreams[0].request.reasoning, config::Reasoning::budget);
}

// A provider with a limit, and a clock that stands still.
class DirectRoutes : public testing::Test {
 protected:
  static config::Config limited() {
    config::Config config = one_provider();
    config.providers[0].state.limits.requests_per_minute = 60.0;
    config.providers[0].state.limits.requests_burst = 2.0;
    return config;
  }
  std::string made_up(std::size_t i) { return "p/made-up-" + std::to_string(i); }
  TargetState& state(std::string_view model) { return *models_.find(model)->plan->targets()[0].state; }
  // One attempt, as a call sends it; whether it was admitted.
  bool call(std::string_view model, bool answered = true) {
    const auto route = models_.find(model);
    AttemptPermits permits;
    if (admit(route->plan->targets()[0], {.probe_lease = std::chrono::seconds(60)}, clock_.now(), permits))
      return false;
    const Outcome outcome = answered ? Outcome::success() : Outcome::failed(Failure::of(Category::model_not_found));
    std::move(permits).settle({.outcome = outcome, .answered = true}, outcome, clock_.now());
    return true;
  }
  void fill(bool calling) {
    for (std::size_t i = 0; i < ModelTable::kMaxDirectRoutes; ++i) {
      if (calling) {
        call(made_up(i), false);
      } else {
        ASSERT_NE(models_.find(made_up(i)), nullptr);
      }
    }
  }

  ManualClock clock_;
  BreakerRegistry breakers_;
  ModelTable models_{limited(), breakers_, clock_};
};

TEST_F(DirectRoutes, AreRememberedUpToABoundWhereTheOldestThatLimitsNobodyGoes) {  // CORE-5
  fill(false);
  EXPECT_EQ(models_.direct_routes(), ModelTable::kMaxDirectRoutes);
  const std::weak_ptr<const Route> oldest = models_.find(made_up(0));
  const std::weak_ptr<const Route> next = models_.find(made_up(1));
  (void)models_.find(made_up(0));  // so that the second is the oldest but those after it
  for (std::size_t i = 2; i < ModelTable::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_NE(models_.find("p/beyond"), nullptr);
  EXPECT_EQ(models_.direct_routes(), ModelTable::kMaxDirectRoutes);
  EXPECT_TRUE(next.expired());
  EXPECT_FALSE(oldest.expired());
  EXPECT_EQ(models_.find("p/beyond"), models_.find("p/beyond")) << "the new one is remembered";
}

TEST_F(DirectRoutes, MadeUpNamesDoNotSwitchTheLimitsOfOthersOff) {  // LIM-5.1, CORE-5
  for (const bool calling : {false, true}) {
    EXPECT_TRUE(call("p/real"));
    EXPECT_TRUE(call("p/real"));
    fill(calling);
    fill(false);
    EXPECT_FALSE(call("p/real")) << "its bucket is as empty as before, whatever was named since";
    clock_.advance(std::chrono::minutes(1));
  }
}

TEST_F(DirectRoutes, ARealOneThatIsNamedAfterManyMadeUpOnesHasItsLimits) {  // LIM-5.1
  fill(true);  // all have just drawn on their limits, so none can go
  EXPECT_TRUE(call("p/real"));
  EXPECT_TRUE(call("p/another"));
  EXPECT_FALSE(call("p/real")) << "those that there is no place for share one limit";
  clock_.advance(std::chrono::seconds(2));
  EXPECT_TRUE(call("p/real"));
  EXPECT_TRUE(call("p/real"));
  EXPECT_FALSE(call("p/real"));
  EXPECT_TRUE(call("p/another")) << "there is room again: each has its own";
}

TEST_F(DirectRoutes, OneThatHasAnsweredIsKeptBeforeThoseThatNeverDid) {
  EXPECT_TRUE(call("p/real", true));
  clock_.advance(std::chrono::minutes(1));
  const std::weak_ptr<const Route> real = models_.find("p/real");
  for (std::size_t i = 0; i < 3 * ModelTable::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_FALSE(real.expired());
}

TEST_F(DirectRoutes, OneInUseOrParkedOrShutStays) {
  const auto held = models_.find("p/held");
  state("p/shut").gate().close(clock_.now(), std::chrono::minutes(1));
  const std::weak_ptr<const Route> shut = models_.find("p/shut");
  for (std::size_t i = 0; i < 2 * ModelTable::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_EQ(models_.find("p/held"), held);
  EXPECT_FALSE(shut.expired());
  clock_.advance(std::chrono::minutes(1));
  for (std::size_t i = 0; i < 2 * ModelTable::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_TRUE(shut.expired()) << "its gate has opened";
}

TEST(ModelTable, CallersWithTheirOwnCredentialShareNoThrottle) {  // LIM-4.6, FBK-6.9
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto target = [&](std::string_view name) { return models.find(name)->plan->targets()[0]; };
  EXPECT_NE(target("passed/m").state->callers(), nullptr);
  EXPECT_EQ(target("passed/m").state->callers(), target("passed/n").state->callers()) << "one bound for a provider";
  EXPECT_EQ(target("chat/m").state->callers(), nullptr);
  EXPECT_EQ(target("open/m").state->callers(), nullptr);
}

}  // namespace
}  // namespace fuseboard::gateway
