// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Targets where every caller brings a credential of its own: what the server says to one is nobody else's matter.

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr CallerHash kOne{.high = 1};
constexpr CallerHash kOther{.high = 2};

class CallersCredentials : public testing::Test {
 protected:
  void make(const TargetStateOptions& options = {}, const BreakerOptions& breaker = provider_preset()) {
    state_ = std::make_shared<TargetState>(BreakerScopes{world_.breakers.handle("a", breaker)}, options, "a", nullptr,
                                           1, std::make_shared<CallerThrottles>(8));
    std::vector<Target> targets;
    targets.push_back({.name = "a", .state = state_});
    plan_ = std::make_shared<const Plan>("test", std::move(targets), World::quick(1));
  }
  // One call of one attempt, which ends so.
  CallRecord call(CallerHash caller, const AttemptReport& report = succeeded()) {
    Execution execution(world_.clock.now(), plan_, {.caller = caller}, world_.rng);
    if (std::holds_alternative<Attempt>(execution.next(world_.clock.now()))) {
      report_latest(world_.clock.now(), execution, report);
      (void)execution.next(world_.clock.now());
    }
    return execution.record();
  }

  World world_;
  std::shared_ptr<TargetState> state_;
  std::shared_ptr<const Plan> plan_;
};

TEST_F(CallersCredentials, ARetryAfterShutsTheDoorToItsOwnCallerAlone) {  // LIM-4.6, FBK-6.9
  make();
  call(kOne, failed(Category::rate_limit, minutes(1)));
  const CallRecord rejected = call(kOne);
  EXPECT_EQ(rejected.ending, Ending::rate_limited);
  EXPECT_EQ(rejected.retry_after, minutes(1));
  EXPECT_EQ(call(kOther).ending, Ending::success);
  EXPECT_EQ(call({}).ending, Ending::success) << "nor to those without a credential";
  world_.clock.advance(minutes(1));
  EXPECT_EQ(call(kOne).ending, Ending::success);
}

TEST_F(CallersCredentials, AUsedUpWindowIsThatOfItsCaller) {  // LIM-4.6
  make();
  AttemptReport report = succeeded();
  report.window = ServerWindow{.remaining = 0, .reset_after = seconds(30)};
  call(kOne, report);
  EXPECT_EQ(call(kOne).retry_after, seconds(30));
  EXPECT_EQ(call(kOther).ending, Ending::success);
}

TEST_F(CallersCredentials, ALearnedRateIsThatOfItsCaller) {  // LIM-4.6
  make({.adaptive_rate = AdaptiveLimiterOptions{.rate = {.rate = 1}, .burst = 4.0}});
  call(kOne, failed(Category::rate_limit));
  EXPECT_EQ(call(kOne).ending, Ending::rate_limited) << "its bucket is empty";
  for (int i = 0; i < 4; ++i) EXPECT_EQ(call(kOther).ending, Ending::success) << i;
  EXPECT_EQ(call(kOther).ending, Ending::rate_limited) << "and so is this one, by its own calls";
  EXPECT_EQ(state_->adaptive_rate(), nullptr) << "there is none for all";
}

TEST_F(CallersCredentials, NothingIsRememberedOfCallersToWhomNothingWasSaid) {  // CORE-5
  make();
  for (std::uint64_t i = 0; i < 20; ++i) call({.high = i + 10});
  EXPECT_EQ(state_->callers()->size(), 0U);
  for (std::uint64_t i = 0; i < 20; ++i) call({.high = i + 10}, failed(Category::rate_limit, minutes(1)));
  EXPECT_EQ(state_->callers()->size(), 8U);
  EXPECT_EQ(call({.high = 29}).ending, Ending::rate_limited) << "of the latest";
  EXPECT_EQ(call({.high = 10}).ending, Ending::success) << "the oldest is forgotten and may learn it anew";
}

TEST_F(CallersCredentials, OneThrottledProbeKeepsTheCircuitOpenForNobody) {  // FBK-6.9, BRK-7.5
  make();
  while (!world_.breakers.peek_rejection("a"))
    world_.breakers.report("a", Outcome::failed(Failure::of(Category::service_unavailable)));
  world_.clock.advance(seconds(30));
  call(kOne, failed(Category::rate_limit, minutes(1)));
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::half_open) << "nothing is known yet";
  EXPECT_EQ(call(kOther).ending, Ending::success);
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
}

TEST_F(CallersCredentials, OneRefusedCredentialMakesTheTargetNoSlower) {  // FBK-1.5, FBK-6.9
  make();
  for (const Category category :
       {Category::authentication, Category::quota_exhausted, Category::rate_limit, Category::permission_denied}) {
    call(kOne, failed(category));
    EXPECT_EQ(state_->latency().estimate(world_.clock.now()).value_or(Duration::zero()), Duration::zero())
        << name(category);
  }
}

// With a queue: a caller whom the server has asked to wait would hold the place that others stand behind.
TEST_F(CallersCredentials, WhomTheServerAsksToWaitStandsInNobodysWay) {  // FBK-6.9, LIM-4.7
  make({.queue = {.max_wait = minutes(5)}});
  call(kOne, failed(Category::rate_limit, seconds(20)));
  class Deaf final : public Waker {
    void wake() noexcept override {}
  };
  Execution waiting(world_.clock.now(), plan_, {.caller = kOne}, world_.rng, {.waker = std::make_shared<Deaf>()});
  const Step step = waiting.next(world_.clock.now());
  ASSERT_TRUE(std::holds_alternative<Finished>(step)) << "it is told when to return";
  EXPECT_EQ(waiting.record().retry_after, seconds(20));
  EXPECT_EQ(call(kOther).ending, Ending::success);
}

// The limits that we set are one for all.
TEST_F(CallersCredentials, LimitsOfOurOwnAreShared) {  // LIM-5.1
  make({.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}});
  EXPECT_EQ(call(kOne).ending, Ending::success);
  EXPECT_EQ(call(kOther).ending, Ending::rate_limited);
}

}  // namespace
}  // namespace fuseboard
