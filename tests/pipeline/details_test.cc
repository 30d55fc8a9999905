// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a call shows only where two of its rules meet.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/cache/memory_store.h"
#include "fuseboard/core/wake_flag.h"
#include "fuseboard/pipeline/cache_session.h"
#include "fuseboard/pipeline/explanation.h"
#include "fuseboard/pipeline/target_patience.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Details : public testing::Test {
 protected:
  TimePoint now() const { return world_.clock.now(); }
  Execution& begin(std::shared_ptr<const Plan> plan, const CallOptions& options = {},
                   DriverAbilities abilities = {.hedges = true}) {
    calls_.push_back(std::make_unique<Execution>(now(), std::move(plan), options, world_.rng, std::move(abilities)));
    return *calls_.back();
  }
  // Moves the clock through waits to the next attempt; nullopt: the call has ended.
  std::optional<Attempt> attempt(Execution& call) {
    for (;;) {
      const Step step = call.next(now());
      if (const auto* attempt = std::get_if<Attempt>(&step)) return *attempt;
      if (std::holds_alternative<Finished>(step)) return std::nullopt;
      world_.clock.advance_to(std::get<WaitUntil>(step).time);
    }
  }
  // Runs the call; attempts end as `report_of` says of each.
  template <typename ReportOf>
  const CallRecord& run(Execution& call, ReportOf report_of) {
    while (const auto sent = attempt(call)) call.report(now(), sent->number, report_of(*sent));
    return call.record();
  }
  static PlanOptions hedging(Duration after, std::uint32_t max_attempts = 4) {
    PlanOptions options = World::quick(max_attempts);
    options.hedge = HedgeOptions{.after = after};
    options.patience.enabled = false;
    options.overall_deadline = kForever;
    return options;
  }

  World world_;
  std::vector<std::unique_ptr<Execution>> calls_;
};

// Hedges.

TEST_F(Details, ACallIsHedgedOnceHoweverOftenItTries) {  // RTY-9.3
  Execution& call = begin(world_.plan({"a", "b", "c"}, hedging(milliseconds(100))));
  const Attempt first = attempt(call).value();
  const Attempt hedge = attempt(call).value();
  EXPECT_EQ(hedge.target, 1U);
  call.report(now(), hedge.number, failed(Category::service_unavailable));
  call.report(now(), first.number, failed(Category::service_unavailable));
  const Attempt again = attempt(call).value();
  EXPECT_EQ(again.target, 0U);
  EXPECT_TRUE(std::holds_alternative<Await>(call.next(now()))) << "nobody is asked beside it a second time";
}

TEST_F(Details, AHedgeThatLostIsNeitherAFallbackNorWhatWasRetriedAfter) {  // RTY-9.2, FBK-5
  Execution& call = begin(world_.plan({"a", "b"}, hedging(milliseconds(100))));
  const Attempt first = attempt(call).value();
  const Attempt hedge = attempt(call).value();
  call.report(now(), hedge.number, failed(Category::service_unavailable));
  call.report(now(), first.number, failed(Category::network));
  const Attempt again = attempt(call).value();
  EXPECT_EQ(again.target, 0U);
  call.report(now(), again.number, succeeded());
  EXPECT_FALSE(attempt(call));
  EXPECT_EQ(call.record().attempts[0].number, hedge.number) << "it ended first";
  EXPECT_TRUE(fallbacks_of(call.record()).empty());
}

TEST_F(Details, AHedgeIsAFirstAttemptAndNoRetry) {  // RTY-5, RTY-9.1
  Execution& call = begin(world_.plan({"a", "b"}, hedging(milliseconds(100))));
  (void)attempt(call);
  (void)attempt(call);
  EXPECT_EQ(world_.state("b")->retry_budget().snapshot(now()).calls, 1U);
  EXPECT_EQ(world_.state("b")->retry_budget().snapshot(now()).granted, 0U);
}

// What is counted of a call.

TEST_F(Details, ThrottledIsWhatMetARateLimitAndNothingElse) {  // TEL-1.8
  const auto ends = [&](Category first) {
    Execution& call = begin(world_.plan({"a"}));
    return run(call, [&](const Attempt& sent) { return sent.number < 3 ? failed(first) : succeeded(); }).throttled;
  };
  EXPECT_EQ(ends(Category::service_unavailable), 0U);
  EXPECT_EQ(ends(Category::rate_limit), 2U);
}

