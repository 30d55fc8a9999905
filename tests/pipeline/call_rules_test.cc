// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Rules that hold over many calls: budgets of retries and attempts, fallbacks, credentials, hedges.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fuseboard/pipeline/callback.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Runs one call to its end, waits included; every attempt ends as `report` says of its target.
template <typename ReportOf>
CallRecord run_call(World& world, const std::shared_ptr<const Plan>& plan, const CallOptions& options,
                    ReportOf&& report_of) {
  Execution execution(world.clock.now(), plan, options, world.rng);
  for (;;) {
    const Step step = execution.next(world.clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      execution.report(world.clock.now(), attempt->number, report_of(*attempt));
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      world.clock.advance_to(wait->time);
    } else {
      return execution.record();
    }
  }
}

BreakerOptions never_opens() {
  BreakerOptions options = provider_preset();
  options.failure_threshold = 1'000'000;
  return options;
}

// With every call failing, a target gets at most 1.2 times the calls and the floor.
TEST(RetryBudgetInCalls, BoundsTheLoadOnATargetThatFailsEveryCall) {  // RTY-5; retries multiplied
  World world(never_opens());
  PlanOptions options{
      .retry = {.max_attempts = 4, .base = Duration::zero(), .max = Duration::zero(), .jitter = Jitter::none}};
  world.state("a", {.retry_budget = {.ratio = 0.2, .min_per_second = 0}});
  const auto plan = world.plan({"a"}, options);
  std::uint64_t sent = 0;
  constexpr std::uint64_t kCalls = 5000;
  for (std::uint64_t i = 0; i < kCalls; ++i) {
    world.clock.advance(milliseconds(1));
    sent +=
        run_call(world, plan, {}, [](const Attempt&) { return failed(Category::service_unavailable); }).attempts_sent;
  }
  EXPECT_LE(sent, kCalls + kCalls / 5);
  EXPECT_GT(sent, kCalls + kCalls / 6) << "the budget is there to be used";
}

TEST(RetryBudgetInCalls, AFallbacksFirstAttemptIsNoRetry) {  // RTY-5
  World world(never_opens());
  world.state("a", {.retry_budget = {.ratio = 0.0, .min_per_second = 0}});
  world.state("b", {.retry_budget = {.ratio = 0.0, .min_per_second = 0}});
  const auto plan = world.plan({"a", "b"});
  for (int i = 0; i < 50; ++i) {
    const CallRecord record =
        run_call(world, plan, {}, [](const Attempt&) { return failed(Category::service_unavailable); });
    EXPECT_EQ(record.attempts_sent, 2U);
  }
}

TEST(RetryBudgetInCalls, ARetryThatIsNotSentIsGivenBack) {  // RTY-5
  World world(never_opens());
  const auto state = world.state("a", {.retry_budget = {.ratio = 0.0, .min_per_second = 1}});
  const auto plan = world.plan({"a"});
  const std::uint64_t before = state->retry_budget().snapshot(world.clock.now()).left;
  for (int i = 0; i < 50; ++i) {
    Execution execution(world.clock.now(), plan, {}, world.rng);
    ASSERT_TRUE(std::holds_alternative<Attempt>(execution.next(world.clock.now())));
    report_latest(world.clock.now(), execution, failed(Category::network));
    ASSERT_TRUE(std::holds_alternative<WaitUntil>(execution.next(world.clock.now())));
    if (i % 2 == 0) execution.cancel(world.clock.now());  // the others are abandoned
    if (i % 2 == 0) (void)execution.next(world.clock.now());
  }
  EXPECT_EQ(state->retry_budget().snapshot(world.clock.now()).left, before);
}

TEST(AttemptBudgetInCalls, SeveralCallsDrawOnOneNumber) {  // RTY-10
  World world(never_opens());
  const auto plan = world.plan({"a", "b"}, World::quick(3));
  AttemptBudget shared(10);
  std::uint32_t sent = 0;
  for (int i = 0; i < 5; ++i) {
    const CallRecord record =
        run_call(world, plan, {.attempt_budget = &shared}, [](const Attempt&) { return failed(Category::overloaded); });
    EXPECT_EQ(record.ending, Ending::retries_exhausted);
    sent += record.attempts_sent;
  }
  EXPECT_EQ(sent, 10U);
}

