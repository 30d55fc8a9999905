// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers that break off after their first content, and how the call goes on with them [STR-5.1 to STR-5.11].

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/pipeline/explanation.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kB = 0b10;
constexpr std::uint64_t kC = 0b100;

// The attempt has failed; `prefer` is of its recovery.
AttemptReport broken(std::uint64_t prefer, Category category = Category::network) {
  AttemptReport report = failed(category);
  report.recovery = StreamRecovery{.prefer = prefer};
  return report;
}

// A good answer that does not go on as the broken one began.
AttemptReport unusable(std::optional<StreamRecovery> recovery = StreamRecovery{}) {
  AttemptReport report = succeeded();
  report.recovery = recovery;
  report.unusable = true;
  return report;
}

class Recovery : public testing::Test {
 protected:
  void begin(std::shared_ptr<const Plan> plan, CallOptions options = {}, DriverAbilities abilities = {}) {
    options.streaming = true;
    call_.emplace(world_.clock.now(), std::move(plan), options, world_.rng, std::move(abilities));
  }
  Step next() { return call_->next(now()); }
  TimePoint now() const { return world_.clock.now(); }

  // The next attempt; what it waits for passes. nullopt: the call has ended.
  std::optional<Attempt> attempt() {
    for (;;) {
      const Step step = next();
      if (const auto* attempt = std::get_if<Attempt>(&step)) return *attempt;
      if (std::holds_alternative<Finished>(step)) return std::nullopt;
      world_.clock.advance_to(std::get<WaitUntil>(step).time);
    }
  }

  // The next attempt begins to answer.
  Attempt answering_attempt() {
    const Attempt begun = attempt().value();
    call_->first_content(now(), begun.number);
    return begun;
  }

  void report(const AttemptReport& report) { report_latest(now(), *call_, report); }

  // The targets that are asked when every attempt ends so, before any content of its own.
  std::string targets_asked(const AttemptReport& each) {
    std::string asked;
    while (const auto begun = attempt()) {
      asked += call_->plan().targets()[begun->target].name;
      report(each);
    }
    return asked;
  }

  const CallRecord& record() const { return call_->record(); }
  Ending ending() { return std::get<Finished>(next()).ending; }

  World world_;
  std::optional<Execution> call_;
};

TEST_F(Recovery, AnotherTargetGoesOnWithTheAnswerAndTheCallSucceeds) {  // STR-5.2, STR-5.4, STR-5.11, FBK-5
  begin(world_.plan({"a", "b", "c"}));
  EXPECT_FALSE(answering_attempt().recovery);
  report(broken(kC));
  const Attempt second = answering_attempt();
  EXPECT_EQ(second.target, 2U);
  EXPECT_EQ(second.number, 2U);
  EXPECT_TRUE(second.recovery);
  EXPECT_TRUE(call_->committed());
  report(succeeded());
  EXPECT_EQ(ending(), Ending::success);
  EXPECT_EQ(record().served_by, 2U);
  EXPECT_FALSE(record().attempts[0].recovery);
  EXPECT_TRUE(record().attempts[1].recovery);
  const auto fallbacks = fallbacks_of(record());
  ASSERT_EQ(fallbacks.size(), 1U) << "the new order is none of the candidates'";
  EXPECT_EQ(fallbacks[0].from, 0U);
  EXPECT_EQ(fallbacks[0].to, 2U);
  EXPECT_EQ(fallbacks[0].category, Category::network);
  EXPECT_TRUE(fallbacks[0].success);
  EXPECT_NE(explain(record(), call_->plan()).find("attempt 2 on c (recovery)"), std::string::npos);
}

TEST_F(Recovery, WithoutOneTheBrokenAnswerIsInterrupted) {  // STR-5.1, STR-5.10
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(failed(Category::network));
  EXPECT_EQ(ending(), Ending::interrupted);
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(broken(kB));
  attempt();
  report(failed(Category::network));
  EXPECT_EQ(ending(), Ending::interrupted) << "the second time, too";
}

