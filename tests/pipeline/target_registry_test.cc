// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/tools/tool_guard.h"
#include "world.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class CountingWaker final : public Waker {
 public:
  void wake() noexcept override { ++times; }
  std::atomic<int> times{0};
};

Key pair_of(std::string_view first, std::string_view second) { return Key(KeyView(first, second)); }

TokenBucketOptions rate_of(double rate, double burst) { return {.rate = rate, .burst = burst}; }

BreakerOptions trips_after(std::uint32_t failures) {
  BreakerOptions options = provider_preset();
  options.failure_threshold = failures;
  options.open_time = OpenTime::fixed(8s);
  return options;
}

class TargetRegistryTest : public testing::Test {
 protected:
  static std::shared_ptr<const Plan> plan_of(std::string name, std::shared_ptr<TargetState> state,
                                             PlanOptions options = World::quick(1)) {
    std::vector<Target> targets{{.name = name, .state = std::move(state)}};
    return std::make_shared<const Plan>(std::move(name), std::move(targets), options);
  }
  // A call is refused at once where its circuit is open.
  static PlanOptions unwaiting() {
    PlanOptions options = World::quick(1);
    options.max_recovery_wait = Duration::zero();
    return options;
  }
  std::unique_ptr<Execution> begin(const std::shared_ptr<const Plan>& plan, const CallOptions& options = {},
                                   std::shared_ptr<Waker> waker = nullptr) {
    DriverAbilities abilities;
    abilities.waker = std::move(waker);
    return std::make_unique<Execution>(clock_.now(), plan, options, rng_, std::move(abilities));
  }
  bool sent(Execution& call) { return std::holds_alternative<Attempt>(call.next(clock_.now())); }
  bool waits(Execution& call) { return std::holds_alternative<WaitUntil>(call.next(clock_.now())); }
  Ending ending(Execution& call) { return std::get<Finished>(call.next(clock_.now())).ending; }
  void end(Execution& call, const AttemptReport& report) { report_latest(clock_.now(), call, report); }
  // Calls that are let in before one is refused; each stays in flight.
  int admitted(const std::shared_ptr<const Plan>& plan, int most = 50) {
    for (int i = 0; i < most; ++i) {
      calls_.push_back(begin(plan));
      if (!sent(*calls_.back())) return i;
    }
    return most;
  }

  TargetRegistry& make(const TargetRegistryOptions& options) { return targets_.emplace(options, clock_, 1); }

  // Of all targets of "openai" together; the others wait.
  TargetRegistry& make_one_at_a_time() {
    TargetRegistryOptions options;
    options.defaults.state.queue.max_wait = 30s;
    options.scopes = {{.scope = "openai", .options = {.limits = {.concurrency = 1}}}};
    return make(options);
  }

  ManualClock clock_;
  Rng rng_{1};
  std::optional<TargetRegistry> targets_;
  std::optional<ToolGuard> guard_;
  std::vector<std::unique_ptr<Execution>> calls_;  // gone before what they use
};

TEST_F(TargetRegistryTest, OptionsGoByExactNameThenByTheFirstGlobThenByDefault) {  // BRK-17.1
  TargetRegistryOptions options;
  options.defaults.state.rate = rate_of(1, 7);
  options.targets = {{.target = pair_of("openai", "gpt-5"), .options = {.state = {.rate = rate_of(1, 2)}}}};
  options.globs = {{.pattern = pair_of("openai", "gpt-*"), .options = {.state = {.rate = rate_of(1, 3)}}},
                   {.pattern = pair_of("*", "*"), .options = {.breaker = trips_after(1)}}};
  TargetRegistry& targets = make(options);

  EXPECT_EQ(targets.target({"openai", "gpt-5"})->rate()->options().burst, 2.0);
  EXPECT_EQ(targets.target({"openai", "gpt-4o"})->rate()->options().burst, 3.0);
  const auto other = targets.target({"local", "llama"});
  EXPECT_EQ(other->rate(), nullptr) << "the second glob has none";
  other->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));
  EXPECT_EQ(other->breaker().state(), CircuitState::open);
  EXPECT_EQ(targets.target("single")->rate()->options().burst, 7.0) << "no pair's pattern matches a single key";
}