TEST(AttemptBudgetInCalls, ARefusedAttemptDrawsOnNothing) {  // RTY-6.2
  World world;
  world.open("a");
  AttemptBudget shared(1);
  const auto plan = world.plan({"a", "b"});
  const CallRecord record =
      run_call(world, plan, {.attempt_budget = &shared}, [](const Attempt&) { return succeeded(); });
  EXPECT_EQ(record.ending, Ending::success);
  EXPECT_EQ(shared.left(), 0U);
}

TEST(RetryByCategory, EachFailureIsRetriedByTheRuleOfItsCategory) {  // RTY-10
  World world(never_opens());
  PlanOptions options = World::quick(4);
  options.retry_by_category = {
      {Category::timeout, {.max_attempts = 2, .base = seconds(1), .max = seconds(15), .jitter = Jitter::none}},
      {Category::rate_limit, {.max_attempts = 3, .base = seconds(1), .max = seconds(30), .jitter = Jitter::none}}};
  const auto attempts = [&](Category category) {
    return run_call(world, world.plan({"a"}, options), {}, [&](const Attempt&) { return failed(category); }).attempts;
  };
  EXPECT_EQ(attempts(Category::network).size(), 4U);
  EXPECT_EQ(attempts(Category::timeout).size(), 2U);
  EXPECT_EQ(attempts(Category::timeout)[1].waited, seconds(1));
  EXPECT_EQ(attempts(Category::rate_limit).size(), 3U);
}

TEST(RetryByCategory, AHintCanBeLeftUnheeded) {  // RTY-10
  World world(never_opens());
  PlanOptions options = World::quick(2);
  options.retry.honor_retry_after = false;
  const CallRecord record = run_call(world, world.plan({"a"}, options), {}, [](const Attempt& attempt) {
    return attempt.number == 1 ? failed(Category::execution_error, seconds(9)) : succeeded();
  });
  for (const AttemptRecord& attempt : record.attempts) EXPECT_LT(attempt.waited, seconds(9));
}

TEST(Fallback, EachMoveToAnotherTargetIsTold) {  // FBK-5
  World world(never_opens());
  const auto plan = world.plan({"a", "b", "c"}, World::quick(1));
  const CallRecord record = run_call(world, plan, {}, [](const Attempt& attempt) {
    if (attempt.target == 0) return failed(Category::overloaded);
    return attempt.target == 1 ? failed(Category::network) : succeeded();
  });
  const auto fallbacks = fallbacks_of(record);
  ASSERT_EQ(fallbacks.size(), 2U);
  EXPECT_EQ(fallbacks[0].from, 0U);
  EXPECT_EQ(fallbacks[0].to, 1U);
  EXPECT_EQ(fallbacks[0].category, Category::overloaded);
  EXPECT_FALSE(fallbacks[0].success);
  EXPECT_EQ(fallbacks[1].from, 1U);
  EXPECT_EQ(fallbacks[1].to, 2U);
  EXPECT_EQ(fallbacks[1].category, Category::network);
  EXPECT_TRUE(fallbacks[1].success);
}

TEST(Fallback, PassingByAnOpenTargetIsOneToo) {  // FBK-5
  World world;
  world.open("a");
  const CallRecord record = run_call(world, world.plan({"a", "b"}), {}, [](const Attempt&) { return succeeded(); });
  const auto fallbacks = fallbacks_of(record);
  ASSERT_EQ(fallbacks.size(), 1U);
  EXPECT_EQ(fallbacks[0].from, 0U);
  EXPECT_FALSE(fallbacks[0].category) << "nothing failed there in this call";
  EXPECT_TRUE(fallbacks[0].success);
}

