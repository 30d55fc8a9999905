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
    const scenarios::Encounter& met = stage_.send(attempt);
    const TimePoint started = stage_.clock().now();
    if (met.first_content) {
      stage_.clock().advance(*met.first_content);
      execution_.first_content(attempt.number, stage_.clock().now());
    }
    stage_.clock().advance_to(saturating_add(started, met.takes));
    execution_.report(attempt.number, met.report(), stage_.clock().now());
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

class NobodyWakes final : public Waker {
 public:
  void wake() noexcept override {}
};

TEST(EventLoopDriver, TakesTheSameWayThroughEveryScenario) {  // PIP-4, PIP-7, STR-5, FBK-7
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    if (scenario.hedges) continue;  // this driver has one attempt at a time
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    const auto waker = std::make_shared<NobodyWakes>();
    Execution execution(stage.plan(), stage.call(), stage.rng(), stage.clock().now(), {.waker = waker});
    StageHands hands(stage, execution);
    bool ended = false;
    net::spawn(
        [](Execution& call, StageHands& by, const Clock& clock, CacheSession* cache, bool& end) -> net::Task<void> {
          co_await drive(call, by, clock, cache);
          end = true;
        }(execution, hands, stage.clock(), stage.call().cache, ended));
    ASSERT_TRUE(ended);
    stage.end(execution.record().ending);
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

}  // namespace
}  // namespace fuseboard::gateway