TEST_F(TargetRegistryTest, EveryPlanThatNamesATargetSharesWhatItHas) {
  TargetRegistry& targets = make({.defaults = {.state = {.rate = rate_of(1, 3)}}});
  const auto one = plan_of("one", targets.target("a"));
  const auto two = plan_of("two", targets.target("a"));
  EXPECT_EQ(admitted(one, 2), 2);
  EXPECT_EQ(admitted(two), 1) << "the third token is the last";
  EXPECT_EQ(admitted(plan_of("b", targets.target("b"))), 3);
}

TEST_F(TargetRegistryTest, AToolsCallsThroughItsGuardAndThroughPlansAreTheSameToItsLimitsAndItsBreaker) {
  ToolOptions tool;
  tool.breaker = trips_after(2);
  tool.limit = rate_of(1, 4);
  ToolGuard& guard = guard_.emplace(ToolGuardOptions{.defaults = tool}, clock_, 1);
  const auto plan = plan_of("search", guard.targets().target("search"));

  for (int i = 0; i < 2; ++i) {
    auto permit = guard.try_acquire("search");
    ASSERT_TRUE(permit);
    std::move(*permit).settle(ToolOutcome::success);
  }
  EXPECT_EQ(admitted(plan), 2) << "four tokens in all";
  for (std::size_t i = 0; i < 2; ++i) end(*calls_[i], failed(Category::overloaded));
  const auto refused = guard.try_acquire("search");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, RejectionReason::circuit_open) << "two failures of calls by plan";
}

TEST_F(TargetRegistryTest, TargetsOfOneScopeShareItsLimitsAndItsBreaker) {  // BRK-22
  TargetRegistryOptions options;
  options.scopes = {{.scope = "openai", .options = {.breaker = trips_after(1), .limits = {.concurrency = 2}}}};
  TargetRegistry& targets = make(options);
  const auto first = plan_of("openai/a", targets.target({"openai", "a"}), unwaiting());
  const auto second = plan_of("openai/b", targets.target({"openai", "b"}), unwaiting());
  const auto elsewhere = plan_of("local/a", targets.target({"local", "a"}));

  EXPECT_EQ(admitted(first, 1), 1);
  EXPECT_EQ(admitted(second), 1) << "two for the whole scope";
  EXPECT_EQ(admitted(elsewhere, 5), 5);

  end(*calls_[0], {.outcome = Outcome::failed(Failure::of(Category::network)), .connected = false});
  auto refused = begin(second);
  EXPECT_EQ(ending(*refused), Ending::circuit_open) << "the provider cannot be reached, whatever the model";
  EXPECT_EQ(targets.scope_breakers().snapshot("openai").state, CircuitState::open);
  EXPECT_EQ(targets.breakers().snapshot({"openai", "a"}).state, CircuitState::closed);
}

TEST_F(TargetRegistryTest, APlaceThatComesBackToAScopeWakesWhoWaitsForAnotherOfItsTargets) {  // LIM-7.4
  TargetRegistry& targets = make_one_at_a_time();
  const auto first = begin(plan_of("openai/a", targets.target({"openai", "a"})));
  ASSERT_TRUE(sent(*first));
  const auto waker = std::make_shared<CountingWaker>();
  const auto waiting = begin(plan_of("openai/b", targets.target({"openai", "b"})), {}, waker);
  ASSERT_TRUE(waits(*waiting));
  end(*first, succeeded());
  EXPECT_GT(waker->times, 0);
  EXPECT_TRUE(sent(*waiting));
}

TEST_F(TargetRegistryTest, APlaceThatADroppedCallLeavesWakesWhoWaitsInItsScope) {  // LIM-7.4
  TargetRegistry& targets = make_one_at_a_time();
  auto first = begin(plan_of("openai/a", targets.target({"openai", "a"})));
  ASSERT_TRUE(sent(*first));
  const auto waker = std::make_shared<CountingWaker>();
  const auto waiting = begin(plan_of("openai/b", targets.target({"openai", "b"})), {}, waker);
  ASSERT_TRUE(waits(*waiting));
  first.reset();
  EXPECT_GT(waker->times, 0);
  EXPECT_TRUE(sent(*waiting));
}