TEST_F(Recovery, BeforeTheFirstContentAFailureIsOneLikeAnyOther) {  // STR-4
  begin(world_.plan({"a", "b", "c"}, World::quick(1)));
  EXPECT_EQ(targets_asked(broken(kC)), "abc");
  EXPECT_EQ(ending(), Ending::retries_exhausted);
  EXPECT_FALSE(record().served_by);
}

TEST_F(Recovery, ThoseThatGoOnAreAskedBeforeThoseThatBeginAnew) {  // STR-5.4
  begin(world_.plan({"a", "b", "c", "d"}, World::quick(1)));
  answering_attempt();
  report(broken(0b1100));
  EXPECT_EQ(targets_asked(broken(0b1100)), "cdb");
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().served_by, 0U) << "the others' content has not reached the caller";
}

TEST_F(Recovery, EachBreakSaysAnewWhoGoesOn) {  // STR-5.4, STR-5.11
  begin(world_.plan({"a", "b", "c", "d"}, World::quick(1)));
  answering_attempt();
  report(broken(kC));
  EXPECT_EQ(answering_attempt().target, 2U);
  report(broken(0b1000));
  EXPECT_EQ(answering_attempt().target, 3U);
  report(broken(0));
  EXPECT_EQ(targets_asked(broken(0)), "b");
  EXPECT_EQ(record().served_by, 3U);
}

PlanOptions in_a_minute(std::uint32_t max_attempts = 4) {
  PlanOptions options = World::quick(max_attempts);
  options.overall_deadline = seconds(60);
  return options;
}

// The target that is asked after the first one's answer broke off.
struct InPlace {
  const char* what;
  std::uint64_t prefer;
  bool b_is_open;
  std::uint32_t target;
  Duration wait;
};

class RecoveryInPlace : public Recovery, public testing::WithParamInterface<InPlace> {};

TEST_P(RecoveryInPlace, OnlyWhereNoOtherGoesOnInItsStead) {  // STR-5.5, STR-5.6
  if (GetParam().b_is_open) world_.open("b");
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(broken(GetParam().prefer));
  const TimePoint broke = now();
  EXPECT_EQ(attempt()->target, GetParam().target);
  EXPECT_EQ(elapsed(broke, now()), GetParam().wait);
}

INSTANTIATE_TEST_SUITE_P(Prefer, RecoveryInPlace,
                         testing::Values(InPlace{"nobody", 0, false, 1, Duration::zero()},
                                         InPlace{"nobody_and_no_other", 0, true, 0, milliseconds(500)},
                                         InPlace{"both", 0b11, false, 1, Duration::zero()},
                                         InPlace{"the_target", 0b01, false, 0, milliseconds(500)},
                                         InPlace{"the_other", 0b10, false, 1, Duration::zero()},
                                         InPlace{"one_that_is_open", 0b10, true, 0, milliseconds(500)}),
                         [](const auto& instance) { return std::string(instance.param.what); });

TEST_F(Recovery, OneThatGoesOnIsComeBackToBeforeAnotherBeginsAnewInPlace) {  // STR-5.5
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(broken(0));
  EXPECT_EQ(answering_attempt().target, 1U);
  const TimePoint broke = now();
  report(broken(0b01));
  EXPECT_EQ(attempt()->target, 0U);
  EXPECT_EQ(now(), broke) << "without a wait";
}

TEST_F(Recovery, ATargetThatWasLeftForAnotherIsComeBackToAsARetry) {  // STR-5.7, STR-5.2, RTY-5
  begin(world_.plan({"a", "b"}, World::quick(2)));
  answering_attempt();
  report(broken(kB));
  EXPECT_EQ(targets_asked(broken(kB)), "bba");
  world_.state("c", {.retry_budget = {.ratio = 0.0, .min_per_second = 0}});
  begin(world_.plan({"c", "b"}, World::quick(2)));
  answering_attempt();
  report(broken(kB));
  EXPECT_EQ(targets_asked(broken(kB)), "bb") << "no retry is left there";
}