TEST(Fallback, RetriesOnOneTargetAreNone) {  // FBK-5
  World world(never_opens());
  const CallRecord record = run_call(world, world.plan({"a", "b"}), {}, [](const Attempt& attempt) {
    return attempt.number < 3 ? failed(Category::network) : succeeded();
  });
  EXPECT_TRUE(fallbacks_of(record).empty());
}

TEST(Fallback, ATargetWhoseCircuitIsOpenIsNoTargetLeft) {  // RTY-7.3, FBK-2.4
  World world;
  world.open("b");
  Execution execution(world.clock.now(), world.plan({"a", "b"}), {}, world.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(execution.next(world.clock.now())));
  AttemptReport silence = failed(Category::timeout);
  silence.silent = true;
  report_latest(world.clock.now(), execution, silence);
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(execution.next(world.clock.now())))
      << "nobody else could answer, so the silent one is asked again";
  EXPECT_EQ(world.breakers.snapshot("b").denials, 0U) << "the look takes nothing";
}

// Two targets that share a credential, and one with another.
class Credentials : public testing::Test {
 protected:
  Credentials() {
    std::vector<Target> targets;
    for (const auto& [name, id] : std::vector<std::pair<std::string, std::uint32_t>>{{"a", 1}, {"b", 1}, {"c", 2}}) {
      auto& gate = id == 1 ? shared_ : other_;
      auto state =
          std::make_shared<TargetState>(BreakerScopes{world_.breakers.handle(name)}, TargetStateOptions{}, name, gate);
      targets.push_back({.name = name, .state = std::move(state), .traits = {.credential = id}});
    }
    plan_ = std::make_shared<const Plan>("test", std::move(targets), World::quick());
  }
  CallRecord call(Category of_shared) {
    return run_call(world_, plan_, {},
                    [&](const Attempt& attempt) { return attempt.target == 2 ? succeeded() : failed(of_shared); });
  }

  World world_;
  std::shared_ptr<CredentialGate> shared_ = std::make_shared<CredentialGate>("shared");
  std::shared_ptr<CredentialGate> other_ = std::make_shared<CredentialGate>("other");
  std::shared_ptr<const Plan> plan_;
};

TEST_F(Credentials, ARefusedOneIsParkedForAllWhoShareItAndTriedByOneLater) {  // FBK-2.5, FBK-6.3, FBK-6.6, FBK-6.7
  EXPECT_EQ(call(Category::authentication).attempts_sent, 2U) << "the second target would have been refused, too";
  const CallRecord parked = call(Category::authentication);
  EXPECT_EQ(parked.attempts_sent, 1U) << "nothing is sent with a parked credential";
  EXPECT_EQ(parked.rejections[0].reason, RejectionReason::credential_parked);
  world_.clock.advance(seconds(60));
  EXPECT_EQ(call(Category::authentication).attempts_sent, 2U) << "one probe";
  EXPECT_EQ(call(Category::authentication).attempts_sent, 1U);
  shared_->unpark();
  EXPECT_EQ(call(Category::authentication).attempts_sent, 2U);
}

TEST_F(Credentials, AQuotaOfOneModelLeavesTheOthersOfThatCredential) {  // FBK-2.5, FBK-6.2
  Failure of_model = Failure::of(Category::quota_exhausted);
  of_model.scope = FailureScope::model;
  const auto ask = [&] {
    return run_call(world_, plan_, {}, [&](const Attempt& attempt) {
      return attempt.target == 0 ? AttemptReport{.outcome = Outcome::failed(of_model), .answered = true} : succeeded();
    });
  };
  EXPECT_EQ(ask().served_by, 1U) << "another model of the same credential";
  const CallRecord second = ask();
  EXPECT_EQ(second.attempts_sent, 1U);
  EXPECT_EQ(second.rejections[0].reason, RejectionReason::credential_parked);
  EXPECT_EQ(second.rejections[0].target, 0U);
  EXPECT_FALSE(shared_->snapshot(world_.clock.now()).parked);
}