TEST_F(Details, WhatACallHasWaitedForAnAttemptIsThatAttemptsAlone) {  // RTY-8.4
  Execution& call = begin(world_.plan({"a", "b"}, World::quick(2)));
  const CallRecord& record = run(call, [](const Attempt&) { return failed(Category::service_unavailable); });
  ASSERT_EQ(record.attempts.size(), 4U);
  EXPECT_EQ(record.attempts[0].waited, Duration::zero());
  EXPECT_EQ(record.attempts[1].waited, milliseconds(500));
  EXPECT_EQ(record.attempts[2].waited, Duration::zero()) << "the next target is asked at once";
  EXPECT_EQ(record.attempts[3].waited, milliseconds(500)) << "and its own backoff begins anew";
  ASSERT_EQ(record.waits.size(), 2U);
  EXPECT_EQ(record.waits[1].target, 1U);
}

TEST_F(Details, WhatWasWaitedForATargetThatIsLeftIsNotTheNextOnes) {  // RTY-8.4
  Execution& call = begin(world_.plan({"a", "b"}, World::quick(2)));
  const Attempt first = attempt(call).value();
  call.report(now(), first.number, failed(Category::service_unavailable));
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(call.next(now())));
  world_.open("a");  // by other calls, while this one waits to try it again
  const Attempt next = attempt(call).value();
  ASSERT_EQ(next.target, 1U);
  call.report(now(), next.number, succeeded());
  EXPECT_FALSE(attempt(call));
  EXPECT_EQ(call.record().attempts.back().waited, Duration::zero());
}

TEST_F(Details, TheAgesOfOvertakenAttemptsAreLearned) {  // RTY-11.7
  TargetPatience& patience = world_.state("a")->patience();
  const TimePoint later = now() + seconds(40);
  for (int i = 0; i < 5; ++i) patience.overtaken(later, AnswerKind::stream, now());
  patience.answered(later, true);  // none of them was the second in a row
  EXPECT_GE(patience.patience(later, {}, AnswerKind::stream), seconds(35));
}

// Why nothing was sent.

TEST_F(Details, ABudgetExplainsBeforeAParkedCredentialDoesWhicheverComesFirst) {  // RTY-8.2, FBK-6.7
  const auto parked = std::make_shared<CredentialGate>("parked");
  std::move(*parked->try_pass(now())).settle(now(), Outcome::failed(Failure::of(Category::authentication)));
  const auto ending = [&](bool parked_first) {
    std::vector<Target> targets;
    for (const bool is_parked : {parked_first, !parked_first}) {
      const std::string name = is_parked ? "p" : "q";
      targets.push_back(
          {.name = name,
           .state = std::make_shared<TargetState>(BreakerScopes{world_.breakers.handle(name)}, TargetStateOptions{},
                                                  name, is_parked ? parked : nullptr)});
    }
    BudgetLedger spent({.global = {.rounds = 1}});
    EXPECT_TRUE(spent.check_and_tick({}));
    Execution& call =
        begin(std::make_shared<const Plan>("test", std::move(targets), World::quick()), {.ledger = &spent});
    EXPECT_FALSE(attempt(call));
    EXPECT_EQ(call.record().rejections.size(), 2U);
    return call.record().ending;
  };
  EXPECT_EQ(ending(true), Ending::budget_exceeded);
  EXPECT_EQ(ending(false), Ending::budget_exceeded);
}

TEST_F(Details, AnOpenCircuitExplainsBeforeABudgetDoes) {  // RTY-8.2
  world_.open("a");
  BudgetLedger spent({.global = {.rounds = 1}});
  EXPECT_TRUE(spent.check_and_tick({}));
  Execution& call = begin(world_.plan({"b", "a"}), {.ledger = &spent});
  EXPECT_FALSE(attempt(call));
  EXPECT_EQ(call.record().ending, Ending::circuit_open);
}

// What a broken answer costs.

class TokensOfABrokenAnswer : public Details {
 protected:
  // Of 5000 tokens, what is left after an attempt that was to take 4100 and ended so.
  double left_after(const AttemptReport& report, bool answering, const TokenUsage& seen) {
    const Target target{.name = "limited",
                        .state = std::make_shared<TargetState>(
                            BreakerScopes{world_.breakers.handle("limited")},
                            TargetStateOptions{.limits = {.tokens_per_minute = 6000.0, .tokens_burst = 5000.0}},
                            "limited", nullptr, 1)};
    AttemptPermits permits;
    EXPECT_FALSE(
        admit(now(), target, {.estimate = {.input = 100, .output = 4000}, .probe_lease = seconds(60)}, permits));
    if (answering) permits.first_content(milliseconds(1));
    if (seen.output > 0) permits.observe(seen);
    std::move(permits).settle(now(), report, report.outcome);
    return *target.state->limits()->snapshot(now()).tokens_available;
  }
};

