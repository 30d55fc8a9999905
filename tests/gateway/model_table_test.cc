// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_table.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

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
