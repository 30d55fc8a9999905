// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/callback.h"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <vector>

#include "tests/support/counting_clock.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::seconds;

class Hooks final : public DriverDelegate {
 public:
  void send(const Attempt& attempt) override {
    sent.push_back(attempt.number);
    if (on_send) on_send(attempt);
  }
  void cancel(std::uint32_t attempt) override { cancelled.push_back(attempt); }
  void proceed_at(TimePoint time) override { at = time; }
  void ended(const CallRecord&) override { ++ends; }

  std::function<void(const Attempt&)> on_send;
  std::vector<std::uint32_t> sent;
  std::vector<std::uint32_t> cancelled;
  TimePoint at{};
  int ends = 0;
};

class Observer final : public CallObserver {
 public:
  void call_ended(const CallId&, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept override {
    ++calls;
    attempts = record.attempts.size();
  }
  int calls = 0;
  std::size_t attempts = 0;
};

class CallbackTest : public testing::Test {
 protected:
  World world_;
  Hooks hooks_;
  Observer observer_;
};

TEST_F(CallbackTest, ASendThatThrowsIsSettledAndEndsTheCall) {  // PIP-7, PIP-3
  const auto state = world_.state("a", {.limits = {.concurrency = 1}});
  CallbackDriver driver(world_.plan({"a"}), {}, world_.rng, world_.clock, hooks_, nullptr, &observer_);
  hooks_.on_send = [](const Attempt&) { throw std::runtime_error("mine"); };
  EXPECT_THROW(driver.proceed(), std::runtime_error);
  EXPECT_TRUE(driver.ended());
  EXPECT_FALSE(driver.execution().attempt_in_flight());
  EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 0U);
  EXPECT_EQ(state->limits()->snapshot(world_.clock.now()).in_flight, 0U) << "while the driver still is there";
  EXPECT_EQ(observer_.calls, 1);
  EXPECT_EQ(observer_.attempts, 1U);
  EXPECT_EQ(hooks_.ends, 0) << "the exception says it";
  driver.proceed();
  EXPECT_EQ(hooks_.sent.size(), 1U) << "nothing comes after the end";
  EXPECT_TRUE(hooks_.cancelled.empty()) << "what was not sent need not be stopped";
}

TEST_F(CallbackTest, WhatWasSentBesideItIsStopped) {  // PIP-7, RTY-9.2
  PlanOptions options = World::quick(1);
  options.hedge = HedgeOptions{.after = seconds(1)};
  CallbackDriver driver(world_.plan({"a", "b"}, options), {}, world_.rng, world_.clock, hooks_, nullptr, &observer_);
  driver.proceed();
  ASSERT_EQ(hooks_.sent.size(), 1U);
  hooks_.on_send = [](const Attempt&) { throw std::runtime_error("mine"); };
  world_.clock.advance(seconds(1));
  EXPECT_THROW(driver.proceed(), std::runtime_error);
  EXPECT_EQ(hooks_.cancelled, std::vector{1U});
  EXPECT_EQ(observer_.calls, 1);
  EXPECT_EQ(world_.breakers.snapshot("a").in_flight + world_.breakers.snapshot("b").in_flight, 0U);
}

TEST_F(CallbackTest, ASendThatHasReportedBeforeItThrowsLeavesTheCallToGoOn) {  // PIP-7
  CallbackDriver driver(world_.plan({"a", "b"}, World::quick(1)), {}, world_.rng, world_.clock, hooks_);
  hooks_.on_send = [&](const Attempt& attempt) {
    driver.report(attempt.number, attempt.target == 0 ? failed(Category::network) : succeeded());
    if (attempt.target == 0) throw std::runtime_error("late");
  };
  EXPECT_THROW(driver.proceed(), std::runtime_error);
  EXPECT_FALSE(driver.ended());
  driver.proceed();
  EXPECT_TRUE(driver.ended());
  EXPECT_EQ(driver.execution().record().ending, Ending::success);
  EXPECT_EQ(hooks_.ends, 1);
}

TEST_F(CallbackTest, WhatIsToldWithEveryPieceOfAnAnswerIsTakenOnce) {  // STR-4
  CountingClock clock;
  CallbackDriver driver(world_.plan({"a"}), {.streaming = true}, world_.rng, clock, hooks_);
  driver.proceed();
  EXPECT_TRUE(driver.working(1));
  EXPECT_TRUE(driver.first_content(1));
  const int reads = clock.reads;
  clock.clock.advance(seconds(1));
  EXPECT_TRUE(driver.working(1));
  EXPECT_TRUE(driver.first_content(1));
  EXPECT_EQ(clock.reads, reads);
  driver.report(1, succeeded());
  EXPECT_EQ(driver.execution().record().attempts.back().first_content, Duration::zero());
  EXPECT_FALSE(driver.working(1));
  EXPECT_FALSE(driver.first_content(1));
}

}  // namespace
}  // namespace fuseboard
