// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Slow answers are no failures, and a silent target is not waited for alone [RTY-3.1 to RTY-3.3, RTY-11.1 to RTY-14.9].

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr CallOptions kStream{.streaming = true};

class Patience : public testing::Test {
 protected:
  struct Call {
    std::unique_ptr<Execution> execution;
    std::vector<Attempt> sent{};
    bool ended = false;
  };

  TimePoint now() { return world_.clock.now(); }
  Call begin(std::shared_ptr<const Plan> plan, const CallOptions& options = {}) {
    Call call{.execution = std::make_unique<Execution>(now(), std::move(plan), options, world_.rng,
                                                       DriverAbilities{.hedges = true})};
    step(call);
    return call;
  }
  // Everything that is to be done now.
  TimePoint step(Call& call) {
    for (;;) {
      const Step step = call.execution->next(now());
      if (const auto* attempt = std::get_if<Attempt>(&step)) {
        call.sent.push_back(*attempt);
      } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
        return wait->time;
      } else {
        call.ended = std::holds_alternative<Finished>(step);
        return kNever;
      }
    }
  }
  // Lets time pass for these calls, each looking whenever it wants to.
  void pass(std::vector<Call*> calls, Duration time) {
    const TimePoint until = now() + time;
    for (;;) {
      TimePoint next = until;
      for (Call* call : calls) next = std::min(next, step(*call));
      world_.clock.advance_to(std::max(next, now()));
      if (next >= until) break;
    }
    for (Call* call : calls) step(*call);
  }
  void pass(Call& call, Duration time) { pass(std::vector<Call*>{&call}, time); }
  std::string targets(const Call& call) {
    std::string names;
    for (const Attempt& attempt : call.sent) names += call.execution->plan().targets()[attempt.target].name;
    return names;
  }
  void succeed(Call& call, std::uint32_t attempt) {
    call.execution->report(now(), attempt, succeeded());
    step(call);
  }
  // Latencies of `a`, so that its patience is twice that.
  void learn(int samples, Duration latency, bool streaming = false) {
    for (int i = 0; i < samples; ++i) {
      Call call = begin(world_.plan({"a"}), {.streaming = streaming});
      world_.clock.advance(latency);
      if (streaming) call.execution->first_content(now(), 1);
      succeed(call, 1);
    }
  }
  CircuitState state_of(const std::string& target) { return world_.breakers.snapshot(target).state; }

  World world_;
};