TEST_F(Recovery, ATargetThatWasSilentOrCannotHelpIsNotAskedAgain) {  // STR-5.2, RTY-7.3
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  AttemptReport silent = broken(0b01, Category::timeout);
  silent.silent = true;
  report(silent);
  EXPECT_EQ(answering_attempt().target, 1U) << "another is left, if only to begin anew";
  report(broken(0b11, Category::model_not_found));
  EXPECT_EQ(ending(), Ending::interrupted);
}

TEST_F(Recovery, WhatFailedNarrowsWhoIsLeft) {  // STR-5.2, FBK-2.5
  std::vector<Target> targets;
  for (const auto& [name, credential] : {std::pair("a", 1U), std::pair("b", 1U), std::pair("c", 2U)})
    targets.push_back({.name = name, .state = world_.state(name), .traits = {.credential = credential}});
  begin(std::make_shared<const Plan>("test", std::move(targets), World::quick()));
  answering_attempt();
  report(broken(0b111, Category::quota_exhausted));
  EXPECT_EQ(attempt()->target, 2U);
}

// STR-5.4, STR-5.8, BRK-8.5
TEST_F(Recovery, ATargetThatWasPassedByMayBeAskedAgainAndItsProbeSucceedsAtItsOwnFirstContent) {
  world_.open("a");
  begin(world_.plan({"a", "b"}));
  EXPECT_EQ(answering_attempt().target, 1U);
  world_.clock.advance(seconds(31));
  report(broken(0b01));
  const Attempt second = attempt().value();
  EXPECT_EQ(second.target, 0U);
  EXPECT_TRUE(second.probe);
  world_.clock.advance(seconds(2));
  EXPECT_TRUE(call_->first_content(now(), second.number));
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::closed);
  report(succeeded());
  EXPECT_EQ(record().attempts[1].first_content, seconds(2));
}

TEST_F(Recovery, ACircuitThatRecoversInTimeIsWaitedFor) {  // STR-5.2, RTY-4.2
  BreakerOptions options = provider_preset();
  options.open_time = OpenTime::fixed(seconds(8));
  world_.breakers.apply({.defaults = options});
  begin(world_.plan({"a", "b"}, World::quick(1)));
  answering_attempt();
  world_.open("b");
  report(broken(kB));
  const TimePoint broke = now();
  EXPECT_EQ(attempt()->target, 1U);
  EXPECT_EQ(elapsed(broke, now()), seconds(8));
}

TEST_F(Recovery, ItDrawsOnTheCapOfAttempts) {  // RTY-6.1, STR-5.2
  PlanOptions options = World::quick(1);
  options.max_total_attempts = 2;
  begin(world_.plan({"a", "b", "c"}, options));
  answering_attempt();
  report(broken(0));
  answering_attempt();
  report(broken(0));
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().attempts_sent, 2U);
}

TEST_F(Recovery, TheTimeInWhichAnAnswerFlowedDoesNotCount) {  // STR-5.2, RTY-3.5
  begin(world_.plan({"a", "b", "c"}, in_a_minute(1), {.first_content = minutes(5)}));
  const Attempt first = attempt().value();
  world_.clock.advance(seconds(20));
  call_->first_content(now(), first.number);
  world_.clock.advance(minutes(5));
  report(broken(0));
  const Attempt second = attempt().value();
  EXPECT_EQ(elapsed(now(), second.first_content_by), seconds(40)) << "20 s of 60 s were over";
  world_.clock.advance(seconds(30));
  call_->first_content(now(), second.number);
  world_.clock.advance(minutes(5));
  report(broken(0));
  EXPECT_EQ(elapsed(now(), attempt()->first_content_by), seconds(10));
  EXPECT_EQ(call_->deadline(), Deadline::after(now(), seconds(10)));
  world_.clock.advance(seconds(10));
  report(broken(0));
  EXPECT_EQ(ending(), Ending::interrupted);
}

