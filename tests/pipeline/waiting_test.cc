// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls that wait where no target is left [RTY-4.3, LIM-7.3].

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fuseboard/pipeline/pipeline.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class CountingWaker final : public Waker {
 public:
  void wake() noexcept override { ++times; }
  int times = 0;
};

// One call and its waker.
struct Caller {
  Caller(World& world, std::shared_ptr<const Plan> plan, const CallOptions& options = {})
      : clock(world.clock), execution(world.clock.now(), std::move(plan), options, world.rng, {.waker = waker}) {}

  Step next() { return execution.next(clock.now()); }
  bool waits() { return std::holds_alternative<WaitUntil>(next()); }
  bool sent() { return std::holds_alternative<Attempt>(next()); }
  Ending ending() { return std::get<Finished>(next()).ending; }

  const ManualClock& clock;
  std::shared_ptr<CountingWaker> waker = std::make_shared<CountingWaker>();
  Execution execution;
};

BreakerOptions quick_breaker() {
  BreakerOptions options = provider_preset();
  options.open_time = OpenTime::fixed(seconds(8));
  return options;
}

TEST(RecoveryWait, OneProbesWhileTheOthersWaitAndItsSuccessLetsThemIn) {  // RTY-4.3, BRK-6
  World world(quick_breaker());
  const auto plan = world.plan({"a"});
  world.open("a");
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 5; ++i) {
    callers.push_back(std::make_unique<Caller>(world, plan));
    ASSERT_TRUE(callers.back()->waits());
  }
  world.clock.advance(seconds(8));
  ASSERT_TRUE(callers[0]->sent()) << "the probe";
  for (int i = 1; i < 5; ++i) EXPECT_TRUE(callers[static_cast<std::size_t>(i)]->waits());
  EXPECT_EQ(world.breakers.snapshot("a").probes_in_flight, 1U);

  report_latest(world.clock.now(), callers[0]->execution, succeeded());
  EXPECT_GT(callers[1]->waker->times, 0) << "woken by the transition, not by time";
  for (int i = 1; i < 5; ++i) {
    Caller& caller = *callers[static_cast<std::size_t>(i)];
    EXPECT_GT(caller.waker->times, 0) << "each who gets in wakes the next";
    ASSERT_TRUE(caller.sent());
    EXPECT_EQ(caller.execution.record().waits.back().reason, WaitReason::recovery);
  }
}

TEST(RecoveryWait, AFailedProbeSendsAwayThoseForWhomTheNextOneIsTooLate) {  // RTY-4.3, RTY-4.5
  World world(quick_breaker());
  const auto plan = world.plan({"a"}, World::quick(1));
  world.open("a");
  Caller first(world, plan);
  Caller second(world, plan);
  ASSERT_TRUE(first.waits());
  ASSERT_TRUE(second.waits());
  world.clock.advance(seconds(8));
  ASSERT_TRUE(first.sent());
  report_latest(world.clock.now(), first.execution, failed(Category::network));
  EXPECT_GT(second.waker->times, 0);
  EXPECT_EQ(second.ending(), Ending::circuit_open) << "eight more seconds would be sixteen, and ten are allowed";
  EXPECT_EQ(second.execution.record().retry_after, seconds(8));
}

TEST(RecoveryWait, WhoWaitedInVainIsToldHowThingsStandNow) {  // RTY-4.5, BRK-21.4
  World world({.failure_threshold = 1, .open_time = OpenTime::exponential(seconds(8), 4.0, seconds(60))});
  const auto plan = world.plan({"a", "b"}, World::quick(1));
  world.open("a");
  world.open("b");
  world.clock.advance(seconds(2));
  Caller waiter(world, plan);
  ASSERT_TRUE(waiter.waits()) << "both targets said six seconds";
  world.clock.advance(seconds(6));
  for (const char* target : {"a", "b"}) {
    auto probe = world.breakers.handle(target).try_acquire();
    ASSERT_TRUE(probe);
    std::move(*probe).settle(Outcome::failed(Failure::of(Category::network)));
  }
  EXPECT_EQ(waiter.ending(), Ending::circuit_open);
  EXPECT_EQ(waiter.execution.record().retry_after, seconds(32));
}