TEST_F(Patience, ASilentStreamGetsCompanyAfterTenSecondsAndTheFirstContentWins) {  // RTY-11.1, RTY-11.2, RTY-11.7
  Call call = begin(world_.plan({"a", "b"}), kStream);
  pass(call, milliseconds(9'900));
  EXPECT_EQ(targets(call), "a");
  pass(call, milliseconds(100));
  EXPECT_EQ(targets(call), "ab");
  EXPECT_TRUE(call.execution->in_flight(1)) << "the chosen one may still win";
  pass(call, seconds(1));
  call.execution->first_content(now(), 2);
  EXPECT_FALSE(call.execution->in_flight(1));
  succeed(call, 2);
  const CallRecord& record = call.execution->record();
  EXPECT_EQ(record.ending, Ending::success);
  EXPECT_EQ(record.served_by, 1U);
  EXPECT_EQ(record.company, 1U);
  EXPECT_TRUE(record.attempts[0].overtaken);
  EXPECT_TRUE(record.attempts[1].company);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.neutral, 1U) << "slow is no failure";
  EXPECT_TRUE(fallbacks_of(record).empty());
  const std::string text = explain(record, call.execution->plan());
  EXPECT_NE(text.find("overtaken by its company"), std::string::npos) << text;
  EXPECT_NE(text.find("(company)"), std::string::npos) << text;
}

TEST_F(Patience, APlainCallGetsCompanyAfterThirtySecondsAndTheChosenOneMayStillAnswer) {  // RTY-11.2, RTY-11.7
  Call call = begin(world_.plan({"a", "b"}));
  pass(call, milliseconds(29'900));
  EXPECT_EQ(targets(call), "a");
  pass(call, milliseconds(100));
  EXPECT_EQ(targets(call), "ab");
  pass(call, seconds(36));
  succeed(call, 1);
  EXPECT_EQ(call.execution->record().served_by, 0U);
  EXPECT_FALSE(call.execution->record().attempts[0].overtaken) << "the company is the loser";
}

TEST_F(Patience, AGoodPlainAnswerThatTakesSixtySixSecondsIsOneForATargetAlone) {  // RTY-3.2, STR-3.1
  for (int i = 0; i < 6; ++i) {
    Call call = begin(world_.plan({"a"}));
    EXPECT_GE(call.sent[0].total_by, now() + minutes(10));
    pass(call, seconds(66));
    EXPECT_FALSE(call.ended);
    succeed(call, 1);
    EXPECT_EQ(call.execution->record().ending, Ending::success);
  }
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, FollowsTheTargetsOwnLatenciesOfThatKind) {  // RTY-11.6
  learn(5, seconds(20));
  Call plain = begin(world_.plan({"a", "b"}));
  pass(plain, seconds(40));
  EXPECT_EQ(targets(plain), "a");
  pass(plain, seconds(6));  // a percentile is at most an eighth too long
  EXPECT_EQ(targets(plain), "ab");
  Call stream = begin(world_.plan({"a", "b"}), kStream);
  pass(stream, seconds(10));
  EXPECT_EQ(targets(stream), "ab") << "of streams nothing is known";
}

TEST_F(Patience, ASignOfWorkIsNoSilence) {  // RTY-11.1, STR-3.4
  Call call = begin(world_.plan({"a", "b"}), kStream);
  pass(call, seconds(9));
  call.execution->working(now(), 1);
  pass(call, minutes(2));
  EXPECT_EQ(targets(call), "a");
}

TEST_F(Patience, OnlyCallsThatMayRunTwiceGetCompanyAndOnlyWhereItIsOn) {  // RTY-11.5, RTY-11.9, RTY-7.2
  Call tool = begin(world_.plan({"a", "b"}), {.idempotent = false});
  pass(tool, minutes(4));
  EXPECT_EQ(targets(tool), "a");
  PlanOptions off = World::quick();
  off.patience.enabled = false;
  Call alone = begin(world_.plan({"a", "b"}, off), kStream);
  pass(alone, seconds(50));
  EXPECT_EQ(targets(alone), "a");
  Execution one_at_a_time(now(), world_.plan({"a", "b"}), kStream, world_.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(one_at_a_time.next(now())));
  world_.clock.advance(seconds(50));
  EXPECT_TRUE(std::holds_alternative<Await>(one_at_a_time.next(now())));
}

TEST_F(Patience, AModelMaySetIt) {  // RTY-11.9
  PlanOptions options = World::quick();
  options.patience.fixed = milliseconds(200);
  Call call = begin(world_.plan({"a", "b"}, options));
  pass(call, milliseconds(199));
  EXPECT_EQ(targets(call), "a");
  pass(call, milliseconds(1));
  EXPECT_EQ(targets(call), "ab");
}

TEST_F(Patience, ACallHasAtMostThreeInFlight) {  // RTY-11.3
  Call call = begin(world_.plan({"a", "b", "c", "d"}), kStream);
  pass(call, seconds(20));
  EXPECT_EQ(targets(call), "abc") << "company is waited for alone as long";
  pass(call, seconds(35));
  EXPECT_EQ(targets(call), "abc");
}

TEST_F(Patience, AHedgeIsOneOfTheThree) {  // RTY-11.3
  PlanOptions options = World::quick();
  options.hedge = HedgeOptions{.after = seconds(2)};
  Call call = begin(world_.plan({"a", "b", "c", "d"}, options), kStream);
  pass(call, seconds(2));
  EXPECT_EQ(targets(call), "ab") << "the hedge";
  pass(call, seconds(53));
  EXPECT_EQ(targets(call), "abc");
  EXPECT_EQ(call.execution->record().company, 1U);
}

TEST_F(Patience, CompanyIsWithinTheCapOfAttempts) {  // RTY-6.1, RTY-11.10
  PlanOptions options = World::quick();
  options.max_total_attempts = 1;
  Call call = begin(world_.plan({"a", "b"}, options), kStream);
  pass(call, seconds(50));
  EXPECT_EQ(targets(call), "a");
}

TEST_F(Patience, CompanyIsBoundedWhereTheTargetAnswersSomebody) {  // RTY-11.10
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 100; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  Call answered = begin(world_.plan({"a", "b"}), kStream);
  std::size_t with_company = 0;
  for (int second = 0; second < 25; ++second) {
    pass(all, seconds(1));
    (void)step(answered);
    if (second % 5 == 4) answered.execution->first_content(now(), 1);
    if (second % 5 == 4) answered = begin(world_.plan({"a", "b"}), kStream);
  }
  for (const Call& call : calls) with_company += call.sent.size() - 1;
  EXPECT_EQ(with_company, 5U + 2U) << "5 % of some 105 calls, and one every 10 s from the tenth on";
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, AHundredCallersOfATargetThatFallsSilentAllGoOnToTheNextOne) {  // RTY-14.1, RTY-14.7, RTY-11.11
  learn(5, seconds(2), true);
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 100; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(11));
  EXPECT_EQ(state_of("a"), CircuitState::open);
  EXPECT_EQ(name(world_.breakers.snapshot("a").transitions.back().cause), "silent");
  for (const Call& call : calls) EXPECT_EQ(targets(call), "ab");
  Call next = begin(world_.plan({"a", "b"}), kStream);
  EXPECT_EQ(targets(next), "b") << "nobody else waits there";
}

TEST_F(Patience, AnAnswerOfOneThatWaitedClosesTheCircuitAgain) {  // RTY-14.8, BRK-9
  learn(5, seconds(2), true);
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 6; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(12));
  ASSERT_EQ(state_of("a"), CircuitState::open);
  calls[0].execution->working(now(), 1);
  EXPECT_EQ(state_of("a"), CircuitState::closed);
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U);
}

