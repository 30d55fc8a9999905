// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What Oxios documents of its circuit breaker and its recovery ladder, asked of Fuseboard: each with the options that
// docs/parity.md names for it, and where it differs on purpose, the difference.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/breaker/scopes.h"
#include "fuseboard/telemetry/breaker_gauge.h"
#include "world.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class Oxios : public testing::Test {
 protected:
  // Runs the call to its end; attempts end as `report_of` says. The targets that were asked.
  template <typename ReportOf>
  std::string ladder(const std::shared_ptr<const Plan>& plan, ReportOf report_of, const CallOptions& options = {}) {
    call_ = std::make_unique<Execution>(world_.clock.now(), plan, options, world_.rng);
    std::string asked;
    for (;;) {
      const Step step = call_->next(world_.clock.now());
      if (const auto* attempt = std::get_if<Attempt>(&step)) {
        asked += plan->targets()[attempt->target].name;
        call_->report(world_.clock.now(), attempt->number, report_of(*attempt));
      } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
        world_.clock.advance_to(wait->time);
      } else {
        return asked;
      }
    }
  }
  static PlanOptions as_there() {
    return {.retry = {.max_attempts = 3, .base = 1s, .max = 30s, .jitter = Jitter::none}};
  }
  static Outcome ill() { return Outcome::failed(Failure::of(Category::service_unavailable)); }

  World world_;
  std::unique_ptr<Execution> call_;
};

TEST_F(Oxios, FiveFailuresOpenForThirtySecondsAndASingleProbeCloses) {  // parity O1
  CircuitBreaker breaker(provider_preset(), "llm", world_.clock);
  for (int i = 0; i < 4; ++i) breaker.report(ill());
  EXPECT_FALSE(breaker.peek_rejection());
  breaker.report(ill());
  EXPECT_TRUE(breaker.peek_rejection());
  EXPECT_EQ(name(breaker.state()), "open");
  world_.clock.advance(30s);
  auto probe = breaker.try_acquire();
  ASSERT_TRUE(probe);
  EXPECT_FALSE(breaker.try_acquire());
  EXPECT_FALSE(breaker.try_acquire());
  EXPECT_EQ(name(breaker.state()), "half_open");
  std::move(*probe).settle(Outcome::success());
  EXPECT_EQ(name(breaker.state()), "closed");
}

TEST_F(Oxios, AFailedProbeOpensAgainForTheSameTime) {  // parity O1
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(1s)}, "llm", world_.clock);
  breaker.report(ill());
  world_.clock.advance(1s);
  std::move(*breaker.try_acquire()).settle(ill());
  EXPECT_EQ(breaker.peek_rejection()->retry_after, 1s);
}