TEST_F(TargetRegistryTest, APlaceThatWasHeldForAMomentWakesWhoWaitsInItsScope) {  // LIM-7.4, PIP-2
  TargetRegistry& targets = make_one_at_a_time();
  const auto first = begin(plan_of("openai/a", targets.target({"openai", "a"})));
  ASSERT_TRUE(sent(*first));
  const auto waker = std::make_shared<CountingWaker>();
  const auto waiting = begin(plan_of("openai/b", targets.target({"openai", "b"})), {}, waker);
  ASSERT_TRUE(waits(*waiting));
  end(*first, succeeded());
  const int woken = waker->times;
  // Another takes the place before the one that waits looks, and is refused by its own target.
  targets.target({"openai", "c"})->gate().close(clock_.now(), 5s);
  const auto refused = begin(plan_of("openai/c", targets.target({"openai", "c"})));
  (void)refused->next(clock_.now());
  EXPECT_FALSE(refused->attempt_in_flight());
  EXPECT_GT(waker->times, woken);
  EXPECT_TRUE(sent(*waiting));
}

TEST_F(TargetRegistryTest, AScopeWakesEveryTargetHoweverMany) {  // LIM-7.4
  TargetRegistry& targets = make_one_at_a_time();
  const auto first = begin(plan_of("openai/a", targets.target({"openai", "a"})));
  ASSERT_TRUE(sent(*first));
  std::vector<std::shared_ptr<CountingWaker>> wakers;
  for (int i = 0; i < 40; ++i) {
    const std::string model = "m" + std::to_string(i);
    wakers.push_back(std::make_shared<CountingWaker>());
    calls_.push_back(begin(plan_of(model, targets.target({"openai", model})), {}, wakers.back()));
    ASSERT_TRUE(waits(*calls_.back()));
  }
  end(*first, succeeded());
  for (const auto& waker : wakers) EXPECT_GT(waker->times, 0);
}

TEST_F(TargetRegistryTest, ACallersOwnLimitsHoldWhereverItCallsAndKeepNobodyElseWaiting) {
  TargetRegistryOptions options;
  options.defaults.state.queue.max_wait = 30s;
  TargetRegistry& targets = make(options);
  JointLimiter of_key({.concurrency = 1}, "key-1", 1);
  CallOptions mine;
  mine.caller_limits = &of_key;
  const auto a = plan_of("a", targets.target("a"));
  const auto b = plan_of("b", targets.target("b"));
  const auto first = begin(a, mine);
  ASSERT_TRUE(sent(*first));
  const auto second = begin(b, mine, std::make_shared<CountingWaker>());
  EXPECT_EQ(ending(*second), Ending::rate_limited) << "another target is no way around it";
  EXPECT_EQ(second->record().rejections.back().reason, RejectionReason::concurrency_limited);
  EXPECT_TRUE(targets.target("b")->queue().empty());
  const auto of_another = begin(b);
  EXPECT_TRUE(sent(*of_another));
  end(*first, succeeded());
  const auto third = begin(b, mine);
  EXPECT_TRUE(sent(*third));
}

TEST_F(TargetRegistryTest, AnOperatorsResetWakesWhoWaitsWithoutAnybodyWatching) {  // RTY-4.4
  TargetRegistry& targets = make({.defaults = {.breaker = trips_after(1)}});
  for (const KeyView& key : {KeyView("single"), KeyView("openai", "gpt-5"), KeyView("a/b", "c%d")}) {
    const auto state = targets.target(key);
    state->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));
    const auto waker = std::make_shared<CountingWaker>();
    const auto call = begin(plan_of(to_text(key), state), {}, waker);
    ASSERT_TRUE(waits(*call)) << to_text(key);
    targets.breakers().reset(key);
    EXPECT_GT(waker->times, 0) << to_text(key);
    EXPECT_TRUE(sent(*call));
  }
}

TEST_F(TargetRegistryTest, WhatStillLimitsSomebodyIsNotForgotten) {  // BRK-17.5
  TargetRegistryOptions options;
  options.defaults.state.adaptive_concurrency = AdaptiveBulkheadOptions{};
  TargetRegistry& targets = make(options);
  const auto state = targets.target("a");
  EXPECT_TRUE(state->at_rest(clock_.now()));
  ASSERT_TRUE(state->retry_budget().try_retry(clock_.now()));
  EXPECT_FALSE(state->at_rest(clock_.now())) << "a retry is spent";
  clock_.advance(1min);
  EXPECT_TRUE(state->at_rest(clock_.now()));
}