TEST_F(Patience, WhileNothingIsKnownSilenceTakesThirtySecondsOfAStreamAndTwoMinutesOfAPlainCall) {  // RTY-14.1
  for (const bool streaming : {true, false}) {
    const std::string target = streaming ? "s" : "p";
    std::vector<Call> calls;
    std::vector<Call*> all;
    for (int i = 0; i < 5; ++i) calls.push_back(begin(world_.plan({target, "b"}), {.streaming = streaming}));
    for (Call& call : calls) all.push_back(&call);
    pass(all, streaming ? seconds(29) : seconds(119));
    EXPECT_EQ(state_of(target), CircuitState::closed);
    pass(all, seconds(2));
    EXPECT_EQ(state_of(target), CircuitState::open);
  }
}

TEST_F(Patience, ATargetWithNobodyBesideItIsNeverSilent) {  // RTY-14.6
  learn(5, seconds(2), true);
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 20; ++i) calls.push_back(begin(world_.plan({"a"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(59));
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, ABareResponseHeadIsNoAnswer) {  // RTY-14.3
  learn(5, seconds(2), true);
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 6; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(5));
  for (Call& call : calls) call.execution->accepted(now(), 1);
  pass(all, seconds(6));
  EXPECT_EQ(state_of("a"), CircuitState::open);
}

TEST_F(Patience, AnErrorIsAnAnswer) {  // RTY-14.3
  learn(5, seconds(2), true);
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 6; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(5));
  calls[0].execution->report(now(), 1, failed(Category::service_unavailable));
  pass(all, seconds(7));
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, OverridesThatAdmitAllKeepTheirCallersWhereTheyAre) {  // RTY-14.9, BRK-13
  learn(5, seconds(2), true);
  world_.breakers.handle("a").set_override(OverrideKind::force_closed, "we know");
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 20; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  for (Call& call : calls) all.push_back(&call);
  pass(all, seconds(12));
  std::size_t with_company = 0;
  for (const Call& call : calls) with_company += call.sent.size() - 1;
  EXPECT_EQ(with_company, 2U) << "5 % of 20 calls and one besides";
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, WhoAlwaysTakesLongerThanItsCompanyIsStillAnsweredBy) {  // RTY-11.8
  int calls = 0;
  for (;; ++calls) {
    ASSERT_LT(calls, 20);
    Call call = begin(world_.plan({"a", "b"}));
    const TimePoint answers = now() + seconds(100);
    while (!call.ended) {
      const TimePoint wants = step(call);
      if (call.ended) break;
      if (call.sent.size() > 1) {
        world_.clock.advance(seconds(1));
        succeed(call, 2);
      } else if (wants >= answers) {
        world_.clock.advance_to(answers);
        succeed(call, 1);
      } else {
        world_.clock.advance_to(wants);
      }
    }
    if (call.execution->record().served_by == 0U) break;
  }
  EXPECT_LE(calls, 6);
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, WhatHangsGetsCompanyBeyondTheBound) {  // RTY-11.11, RTY-11.12
  world_.state("a", {.company = {.ratio = 0.0, .min_per_second = 0.0}});
  learn(20, seconds(1));
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 10; ++i) calls.push_back(begin(world_.plan({"a", "b"})));
  for (Call& call : calls) all.push_back(&call);
  for (int i = 0; i < 6; ++i) {
    for (const Call& call : calls) EXPECT_EQ(targets(call), "a") << "after " << 5 * i << " s";
    pass(all, seconds(5) - milliseconds(i == 5 ? 100 : 0));
    Call other = begin(world_.plan({"a", "b"}));
    succeed(other, 1);  // so that the target is not silent
  }
  for (const Call& call : calls) EXPECT_EQ(targets(call), "a");
  pass(all, milliseconds(100));
  for (const Call& call : calls) EXPECT_EQ(targets(call), "ab") << "30 s are three times as long as it ever took";
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, WhereOneKindIsAnsweredAndTheOtherNeverItsCallersAllGoOn) {  // RTY-11.11, RTY-11.12, RTY-11.13
  learn(20, seconds(1), true);
  // Their patience has run out before, time and again: it is longer than two minutes now.
  for (int i = 0; i < 8; ++i) {
    Call call = begin(world_.plan({"a", "b"}));
    pass(call, minutes(2));
    succeed(call, 2);
    learn(1, milliseconds(10), true);  // so that the target is not silent
  }
  std::vector<Call> calls;
  std::vector<Call*> all;
  for (int i = 0; i < 40; ++i) calls.push_back(begin(world_.plan({"a", "b"})));
  for (Call& call : calls) all.push_back(&call);
  for (int second = 0; second < 120; second += 5) {
    pass(all, seconds(5));
    learn(1, milliseconds(10), true);
  }
  for (const Call& call : calls) EXPECT_EQ(targets(call), "ab");
  EXPECT_EQ(state_of("a"), CircuitState::closed);
}

