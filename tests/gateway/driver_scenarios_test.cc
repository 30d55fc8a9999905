// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the event-loop driver, in virtual time.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <utility>

#include "gateway/driver.h"
#include "tests/scenarios/scenarios.h"

namespace fuseboard::gateway {
namespace {

// A loop in virtual time, and the hands of one call on it.
class StageLoop final : public AttemptSender, public Waker {
 public:
  explicit StageLoop(scenarios::Stage& stage) : stage_(stage) {
    stage.on_later([this](TimePoint time, std::function<void()> event) { events_.emplace(time, std::move(event)); });
  }

  void run(LoopDriver& driver) {
    driver_ = &driver;
    bool ended = false;
    net::spawn([](LoopDriver& call, bool& end) -> net::Task<void> {
      co_await call.run();
      end = true;
    }(driver, ended));
    while (!ended) {
      ASSERT_FALSE(events_.empty()) << "the call waits for nothing";
      const auto event = events_.extract(events_.begin());
      stage_.clock().advance_to(event.key());
      event.mapped()();
    }
  }

  net::Task<void> attempt(Attempt attempt) override {
    const scenarios::ScriptedAttempt& met = stage_.send(attempt);
    const TimePoint started = stage_.clock().now();
    if (met.first_content) {
      co_await until(started + *met.first_content);
      driver_->first_content(attempt.number);
    }
    co_await until(saturating_add(started, met.takes));
    if (driver_->in_flight(attempt.number)) driver_->report(attempt.number, met.report());
  }

  net::Task<void> until(TimePoint time) {
    net::OneShot<> came;
    events_.emplace(time, [&came] { came.set(); });
    co_await came;
  }

  // The task runs on to the attempt's own end, and finds that nobody asks any more.
  void cancel(std::uint32_t) override {}

  void proceed_at(TimePoint time) override {
    if (time == alarm_) return;
    alarm_ = time;
    if (time == kNever) return;
    events_.emplace(time, [this, time, since = stage_.clock().now()] {
      if (alarm_ != time) return;  // another time was named since
      alarm_ = kNever;
      stage_.waited(elapsed(since, time));
      driver_->proceed();
    });
  }

  void wake() noexcept override {
    events_.emplace(stage_.clock().now(), [this] { driver_->proceed(); });
  }

 private:
  scenarios::Stage& stage_;
  LoopDriver* driver_ = nullptr;
  std::multimap<TimePoint, std::function<void()>> events_;  // of one time in the order in which they came
  TimePoint alarm_ = kNever;
};

// PIP-4, PIP-7, RTY-9.1, RTY-9.2, RTY-9.3, STR-5.2, FBK-7.3
TEST(EventLoopDriver, TakesTheSameWayThroughEveryScenario) {
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    const auto loop = std::make_shared<StageLoop>(stage);
    {
      LoopDriver driver(stage.plan(), stage.call(), stage.rng(), stage.clock(), *loop, loop);
      loop->run(driver);
      stage.end(driver.execution().record().ending);
    }
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

class ThrowingHands final : public AttemptSender {
 public:
  net::Task<void> attempt(Attempt) override {
    throw std::runtime_error("no memory, say");
    co_return;
  }
  void cancel(std::uint32_t) override {}
  void proceed_at(TimePoint) override {}
};

TEST(EventLoopDriver, WhatAnAttemptThrowsReachesTheCallAndEverythingIsGivenBack) {  // PIP-7
  const scenarios::Scenario& scenario = scenarios::all().front();
  scenarios::Stage stage(scenario);
  ThrowingHands hands;
  const auto waker = std::make_shared<StageLoop>(stage);
  LoopDriver driver(stage.plan(), stage.call(), stage.rng(), stage.clock(), hands, waker);
  std::string thrown;
  net::spawn([](LoopDriver& call, std::string& what) -> net::Task<void> {
    try {
      co_await call.run();
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
  }(driver, thrown));
  EXPECT_EQ(thrown, "no memory, say");
  EXPECT_EQ(driver.execution().record().ending, Ending::cancelled);
  EXPECT_EQ(stage.outstanding(), 0U);
}

}  // namespace
}  // namespace fuseboard::gateway