TEST_F(Recovery, TheTimeInWhichNoneFlowedDoes) {  // STR-5.2, RTY-3.5
  begin(world_.plan({"a", "b", "c", "d"}, in_a_minute(1)));
  answering_attempt();
  report(broken(0));
  attempt();
  world_.clock.advance(seconds(25));
  report(broken(0));
  answering_attempt();
  world_.clock.advance(seconds(25));
  report(unusable());
  EXPECT_EQ(elapsed(now(), attempt()->first_content_by), seconds(10)) << "the caller got nothing in 50 s";
}

TEST_F(Recovery, TheCallersOwnDeadlineStands) {  // STR-5.2, RTY-3.5
  begin(world_.plan({"a", "b"}), {.deadline = Deadline::after(now(), seconds(50))});
  answering_attempt();
  world_.clock.advance(seconds(40));
  report(broken(kB));
  EXPECT_EQ(elapsed(now(), attempt()->first_content_by), seconds(10));
  world_.clock.advance(seconds(10));
  report(broken(kB));
  EXPECT_EQ(ending(), Ending::interrupted);
  begin(world_.plan({"a", "b"}), {.deadline = Deadline::after(now(), seconds(50))});
  answering_attempt();
  world_.clock.advance(seconds(50));
  report(broken(kB));
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().attempts_sent, 1U);
}

TEST_F(Recovery, ATimeoutForWhichLittleTimeWasLeftDoesNotCount) {  // STR-5.2, BRK-19.4
  begin(world_.plan({"a", "b"}, in_a_minute()));
  answering_attempt();
  report(broken(kB));
  attempt();
  world_.clock.advance(seconds(59));
  report(broken(0, Category::overloaded));
  const Attempt third = attempt().value();
  world_.clock.advance_to(third.first_content_by);
  report(broken(0, Category::timeout));
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().attempts.back().verdict, Verdict::neutral);
}

TEST_F(Recovery, ItIsNeverHedged) {  // STR-5.3, RTY-9.3
  PlanOptions options = World::quick(1);
  options.hedge = HedgeOptions{.after = milliseconds(100)};
  begin(world_.plan({"a", "b", "c"}, options), {}, {.hedges = true});
  answering_attempt();
  report(broken(0));
  attempt();
  world_.clock.advance(seconds(1));
  EXPECT_TRUE(std::holds_alternative<Await>(next()));
}

TEST_F(Recovery, AfterAHedgeThatWonItIsAFallbackFromThere) {  // STR-5.2, RTY-9.2, FBK-5
  PlanOptions options = World::quick(1);
  options.hedge = HedgeOptions{.after = milliseconds(100)};
  begin(world_.plan({"a", "b", "c"}, options), {}, {.hedges = true});
  ASSERT_TRUE(attempt());
  world_.clock.advance(milliseconds(100));
  EXPECT_EQ(answering_attempt().target, 1U);
  report(broken(kC));
  EXPECT_EQ(answering_attempt().target, 2U);
  report(succeeded());
  EXPECT_EQ(ending(), Ending::success);
  const auto fallbacks = fallbacks_of(record());
  ASSERT_EQ(fallbacks.size(), 1U);
  EXPECT_EQ(fallbacks[0].from, 1U);
  EXPECT_EQ(fallbacks[0].category, Category::network);
}

TEST_F(Recovery, WhateverKeepsItFromBeingSentTheAnswerIsInterrupted) {  // STR-5.10, RTY-8.1
  world_.open("b");
  begin(world_.plan({"a", "b"}, World::quick(1)));
  answering_attempt();
  report(broken(kB));
  EXPECT_EQ(ending(), Ending::interrupted) << "by a circuit";
  AttemptBudget one(1);
  begin(world_.plan({"a", "c"}, World::quick(1)), {.attempt_budget = &one});
  answering_attempt();
  report(broken(kB));
  EXPECT_EQ(ending(), Ending::interrupted) << "by a budget of attempts";
  begin(world_.plan({"a", "c"}));
  answering_attempt();
  report(broken(kB, Category::invalid_request));
  EXPECT_EQ(ending(), Ending::interrupted) << "by what nothing can mend";
}