TEST_F(Patience, CompanysOwnFailureEndsItselfAlone) {  // RTY-11.4
  Call call = begin(world_.plan({"a", "b", "c"}), kStream);
  pass(call, seconds(10));
  ASSERT_EQ(targets(call), "ab");
  call.execution->report(now(), 2, failed(Category::invalid_request));
  pass(call, seconds(10));
  EXPECT_TRUE(call.execution->in_flight(1));
  EXPECT_EQ(targets(call), "abc") << "it is alone again";
  call.execution->first_content(now(), 1);
  succeed(call, 1);
  EXPECT_EQ(call.execution->record().ending, Ending::success);
}

TEST_F(Patience, CompanyThatFailedForAMomentIsAskedAgain) {  // RTY-11.4, RTY-5
  Call call = begin(world_.plan({"a", "b"}), kStream);
  pass(call, seconds(10));
  call.execution->report(now(), 2, failed(Category::service_unavailable));
  pass(call, seconds(11));
  EXPECT_EQ(targets(call), "abb") << "after its backoff, and when company is to be had again";
  EXPECT_EQ(world_.state("b")->retry_budget().snapshot(now()).granted, 1U);
}

TEST_F(Patience, ARefusalOfTheRequestByTheChosenOneEndsAll) {  // RTY-11.4, FBK-2.1
  Call call = begin(world_.plan({"a", "b"}), kStream);
  pass(call, seconds(10));
  call.execution->report(now(), 1, failed(Category::invalid_request));
  step(call);
  EXPECT_TRUE(call.ended);
  EXPECT_FALSE(call.execution->in_flight(2));
}

