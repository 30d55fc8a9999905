// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/admin_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

namespace fuseboard::gateway {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow = TimePoint() + 1h;

TEST(AdminJson, OfABreakerHasTimesAsTheyAreNow) {
  const BreakerSnapshot breaker{
      .key = Key("p/m"),
      .state = CircuitState::open,
      .remaining = 1500us,
      .opened_at = kNow - 2s,
      .transitions = {{.at = kNow - 2s, .from = CircuitState::closed, .to = CircuitState::open, .generation = 7}}};
  const AdminJson json = breaker_json(kNow, breaker);
  EXPECT_EQ(json["key"], "p/m");
  EXPECT_EQ(json["state"], "open");
  EXPECT_EQ(json["remaining_ms"], 2) << "rounded up";
  EXPECT_EQ(json["opened_ago_ms"], 2000);
  EXPECT_TRUE(json["last_denial_ago_ms"].is_null());
  EXPECT_EQ(json["transitions"], AdminJson::array({transition_json(kNow, breaker.transitions[0])}));
  EXPECT_EQ(json["transitions"][0]["generation"], 7);
}

TEST(AdminJson, OfAFailureIsNullWhereThereWasNone) { EXPECT_TRUE(failure_json(kNow, std::nullopt).is_null()); }

TEST(AdminJson, OfACredentialNamesItsParts) {
  const AdminJson json = provider_credential_json(
      {.provider = "p", .parts = {{.name = "m", .remaining = 3s, .reason = Category::rate_limit}}});
  EXPECT_EQ(json["provider"], "p");
  EXPECT_EQ(json["parked"], false);
  EXPECT_TRUE(json["reason"].is_null());
  ASSERT_EQ(json["parts"].size(), 1U);
  EXPECT_EQ(json["parts"][0]["remaining_ms"], 3000);
}

TEST(AdminJson, IsSentInAsciiWhateverBytesNamesHave) {
  EXPECT_EQ(to_body({{"key", "a\u202E\xFF"}}), "{\n  \"key\": \"a\\u202e\\ufffd\"\n}\n");
}

}  // namespace
}  // namespace fuseboard::gateway
