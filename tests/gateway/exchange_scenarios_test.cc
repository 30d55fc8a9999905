// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the event-loop driver, in virtual time.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "gateway/exchange.h"
#include "tests/gateway/exchange_world.h"
#include "tests/scenarios/scenarios.h"

namespace fuseboard::gateway {
namespace {

// An exchange whose loop runs in virtual time.
class StageExchange final : private AttemptTask, private ProtectedExchange {
 public:
  StageExchange(scenarios::Stage& stage, net::Loop& loop, const ExchangeContext& context)
      : ProtectedExchange(context, stage.plan(), stage.call(), *this), stage_(stage), loop_(loop) {
    stage.on_later([this](TimePoint time, std::function<void()> event) { events_.emplace(time, std::move(event)); });
  }

  // To the end of the call.
  void run_stage() {
    net::spawn(run_call());
    loop_.post([this] { next_event(); });
    loop_.run();
    stage_.end(execution().record().ending);
  }

 private:
  net::Task<void> run_call() {
    co_await run();
    ended_ = true;
  }

  // One at a time: what wakes the call from elsewhere has its turn in between.
  void next_event() {
    if (ended_) return loop_.stop();
    if (events_.empty()) {
      ADD_FAILURE() << "the call waits for nothing";
      return loop_.stop();
    }
    const auto event = events_.extract(events_.begin());
    stage_.clock().advance_to(event.key());
    event.mapped()();
    loop_.post([this] { next_event(); });
  }

  // Once the call needs it no more, the task runs on to the attempt's own end, and finds that nobody asks.
  net::Task<void> attempt(const Attempt& attempt) override {
    const scenarios::ScriptedAttempt& met = stage_.send(attempt);
    const TimePoint started = stage_.clock().now();
    if (met.first_content) {
      co_await until(started + *met.first_content);
      driver().first_content(attempt.number);
    }
    co_await until(saturating_add(started, met.takes));
    if (execution().in_flight(attempt.number)) driver().report(attempt.number, met.report());
  }

  std::optional<StreamRecovery> recovery() const override { return std::nullopt; }

  net::Task<void> until(TimePoint time) {
    net::OneShot<> came;
    events_.emplace(time, [&came] { came.set(); });
    co_await came;
  }

  void proceed_at(TimePoint time) override {
    if (time == alarm_) return;
    alarm_ = time;
    if (time == kNever) return;
    events_.emplace(time, [this, time, since = stage_.clock().now()] {
      if (alarm_ != time) return;  // another time was named since
      alarm_ = kNever;
      stage_.waited(elapsed(since, time));
      proceed();
    });
  }

  scenarios::Stage& stage_;
  net::Loop& loop_;
  std::multimap<TimePoint, std::function<void()>> events_;  // of one time in the order in which they came
  TimePoint alarm_ = kNever;
  bool ended_ = false;
};

// PIP-4, PIP-7, RTY-9.1, RTY-9.2, RTY-9.3, STR-5.2, FBK-7.3
TEST(EventLoopDriver, TakesTheSameWayThroughEveryScenario) {
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    net::Loop loop;
    ExchangeWorld world(loop, stage.clock(), stage.rng());
    {
      StageExchange exchange(stage, loop, world.context);
      exchange.run_stage();
    }
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

class ThrowingTask final : public AttemptTask {
 public:
  net::Task<void> attempt(const Attempt&) override {
    throw std::runtime_error("no memory, say");
    co_return;
  }
  std::optional<StreamRecovery> recovery() const override { return std::nullopt; }
};

TEST(EventLoopDriver, WhatAnAttemptThrowsReachesTheCallAndEverythingIsGivenBack) {  // PIP-7
  const scenarios::Scenario& scenario = scenarios::all().front();
  scenarios::Stage stage(scenario);
  net::Loop loop;
  ExchangeWorld world(loop, stage.clock(), stage.rng());
  ThrowingTask task;
  ProtectedExchange exchange(world.context, stage.plan(), stage.call(), task);
  std::string thrown;
  net::spawn([](ProtectedExchange& call, std::string& what) -> net::Task<void> {
    try {
      co_await call.run();
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
  }(exchange, thrown));
  EXPECT_EQ(thrown, "no memory, say");
  EXPECT_EQ(exchange.execution().record().ending, Ending::cancelled);
  EXPECT_EQ(stage.outstanding(), 0U);
}

}  // namespace
}  // namespace fuseboard::gateway