TEST(RecoveryWait, TheTwoHundredFiftySeventhIsSentAway) {  // RTY-4.3, CORE-5
  World world(quick_breaker());
  const auto plan = world.plan({"a"});
  world.open("a");
  std::vector<std::unique_ptr<Caller>> waiting;
  for (int i = 0; i < 256; ++i) {
    waiting.push_back(std::make_unique<Caller>(world, plan));
    ASSERT_TRUE(waiting.back()->waits());
  }
  Caller late(world, plan);
  EXPECT_EQ(late.ending(), Ending::circuit_open);
  waiting.pop_back();
  Caller next(world, plan);
  EXPECT_TRUE(next.waits()) << "who goes away leaves room";
}

TEST(RecoveryWait, AnOperatorsResetWakesThroughThePipeline) {  // RTY-4.4
  World world(quick_breaker());
  Pipeline pipeline(world.plan({"a"}));
  pipeline.watch(world.breakers);
  world.open("a");
  Caller caller(world, pipeline.plan());
  ASSERT_TRUE(caller.waits());
  ASSERT_EQ(caller.waker->times, 0);
  world.breakers.reset("a");
  EXPECT_EQ(caller.waker->times, 1);
  EXPECT_TRUE(caller.sent());
}

TEST(RecoveryWait, AnOperatorWhoLetsItBeProbedWakesTheProbe) {  // BRK-21.6, RTY-4.4
  World world(quick_breaker());
  Pipeline pipeline(world.plan({"a"}));
  pipeline.watch(world.breakers);
  world.open("a");
  Caller caller(world, pipeline.plan());
  ASSERT_TRUE(caller.waits());
  ASSERT_TRUE(world.breakers.half_open("a"));
  EXPECT_EQ(caller.waker->times, 1);
  EXPECT_TRUE(caller.sent());
  EXPECT_EQ(world.breakers.snapshot("a").probes_in_flight, 1U);
}

TEST(RecoveryWait, ACallThatIsAloneWithoutAWakerWaitsByTheClock) {  // RTY-4.2
  World world(quick_breaker());
  world.open("a");
  Execution execution(world.clock.now(), world.plan({"a"}), {}, world.rng);
  const Step step = execution.next(world.clock.now());
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(step));
  world.clock.advance_to(std::get<WaitUntil>(step).time);
  EXPECT_TRUE(std::holds_alternative<Attempt>(execution.next(world.clock.now())));
}

TEST(RecoveryWait, WhoAsksEarlyIsNeitherLetInNorCountedAsDenied) {  // RTY-4.2, BRK-16.1
  World world(quick_breaker());
  world.open("a");
  Caller caller(world, world.plan({"a"}));
  ASSERT_TRUE(caller.waits());
  const std::uint64_t denials = world.breakers.snapshot("a").denials;
  for (int i = 0; i < 7; ++i) {
    world.clock.advance(seconds(1));
    EXPECT_TRUE(caller.waits());
  }
  EXPECT_EQ(world.breakers.snapshot("a").denials, denials);
  EXPECT_EQ(caller.execution.record().rejections.size(), 1U);
}

// One call a second, and a queue.
class AdmissionWait : public testing::Test {
 protected:
  AdmissionWait() {
    state_ = world_.state("a", {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0},
                                .queue = {.capacity = 4, .max_wait = seconds(5)}});
    plan_ = world_.plan({"a"});
  }
  std::unique_ptr<Caller> caller(Priority priority, Duration deadline = minutes(1)) {
    return std::make_unique<Caller>(
        world_, plan_, CallOptions{.deadline = Deadline::after(world_.clock.now(), deadline), .priority = priority});
  }

  World world_;
  std::shared_ptr<TargetState> state_;
  std::shared_ptr<const Plan> plan_;
};