TEST_F(TargetRegistryTest, AResetOfAScopesBreakerWakesWhoWaitsBehindIt) {  // BRK-22, RTY-4.4
  TargetRegistryOptions options;
  options.scopes = {{.scope = "openai", .options = {.breaker = trips_after(1)}}};
  TargetRegistry& targets = make(options);
  targets.scope_breakers().report("openai", Outcome::failed(Failure::of(Category::network)));
  const auto waker = std::make_shared<CountingWaker>();
  const auto state = targets.target({"openai", "a"});
  const auto call = begin(plan_of("openai/a", state), {}, waker);
  ASSERT_TRUE(waits(*call));
  targets.scope_breakers().reset("openai");
  EXPECT_GT(waker->times, 0);
  EXPECT_TRUE(sent(*call));
}

// At the bound.

TEST_F(TargetRegistryTest, WhatAPlanNamesOrWhatLimitsSomebodyStaysAndTheRestMakesRoom) {  // BRK-17.5
  TargetRegistry& targets = make({.defaults = {.state = {.rate = rate_of(1, 2)}}, .max_targets = 3});
  const auto held = targets.target("held");
  (void)targets.target("spent")->rate()->try_acquire(clock_.now());
  (void)targets.target("idle");
  // A mark of recent use keeps a key for one round.
  for (int i = 0; i < 5; ++i) (void)targets.target("new-" + std::to_string(i));
  EXPECT_EQ(targets.size(), 3U);
  EXPECT_EQ(targets.target("held"), held);
  EXPECT_EQ(targets.snapshot("spent").rate->available, 1.0);
  EXPECT_FALSE(targets.with_known("idle", [](CircuitBreaker&, TargetState&) {}));
}

TEST_F(TargetRegistryTest, WhatCannotBeHeldSharesTheLimitsOfItsScope) {  // BRK-17.5
  TargetRegistry& targets = make({.defaults = {.state = {.rate = rate_of(1, 2)}}, .max_targets = 2});
  const auto one = targets.target({"openai", "one"});
  const auto two = targets.target({"openai", "two"});
  const auto three = targets.target({"openai", "three"});
  const auto four = targets.target({"openai", "four"});
  EXPECT_EQ(three, four) << "the overflow target of openai";
  EXPECT_NE(three, targets.target({"local", "five"}));
  EXPECT_EQ(targets.target("six"), targets.target("seven"));
  EXPECT_EQ(admitted(plan_of("three", three), 1), 1);
  EXPECT_EQ(admitted(plan_of("four", four)), 1) << "two tokens for all of them";
}

TEST_F(TargetRegistryTest, OverflowTargetsAndTheirScopesAreBounded) {  // CORE-5
  TargetRegistry& targets = make({.max_targets = 1});
  const auto held = targets.target("held");
  for (int i = 0; i < 3000; ++i) (void)targets.target({"scope-" + std::to_string(i), "m"});
  EXPECT_LE(targets.scopes().size(), 1001U);
  std::vector<std::shared_ptr<TargetState>> busy;
  for (int i = 0; i < 1500; ++i) busy.push_back(targets.target({"busy-" + std::to_string(i), "m"}));
  EXPECT_EQ(busy[1400], busy[1499]) << "beyond the bound there is one for all";
  EXPECT_LE(targets.scopes().size(), 2002U);
}

TEST_F(TargetRegistryTest, AStateOutlivesThePlansThatNamedIt) {
  TargetRegistry& targets = make({.defaults = {.breaker = trips_after(2)}});
  targets.target("a")->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));
  targets.target("a")->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));
  EXPECT_EQ(targets.target("a")->breaker().state(), CircuitState::open);
}

// New options.

