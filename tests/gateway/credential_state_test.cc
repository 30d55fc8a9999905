// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/credential_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gateway/model_paths.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class CredentialStateTest : public testing::Test {
 protected:
  static config::Config configured() {
    config::Config config;
    for (const char* name : {"p", "q"}) {
      config.providers.push_back({.name = name,
                                  .base_url = {.tls = false, .host = "127.0.0.1", .port = 1},
                                  .api_key = config::Secret("k"),
                                  .auth = config::Auth::bearer});
    }
    config.providers.push_back({.name = "open", .base_url = {.tls = false, .host = "127.0.0.1", .port = 1}});
    config.models.push_back({.alias = "smart",
                             .targets = {{.provider = "p", .model = "m"},
                                         {.provider = "p", .model = "n"},
                                         {.provider = "q", .model = "m"},
                                         {.provider = "open", .model = "m"}}});
    return config;
  }
  const Target& target(std::size_t i) { return models_.routing->routes().front()->plan->targets()[i]; }
  void settle(std::size_t i, const Outcome& outcome, std::uint8_t endpoint = 0) {
    TargetState& state = *target(i).state;
    auto pass = state.credential()->try_pass(clock_.now(), {.model = state.parked_model(), .endpoint = endpoint});
    ASSERT_TRUE(pass);
    std::move(*pass).settle(clock_.now(), outcome);
  }
  std::vector<std::string> watched() {
    return watch_.update(credential_states(clock_.now(), *models_.routing, models_.targets));
  }

  ManualClock clock_;
  TestRouting models_{configured(), clock_};
  CredentialWatch watch_;
};

TEST_F(CredentialStateTest, EachOfOurCredentialsIsToldOnceWithWhatIsLeftOfItsRest) {  // FBK-6.11
  settle(0, Outcome::failed(Failure::of(Category::authentication)));
  clock_.advance(seconds(20));
  const auto states = credential_states(clock_.now(), *models_.routing, models_.targets);
  ASSERT_EQ(states.size(), 3U);
  EXPECT_EQ(states[0].provider, "p");
  EXPECT_TRUE(states[0].parked);
  EXPECT_EQ(states[0].remaining, seconds(40));
  EXPECT_EQ(states[0].reason, Category::authentication);
  EXPECT_EQ(states[1].provider, "q");
  EXPECT_FALSE(states[1].parked);
  EXPECT_EQ(states[1].remaining, seconds(0));
  EXPECT_EQ(states[1].reason, std::nullopt);
  EXPECT_EQ(states[2].provider, "open");
  EXPECT_FALSE(states[2].parked) << "one without a key may refuse for want of it";
}

TEST_F(CredentialStateTest, ATargetWhoseCredentialRestsAtSomeEndpointsAdmitsTheOthers) {  // FBK-6.11
  Failure missing_scope = Failure::of(Category::authentication);
  missing_scope.scope = FailureScope::endpoint;
  for (std::uint8_t endpoint = 0; endpoint < kMaxEndpoints; ++endpoint) {
    EXPECT_FALSE(why_closed(clock_.now(), target(0))) << +endpoint;
    settle(0, Outcome::failed(missing_scope), endpoint);
  }
  EXPECT_TRUE(why_closed(clock_.now(), target(0))) << "at all of them";
}

TEST_F(CredentialStateTest, AProviderThatNoModelNamesIsToldOf) {  // FBK-6.11
  config::Config config = configured();
  config.models.clear();
  TestRouting direct(config, clock_);
  const auto route = direct.find("p/any");
  ASSERT_NE(route, nullptr);
  TargetState& state = *route->plan->targets()[0].state;
  auto pass = state.credential()->try_pass(clock_.now(), {.model = state.parked_model()});
  std::move(*pass).settle(clock_.now(), Outcome::failed(Failure::of(Category::authentication)));
  const auto states = credential_states(clock_.now(), *direct.routing, direct.targets);
  ASSERT_EQ(states.size(), 3U);
  EXPECT_TRUE(states[0].parked);
}

TEST_F(CredentialStateTest, ATargetWhoseCredentialRestsAdmitsNobody) {  // FBK-6.11
  EXPECT_FALSE(why_closed(clock_.now(), target(0)));
  settle(0, Outcome::failed(Failure::of(Category::quota_exhausted)));
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_TRUE(why_closed(clock_.now(), target(i)));
    EXPECT_EQ(why_closed(clock_.now(), target(i))->reason, RejectionReason::credential_parked);
  }
  EXPECT_FALSE(why_closed(clock_.now(), target(2)));
  EXPECT_FALSE(why_closed(clock_.now(), target(3)));
  clock_.advance(seconds(60));
  EXPECT_FALSE(why_closed(clock_.now(), target(0))) << "a probe is let through";
}

TEST_F(CredentialStateTest, WhatRestsForOneModelOrEndpointIsSaidOfThatAlone) {  // FBK-6.11, FBK-6.13
  Failure of_model = Failure::of(Category::quota_exhausted);
  of_model.scope = FailureScope::model;
  settle(1, Outcome::failed(of_model));
  Failure of_endpoint = Failure::of(Category::authentication);
  of_endpoint.scope = FailureScope::endpoint;
  settle(2, Outcome::failed(of_endpoint), endpoint_number("/v1/responses"));
  const auto states = credential_states(clock_.now(), *models_.routing, models_.targets);
  EXPECT_FALSE(states[0].parked);
  ASSERT_EQ(states[0].parts.size(), 1U);
  EXPECT_EQ(states[0].parts[0].name, "n");
  ASSERT_EQ(states[1].parts.size(), 1U);
  EXPECT_EQ(states[1].parts[0].part, ParkedCredential::Part::endpoint);
  EXPECT_FALSE(why_closed(clock_.now(), target(0)));
  EXPECT_TRUE(why_closed(clock_.now(), target(1)));
  EXPECT_FALSE(why_closed(clock_.now(), target(2))) << "its other endpoints are asked";
  EXPECT_THAT(watched(), ElementsAre("the credential of p for the model n is parked for another 1m: quota_exhausted",
                                     "the credential of q at /v1/responses is parked for another 1m: authentication"));
  clock_.advance(seconds(61));
  settle(1, Outcome::success());
  EXPECT_THAT(watched(), ElementsAre("the credential of p for the model n is no longer parked"));
}

TEST_F(CredentialStateTest, RestingAndBeingBackAreSaidOnceEach) {
  EXPECT_THAT(watched(), IsEmpty());
  settle(0, Outcome::failed(Failure::of(Category::authentication)));
  clock_.advance(milliseconds(500));
  EXPECT_THAT(watched(), ElementsAre("the credential of p is parked for another 1m: authentication"));
  EXPECT_THAT(watched(), IsEmpty());
  clock_.advance(seconds(60));
  EXPECT_THAT(watched(), IsEmpty()) << "its time is over, but nobody has tried it";
  EXPECT_THAT(parked_texts(credential_states(clock_.now(), *models_.routing, models_.targets)[0]),
              ElementsAre("the credential of p is tried again by the next call: authentication"));
  settle(0, Outcome::success());
  EXPECT_THAT(watched(), ElementsAre("the credential of p is no longer parked"));
  EXPECT_THAT(watched(), IsEmpty());
}

}  // namespace
}  // namespace fuseboard::gateway
