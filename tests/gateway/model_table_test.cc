// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_table.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

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
  config.providers[0].query = {{"a b", config::Secret("c&d")}, {"e", config::Secret("")}};
  config::TargetConfig target{.provider = "messages", .model = "m", .breaker = {}, .timeouts = {}};
  target.prefill = true;
  target.max_tokens = 100;
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

TEST(ModelTable, ProvidersKnowTheirDialectAndHowCredentialsTravel) {  // FBK-3, TEL-4
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
}

TEST(ModelTable, OnlyCredentialsOfOursAreParked) {  // FBK-6
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto target = [&](std::string_view name) { return models.find(name)->plan->targets()[0]; };
  for (const char* own : {"chat/m", "messages/m"}) {
    EXPECT_NE(target(own).state->credential(), nullptr) << own;
    EXPECT_NE(target(own).traits.credential, kNoCredential) << own;
  }
  EXPECT_NE(target("chat/m").traits.credential, target("messages/m").traits.credential);
  for (const char* none : {"passed/m", "passed/n", "open/m"}) {
    EXPECT_EQ(target(none).state->credential(), nullptr) << none;
    EXPECT_EQ(target(none).traits.credential, kNoCredential) << none;
  }
}

TEST(ModelTable, ARouteSaysHowItsAnswersAreRelayed) {  // STR-5 STR-7
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto route = models.find("smart");
  EXPECT_EQ(route->stream_recovery, config::StreamRecoveryMode::restart);
  EXPECT_EQ(route->malformed_events, config::MalformedEvents::skip);
  EXPECT_EQ(route->unsupported_fields, config::UnsupportedFields::drop);
  EXPECT_TRUE(route->upstreams[0].prefill);
  EXPECT_EQ(route->upstreams[0].max_tokens, 100U);
  EXPECT_FALSE(route->upstreams[1].prefill);
  EXPECT_EQ(route->upstreams[1].max_tokens, config::kDefaultMaxTokens);
}

TEST(ModelTable, ADirectRouteHasTheDefaultsAndItsTargetsValues) {  // STR-5 STR-7
  BreakerRegistry breakers;
  ModelTable models(many_providers(), breakers);
  const auto known = models.find("messages/m");
  EXPECT_EQ(known->stream_recovery, config::StreamRecoveryMode::continue_answer);
  EXPECT_EQ(known->malformed_events, config::MalformedEvents::fail);
  EXPECT_EQ(known->unsupported_fields, config::UnsupportedFields::reject);
  EXPECT_TRUE(known->upstreams[0].prefill) << "the target's, whatever name leads to it";
  EXPECT_EQ(known->upstreams[0].max_tokens, 100U);
  const auto unknown = models.find("messages/n");
  EXPECT_FALSE(unknown->upstreams[0].prefill);
  EXPECT_EQ(unknown->upstreams[0].max_tokens, config::kDefaultMaxTokens);
}

TEST_F(ModelTableTest, WhatCallersNameIsRememberedUpToABound) {  // CORE-5
  for (std::size_t i = 0; i < ModelTable::kMaxDirectRoutes; ++i) {
    ASSERT_NE(models_.find("p/" + std::to_string(i)), nullptr);
  }
  EXPECT_EQ(models_.find("p/7"), models_.find("p/7"));
  auto beyond = models_.find("p/beyond");
  ASSERT_NE(beyond, nullptr);
  const std::weak_ptr<TargetState> held = beyond->plan->targets()[0].state;
  EXPECT_NE(models_.find("p/beyond"), beyond) << "built for its call alone";
  beyond.reset();
  EXPECT_TRUE(held.expired()) << "and gone with it, its breaker's handle included";
}

}  // namespace
}  // namespace fuseboard::gateway