// The gates of two endpoints, as the caller's request names one.
class AtEndpoint final : public Eligibility {
 public:
  explicit AtEndpoint(std::uint8_t endpoint) : endpoint_(endpoint) {}
  bool can_take(std::uint32_t /*target*/) noexcept override { return true; }
  std::uint8_t endpoint_at(std::uint32_t /*target*/) const noexcept override { return endpoint_; }

 private:
  std::uint8_t endpoint_;
};

TEST_F(Credentials, AScopeThatIsMissingAtOneEndpointLeavesTheOthers) {  // FBK-2.5, FBK-6.2
  Failure missing = Failure::of(Category::authentication);
  missing.scope = FailureScope::endpoint;
  AtEndpoint responses(1);
  AtEndpoint chat(0);
  const auto ask = [&](AtEndpoint& at) {
    return run_call(world_, plan_, {.eligibility = &at}, [&](const Attempt& attempt) {
      const bool rejected = &at == &responses && attempt.target < 2;
      return rejected ? AttemptReport{.outcome = Outcome::failed(missing), .answered = true} : succeeded();
    });
  };
  const CallRecord first = ask(responses);
  EXPECT_EQ(first.attempts_sent, 2U) << "who shares the credential is refused there, too";
  EXPECT_EQ(first.served_by, 2U);
  EXPECT_EQ(ask(responses).attempts_sent, 1U);
  EXPECT_EQ(ask(chat).served_by, 0U);
}

TEST_F(Credentials, WhatRestsAtOneEndpointIsWorthAskingAgainWhenThatIsOver) {  // FBK-6.7, RTY-8.2
  Failure missing = Failure::of(Category::authentication);
  missing.scope = FailureScope::endpoint;
  AtEndpoint responses(1);
  const auto ask = [&] {
    return run_call(world_, plan_, {.eligibility = &responses}, [&](const Attempt&) {
      return AttemptReport{.outcome = Outcome::failed(missing), .answered = true};
    });
  };
  EXPECT_EQ(ask().attempts_sent, 2U);
  const CallRecord rejected = ask();
  EXPECT_EQ(rejected.ending, Ending::credential_parked);
  ASSERT_TRUE(rejected.retry_after);
  EXPECT_GT(*rejected.retry_after, std::chrono::seconds(50)) << "not now, as it would be at another endpoint";
}

TEST_F(Credentials, WhatTheCallerBroughtIsHeldAgainstNobody) {  // FBK-2.5, FBK-6.9
  Failure of_caller = Failure::of(Category::authentication);
  of_caller.scope = FailureScope::caller;
  const CallRecord record = run_call(world_, plan_, {}, [&](const Attempt& attempt) {
    return attempt.target < 2 ? AttemptReport{.outcome = Outcome::failed(of_caller), .answered = true} : succeeded();
  });
  EXPECT_EQ(record.attempts_sent, 2U) << "the same header meets the same credential";
  EXPECT_EQ(record.served_by, 2U);
  EXPECT_EQ(call(Category::network).rejections.size(), 0U);
}

TEST_F(Credentials, WhenAllAreParkedTheCallSaysSo) {  // FBK-6.7
  for (const auto& gate : {shared_, other_}) {
    auto pass = gate->try_pass(world_.clock.now());
    std::move(*pass).settle(world_.clock.now(), Outcome::failed(Failure::of(Category::quota_exhausted)));
  }
  const CallRecord record = call(Category::network);
  EXPECT_EQ(record.ending, Ending::credential_parked);
  EXPECT_EQ(record.retry_after, seconds(60));
}

