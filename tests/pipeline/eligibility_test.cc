// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which targets can take a call, as its caller knows [FBK-7.2, FBK-7.3].

#include <gtest/gtest.h>

#include <string>

#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Allowed final : public Eligibility {
 public:
  explicit Allowed(std::uint64_t targets) : targets_(targets) {}
  bool can_take(std::uint32_t target) noexcept override {
    asked_ |= std::uint64_t{1} << target;
    return ((targets_ >> target) & 1U) != 0;
  }
  // Which were asked about, as bits.
  std::uint64_t asked() const { return asked_; }

 private:
  const std::uint64_t targets_;
  std::uint64_t asked_ = 0;
};

class EligibilityTest : public testing::Test {
 protected:
  Execution call(std::shared_ptr<const Plan> plan, Allowed& allowed, DriverAbilities abilities = {}) {
    return Execution(world_.clock.now(), std::move(plan), {.eligibility = &allowed}, world_.rng, std::move(abilities));
  }
  Step next(Execution& execution) { return execution.next(world_.clock.now()); }

  World world_;
};

TEST_F(EligibilityTest, WhoCannotTakeTheCallIsPassedByWithoutATrace) {  // FBK-7.3, RTY-6.2, PIP-6.1
  Allowed allowed(0b100);
  PlanOptions options = World::quick(1);
  options.max_total_attempts = 1;
  Execution execution = call(world_.plan({"a", "b", "c"}, options), allowed);
  EXPECT_EQ(std::get<Attempt>(next(execution)).target, 2U);
  report_latest(world_.clock.now(), execution, succeeded());
  (void)next(execution);
  const CallRecord& record = execution.record();
  EXPECT_EQ(record.attempts_sent, 1U);
  ASSERT_EQ(record.rejections.size(), 2U);
  EXPECT_EQ(record.rejections[0].target, 0U);
  EXPECT_EQ(record.rejections[0].reason, RejectionReason::not_eligible);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.admitted, 0U);
}

TEST_F(EligibilityTest, ItIsAskedOnlyOfThoseThatAreToBeTried) {  // FBK-7.2
  Allowed allowed(0b111);
  Execution execution = call(world_.plan({"a", "b", "c"}, World::quick(1)), allowed);
  EXPECT_EQ(allowed.asked(), 0U);
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(execution)));
  EXPECT_EQ(allowed.asked(), 0b001U);
  report_latest(world_.clock.now(), execution, failed(Category::network));
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(execution)));
  EXPECT_EQ(allowed.asked(), 0b011U);
}

TEST_F(EligibilityTest, WhereNobodyCanThereIsNoTarget) {  // FBK-7.3, RTY-8.2
  Allowed allowed(0);
  Execution execution = call(world_.plan({"a", "b"}), allowed);
  EXPECT_EQ(std::get<Finished>(next(execution)).ending, Ending::no_target);
}

TEST_F(EligibilityTest, NoCircuitIsWaitedForThatWouldBeOfNoUse) {  // FBK-7.2, RTY-4.2
  BreakerOptions breaker = provider_preset();
  breaker.open_time = OpenTime::fixed(seconds(5));
  world_.breakers.apply({.defaults = breaker});
  world_.open("a");
  Allowed allowed(0);
  Execution execution = call(world_.plan({"a"}), allowed);
  EXPECT_EQ(std::get<Finished>(next(execution)).ending, Ending::no_target);
}

TEST_F(EligibilityTest, NobodyIsHedgedToWhoCannotTakeTheCall) {  // FBK-7.2, RTY-9.1
  PlanOptions options = World::quick();
  options.hedge = HedgeOptions{.after = milliseconds(100)};
  Allowed allowed(0b101);
  Execution execution = call(world_.plan({"a", "b", "c"}, options), allowed, {.hedges = true});
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(execution)));
  world_.clock.advance(milliseconds(100));
  EXPECT_EQ(std::get<Attempt>(next(execution)).target, 2U);
}

TEST_F(EligibilityTest, ASilentTargetIsAskedAgainWhereTheOthersCannotTakeTheCall) {  // FBK-7.2, RTY-7.3
  Allowed allowed(0b01);
  Execution execution = call(world_.plan({"a", "b"}), allowed);
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(execution)));
  AttemptReport silent = failed(Category::timeout);
  silent.silent = true;
  report_latest(world_.clock.now(), execution, silent);
  world_.clock.advance_to(std::get<WaitUntil>(next(execution)).time);
  EXPECT_EQ(std::get<Attempt>(next(execution)).target, 0U);
}

TEST_F(EligibilityTest, AnAnswerThatBrokeOffIsNotGoneOnWithByWhoCannotTakeTheCall) {  // FBK-7.2, STR-5.2
  Allowed allowed(0b101);
  Execution execution = call(world_.plan({"a", "b", "c"}), allowed);
  const auto first = std::get<Attempt>(next(execution));
  execution.first_content(world_.clock.now(), first.number);
  AttemptReport broken = failed(Category::model_not_found);
  broken.recovery = StreamRecovery{.prefer = 0b010};
  report_latest(world_.clock.now(), execution, broken);
  EXPECT_EQ(std::get<Attempt>(next(execution)).target, 2U);
}

}  // namespace
}  // namespace fuseboard