TEST_F(TokensOfABrokenAnswer, AreThoseThatWereSeenThoughItEndedInAToldError) {  // LIM-5.3, BUD-4
  EXPECT_EQ(left_after(failed(Category::overloaded), true, {.input = 100, .output = 77}), 5000.0 - 177);
}

TEST_F(TokensOfABrokenAnswer, ComeBackWhereNothingHadBegun) {  // LIM-5.3, BUD-4
  EXPECT_EQ(left_after(failed(Category::overloaded), false, {}), 5000.0);
}

// Calls that share an answer.

class SharedCalls : public Details {
 protected:
  static CacheKey key(std::uint8_t first) {
    CacheKey key;
    key.bytes = {first};
    return key;
  }
  CacheSession& session(std::vector<CacheKey> keys, const CacheDecision& decision = kAll) {
    sessions_.push_back(std::make_unique<CacheSession>(cache_, &flights_, std::move(keys), decision, minutes(1)));
    sessions_.back()->look_up(waker_);
    return *sessions_.back();
  }
  static constexpr CacheDecision kAll{.lookup = true, .share = true, .store = true};

  ResponseCache cache_{std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, world_.clock)};
  SingleFlight flights_;
  std::shared_ptr<WakeFlag> waker_ = std::make_shared<WakeFlag>();
  std::vector<std::unique_ptr<CacheSession>> sessions_;
  const CachedResponsePtr answer_ = std::make_shared<const CachedResponse>();
};

TEST_F(SharedCalls, AreThoseWhoseTargetsAllHaveTheSameKeys) {  // CCH-4, CCH-1.1
  EXPECT_EQ(session({key(1), key(9)}).state(), CacheState::missed);
  EXPECT_EQ(session({key(2), key(9)}).state(), CacheState::missed) << "its last target's key alone is the same";
  EXPECT_EQ(session({key(1), key(8)}).state(), CacheState::missed) << "its first target's key alone is the same";
  EXPECT_EQ(session({key(9), key(1)}).state(), CacheState::missed) << "the same keys in another order";
  EXPECT_EQ(session({key(1)}).state(), CacheState::missed) << "fewer targets";
  EXPECT_EQ(session({key(1), key(9)}).state(), CacheState::waiting);
}

TEST_F(SharedCalls, AnAnswerIsStoredUnderTheKeyOfTheTargetThatGaveIt) {  // CCH-1.5
  session({key(1), key(2)}).complete(1, answer_, {.succeeded = true, .complete = true});
  CacheSession& second = session({key(2)});
  EXPECT_EQ(second.state(), CacheState::hit);
  EXPECT_EQ(second.target(), 0U);
  EXPECT_EQ(session({key(1)}).state(), CacheState::missed);
}

TEST_F(SharedCalls, OneThatEndsWithoutAnAnswerLeavesTheTurnToTheNext) {  // CCH-4
  session({key(1)});
  CacheSession& next = session({key(1)});
  ASSERT_EQ(next.state(), CacheState::waiting);
  sessions_.front().reset();
  EXPECT_EQ(next.state(), CacheState::missed);
  EXPECT_TRUE(waker_->take());
}

TEST_F(SharedCalls, OneThatMustBeFreshWaitsForNobody) {  // CCH-5
  session({key(1)});
  CacheSession& fresh = session({key(1)}, {.store = true});
  EXPECT_EQ(fresh.state(), CacheState::missed);
  EXPECT_TRUE(fresh.bypassed());
  fresh.complete(0, answer_, {.succeeded = true, .complete = true});
  EXPECT_EQ(session({key(1)}).state(), CacheState::hit) << "but leaves its answer";
}

TEST_F(SharedCalls, WhatMayNotBeStoredIsGivenToThoseWhoWaitAllTheSame) {  // CCH-4, CCH-5
  CacheSession& first = session({key(1)});
  CacheSession& second = session({key(1)});
  first.complete(0, answer_, {.succeeded = true, .complete = true, .one_answer = false});
  EXPECT_EQ(second.state(), CacheState::shared);
  EXPECT_EQ(second.response(), answer_);
  EXPECT_EQ(session({key(1)}).state(), CacheState::missed);
}

