// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/credential_scopes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "fuseboard/route/credentials.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

using namespace std::chrono_literals;
using Part = ParkedCredential::Part;

constexpr TimePoint kNow{1h};

Failure refusal(FailureScope scope, Category category = Category::authentication) {
  Failure failure = Failure::of(category);
  failure.scope = scope;
  return failure;
}

TEST(EndpointNumbers, AreOneForAPathWithItsVersionAndWithout) {
  EXPECT_EQ(endpoint_number("/v1/responses"), endpoint_number("/responses"));
  EXPECT_NE(endpoint_number("/v1/responses"), endpoint_number("/v1/chat/completions"));
  EXPECT_EQ(endpoint_path(endpoint_number("/embeddings")), "/v1/embeddings");
}

TEST(EndpointNumbers, UnknownPathsShareOneWithinTheBound) {  // CORE-5
  EXPECT_EQ(endpoint_number("/v1/fine_tuning/jobs"), endpoint_number("/v1/anything"));
  EXPECT_LT(endpoint_number("/v1/anything"), kMaxEndpoints);
  EXPECT_EQ(endpoint_path(endpoint_number("/v1/anything")), "other");
  EXPECT_NE(endpoint_number("/v1/chat"), endpoint_number("/v1/chat/completions"));
}

TEST(CallersAccount, IsThatOfAHeaderThatTravelledAsTheCallerWroteIt) {  // FBK-6.9
  const net::Headers caller = {{"openai-organization", "org-bogus"}};
  EXPECT_TRUE(names_callers_account(caller, {{"OpenAI-Organization", "org-bogus"}}));
  EXPECT_FALSE(names_callers_account(caller, {})) << "it stayed at home";
  EXPECT_FALSE(names_callers_account(caller, {{"openai-organization", "org-ours"}})) << "the configured one went";
  EXPECT_FALSE(names_callers_account({}, {{"openai-organization", "org-ours"}}));
  EXPECT_TRUE(names_callers_account({{"openai-project", "p"}}, {{"openai-project", "p"}}));
}

TEST(ScopeHere, AnAccountOfTheCallersTakesTheBlameForWhatConcernsAccounts) {  // FBK-6.9
  for (const Category category : {Category::authentication, Category::quota_exhausted, Category::rate_limit})
    EXPECT_EQ(scope_here(refusal(FailureScope::unnamed, category), true), FailureScope::caller) << name(category);
  EXPECT_EQ(scope_here(refusal(FailureScope::unnamed, Category::service_unavailable), true), FailureScope::unnamed);
  EXPECT_EQ(scope_here(refusal(FailureScope::model), false), FailureScope::model);
}

TEST(ScopeHere, AnOrganizationThatNoCallerNamedIsOurs) {  // FBK-6.2
  EXPECT_EQ(scope_here(refusal(FailureScope::caller), false), FailureScope::unnamed);
}

class ParkedList : public testing::Test {
 protected:
  static config::Config configured() {
    config::Config config;
    for (const char* name : {"one", "two"}) {
      config::ProviderConfig provider;
      provider.name = name;
      provider.auth = config::Auth::bearer;
      provider.api_key = config::Secret("secret");
      provider.base_url = {.tls = false, .host = "127.0.0.1", .port = 1, .path = "/v1"};
      config.providers.push_back(std::move(provider));
    }
    config.models = {{.alias = "smart",
                      .targets = {{.provider = "one", .model = "big", .breaker = {}, .timeouts = {}}},
                      .plan = {}}};
    return config;
  }
  void refuse(std::string_view model, const Failure& failure, std::uint8_t endpoint = 0) {
    TargetState& state = *models_.find(model)->plan->targets()[0].state;
    auto pass = state.credential()->try_pass(kNow, {.model = state.parked_model(), .endpoint = endpoint});
    std::move(*pass).settle(kNow, Outcome::failed(failure));
  }

  TestRouting models_{configured()};
};

TEST_F(ParkedList, SaysWhatRestsForHowLongAndWhy) {  // FBK-6.10
  EXPECT_TRUE(models_.parked(kNow).empty());
  refuse("one/big", refusal(FailureScope::model, Category::quota_exhausted));
  refuse("one/small", refusal(FailureScope::endpoint), endpoint_number("/v1/responses"));
  refuse("two/other/name", refusal(FailureScope::model));
  refuse("two/m", refusal(FailureScope::unnamed));
  const auto parked = models_.parked(kNow + 20s);
  ASSERT_EQ(parked.size(), 4U);
  EXPECT_EQ(parked[0].provider, "one");
  EXPECT_EQ(parked[0].part, Part::endpoint);
  EXPECT_EQ(parked[0].name, "/v1/responses");
  EXPECT_EQ(parked[1].part, Part::model);
  EXPECT_EQ(parked[1].name, "big");
  EXPECT_EQ(parked[1].reason, Category::quota_exhausted);
  EXPECT_EQ(parked[1].remaining, 40s);
  EXPECT_EQ(parked[1].parked_for, 20s);
  EXPECT_EQ(parked[2].provider, "two");
  EXPECT_EQ(parked[2].part, Part::credential);
  EXPECT_EQ(parked[2].reason, Category::authentication);
  EXPECT_EQ(parked[3].name, "other/name");
}

TEST_F(ParkedList, UnparkingIsOfAllThatRestsOfOneProvider) {  // FBK-6.6
  refuse("one/big", refusal(FailureScope::model));
  refuse("one/small", refusal(FailureScope::unnamed));
  refuse("two/m", refusal(FailureScope::unnamed));
  EXPECT_TRUE(unpark(*models_.routing->find_provider("one"), models_.targets));
  const auto parked = models_.parked(kNow);
  ASSERT_EQ(parked.size(), 1U);
  EXPECT_EQ(parked[0].provider, "two");
  EXPECT_EQ(models_.routing->find_provider("three"), nullptr);
}

}  // namespace
}  // namespace fuseboard::gateway