TEST_F(TargetRegistryTest, NewOptionsReachKnownTargetsAndLoseNothing) {  // OPS-1, BRK-14
  TargetRegistryOptions options{.defaults = {.breaker = trips_after(3), .state = {.rate = rate_of(1, 4)}}};
  TargetRegistry& targets = make(options);
  const auto state = targets.target({"openai", "a"});
  const auto plan = plan_of("openai/a", state);
  EXPECT_EQ(admitted(plan, 3), 3);
  for (int i = 0; i < 2; ++i) state->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));

  options.defaults.breaker.failure_threshold = 4;
  options.defaults.state.rate = rate_of(1, 6);
  options.defaults.state.limits.concurrency = 4;
  targets.apply(options);
  EXPECT_EQ(targets.target({"openai", "a"}), state);
  EXPECT_EQ(targets.snapshot({"openai", "a"}).rate->available, 3.0) << "three of six are spent";
  EXPECT_EQ(targets.breakers().snapshot({"openai", "a"}).consecutive_failures, 2U);
  EXPECT_EQ(admitted(plan), 3) << "three tokens; the new limit counts from the first call after it";
  EXPECT_EQ(targets.target({"openai", "b"})->rate()->options().burst, 6.0) << "and new targets";
}

TEST_F(TargetRegistryTest, ALimitThatGoesLetsThemInWhoWaitForIt) {  // OPS-1
  TargetRegistryOptions options;
  options.defaults.state.limits.concurrency = 1;
  options.defaults.state.queue.max_wait = 30s;
  TargetRegistry& targets = make(options);
  const auto plan = plan_of("a", targets.target("a"));
  const auto first = begin(plan);
  ASSERT_TRUE(sent(*first));
  const auto waker = std::make_shared<CountingWaker>();
  const auto second = begin(plan, {}, waker);
  ASSERT_TRUE(waits(*second));
  options.defaults.state.limits.concurrency.reset();
  targets.apply(options);
  EXPECT_GT(waker->times, 0);
  EXPECT_TRUE(sent(*second));
  end(*first, succeeded());
  end(*second, succeeded());
  // And comes back: what was in flight under the old one holds nothing of the new one.
  options.defaults.state.limits.concurrency = 1;
  targets.apply(options);
  EXPECT_EQ(admitted(plan), 1);
}

TEST_F(TargetRegistryTest, AScopesBreakerComesAndGoesOverKnownTargets) {  // OPS-1, BRK-22
  TargetRegistryOptions options;
  TargetRegistry& targets = make(options);
  const auto plan = plan_of("openai/a", targets.target({"openai", "a"}), unwaiting());
  const auto fail_to_connect = [&] {
    const auto call = begin(plan);
    ASSERT_TRUE(sent(*call));
    end(*call, {.outcome = Outcome::failed(Failure::of(Category::network)), .connected = false});
  };
  EXPECT_EQ(targets.scope_breakers().size(), 0U) << "nobody asked for one";

  options.scopes = {{.scope = "openai", .options = {.breaker = trips_after(1)}}};
  targets.apply(options);
  fail_to_connect();
  const auto refused = begin(plan);
  EXPECT_NE(ending(*refused), Ending::success);
  EXPECT_EQ(refused->record().rejections.back().reason, RejectionReason::circuit_open);

  options.scopes.clear();
  targets.apply(options);
  const auto again = begin(plan);
  EXPECT_TRUE(sent(*again)) << "no breaker of the scope stands before it";
}

TEST_F(TargetRegistryTest, WhoIsWokenByNewOptionsMayGoOnAtOnce) {  // RTY-4.4
  struct Entering final : Waker {
    void wake() noexcept override {
      ++times;
      (void)state->throttle_options();  // takes the state's lock
    }
    std::shared_ptr<TargetState> state;
    int times = 0;
  };
  TargetRegistryOptions options;
  options.defaults.state.limits.concurrency = 1;
  options.defaults.state.queue.max_wait = 30s;
  TargetRegistry& targets = make(options);
  const auto waker = std::make_shared<Entering>();
  waker->state = targets.target("a");
  const auto plan = plan_of("a", waker->state);
  const auto first = begin(plan);
  ASSERT_TRUE(sent(*first));
  const auto second = begin(plan, {}, waker);
  ASSERT_TRUE(waits(*second));
  targets.apply(options);
  EXPECT_GT(waker->times, 0);
}

TEST_F(TargetRegistryTest, NewOptionsReachTheThrottlesOfCallersToo) {  // LIM-9.3, LIM-4.6
  TargetRegistryOptions options;
  options.defaults.state.adaptive_rate = AdaptiveLimiterOptions{.rate = {.rate = 10}};
  options.scopes = {{.scope = "p", .options = {.credential = ScopeCredential::of_callers}}};
  TargetRegistry& targets = make(options);
  const auto state = targets.target({"p", "m"});
  CallOptions mine;
  mine.caller = {.high = 1, .low = 1};
  const auto call = begin(plan_of("p/m", state), mine);
  ASSERT_TRUE(sent(*call));
  ASSERT_NE(state->callers()->find(mine.caller, state->key().view())->rate(), nullptr);
  options.defaults.state.adaptive_rate.reset();
  targets.apply(options);
  EXPECT_EQ(state->callers()->find(mine.caller, state->key().view())->rate(), nullptr);
}

