// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/routing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

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

class RoutingTest : public testing::Test {
 protected:
  TargetState* state(std::string_view model) { return models_.find(model)->plan->targets()[0].state.get(); }

  TestRouting models_{one_provider()};
};

TEST_F(RoutingTest, ATargetHasOneStateWhateverNameLeadsToIt) {
  EXPECT_EQ(state("fast"), state("smart"));
  EXPECT_EQ(state("fast"), state("p/m"));
}

TEST(Routing, ProvidersKnowTheirDialectAndHowCredentialsTravel) {  // FBK-3.1, TEL-4.2
  const TestRouting models(many_providers());
  const auto& providers = models.routing->providers();
  EXPECT_EQ(providers[0]->dialect, llm::Dialect::openai);
  EXPECT_EQ(providers[1]->dialect, llm::Dialect::anthropic);
  EXPECT_EQ(providers[0]->headers.get("authorization"), "Bearer one");
  EXPECT_EQ(providers[1]->headers.get("x-api-key"), "two");
  EXPECT_EQ(providers[2]->auth, config::Auth::passthrough);
  EXPECT_TRUE(providers[2]->headers.empty());
  EXPECT_TRUE(providers[3]->headers.empty());
  EXPECT_EQ(providers[0]->query, "a%20b=c%26d&e=");
  EXPECT_EQ(providers[0]->cap_field, config::CapField::max_completion_tokens);
  EXPECT_EQ(providers[3]->cap_field, config::CapField::max_tokens);
}

TEST(Routing, OnlyCredentialsOfOursAreParked) {  // FBK-6.9
  TestRouting models(many_providers());
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

TEST(Routing, ARouteSaysHowItsAnswersAreRelayed) {  // STR-5.14 STR-7
  TestRouting models(many_providers());
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

TEST(Routing, ADirectRouteHasTheDefaultsAndItsTargetsValues) {  // STR-5.14 STR-7
  TestRouting models(many_providers());
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

TEST(Routing, CallersWithTheirOwnCredentialShareNoThrottle) {  // LIM-4.6, FBK-6.9
  TestRouting models(many_providers());
  const auto target = [&](std::string_view name) { return models.find(name)->plan->targets()[0]; };
  EXPECT_NE(target("passed/m").state->callers(), nullptr);
  EXPECT_EQ(target("passed/m").state->callers(), target("passed/n").state->callers()) << "one bound for a provider";
  EXPECT_EQ(target("chat/m").state->callers(), nullptr);
  EXPECT_EQ(target("open/m").state->callers(), nullptr);
}

config::Config with_providers(std::initializer_list<const char*> names) {
  config::Config config;
  for (const char* name : names) {
    config::ProviderConfig provider;
    provider.name = name;
    provider.auth = config::Auth::bearer;
    provider.api_key = config::Secret("secret");
    provider.base_url = {.tls = false, .host = "127.0.0.1", .port = 1, .path = "/v1"};
    config.providers.push_back(std::move(provider));
    config.models.push_back({.alias = "of-" + std::string(name),
                             .targets = {{.provider = name, .model = "m", .breaker = {}, .timeouts = {}}},
                             .plan = {}});
  }
  return config;
}

class RoutingChange : public testing::Test {
 protected:
  const Target& target(std::string_view alias) { return models_.find(alias)->plan->targets()[0]; }

  TestRouting models_{with_providers({"a", "b", "c"})};
};

TEST_F(RoutingChange, ACallKeepsTheRoutingThatItBeganWith) {  // PIP-5
  const auto routing = models_.routing;
  const auto route = models_.find("of-a");
  models_.change(with_providers({"b"}));
  EXPECT_EQ(models_.find("of-a"), nullptr);
  EXPECT_EQ(routing->find("of-a"), route);
  EXPECT_EQ(route->upstreams[0].provider->name, "a");
  EXPECT_EQ(route->upstreams[0].provider->headers.get("authorization"), "Bearer secret");
  EXPECT_NE(route->plan->targets()[0].state->credential(), nullptr);
}

TEST_F(RoutingChange, WhatACallBeganWithGoesWithTheLastOfThem) {  // PIP-5
  const std::weak_ptr<const Routing> before = models_.routing;
  const std::weak_ptr<const Provider> gone = models_.routing->find_provider("a");
  auto held = models_.find("of-a");
  models_.change(with_providers({"b"}));
  EXPECT_TRUE(before.expired());
  EXPECT_FALSE(gone.expired());
  held = nullptr;
  EXPECT_TRUE(gone.expired()) << "with its credential";
}

TEST_F(RoutingChange, AProviderHasItsIdWhereverItStands) {  // PIP-5, FBK-7.4
  const ProviderId a = models_.routing->find_provider("a")->id;
  const ProviderId c = models_.routing->find_provider("c")->id;
  const std::uint32_t credential = target("of-c").traits.credential;
  models_.change(with_providers({"new", "c", "b"}));
  EXPECT_EQ(models_.routing->find_provider("c")->id, c);
  EXPECT_EQ(target("of-c").traits.provider, std::to_underlying(c));
  EXPECT_EQ(target("of-c").traits.credential, credential);
  EXPECT_NE(models_.routing->find_provider("new")->id, a) << "nobody gets the id of one that is gone";
  models_.change(with_providers({"c", "a"}));
  EXPECT_EQ(models_.routing->find_provider("a")->id, a);
}

TEST_F(RoutingChange, ATargetOfBothHasOneState) {  // PIP-5
  const auto kept = models_.find("of-b");
  models_.change(with_providers({"c", "b"}));
  EXPECT_NE(models_.find("of-b"), kept);
  EXPECT_EQ(target("of-b").state, kept->plan->targets()[0].state);
  EXPECT_EQ(models_.find("of-b")->upstreams[0].usage_asking, kept->upstreams[0].usage_asking);
}

TEST_F(RoutingChange, ACredentialRestsOnThoughItsProviderWasAway) {  // PIP-5, FBK-6.3
  constexpr TimePoint kNow{std::chrono::hours(1)};
  auto pass = target("of-a").state->credential()->try_pass(kNow, {.model = target("of-a").state->parked_model()});
  ASSERT_TRUE(pass);
  std::move(*pass).settle(kNow, Outcome::failed(Failure::of(Category::authentication)));
  models_.change(with_providers({"b"}));
  EXPECT_TRUE(models_.parked(kNow).empty()) << "there is nobody to be told of";
  models_.change(with_providers({"b", "a"}));
  ASSERT_EQ(models_.parked(kNow).size(), 1U);
  EXPECT_EQ(models_.parked(kNow)[0].provider, "a");
  EXPECT_TRUE(target("of-a").state->credential()->snapshot(kNow).parked);
}

TEST_F(RoutingChange, NothingIsParkedAnyMoreWhenCallersBringTheCredential) {  // FBK-6.9
  EXPECT_NE(target("of-a").state->credential(), nullptr);
  config::Config config = with_providers({"a"});
  config.providers[0].auth = config::Auth::passthrough;
  models_.change(config);
  EXPECT_EQ(target("of-a").state->credential(), nullptr);
  EXPECT_NE(target("of-a").state->callers(), nullptr);
}

}  // namespace
}  // namespace fuseboard::gateway