TEST_F(Credentials, AParkedOneThatIsBeingTriedIsWorthAskingForInASecond) {  // FBK-6.3, FBK-6.7
  for (const auto& gate : {shared_, other_}) {
    auto pass = gate->try_pass(world_.clock.now());
    std::move(*pass).settle(world_.clock.now(), Outcome::failed(Failure::of(Category::quota_exhausted)));
  }
  world_.clock.advance(seconds(50));
  EXPECT_EQ(call(Category::network).retry_after, seconds(10)) << "what is left of the minute";
  world_.clock.advance(seconds(10));
  const auto probe = shared_->try_pass(world_.clock.now());
  const auto other = other_->try_pass(world_.clock.now());
  ASSERT_TRUE(probe && other);
  const CallRecord record = call(Category::network);
  EXPECT_EQ(record.ending, Ending::credential_parked);
  EXPECT_EQ(record.retry_after, seconds(1));
}

TEST_F(Credentials, BreakersDoNotCountWhatIsTheCredentialsFault) {  // BRK-22, BRK-19.1
  for (int i = 0; i < 20; ++i) {
    call(Category::authentication);
    world_.clock.advance(seconds(61));
  }
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
}

TEST_F(Credentials, TheExplanationSaysWhomARefusalConcernsAndWhatWasSentAgain) {  // PIP-6.3, RTY-6.4
  Failure of_model = Failure::of(Category::quota_exhausted);
  of_model.scope = FailureScope::model;
  const CallRecord record = run_call(world_, plan_, {}, [&](const Attempt& attempt) {
    if (attempt.target > 0) return succeeded();
    return AttemptReport{.outcome = Outcome::failed(of_model), .answered = true, .resent = true};
  });
  const std::string text = explain(record, *plan_);
  EXPECT_NE(text.find("quota_exhausted of the model alone"), std::string::npos) << text;
  EXPECT_NE(text.find("attempt 1 on a (sent again"), std::string::npos) << text;
  EXPECT_EQ(text.find("attempt 2 on b (sent again"), std::string::npos) << text;
}

TEST(Strategies, AnUnsteadyTargetLosesItsPlaceToAFasterOne) {  // FBK-1.4
  World world(never_opens());
  PlanOptions options = World::quick(1);
  options.strategy = Strategy::least_latency;
  const auto plan = world.plan({"slow", "fast"}, options);
  std::array<int, 2> first{};
  for (int i = 0; i < 200; ++i) {
    Execution execution(world.clock.now(), plan, {}, world.rng);
    const Step step = execution.next(world.clock.now());
    const auto& attempt = std::get<Attempt>(step);
    if (i >= 20) ++first[attempt.target];
    world.clock.advance(milliseconds(attempt.target == 0 ? 900 : 90));
    execution.report(world.clock.now(), attempt.number, succeeded());
  }
  EXPECT_GT(first[1], 5 * first[0]);
}

TEST(Strategies, WeightsShareOutTheFirstPlaces) {  // FBK-1.2
  World world;
  PlanOptions options;
  options.strategy = Strategy::weighted;
  std::vector<Target> targets = {{.name = "a", .state = world.state("a"), .traits = {.weight = 1.0}},
                                 {.name = "b", .state = world.state("b"), .traits = {.weight = 3.0}}};
  const auto plan = std::make_shared<const Plan>("weighted", std::move(targets), options);
  int second = 0;
  for (int i = 0; i < 4000; ++i) {
    const Execution execution(world.clock.now(), plan, {}, world.rng);
    if (execution.record().candidates[0] == 1) ++second;
  }
  EXPECT_NEAR(second, 3000, 150);  // five standard deviations
}

// The hedge itself is in the scenarios; here is what surrounds it.
class Hedging : public testing::Test {
 protected:
  std::shared_ptr<const Plan> hedged(HedgeOptions hedge, std::uint32_t total = 8) {
    PlanOptions options = World::quick();
    options.hedge = hedge;
    options.patience.enabled = false;
    options.overall_deadline = kForever;
    options.max_total_attempts = total;
    return world_.plan({"a", "b"}, options);
  }
  Step next(Execution& execution) { return execution.next(world_.clock.now()); }
  std::unique_ptr<Execution> begin(std::shared_ptr<const Plan> plan, const CallOptions& options = {}) {
    return std::make_unique<Execution>(world_.clock.now(), std::move(plan), options, world_.rng,
                                       DriverAbilities{.hedges = true});
  }

