// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the blocking driver.

#include <gtest/gtest.h>

#include "fuseboard/pipeline/blocking.h"
#include "tests/scenarios/scenarios.h"

namespace fuseboard {
namespace {

class StageWaiter final : public Waiter {
 public:
  explicit StageWaiter(scenarios::Stage& stage) : stage_(stage) {}
  void wait_until(TimePoint time, const std::stop_token&, WakeFlag&) override { stage_.wait_until(time); }

 private:
  scenarios::Stage& stage_;
};

TEST(BlockingDriver, TakesTheSameWayThroughEveryScenario) {  // PIP-4, PIP-7, FBK-7.3
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    if (scenario.hedges) continue;  // threads and virtual time do not go together
    if (scenario.mends) continue;   // an answer comes whole here
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    StageWaiter waiter(stage);
    const auto send = [&](const Attempt& attempt) -> std::expected<CachedResponsePtr, AttemptFailure> {
      const AttemptReport met = stage.meet(attempt).report();
      if (met.outcome.ok()) return nullptr;
      return std::unexpected(AttemptFailure{.failure = *met.outcome.failure,
                                            .answered = met.answered,
                                            .may_have_run = met.may_have_run,
                                            .silent = met.silent});
    };
    const auto result =
        run(stage.plan(), send, stage.call(), {.clock = stage.clock(), .rng = stage.rng(), .waiter = waiter});
    stage.end(result.record.ending);
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

}  // namespace
}  // namespace fuseboard
