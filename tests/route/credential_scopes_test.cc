// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a credential is parked by what a refusal speaks of.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <utility>

#include "fuseboard/route/credentials.h"
#include "tests/route/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

Outcome rejection(FailureScope scope, Category category = Category::authentication) {
  Failure failure = Failure::of(category);
  failure.scope = scope;
  return Outcome::failed(failure);
}

// Two models at two endpoints.
class CredentialScopes : public testing::Test {
 protected:
  static constexpr std::uint8_t kChat = 0;
  static constexpr std::uint8_t kEmbeddings = 2;

  CredentialUse big(std::uint8_t endpoint = kChat) { return {.model = &big_, .endpoint = endpoint}; }
  CredentialUse small(std::uint8_t endpoint = kChat) { return {.model = &small_, .endpoint = endpoint}; }
  void settle(const CredentialUse& use, const Outcome& outcome, TimePoint now = kStart) {
    std::move(*gate_.try_pass(now, use)).settle(now, outcome);
  }
  bool open(const CredentialUse& use, TimePoint now = kStart) const { return !gate_.peek_rejection(now, use); }

  CredentialGate gate_{"openai"};
  ParkingGate big_{KeyView("openai", "big")};
  ParkingGate small_{KeyView("openai", "small")};
};

TEST_F(CredentialScopes, ARefusalOfAModelParksThatModelAlone) {  // FBK-6.2, FBK-6.3
  for (const Category category : {Category::authentication, Category::quota_exhausted}) {
    settle(big(), rejection(FailureScope::model, category));
    EXPECT_FALSE(open(big())) << name(category);
    EXPECT_FALSE(open(big(kEmbeddings))) << name(category);
    EXPECT_TRUE(open(small())) << name(category);
    EXPECT_FALSE(gate_.snapshot(kStart).parked) << name(category);
    EXPECT_EQ(gate_.try_pass(kStart, big()).error().key, "openai/big");
    EXPECT_FALSE(open(big(), kStart + 60s - 1ns));
    EXPECT_TRUE(open(big(), kStart + 60s));
    big_.unpark();
  }
}

TEST_F(CredentialScopes, ARefusalOfAnEndpointParksTheCredentialThereAlone) {  // FBK-6.2
  settle(big(kEmbeddings), rejection(FailureScope::endpoint));
  EXPECT_FALSE(open(big(kEmbeddings)));
  EXPECT_FALSE(open(small(kEmbeddings))) << "it is the same credential there";
  EXPECT_TRUE(open(big(kChat)));
  EXPECT_TRUE(gate_.snapshot(kStart, kEmbeddings).parked);
  EXPECT_FALSE(gate_.snapshot(kStart, kChat).parked);
}

TEST_F(CredentialScopes, WhatNamesNothingParksTheCredential) {  // FBK-6.2
  settle(big(kEmbeddings), rejection(FailureScope::unnamed));
  EXPECT_FALSE(open(small(kChat)));
  EXPECT_FALSE(big_.snapshot(kStart).parked);
  EXPECT_FALSE(gate_.snapshot(kStart, kEmbeddings).parked);
}

TEST_F(CredentialScopes, WhatSpeaksOfTheCallerOrOfOneRequestParksNothing) {  // FBK-6.8, FBK-6.9
  for (const Category category : {Category::authentication, Category::quota_exhausted}) {
    for (const FailureScope scope : {FailureScope::caller, FailureScope::request}) {
      settle(big(), rejection(scope, category));
      EXPECT_TRUE(open(big())) << name(category) << ' ' << name(scope);
    }
  }
}

TEST_F(CredentialScopes, EndpointsBeyondTheBoundShareTheLast) {  // CORE-5
  settle(big(200), rejection(FailureScope::endpoint));
  EXPECT_FALSE(open(big(255)));
  EXPECT_FALSE(open(big(kMaxEndpoints - 1)));
  EXPECT_TRUE(open(big(kMaxEndpoints - 2)));
}

TEST_F(CredentialScopes, AProbeThatMeetsANarrowerRefusalProvesNothingAndGoesToTheNext) {  // FBK-6.4
  settle(big(), rejection(FailureScope::unnamed));
  const TimePoint later = kStart + 60s;
  settle(big(), rejection(FailureScope::model), later);
  EXPECT_TRUE(gate_.snapshot(later).parked);
  EXPECT_FALSE(open(big(), later));
  ASSERT_TRUE(open(small(), later)) << "the probe of the credential is free again";
  settle(small(), Outcome::success(), later);
  EXPECT_FALSE(gate_.snapshot(later).parked);
  EXPECT_FALSE(open(big(), later)) << "the model has its own time";
}

TEST_F(CredentialScopes, ARefusalOfOnePartGivesTheProbesOfTheOthersBack) {  // FBK-6.4, BRK-11
  settle(big(), rejection(FailureScope::unnamed));
  const TimePoint later = kStart + 60s;
  {
    auto model = big_.try_pass(later);
    std::move(*model).settle(later, rejection(FailureScope::model));
  }
  EXPECT_FALSE(gate_.try_pass(later, big()));
  EXPECT_FALSE(gate_.snapshot(later).probe_in_flight);
  EXPECT_TRUE(open(small(), later));
}

TEST_F(CredentialScopes, AnAnswerThatBeginsUnparksHoweverLongItTakes) {  // FBK-6.4
  settle(big(), rejection(FailureScope::unnamed));
  const TimePoint later = kStart + 60s;
  auto probe = gate_.try_pass(later, big());
  ASSERT_TRUE(probe);
  EXPECT_FALSE(open(small(), later));
  probe->accepted();
  EXPECT_TRUE(open(small(), later));
  // What it says at its end still counts.
  std::move(*probe).settle(later + 1s, rejection(FailureScope::unnamed, Category::quota_exhausted));
  EXPECT_FALSE(open(small(), later + 1s));
}

TEST_F(CredentialScopes, AnAnswerThatBeganBeforeTheParkingProvesNothing) {  // FBK-6.5
  auto before = gate_.try_pass(kStart, big());
  settle(big(), rejection(FailureScope::unnamed));
  before->accepted();
  EXPECT_FALSE(open(big()));
}

// Each probe's lease ends before its answer does: the next one must not take its say away.
TEST_F(CredentialScopes, ASuccessAfterTheLeaseOfTheProbeStillUnparks) {  // FBK-6.4
  settle(big(), rejection(FailureScope::unnamed));
  TimePoint now = kStart + 60s;
  auto slow = gate_.try_pass(now, big());
  now += gate_.options().probe_lease;
  auto next = gate_.try_pass(now, big());
  ASSERT_TRUE(next);
  std::move(*slow).settle(now + 1s, Outcome::success());
  EXPECT_TRUE(open(big(), now + 1s));
}

TEST_F(CredentialScopes, UnparkingIsOfTheCredentialAndItsEndpoints) {  // FBK-6.6
  settle(big(), rejection(FailureScope::endpoint));
  settle(big(kEmbeddings), rejection(FailureScope::unnamed));
  gate_.unpark();
  EXPECT_TRUE(open(big()));
}

}  // namespace
}  // namespace fuseboard
