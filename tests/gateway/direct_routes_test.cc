// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/direct_routes.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "fuseboard/pipeline/admission.h"
#include "tests/gateway/test_routing.h"

namespace fuseboard::gateway {
namespace {

// A provider with a limit, and a clock that stands still.
class DirectRoutesTest : public testing::Test {
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
    if (admit(clock_.now(), route->plan->targets()[0], {.probe_lease = std::chrono::seconds(60)}, permits))
      return false;
    const Outcome outcome = answered ? Outcome::success() : Outcome::failed(Failure::of(Category::model_not_found));
    std::move(permits).settle(clock_.now(), {.outcome = outcome, .answered = true}, outcome);
    return true;
  }
  void fill(bool calling) {
    for (std::size_t i = 0; i < DirectRoutes::kMaxDirectRoutes; ++i) {
      if (calling) {
        call(made_up(i), false);
      } else {
        ASSERT_NE(models_.find(made_up(i)), nullptr);
      }
    }
  }

  ManualClock clock_;
  TestRouting models_{limited(), clock_};
};

TEST_F(DirectRoutesTest, AreRememberedUpToABoundWhereTheOldestThatLimitsNobodyGoes) {  // CORE-5
  fill(false);
  EXPECT_EQ(models_.direct.size(), DirectRoutes::kMaxDirectRoutes);
  const std::weak_ptr<const Route> oldest = models_.find(made_up(0));
  const std::weak_ptr<const Route> next = models_.find(made_up(1));
  (void)models_.find(made_up(0));  // so that the second is the oldest but those after it
  for (std::size_t i = 2; i < DirectRoutes::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_NE(models_.find("p/beyond"), nullptr);
  EXPECT_EQ(models_.direct.size(), DirectRoutes::kMaxDirectRoutes);
  EXPECT_TRUE(next.expired());
  EXPECT_FALSE(oldest.expired());
  EXPECT_EQ(models_.find("p/beyond"), models_.find("p/beyond")) << "the new one is remembered";
}

TEST_F(DirectRoutesTest, MadeUpNamesDoNotSwitchTheLimitsOfOthersOff) {  // LIM-5.1, CORE-5
  for (const bool calling : {false, true}) {
    EXPECT_TRUE(call("p/real"));
    EXPECT_TRUE(call("p/real"));
    fill(calling);
    fill(false);
    EXPECT_FALSE(call("p/real")) << "its bucket is as empty as before, whatever was named since";
    clock_.advance(std::chrono::minutes(1));
  }
}

TEST_F(DirectRoutesTest, ARealOneThatIsNamedAfterManyMadeUpOnesHasItsLimits) {  // LIM-5.1
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

TEST_F(DirectRoutesTest, OneThatHasAnsweredIsKeptBeforeThoseThatNeverDid) {
  EXPECT_TRUE(call("p/real", true));
  clock_.advance(std::chrono::minutes(1));
  const std::weak_ptr<const Route> real = models_.find("p/real");
  for (std::size_t i = 0; i < 3 * DirectRoutes::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_FALSE(real.expired());
}

TEST_F(DirectRoutesTest, OneInUseOrParkedOrShutStays) {
  const auto held = models_.find("p/held");
  state("p/shut").gate().close(clock_.now(), std::chrono::minutes(1));
  const std::weak_ptr<const Route> shut = models_.find("p/shut");
  for (std::size_t i = 0; i < 2 * DirectRoutes::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_EQ(models_.find("p/held"), held);
  EXPECT_FALSE(shut.expired());
  clock_.advance(std::chrono::minutes(1));
  for (std::size_t i = 0; i < 2 * DirectRoutes::kMaxDirectRoutes; ++i) (void)models_.find(made_up(i));
  EXPECT_TRUE(shut.expired()) << "its gate has opened";
}

TEST_F(DirectRoutesTest, ANameIsBounded) {  // CORE-5
  const std::string longest = "p/" + std::string(DirectRoutes::kMaxDirectName - 2, 'x');
  EXPECT_NE(models_.find(longest), nullptr);
  EXPECT_EQ(models_.find(longest + "x"), nullptr);
}

TEST_F(DirectRoutesTest, LimitsHoldOnUnderAnotherRouting) {  // PIP-5, LIM-5.1
  EXPECT_TRUE(call("p/real"));
  EXPECT_TRUE(call("p/real"));
  const auto before = models_.find("p/real");
  models_.change(limited());
  EXPECT_NE(models_.find("p/real"), before);
  EXPECT_EQ(models_.find("p/real"), models_.find("p/real"));
  EXPECT_FALSE(call("p/real")) << "its bucket is as empty as before";
}

TEST_F(DirectRoutesTest, ACallThatBeganBeforeIsServedAndNotRemembered) {  // PIP-5
  const auto before = models_.routing;
  const auto known = models_.find("p/known");
  models_.change(limited());
  EXPECT_EQ(models_.direct.find(before, "p/known")->plan->targets()[0].state, known->plan->targets()[0].state);
  EXPECT_NE(models_.direct.find(before, "p/other"), nullptr);
  EXPECT_EQ(models_.direct.size(), 1U);
  EXPECT_NE(models_.find("p/known")->upstreams[0].provider, known->upstreams[0].provider);
}

TEST_F(DirectRoutesTest, RoutesOfAProviderThatIsGoneAreForgotten) {  // PIP-5
  const std::weak_ptr<const Provider> gone = models_.find("p/known")->upstreams[0].provider;
  config::Config config = limited();
  config.providers[0].name = "q";
  config.models.clear();
  models_.change(config);
  EXPECT_EQ(models_.direct.size(), 0U);
  EXPECT_EQ(models_.find("p/known"), nullptr);
  EXPECT_TRUE(gone.expired());
}

}  // namespace
}  // namespace fuseboard::gateway