TEST_F(Patience, AProbeThatIsOvertakenHasFailed) {  // BRK-7.6
  world_.open("a");
  world_.clock.advance(seconds(30));
  Call call = begin(world_.plan({"a", "b"}), kStream);
  ASSERT_TRUE(call.sent[0].probe);
  pass(call, seconds(10));
  ASSERT_EQ(targets(call), "ab");
  call.execution->first_content(now(), 2);
  succeed(call, 2);
  EXPECT_EQ(state_of("a"), CircuitState::open);
  EXPECT_EQ(name(world_.breakers.snapshot("a").transitions.back().cause), "silent");
}

TEST_F(Patience, APlainAttemptLeavesHalfOfTheDeadlineToOthers) {  // STR-3.2, RTY-7.3
  PlanOptions options = World::quick();
  options.patience.enabled = false;
  Call call = begin(world_.plan({"a", "b"}, options));
  pass(call, minutes(5) - seconds(1));
  EXPECT_EQ(targets(call), "a");
  pass(call, seconds(1));
  EXPECT_EQ(targets(call), "ab");
  EXPECT_FALSE(call.execution->in_flight(1));
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U) << "it was not its own limit";
  succeed(call, 2);
  EXPECT_EQ(call.execution->record().served_by, 1U);
}

TEST_F(Patience, AnAttemptThatTheCallsDeadlineCutIsNoEvidence) {  // RTY-3.3
  for (int i = 0; i < 10; ++i) {
    Call call = begin(world_.plan({"a"}), {.deadline = Deadline::after(now(), seconds(2))});
    world_.clock.advance(seconds(2));
    call.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
    step(call);
    EXPECT_EQ(call.execution->record().ending, Ending::deadline_exceeded);
    EXPECT_TRUE(call.execution->record().attempts[0].cut);
  }
  EXPECT_EQ(state_of("a"), CircuitState::closed);
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U);
}

TEST_F(Patience, NobodyIsLookedAtBeyondTheCallsDeadline) {  // RTY-3.1
  Call call =
      begin(world_.plan({"a", "b"}), {.streaming = true, .deadline = Deadline::after(now(), milliseconds(300))});
  EXPECT_EQ(step(call), now() + milliseconds(300)) << "without it the first look is after a second";
  call.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
}

TEST_F(Patience, OneThatShowedSignsOfWorkUntilTheDeadlineIsCutByItToo) {  // RTY-3.3, STR-3.5
  const AttemptTimeouts timeouts{.first_content = milliseconds(500)};
  Call call = begin(world_.plan({"a"}, World::quick(), timeouts),
                    {.streaming = true, .deadline = Deadline::after(now(), seconds(1))});
  world_.clock.advance(milliseconds(400));
  call.execution->working(now(), 1);
  world_.clock.advance(milliseconds(600));
  call.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
  EXPECT_TRUE(call.execution->record().attempts[0].cut);
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U);
}

TEST_F(Patience, CutAfterItsPatienceItCountsForSilence) {  // RTY-3.3, RTY-14.2
  learn(5, seconds(2), true);
  world_.open("b");
  world_.breakers.handle("b").set_override(OverrideKind::force_open, "so that nobody answers instead");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(state_of("a"), CircuitState::closed);
    Call call = begin(world_.plan({"a", "b"}), {.streaming = true, .deadline = Deadline::after(now(), seconds(12))});
    pass(call, seconds(12));
    call.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
    step(call);
  }
  EXPECT_EQ(state_of("a"), CircuitState::open);
}

TEST_F(Patience, AttemptsThatHangWhileOthersAreAnsweredAreNoEvidence) {  // RTY-14.5
  std::vector<Call> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(begin(world_.plan({"a", "b"}), kStream));
  world_.clock.advance(milliseconds(100));
  learn(1, milliseconds(10), true);
  world_.clock.advance(seconds(30));
  for (Call& call : calls) {
    call.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
  }
  EXPECT_EQ(state_of("a"), CircuitState::closed);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.failed, 0U);
  Call later = begin(world_.plan({"a", "b"}), kStream);
  world_.clock.advance(seconds(30));
  later.execution->report(now(), 1, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
  EXPECT_EQ(world_.breakers.snapshot("a").totals.failed, 1U) << "it has answered nobody since";
}