TEST_F(TargetRegistryTest, BadOptionsChangeNothingAndNameTheField) {  // CORE-7
  TargetRegistryOptions options{.defaults = {.state = {.rate = rate_of(1, 4)}}};
  TargetRegistry& targets = make(options);
  const auto state = targets.target("a");
  TargetRegistryOptions bad;
  bad.targets = {{.target = pair_of("openai", "a"), .options = {.state = {.rate = rate_of(-1, 4)}}}};
  bad.scopes = {{.scope = "openai", .options = {.limits = {.concurrency = 0}}}, {.scope = "openai", .options = {}}};
  bad.max_targets = 0;
  try {
    targets.apply(bad);
    FAIL() << "they are not valid";
  } catch (const InvalidOptions& problem) {
    const std::string text = problem.what();
    for (const char* field :
         {"targets.openai/a.state.rate.rate", "scopes.openai.limits.concurrency", "scopes.openai: ", "max_targets"}) {
      EXPECT_NE(text.find(field), std::string::npos) << field << " in " << text;
    }
  }
  EXPECT_EQ(state->rate()->options().burst, 4.0);
}

TEST_F(TargetRegistryTest, OptionsMayChangeWhileCallsRun) {  // OPS-1
  TargetRegistryOptions options;
  options.defaults.state.limits.concurrency = 4;
  const TargetRegistryOptions limited = options;
  options.defaults.state.limits.concurrency.reset();
  options.defaults.state.rate = rate_of(1'000'000, 1000);
  options.scopes = {{.scope = "openai", .options = {.breaker = provider_preset(), .limits = {.concurrency = 3}}}};
  TargetRegistry targets(limited);
  const auto plan = plan_of("openai/a", targets.target({"openai", "a"}));
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&, seed = static_cast<std::uint64_t>(i)] {
      Rng rng(seed);
      const Clock& clock = SteadyClock::instance();
      while (!stop) {
        Execution call(clock.now(), plan, {}, rng);
        while (!std::holds_alternative<Finished>(call.next(clock.now()))) {
          if (!call.attempt_in_flight()) break;
          report_latest(clock.now(), call, succeeded());
        }
        if (call.record().ending == Ending::success && answered++ == 0) answered.notify_one();
        (void)targets.target({"openai", "other-" + std::to_string(answered % 7)});
      }
    });
  }
  answered.wait(0);
  for (int i = 0; i < 200; ++i) targets.apply(i % 2 == 0 ? options : limited);
  stop = true;
  callers.clear();
  targets.apply(limited);
  EXPECT_EQ(targets.snapshot({"openai", "a"}).in_flight, 0U);
  EXPECT_EQ(targets.breakers().snapshot({"openai", "a"}).in_flight, 0U);
  // Every place is free again.
  const auto state = targets.target({"openai", "a"});
  std::vector<JointPermit> places;
  while (auto permit = state->limits()->try_acquire(SteadyClock::instance().now()))
    places.push_back(std::move(*permit));
  EXPECT_EQ(places.size(), 4U);
}

// To outlive the process.