TEST_F(AdmissionWait, TokensGoToThePriorityFirstAndThenByTurn) {  // LIM-7.4, LIM-5.1
  ASSERT_TRUE(caller(Priority::normal)->sent());
  const auto normal = caller(Priority::normal);
  ASSERT_TRUE(normal->waits());
  const auto high = caller(Priority::high);
  ASSERT_TRUE(high->waits());
  world_.clock.advance(seconds(1));
  EXPECT_TRUE(normal->waits()) << "came first, but it is not its turn";
  ASSERT_TRUE(high->sent());
  EXPECT_GT(normal->waker->times, 0);
  EXPECT_TRUE(normal->waits());
  world_.clock.advance(seconds(1));
  ASSERT_TRUE(normal->sent());
  EXPECT_EQ(normal->execution.record().waits.back().reason, WaitReason::admission);
}

TEST_F(AdmissionWait, WhoComesLaterDoesNotOvertakeThoseWhoWait) {  // LIM-7.4
  ASSERT_TRUE(caller(Priority::normal)->sent());
  const auto first = caller(Priority::normal);
  ASSERT_TRUE(first->waits());
  world_.clock.advance(seconds(1));  // a token is there, but nobody has told the first
  const auto late = caller(Priority::normal);
  EXPECT_TRUE(late->waits());
  EXPECT_TRUE(first->sent());
}

TEST_F(AdmissionWait, AFullQueueSaysSo) {  // LIM-7.3
  ASSERT_TRUE(caller(Priority::normal)->sent());
  std::vector<std::unique_ptr<Caller>> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(caller(Priority::normal));
    ASSERT_TRUE(waiting.back()->waits());
  }
  const auto late = caller(Priority::critical);
  EXPECT_EQ(late->ending(), Ending::queue_full);
}

TEST_F(AdmissionWait, ACallWhoseDeadlineCannotBeMetIsRefusedAtOnce) {  // LIM-7.2, RTY-2
  ASSERT_TRUE(caller(Priority::normal)->sent());
  const auto hurried = caller(Priority::normal, milliseconds(500));
  EXPECT_EQ(hurried->ending(), Ending::rate_limited);
  EXPECT_GT(*hurried->execution.record().retry_after, milliseconds(500));
}

TEST_F(AdmissionWait, AfterTheLongestWaitACallGivesUp) {  // LIM-7.2
  ASSERT_TRUE(caller(Priority::normal)->sent());
  const auto waiting = caller(Priority::normal);
  ASSERT_TRUE(waiting->waits());
  state_->gate().close(world_.clock.now(), minutes(4));  // the server has asked for time meanwhile
  world_.clock.advance(seconds(1));
  EXPECT_EQ(waiting->ending(), Ending::rate_limited) << "it cannot be let in within five seconds any more";
  EXPECT_TRUE(state_->queue().empty());
}

TEST_F(AdmissionWait, WhoLeavesMakesRoomAndWakesTheNext) {  // LIM-7.4
  ASSERT_TRUE(caller(Priority::normal)->sent());
  const auto first = caller(Priority::high);
  const auto second = caller(Priority::normal);
  ASSERT_TRUE(first->waits());
  ASSERT_TRUE(second->waits());
  first->execution.cancel(world_.clock.now());
  EXPECT_EQ(first->ending(), Ending::cancelled);
  EXPECT_EQ(second->waker->times, 1);
  EXPECT_EQ(state_->queue().size(), 1U);
}

TEST_F(AdmissionWait, WhatNoBucketHoldsIsRefusedAtOnceAndBlocksNobody) {  // LIM-7.5, LIM-5.1
  const auto state =
      world_.state("tokens", {.limits = {.tokens_per_minute = 1000.0}, .queue = {.max_wait = seconds(30)}});
  const auto plan = world_.plan({"tokens"});
  Caller large(world_, plan, {.estimate = {.input = 5000}});
  EXPECT_EQ(large.ending(), Ending::rate_limited);
  EXPECT_TRUE(state->queue().empty());
  Caller small(world_, plan, {.estimate = {.input = 10}});
  EXPECT_TRUE(small.sent());
}

