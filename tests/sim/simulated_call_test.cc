// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the simulated driver, which is the callback driver in virtual time.

#include "sim/simulated_call.h"

#include <gtest/gtest.h>

#include "tests/scenarios/scenarios.h"

namespace fuseboard::sim {
namespace {

class StageWorld final : public CallWorld {
 public:
  explicit StageWorld(scenarios::Stage& stage) : stage_(stage) {}
  SimulatedAttempt meet(const Plan&, const Attempt& attempt) override {
    const scenarios::ScriptedAttempt& met = stage_.send(attempt);
    return {.report = met.report(), .takes = met.takes, .first_content = met.first_content};
  }
  void waited(Duration wait) override { stage_.waited(wait); }

 private:
  scenarios::Stage& stage_;
};

// PIP-4, PIP-7, RTY-9.1, RTY-9.2, RTY-9.3, STR-5.2, FBK-7.3
TEST(SimulatedDriver, TakesTheSameWayThroughEveryScenario) {
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    StageWorld world(stage);
    VirtualTime time(stage.clock());
    stage.on_later([&time](TimePoint at, std::function<void()> event) { time.at(at, std::move(event)); });
    const auto call = SimulatedCall::begin(time, world, stage.plan(), stage.call(), stage.rng());
    while (!call->done()) ASSERT_TRUE(time.step()) << "the call waits for nothing";
    stage.end(call->record().ending);
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

}  // namespace
}  // namespace fuseboard::sim
