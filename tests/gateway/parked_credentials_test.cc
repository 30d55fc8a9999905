// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/parked_credentials.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "gateway/model_paths.h"
#include "gateway/registry_options.h"
#include "gateway/usage_asking.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

using namespace std::chrono_literals;
using Part = ParkedCredential::Part;

constexpr TimePoint kNow{1h};

config::Config two_providers() {
  config::Config config;
  config.providers = {{.name = "p"}, {.name = "brought", .auth = config::Auth::passthrough}};
  return config;
}

class ParkedCredentials : public testing::Test {
 protected:
  std::shared_ptr<TargetState> state(std::string_view model) { return models_.targets.target({"p", model}); }
  bool unpark_all(std::string_view provider) {
    return unpark(*models_.routing->find_provider(provider), models_.targets);
  }
  void fail(TargetState& used, FailureScope scope) {
    auto pass = used.credential()->try_pass(kNow, {.model = used.parked_model()});
    ASSERT_TRUE(pass);
    Failure failure = Failure::of(Category::authentication);
    failure.scope = scope;
    std::move(*pass).settle(kNow, Outcome::failed(failure));
  }

  TestRouting models_{two_providers()};
};

TEST_F(ParkedCredentials, TargetsOfOneProviderShareItAndItOutlivesThem) {  // FBK-6.6
  EXPECT_EQ(state("n")->credential(), state("m")->credential());
  fail(*state("m"), FailureScope::unnamed);
  EXPECT_TRUE(state("other")->credential()->snapshot(kNow).parked);
  EXPECT_TRUE(unpark_all("p"));
  EXPECT_FALSE(state("m")->credential()->snapshot(kNow).parked);
}

TEST_F(ParkedCredentials, OfAProviderTheCredentialComesFirstThenItsModelsByName) {  // FBK-6.10
  for (const char* model : {"z", "a"}) fail(*state(model), FailureScope::model);
  fail(*state("m"), FailureScope::unnamed);
  std::string names;
  for (const ParkedCredential& part : models_.parked(kNow)) {
    names += part.part == ParkedCredential::Part::model ? part.name : std::string(name(part.part));
    names += ' ';
  }
  EXPECT_EQ(names, "credential a z ");
  EXPECT_TRUE(unpark_all("p"));
  EXPECT_TRUE(models_.parked(kNow).empty()) << "the models, too";
}

TEST_F(ParkedCredentials, ThereIsNothingToUnparkWhereCallersBringTheCredential) {  // FBK-6.9
  EXPECT_TRUE(unpark_all("p")) << "of which nothing has been used yet";
  EXPECT_FALSE(unpark_all("brought"));
}

Failure refusal(FailureScope scope, Category category = Category::authentication) {
  Failure failure = Failure::of(category);
  failure.scope = scope;
  return failure;
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

TEST(RegistryOptions, ATargetHasWhatItsModelSaysAndOneThatCallersNameWhatItsProviderSays) {
  config::Config config = two_providers();
  config.providers[0].state.limits.concurrency = 3;
  config.providers[0].breaker.failure_threshold = 9;
  config::TargetConfig target{.provider = "p", .model = "m*"};
  target.state.limits.concurrency = 2;
  config.models = {{.alias = "one", .targets = {target}}, {.alias = "two", .targets = {target}}};
  TargetRegistry targets(registry_options(config));
  EXPECT_EQ(targets.target({"p", "m*"})->limits()->options().concurrency, 2U)
      << "by its name, whatever that looks like";
  EXPECT_EQ(targets.target({"p", "mine"})->limits()->options().concurrency, 3U);
  EXPECT_EQ(targets.target({"brought", "m"})->limits(), nullptr);
  EXPECT_NE(targets.target({"brought", "m"})->callers(), nullptr);
  EXPECT_EQ(targets.target({"brought", "m"})->credential(), nullptr);
}

TEST(UsageAskings, AllWhoAskForATargetShareOneAsLongAsSomebodyHasIt) {  // CORE-5
  UsageAskings askings;
  const auto kept = askings.of({"p", "kept"});
  const std::weak_ptr<UsageAsking> gone = askings.of({"p", "gone"});
  EXPECT_TRUE(gone.expired());
  for (int i = 0; i < 1000; ++i) (void)askings.of({"p", std::to_string(i)});
  EXPECT_EQ(askings.of({"p", "kept"}), kept) << "whatever was named since";
}

}  // namespace
}  // namespace fuseboard::gateway