  World world_;
};

TEST_F(Hedging, TheLoserIsNeutralForEveryPolicy) {  // RTY-9.2
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  const auto first = std::get<Attempt>(next(*execution));
  world_.clock.advance_to(std::get<WaitUntil>(next(*execution)).time);
  const auto second = std::get<Attempt>(next(*execution));
  EXPECT_NE(first.target, second.target);
  EXPECT_TRUE(std::holds_alternative<Await>(next(*execution)));
  execution->report(world_.clock.now(), second.number, succeeded());
  EXPECT_FALSE(execution->in_flight(first.number));
  EXPECT_EQ(std::get<Finished>(next(*execution)).ending, Ending::success);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.neutral, 1U);
  EXPECT_EQ(world_.breakers.snapshot("b").totals.succeeded, 1U);
  EXPECT_EQ(execution->record().served_by, second.target);
  EXPECT_TRUE(execution->record().hedged);
  execution->report(world_.clock.now(), first.number, failed(Category::network));
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U) << "a late report changes nothing";
}

TEST_F(Hedging, AStreamIsWonByItsFirstContent) {  // RTY-9.2, STR-4
  const auto execution = begin(hedged({.after = milliseconds(100)}), {.streaming = true});
  const auto first = std::get<Attempt>(next(*execution));
  world_.clock.advance(milliseconds(100));
  const auto second = std::get<Attempt>(next(*execution));
  EXPECT_TRUE(execution->first_content(world_.clock.now(), second.number));
  EXPECT_FALSE(execution->in_flight(first.number));
  EXPECT_FALSE(execution->first_content(world_.clock.now(), first.number));
  execution->report(world_.clock.now(), second.number, succeeded());
  EXPECT_EQ(execution->record().served_by, second.target);
}

TEST_F(Hedging, ThePercentileIsThatOfTheTargetOnceEnoughIsKnown) {  // RTY-9.1
  const auto plan = hedged({.percentile = 0.9});
  for (int i = 0; i < 20; ++i) {
    const auto execution = begin(plan);
    const auto attempt = std::get<Attempt>(next(*execution));
    EXPECT_TRUE(std::holds_alternative<Await>(next(*execution))) << "too little is known";
    world_.clock.advance(milliseconds(i < 18 ? 200 : 1000));
    execution->report(world_.clock.now(), attempt.number, succeeded());
  }
  const auto execution = begin(plan);
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(*execution)));
  const Duration wait = elapsed(world_.clock.now(), std::get<WaitUntil>(next(*execution)).time);
  EXPECT_GE(wait, milliseconds(200));
  EXPECT_LE(wait, milliseconds(225));
}

TEST_F(Hedging, ItDrawsOnTheCapOfAttempts) {  // RTY-6.1, RTY-9.1
  const auto execution = begin(hedged({.after = milliseconds(100)}, 1));
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(*execution)));
  world_.clock.advance(milliseconds(100));
  EXPECT_TRUE(std::holds_alternative<Await>(next(*execution)));
}

TEST_F(Hedging, NoneIsWaitedForBeyondTheDeadline) {  // RTY-9.1, RTY-3.1
  const auto execution = begin(hedged({.after = seconds(10)}),
                               {.streaming = true, .deadline = Deadline::after(world_.clock.now(), seconds(5))});
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(*execution)));
  EXPECT_TRUE(std::holds_alternative<Await>(next(*execution)));
}

TEST_F(Hedging, ItIsOffAndItNeedsADriverThatCan) {  // RTY-9.4
  EXPECT_FALSE(PlanOptions{}.hedge);
  Execution one_at_a_time(world_.clock.now(), hedged({.after = milliseconds(100)}), {}, world_.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(one_at_a_time.next(world_.clock.now())));
  world_.clock.advance(milliseconds(100));
  EXPECT_TRUE(std::holds_alternative<Await>(one_at_a_time.next(world_.clock.now())));
}