TEST_F(Oxios, ASuccessClosesNoOpenCircuitAndALostProbeWedgesNone) {  // parity O1
  CircuitBreaker breaker(provider_preset(), "llm", world_.clock);
  auto slow = breaker.try_acquire();
  for (int i = 0; i < 5; ++i) breaker.report(ill());
  std::move(*slow).settle(Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "there it closes";
  world_.clock.advance(30s);
  const auto lost = breaker.try_acquire();
  ASSERT_TRUE(lost);
  world_.clock.advance(60s + 30s);
  EXPECT_TRUE(breaker.try_acquire()) << "its lease and another open time are over, there nobody is let in again";
}

TEST_F(Oxios, AGaugeHasASeriesForEachState) {  // parity O2
  telemetry::Exposition out;
  const std::vector<telemetry::BreakerGauge> breakers = {{.key = "llm", .state = "open"}};
  telemetry::write_breaker_states(out, breakers);
  const std::string text = std::move(out).take();
  EXPECT_NE(text.find("fuseboard_breaker_state{key=\"llm\",state=\"open\"} 1"), std::string::npos);
  EXPECT_NE(text.find("fuseboard_breaker_state{key=\"llm\",state=\"half_open\"} 0"), std::string::npos);
}

TEST_F(Oxios, EveryModelOfAnIllProviderIsPassedByForAMinute) {  // parity O3
  BreakerRegistryOptions options{.defaults = provider_preset()};
  options.keys.push_back({.key = Key("anthropic"), .options = {.open_time = OpenTime::fixed(60s)}});
  BreakerRegistry breakers(options, world_.clock, 1);
  const BreakerScopes one{breakers.handle("anthropic"), breakers.handle({"anthropic", "sonnet"})};
  const BreakerScopes other{breakers.handle("anthropic"), breakers.handle({"anthropic", "haiku"})};
  for (int i = 0; i < 5; ++i) {
    auto permit = one.try_acquire();
    ASSERT_TRUE(permit);
    std::move(*permit).settle(Outcome::failed(Failure::of(Category::network)), kProviderScope);
  }
  EXPECT_EQ(other.peek_rejection()->retry_after, 60s);
  BreakerRegistry apart(options, world_.clock, 1);
  const BreakerScopes bad{apart.handle("anthropic"), apart.handle({"anthropic", "sonnet"})};
  const BreakerScopes good{apart.handle("anthropic"), apart.handle({"anthropic", "haiku"})};
  for (int i = 0; i < 5; ++i) std::move(*bad.try_acquire()).settle(ill(), kModelScope);
  EXPECT_TRUE(bad.peek_rejection());
  EXPECT_FALSE(good.peek_rejection()) << "one bad model does not take its siblings down, there it does";
}

TEST_F(Oxios, TwoMoreTriesOfAModelThenTheOthersInOrder) {  // parity O4
  const TimePoint begun = world_.clock.now();
  EXPECT_EQ(
      ladder(world_.plan({"a", "b", "c"}, as_there()), [](const Attempt&) { return failed(Category::overloaded); }),
      "aaabbbcc")
      << "eight attempts in all";
  EXPECT_EQ(elapsed(begun, world_.clock.now()), (1s + 2s) + (1s + 2s) + 1s);
  Rng rng(1);
  const RetryOptions retry = as_there().retry;
  EXPECT_EQ(next_delay(retry, 4, 4s, {}, rng), 8s);
  EXPECT_EQ(next_delay(retry, 10, 30s, {}, rng), 30s);
}

TEST_F(Oxios, WhatWaitingDoesNotMendGoesOnAtOnce) {  // parity O4
  EXPECT_EQ(
      ladder(world_.plan({"a", "b"}, as_there()),
             [](const Attempt& sent) { return sent.target == 0 ? failed(Category::model_not_found) : succeeded(); }),
      "ab");
}

TEST_F(Oxios, OneBudgetOfAttemptsHoldsOverTheWholeLadder) {  // parity O5
  EXPECT_EQ(PlanOptions{}.max_total_attempts, 8U);
  PlanOptions options = as_there();
  options.max_total_attempts = 4;
  const auto fails = [](const Attempt&) { return failed(Category::overloaded); };
  EXPECT_EQ(ladder(world_.plan({"a", "b", "c"}, options), fails), "aaab");
  options.max_total_attempts = 0;
  EXPECT_EQ(ladder(world_.plan({"d", "e", "f"}, options), fails), "dddeeefff") << "none for 0";
}

TEST_F(Oxios, SeveralCallsMayShareABudgetAndARefusalDrawsOnNone) {  // parity O5
  AttemptBudget shared(2);
  world_.open("a");
  const auto answers = [](const Attempt&) { return succeeded(); };
  EXPECT_EQ(ladder(world_.plan({"a", "b"}, as_there()), answers, {.attempt_budget = &shared}), "b");
  EXPECT_EQ(shared.left(), 1U);
}

TEST_F(Oxios, ACredentialThatIsRefusedPassesItsOtherModelsBy) {  // parity O6
  std::vector<Target> targets;
  for (const auto& [name, credential] : {std::pair{"a", 1U}, std::pair{"b", 1U}, std::pair{"c", 2U}})
    targets.push_back({.name = name, .state = world_.state(name), .traits = {.credential = credential}});
  const auto plan = std::make_shared<const Plan>("test", std::move(targets), as_there());
  for (const Category category : {Category::authentication, Category::quota_exhausted}) {
    EXPECT_EQ(ladder(plan, [&](const Attempt& sent) { return sent.target == 2 ? succeeded() : failed(category); }),
              "ac")
        << name(category);
  }
}

TEST_F(Oxios, WhatIsTooLongGoesOnlyToALargerWindow) {  // parity O6
  std::vector<Target> targets;
  for (const auto& [name, window] : {std::pair{"a", 8'000U}, std::pair{"b", 8'000U}, std::pair{"c", 200'000U}})
    targets.push_back({.name = name, .state = world_.state(name), .traits = {.context_window = window}});
  const auto plan = std::make_shared<const Plan>("test", std::move(targets), as_there());
  EXPECT_EQ(ladder(plan,
                   [](const Attempt& sent) {
                     return sent.target == 2 ? succeeded() : failed(Category::context_length_exceeded);
                   }),
            "ac");
}

TEST_F(Oxios, OfSeveralFailuresTheMostTellingIsShown) {  // parity O7
  (void)ladder(world_.plan({"a", "b"}, World::quick(1)), [](const Attempt& sent) {
    return sent.target == 0 ? failed(Category::overloaded) : failed(Category::invalid_request);
  });
  EXPECT_EQ(call_->record().primary_attempt, 2U) << "what the caller can mend";
}

TEST_F(Oxios, FallbacksAreRecorded) {  // parity O8
  (void)ladder(world_.plan({"a", "b"}, World::quick(1)),
               [](const Attempt& sent) { return sent.target == 0 ? failed(Category::overloaded) : succeeded(); });
  const auto fallbacks = fallbacks_of(call_->record());
  ASSERT_EQ(fallbacks.size(), 1U);
  EXPECT_EQ(fallbacks[0].from, 0U);
  EXPECT_EQ(fallbacks[0].to, 1U);
  EXPECT_EQ(fallbacks[0].category, Category::overloaded);
  EXPECT_TRUE(fallbacks[0].success);
}

}  // namespace
}  // namespace fuseboard