TEST_F(TargetRegistryTest, WhatWasSpentLearnedOpenedAndParkedOutlivesTheProcess) {  // OPS-3, BRK-15
  TargetRegistryOptions options;
  options.defaults = {.breaker = trips_after(1),
                      .state = {.rate = rate_of(1, 5),
                                .limits = {.requests_per_minute = 60.0, .requests_burst = 10.0},
                                .adaptive_rate = AdaptiveLimiterOptions{.rate = {.rate = 10}, .burst = 8.0},
                                .retry_budget = {.ratio = 0.0, .min_per_second = 1}}};
  options.scopes = {
      {.scope = "openai",
       .options = {
           .breaker = trips_after(1), .limits = {.tokens_per_minute = 1000.0}, .credential = ScopeCredential::shared}}};
  TargetRegistry& before = make(options);
  const auto used = before.target({"openai", "used"});
  const TimePoint now = clock_.now();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(used->rate()->try_acquire(now));
  (void)used->limits()->try_acquire(now);
  used->gate().close(now, 20s);
  used->note_served();
  while (used->retry_budget().try_retry(now)) continue;
  auto tokens = used->scope_limits()->try_acquire(now, {.tokens = 400});
  ASSERT_TRUE(tokens);
  std::move(*tokens).settle(now, 400);
  auto pass = used->credential()->try_pass(now, {.model = used->parked_model()});
  Failure refused = Failure::of(Category::authentication);
  refused.scope = FailureScope::model;
  std::move(*pass).settle(now, Outcome::failed(refused));
  before.target({"openai", "open"})->breaker().report(Outcome::failed(Failure::of(Category::overloaded)));
  before.scope_breakers().report("openai", Outcome::failed(Failure::of(Category::network)));
  (void)before.target({"openai", "untouched"});
  const SavedTargets saved = before.save();
  EXPECT_EQ(saved.targets.size(), 1U) << "the others have nothing to keep";

  TargetRegistry after(options, clock_, 2);
  EXPECT_EQ(after.restore(saved), 1U);
  const TargetSnapshot snapshot = after.snapshot({"openai", "used"});
  EXPECT_EQ(snapshot.rate->available, 3.0);
  EXPECT_EQ(snapshot.requests->remaining, 9U);
  EXPECT_EQ(snapshot.paused_for, 20s);
  ASSERT_TRUE(snapshot.parked_model);
  EXPECT_EQ(snapshot.parked_model->reason, Category::authentication);
  const auto state = after.target({"openai", "used"});
  EXPECT_TRUE(state->has_served());
  EXPECT_FALSE(state->retry_budget().try_retry(now));
  EXPECT_EQ(state->scope_limits()->view(now).tokens->remaining, 600U);
  EXPECT_EQ(after.breakers().snapshot({"openai", "open"}).state, CircuitState::open);
  EXPECT_EQ(after.scope_breakers().snapshot("openai").state, CircuitState::open);
  EXPECT_FALSE(after.with_known({"openai", "untouched"}, [](CircuitBreaker&, TargetState&) {}));
}

TEST_F(TargetRegistryTest, AToolsStateIsSavedWithoutBecomingAPlans) {  // OPS-3
  ToolGuard& guard = guard_.emplace(ToolGuardOptions{.defaults = {.limit = rate_of(1, 3)}}, clock_, 1);
  std::move(*guard.try_acquire("search")).settle(ToolOutcome::success);
  std::move(*guard.try_acquire("asks")).settle(Failure::of(Category::rate_limit, 30s));
  ToolGuard after({.defaults = {.limit = rate_of(1, 3)}}, clock_, 2);
  EXPECT_EQ(after.targets().restore(guard.targets().save()), 2U);
  EXPECT_EQ(after.snapshot("search").limit->available, 2.0);
  EXPECT_EQ(after.snapshot("asks").paused_for, 30s);
  after.targets().with_each([](CircuitBreaker&, TargetState& state) { EXPECT_FALSE(state.prepared()); });
}

TEST_F(TargetRegistryTest, OfAShapeThatIsNotKnownNothingIsRestored) {
  TargetRegistry& targets = make({});
  SavedTargets saved;
  saved.version = 2;
  saved.targets.push_back({.key = Key(KeyView("a")), .has_served = true});
  EXPECT_THROW((void)targets.restore(saved), std::invalid_argument);
  EXPECT_EQ(targets.size(), 0U);
}

TEST_F(TargetRegistryTest, ATargetThatIsNotInAPlanAsksForTimeAndIsLeftAlone) {  // LIM-4.3
  ToolGuard& guard = guard_.emplace(ToolGuardOptions{}, clock_, 1);
  const auto plan = plan_of("search", guard.targets().target("search"));
  std::move(*guard.try_acquire("search")).settle(Failure::of(Category::rate_limit, 30s));
  const auto call = begin(plan);
  EXPECT_EQ(ending(*call), Ending::rate_limited) << "what one face was told the other one knows";
  EXPECT_EQ(guard.snapshot("search").paused_for, 30s);
}

}  // namespace
}  // namespace fuseboard