TEST_F(Hedging, AHedgeIsNoFallback) {  // FBK-5, RTY-9.2
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(*execution)));
  world_.clock.advance(milliseconds(100));
  const auto second = std::get<Attempt>(next(*execution));
  execution->report(world_.clock.now(), second.number, succeeded());
  (void)next(*execution);
  EXPECT_TRUE(fallbacks_of(execution->record()).empty());
}

TEST_F(Hedging, AFailedHedgeIsNotTriedAgainWithoutWaitOrLeave) {  // RTY-5, RTY-9.3
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  const auto first = std::get<Attempt>(next(*execution));
  world_.clock.advance(milliseconds(100));
  const auto second = std::get<Attempt>(next(*execution));
  execution->report(world_.clock.now(), second.number, failed(Category::service_unavailable, seconds(9)));
  execution->report(world_.clock.now(), first.number, failed(Category::model_not_found));
  EXPECT_EQ(std::get<WaitUntil>(next(*execution)).time, world_.clock.now() + seconds(9)) << "as the hedge was told";
  world_.clock.advance(seconds(9));
  EXPECT_EQ(std::get<Attempt>(next(*execution)).target, second.target);
  EXPECT_EQ(world_.state("b")->retry_budget().snapshot(world_.clock.now()).granted, 1U);
}

TEST_F(Hedging, AFailedHedgeIsNotTriedAgainBeforeItsBackoff) {  // RTY-5, RTY-9.3
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  const auto first = std::get<Attempt>(next(*execution));
  world_.clock.advance(milliseconds(100));
  const auto second = std::get<Attempt>(next(*execution));
  execution->report(world_.clock.now(), second.number, failed(Category::service_unavailable));
  execution->report(world_.clock.now(), first.number, failed(Category::model_not_found));
  EXPECT_EQ(std::get<WaitUntil>(next(*execution)).time, world_.clock.now() + milliseconds(500));
}

TEST_F(Hedging, AnOpenTargetIsNotHedgedTo) {  // RTY-9.1, FBK-2.3
  world_.open("b");
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(*execution)));
  world_.clock.advance(milliseconds(100));
  EXPECT_TRUE(std::holds_alternative<Await>(next(*execution)));
  EXPECT_FALSE(execution->record().hedged);
}

TEST_F(Hedging, ARefusalOfTheRequestItselfEndsBoth) {  // RTY-9.2, FBK-2.1
  const auto execution = begin(hedged({.after = milliseconds(100)}));
  const auto first = std::get<Attempt>(next(*execution));
  world_.clock.advance(milliseconds(100));
  const auto second = std::get<Attempt>(next(*execution));
  execution->report(world_.clock.now(), second.number, failed(Category::invalid_request));
  EXPECT_FALSE(execution->in_flight(first.number));
  EXPECT_EQ(std::get<Finished>(next(*execution)).ending, Ending::retries_exhausted);
  EXPECT_EQ(execution->record().primary_attempt, second.number);
}

// Same seed, clock and inputs: the same record [CORE-2].
RC_GTEST_PROP(Determinism, TheSameInputsTakeTheSameWay, (std::uint64_t seed)) {  // CORE-2, PIP-4
  const auto way = [&] {
    World world(provider_preset(), seed);
    Rng luck(seed ^ 1);
    PlanOptions options;
    options.strategy = static_cast<Strategy>(seed % 3);
    const auto plan = world.plan({"a", "b", "c"}, options);
    std::string text;
    for (int i = 0; i < 10; ++i) {
      const CallRecord record = run_call(world, plan, {}, [&](const Attempt&) {
        world.clock.advance(milliseconds(static_cast<std::int64_t>(luck.below(2000))));
        return luck.below(2) == 0 ? succeeded() : failed(static_cast<Category>(luck.below(kCategoryCount)));
      });
      text += explain(record, *plan);
    }
    return text;
  };
  RC_ASSERT(way() == way());
}

}  // namespace
}  // namespace fuseboard