TEST_F(Recovery, WhatMustNotRunTwiceIsNotGoneOnWith) {  // STR-5.2, RTY-7.2
  begin(world_.plan({"a", "b"}), {.idempotent = false});
  answering_attempt();
  report(broken(kB));
  EXPECT_EQ(ending(), Ending::interrupted);
}

TEST_F(Recovery, TheCallerIsToldWhatBrokeItsAnswer) {  // STR-5.10, FBK-4
  begin(world_.plan({"a", "b", "c", "d"}, World::quick(1)));
  attempt();
  report(failed(Category::overloaded));
  answering_attempt();
  report(broken(kC));
  attempt();
  report(broken(kC, Category::rate_limit));
  answering_attempt();
  report(unusable(std::nullopt));
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().primary_attempt, 2U);
  EXPECT_EQ(record().served_by, 1U);
}

// STR-5.8, STR-5.9, STR-5.11, BUD-4
TEST_F(Recovery, AnAnswerThatDoesNotGoOnAsItBeganIsNobodysFaultAndTheNextOneIsTried) {
  BudgetLedger ledger({.global = {.tokens = 10'000}});
  const auto committed = [&] { return ledger.snapshot().levels.front().committed.tokens; };
  begin(world_.plan({"a", "b", "c"}, World::quick(1)), {.estimate = {.input = 100, .output = 100}, .ledger = &ledger});
  answering_attempt();
  call_->observe(1, {.input = 100, .output = 30});
  report(broken(0));
  EXPECT_EQ(committed(), 130U);
  EXPECT_EQ(answering_attempt().target, 1U);
  call_->observe(2, {.input = 100, .output = 7});
  report(unusable());
  EXPECT_EQ(committed(), 237U) << "by what was seen of it, not as a whole answer";
  EXPECT_EQ(record().attempts.back().verdict, Verdict::neutral);
  EXPECT_EQ(world_.breakers.snapshot("b").totals.neutral, 1U);
  EXPECT_EQ(answering_attempt().target, 2U);
  report(succeeded());
  EXPECT_EQ(ending(), Ending::success);
  EXPECT_EQ(record().served_by, 2U);
  EXPECT_NE(explain(record(), call_->plan()).find("unusable"), std::string::npos);
}

TEST_F(Recovery, AnAnswerWithoutAnyUseSpendsItsTarget) {  // STR-5.9, STR-5.10
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(broken(kB));
  answering_attempt();
  report(unusable(StreamRecovery{.prefer = kB}));
  EXPECT_EQ(attempt()->target, 0U);
  report(unusable(std::nullopt));
  EXPECT_EQ(ending(), Ending::interrupted);
  EXPECT_EQ(record().served_by, 0U);
}

TEST_F(Recovery, OnlyOneThatWasToMendCanBeOfNoUse) {  // STR-5.9
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(unusable());
  EXPECT_EQ(ending(), Ending::success);
  EXPECT_EQ(record().attempts[0].verdict, Verdict::success);
}

TEST_F(Recovery, ACallerThatGoesAwayMeanwhileEndsTheCallNeutral) {  // STR-6.1, PIP-7
  begin(world_.plan({"a", "b"}));
  answering_attempt();
  report(broken(kB));
  const Attempt second = attempt().value();
  call_->cancel(now());
  EXPECT_EQ(ending(), Ending::cancelled);
  EXPECT_FALSE(call_->in_flight(second.number));
  EXPECT_EQ(world_.breakers.snapshot("b").totals.neutral, 1U);
  EXPECT_EQ(world_.breakers.snapshot("b").in_flight, 0U);
}

}  // namespace
}  // namespace fuseboard