TEST_F(AdmissionWait, WhenAgeingPassesTheTurnOnWhoHasItIsTold) {  // LIM-7.4
  const auto state = world_.state("aged", {.limits = {.requests_per_minute = 6.0, .requests_burst = 1.0},
                                           .queue = {.max_wait = seconds(30), .ageing_step = seconds(5)}});
  const auto plan = world_.plan({"aged"});
  const auto join = [&](Priority priority) {
    auto caller = std::make_unique<Caller>(world_, plan, CallOptions{.priority = priority});
    EXPECT_TRUE(caller->waits());
    return caller;
  };
  Caller first(world_, plan);
  ASSERT_TRUE(first.sent());
  const auto old = join(Priority::low);
  world_.clock.advance(seconds(3));
  const auto young = join(Priority::normal);
  world_.clock.advance(seconds(6));  // nine seconds: one step for the old one, one for the young one
  EXPECT_TRUE(old->waits());
  world_.clock.advance(seconds(1));  // two steps for the old one: it is its turn, but it sleeps
  old->waker->times = 0;
  EXPECT_TRUE(young->waits());
  EXPECT_EQ(old->waker->times, 1);
  EXPECT_TRUE(old->sent());
}

TEST(RecoveryWait, AProbesFirstContentLetsTheOthersIn) {  // RTY-4.3, BRK-8.5
  World world(quick_breaker());
  const auto plan = world.plan({"a"});
  world.open("a");
  world.clock.advance(seconds(8));
  Caller probing(world, plan, {.streaming = true});
  ASSERT_TRUE(probing.sent());
  Caller waiting(world, plan, {.streaming = true});
  ASSERT_TRUE(waiting.waits());
  EXPECT_TRUE(probing.execution.first_content(world.clock.now(), 1));
  EXPECT_EQ(waiting.waker->times, 1) << "the stream goes on for long, but the circuit is closed";
  EXPECT_TRUE(waiting.sent());
}

TEST(RecoveryWait, TheSoonestObstacleIsNotTheOnlyOneWorthWaitingFor) {  // RTY-4.2
  World world(quick_breaker());
  world.state("a", {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}});
  const auto plan = world.plan({"a", "b"});
  Caller first(world, plan);
  ASSERT_TRUE(first.sent());
  world.open("b");
  Caller second(world, plan);
  ASSERT_TRUE(second.waits()) << "a has a token in a second, but nobody may wait for tokens; b recovers in eight";
  world.clock.advance(seconds(8));
  ASSERT_TRUE(second.sent());
}

TEST(PlaceWait, AFreePlaceWakesWhoeverWaitsForIt) {  // LIM-7.4, LIM-8.1
  World world;
  world.state("a", {.limits = {.concurrency = 1}, .queue = {.max_wait = seconds(5)}});
  const auto plan = world.plan({"a"});
  Caller holder(world, plan);
  ASSERT_TRUE(holder.sent());
  Caller waiting(world, plan);
  ASSERT_TRUE(waiting.waits());
  report_latest(world.clock.now(), holder.execution, succeeded());
  EXPECT_EQ(waiting.waker->times, 1);
  EXPECT_TRUE(waiting.sent());
}

TEST(PlaceWait, ACallThatIsAbandonedFreesItsPlaceForTheNext) {  // LIM-8.1, PIP-7
  World world;
  world.state("a", {.limits = {.concurrency = 1}, .queue = {.max_wait = seconds(5)}});
  const auto plan = world.plan({"a"});
  auto holder = std::make_unique<Caller>(world, plan);
  ASSERT_TRUE(holder->sent());
  Caller waiting(world, plan);
  ASSERT_TRUE(waiting.waits());
  holder.reset();
  EXPECT_EQ(waiting.waker->times, 1);
  EXPECT_TRUE(waiting.sent());
}

}  // namespace
}  // namespace fuseboard
