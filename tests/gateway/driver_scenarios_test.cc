// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the event-loop driver, in virtual time.

#include <gtest/gtest.h>

#include "gateway/driver.h"
#include "tests/scenarios/scenarios.h"

namespace fuseboard::gateway {
namespace {

class StageHands final : public CallHands {
 public:
  StageHands(scenarios::Stage& stage, Execution& execution) : stage_(stage), execution_(execution) {}

  net::Task<void> attempt(Attempt attempt) override {
    const scenarios::Encounter& met = stage_.meet(attempt);
    AttemptReport report{.silent = met.silent};
    if (met.failure) report.outcome = Outcome::failed(*met.failure);
    execution_.report(attempt.number, report, stage_.clock().now());
    co_return;
  }

  net::Task<void> wait_until(TimePoint time) override {
    stage_.wait_until(time);
    co_return;
  }

 private:
  scenarios::Stage& stage_;
  Execution& execution_;
};

TEST(EventLoopDriver, TakesTheSameWayThroughEveryScenario) {  // PIP-4, PIP-7
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    Execution execution(stage.plan(), stage.call(), stage.rng(), stage.clock().now());
    StageHands hands(stage, execution);
    bool ended = false;
    net::spawn([](Execution& call, StageHands& by, const Clock& clock, bool& end) -> net::Task<void> {
      co_await drive(call, by, clock);
      end = true;
    }(execution, hands, stage.clock(), ended));
    ASSERT_TRUE(ended);
    stage.end(execution.record().ending);
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.in_flight(), 0U);
  }
}

}  // namespace
}  // namespace fuseboard::gateway