TEST_F(Patience, AFailureThatTookLongIsNotRetriedWhileAnotherIsLeft) {  // RTY-12
  Call quick = begin(world_.plan({"a", "b"}));
  world_.clock.advance(seconds(9));
  quick.execution->report(now(), 1, failed(Category::service_unavailable));
  pass(quick, seconds(1));
  EXPECT_EQ(targets(quick), "aa");
  Call slow = begin(world_.plan({"a", "b"}));
  world_.clock.advance(seconds(15));
  slow.execution->report(now(), 1, failed(Category::timeout));
  step(slow);
  EXPECT_EQ(targets(slow), "ab");
  for (std::uint32_t attempt = 2; attempt <= 5; ++attempt) {
    slow.execution->report(now(), attempt, failed(Category::service_unavailable));
    pass(slow, seconds(5));
  }
  EXPECT_EQ(targets(slow), "abbbba") << "when the other has had its tries it may be asked again";
}

TEST_F(Patience, ALongRetryAfterIsSpentOnTheTargetOnlyWhileNoOtherAdmits) {  // RTY-13
  Call stays = begin(world_.plan({"a", "b"}));
  stays.execution->report(now(), 1, failed(Category::overloaded, seconds(2)));
  pass(stays, seconds(2));
  EXPECT_EQ(targets(stays), "aa");
  Call leaves = begin(world_.plan({"c", "d"}));
  leaves.execution->report(now(), 1, failed(Category::overloaded, seconds(3)));
  step(leaves);
  EXPECT_EQ(targets(leaves), "cd") << "at once";
  leaves.execution->report(now(), 2, failed(Category::invalid_request));
  Call alone = begin(world_.plan({"e"}));
  alone.execution->report(now(), 1, failed(Category::overloaded, seconds(20)));
  pass(alone, seconds(20));
  EXPECT_EQ(targets(alone), "ee");
}

TEST_F(Patience, ItIsComeBackToAfterItsWaitWhenTheOthersHaveFailed) {  // RTY-13, RTY-2
  PlanOptions options = World::quick(2);
  Call call = begin(world_.plan({"a", "b"}, options));
  call.execution->report(now(), 1, failed(Category::overloaded, seconds(20)));
  step(call);
  ASSERT_EQ(targets(call), "ab");
  call.execution->report(now(), 2, failed(Category::model_not_found));
  pass(call, seconds(19));
  EXPECT_EQ(targets(call), "ab");
  pass(call, seconds(1));
  EXPECT_EQ(targets(call), "aba");
}

TEST_F(Patience, ATargetThatSaysCancelledHasFailedAndTheNextOneIsAsked) {  // FBK-9
  Call call = begin(world_.plan({"a", "b"}));
  call.execution->report(now(), 1, failed(Category::cancelled));
  step(call);
  EXPECT_EQ(targets(call), "ab") << "not retried there";
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U);
  succeed(call, 2);
  EXPECT_EQ(call.execution->record().ending, Ending::success);
  Call last = begin(world_.plan({"c"}));
  last.execution->report(now(), 1, failed(Category::cancelled));
  step(last);
  EXPECT_EQ(last.execution->record().ending, Ending::failed);
  EXPECT_EQ(last.execution->record().primary_attempt, 1U);
}

TEST_F(Patience, ItsEmbedderMaySayCancelled) {  // FBK-9
  Call call = begin(world_.plan({"a", "b"}));
  call.execution->report(now(), 1, {.outcome = Outcome::cancelled()});
  step(call);
  EXPECT_EQ(call.execution->record().ending, Ending::cancelled);
}

TEST_F(Patience, AnUnknownWindowCountsAsLargerOnceACall) {  // FBK-2.6
  const auto too_long = failed(Category::context_length_exceeded);
  Call call = begin(world_.plan({"a", "b", "c"}));
  call.execution->report(now(), 1, too_long);
  step(call);
  EXPECT_EQ(targets(call), "ab");
  call.execution->report(now(), 2, too_long);
  step(call);
  EXPECT_TRUE(call.ended);
  EXPECT_EQ(targets(call), "ab");
}

}  // namespace
}  // namespace fuseboard