// Patience.

TEST(TargetPatience, AttemptsThatWereOvertakenTogetherCountOnce) {  // RTY-11.8
  TargetPatience patience({}, {});
  const TimePoint t = TimePoint(std::chrono::hours(1));
  const auto alone = [&] { return patience.waited_for_alone(t + minutes(2), {}, AnswerKind::plain, false); };
  patience.overtaken(t + seconds(40), AnswerKind::plain, t);
  patience.overtaken(t + seconds(41), AnswerKind::plain, t + seconds(1));
  EXPECT_EQ(alone(), seconds(30)) << "both had been under way together";
  patience.overtaken(t + seconds(80), AnswerKind::plain, t + seconds(40));
  EXPECT_EQ(alone(), seconds(60)) << "the second in a row";
}

TEST(TargetPatience, OnlyContentShowsThatItAnswersAfterAll) {  // RTY-11.8
  TargetPatience patience({}, {});
  const TimePoint t = TimePoint(std::chrono::hours(1));
  const auto alone = [&] { return patience.waited_for_alone(t + minutes(2), {}, AnswerKind::plain, false); };
  patience.overtaken(t + seconds(40), AnswerKind::plain, t);
  patience.overtaken(t + seconds(80), AnswerKind::plain, t + seconds(40));
  patience.answered(t + seconds(81), false);
  EXPECT_EQ(alone(), seconds(60)) << "an error is no answer that anybody waited for";
  patience.answered(t + seconds(82), true);
  EXPECT_EQ(alone(), seconds(30));
}

TEST(TargetPatience, PlainCallsAndStreamsAreKnownApart) {  // RTY-11.6, RTY-11.12
  TargetPatience patience({}, {});
  const TimePoint t = TimePoint(std::chrono::hours(1));
  for (int i = 0; i < 10; ++i) patience.succeeded(t, AnswerKind::plain, seconds(100));
  EXPECT_GE(patience.waited_for_alone(t, {}, AnswerKind::plain, false), seconds(200));
  EXPECT_EQ(patience.waited_for_alone(t, {}, AnswerKind::stream, false), seconds(10));
  EXPECT_TRUE(patience.hangs(t, AnswerKind::plain, seconds(300)));
  EXPECT_FALSE(patience.hangs(t, AnswerKind::plain, seconds(300) - milliseconds(1)));
}

// The explanation.

TEST_F(Details, AnExplanationSaysWhatIsOutOfTheOrdinaryOfAnAttempt) {  // PIP-6.3
  const auto plan = world_.plan({"a", "b"}, World::quick(1));
  CallRecord record;
  record.ending = Ending::success;
  record.served_by = 1;
  record.candidates.push_back(0);
  record.candidates.push_back(1);
  record.started = now();
  AttemptRecord attempt{.number = 1, .target = 0, .probe = true, .company = true, .overtaken = true, .cut = true};
  attempt.failure = Failure::of(Category::rate_limit, seconds(7));
  attempt.verdict = Verdict::throttled;
  attempt.started = now() + seconds(1);
  attempt.duration = seconds(2);
  attempt.charged = BudgetSettlement{.charged = {.tokens = 5}, .overrun = true, .understated = true};
  record.attempts.push_back(attempt);
  record.rejections.push_back({.target = 1,
                               .reason = RejectionReason::budget_exceeded,
                               .kind = BudgetKind::tokens,
                               .level = BudgetLevel::key,
                               .consumed = 1,
                               .reserved = 2,
                               .requested = 3,
                               .limit = 4});
  record.waits.push_back({.target = 1, .reason = WaitReason::admission, .duration = seconds(3)});
  const std::string text = explain(record, *plan);
  for (const char* part :
       {"call to 'test': success", "served by b", "candidates: a b\n",
        "not sent to b: budget_exceeded, key tokens: 1 used + 2 reserved + 3 asked for > 4\n",
        "waited 3s for b: admission\n", "attempt 1 on a (probe) (company) at +1s: overtaken by its company, cut by",
        "rate_limit after 2s, verdict throttled, asked for 7s", "charged 5 tokens", "(overrun)", "less than a quarter"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

}  // namespace
}  // namespace fuseboard
