// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/admission.h"

#include <gtest/gtest.h>

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::seconds;

// A target under every policy, each of which can be made to refuse.
class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() : ledger_({.global = {.tokens = 10'000}}) {
    target_ = {.name = "a",
               .state = std::make_shared<TargetState>(
                   BreakerScopes{world_.breakers.handle("provider"), world_.breakers.handle("a")},
                   TargetStateOptions{.limits = {.requests_per_minute = 60.0, .requests_burst = 5.0, .concurrency = 2},
                                      .adaptive_rate = AdaptiveLimiterOptions{.rate = {.rate = 10}, .burst = 4.0},
                                      .adaptive_concurrency = AdaptiveBulkheadOptions{.initial_limit = 3}},
                   "a", credential_, 1)};
  }

  AdmissionRequest request() {
    return {.priority = Priority::critical,
            .estimate = {.input = 100, .output = 100},
            .ledger = &ledger_,
            .probe_lease = seconds(60)};
  }
  std::expected<AttemptPermits, AdmissionRejection> try_admit() { return try_admit(target_, request()); }
  std::expected<AttemptPermits, AdmissionRejection> try_admit(const Target& target, const AdmissionRequest& asked) {
    AttemptPermits permits;
    if (auto rejection = admit(world_.clock.now(), target, asked, permits)) return std::unexpected(*rejection);
    return permits;
  }

  BudgetLevelSnapshot global_budget() { return ledger_.snapshot().levels.front(); }

  // Everything that an admission draws on.
  struct Held {
    double requests;
    double rate_tokens;
    std::uint32_t in_flight;
    std::uint32_t places;
    std::uint64_t reserved;
    std::uint64_t breaker_in_flight;
    std::uint32_t probes;
    friend bool operator==(const Held&, const Held&) = default;
  };
  Held held() {
    const JointSnapshot limits = target_.state->limits()->snapshot(world_.clock.now());
    double rate_tokens = 0;
    std::vector<AdaptivePermit> taken;
    while (auto permit = target_.state->adaptive_rate()->try_acquire(world_.clock.now(), 1, Priority::critical)) {
      taken.push_back(std::move(*permit));
      ++rate_tokens;
    }
    for (AdaptivePermit& permit : taken) std::move(permit).release();
    const BreakerSnapshot breaker = world_.breakers.snapshot("a");
    return {.requests = *limits.requests_available,
            .rate_tokens = rate_tokens,
            .in_flight = limits.in_flight,
            .places = target_.state->adaptive_concurrency()->in_flight(),
            .reserved = global_budget().reserved.tokens,
            .breaker_in_flight = breaker.in_flight,
            .probes = breaker.probes_in_flight};
  }

  World world_;
  BudgetLedger ledger_;
  std::shared_ptr<CredentialGate> credential_ = std::make_shared<CredentialGate>("credential");
  Target target_;
};

TEST_F(AdmissionTest, AGrantDrawsOnEveryPolicyAndItsEndTellsEachOnce) {  // PIP-2, PIP-3
  const Held before = held();
  auto permits = try_admit();
  ASSERT_TRUE(permits);
  const Held during = held();
  EXPECT_EQ(during.in_flight, 1U);
  EXPECT_EQ(during.places, 1U);
  EXPECT_EQ(during.reserved, 200U);
  EXPECT_EQ(during.breaker_in_flight, 1U);
  EXPECT_EQ(during.requests, before.requests - 1);
  EXPECT_EQ(during.rate_tokens, before.rate_tokens - 1);

  const AttemptReport report{.answered = true, .usage = TokenUsage{.input = 90, .output = 40}};
  const auto charged = std::move(*permits).settle(world_.clock.now(), report, report.outcome);
  ASSERT_TRUE(charged);
  EXPECT_EQ(charged->charged.tokens, 130U);
  EXPECT_EQ(global_budget().committed.tokens, 130U);
  EXPECT_EQ(held().in_flight, 0U);
  EXPECT_EQ(held().places, 0U);
  EXPECT_EQ(held().reserved, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.succeeded, 1U);
  EXPECT_EQ(world_.breakers.snapshot("provider").totals.succeeded, 1U);
}

// Whoever refuses, nobody keeps anything [PIP-2, BRK-11]: each policy in turn is the one that refuses.
TEST_F(AdmissionTest, WhoeverRefusesTheOthersGetBackWhatTheyGave) {  // PIP-2, BRK-11
  struct Case {
    RejectionReason reason;
    std::function<std::function<void()>()> arrange;  // returns how to undo it
  };
  const TimePoint now = world_.clock.now();
  const std::vector<Case> cases = {
      {RejectionReason::credential_parked,
       [&] {
         auto pass = credential_->try_pass(now);
         std::move(*pass).settle(now, Outcome::failed(Failure::of(Category::authentication)));
         return [&] { credential_->unpark(); };
       }},
      {RejectionReason::circuit_open,
       [&] {
         world_.open("a");
         return [&] { world_.breakers.reset("a"); };
       }},
      {RejectionReason::budget_exceeded,
       [&] {
         ledger_.charge({}, {.input = 9'900}, {});
         return [&] { ledger_.reset_all(); };
       }},
      {RejectionReason::concurrency_limited,
       [&] {
         auto places = std::make_shared<std::vector<JointPermit>>();
         for (int i = 0; i < 2; ++i) places->push_back(*target_.state->limits()->try_acquire(now));
         return [places] {
           for (JointPermit& place : *places) std::move(place).release();
         };
       }},
      {RejectionReason::rate_limited,
       [&] {
         target_.state->gate().close(now, seconds(5));
         return [&] { target_.state->gate().open(); };
       }},
      {RejectionReason::concurrency_limited,
       [&] {
         auto places = std::make_shared<std::vector<AdaptiveBulkheadSlot>>();
         for (int i = 0; i < 3; ++i) places->push_back(*target_.state->adaptive_concurrency()->try_acquire());
         return [places] { places->clear(); };
       }},
  };
  for (const Case& it : cases) {
    SCOPED_TRACE(name(it.reason));
    const auto undo = it.arrange();
    const JointSnapshot before = target_.state->limits()->snapshot(now);
    const std::uint64_t reserved = global_budget().reserved.tokens;
    const std::uint32_t places = target_.state->adaptive_concurrency()->in_flight();
    const auto seen = peek_rejection(now, target_, request());
    EXPECT_EQ(seen.has_value(), it.reason != RejectionReason::budget_exceeded);
    const auto rejected = try_admit();
    ASSERT_FALSE(rejected);
    EXPECT_EQ(rejected.error().rejection.reason, it.reason);
    if (seen) {
      EXPECT_EQ(seen->reason, it.reason);
    }
    const JointSnapshot after = target_.state->limits()->snapshot(now);
    EXPECT_EQ(after.requests_available, before.requests_available);
    EXPECT_EQ(after.in_flight, before.in_flight);
    EXPECT_EQ(global_budget().reserved.tokens, reserved);
    EXPECT_EQ(target_.state->adaptive_concurrency()->in_flight(), places);
    EXPECT_EQ(world_.breakers.snapshot("a").in_flight, 0U);
    EXPECT_EQ(world_.breakers.snapshot("provider").in_flight, 0U);
    undo();
    EXPECT_FALSE(peek_rejection(now, target_, request()));
  }
  EXPECT_EQ(global_budget().committed, BudgetSpend{}) << "nothing was sent, so nothing is charged";
}

TEST_F(AdmissionTest,
       AProbeIsNotTakenForAnAttemptThatIsRefusedElsewhere) {  // PIP-2, BRK-11; a probe lost because its limiter refuses
  world_.open("a");
  world_.clock.advance(seconds(30));
  target_.state->gate().close(world_.clock.now(), seconds(5));
  ASSERT_FALSE(try_admit());
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::open) << "not even half-open";
  EXPECT_EQ(world_.breakers.snapshot("a").probes_in_flight, 0U);
  world_.clock.advance(seconds(5));
  const auto permits = try_admit();
  ASSERT_TRUE(permits);
  EXPECT_TRUE(permits->is_probe());
}

TEST_F(AdmissionTest, AnOpenCircuitCostsNoTokensAndNoBudgetAndIsCountedAsADenial) {  // PIP-2, BRK-16.1
  world_.open("a");
  const Held before = held();
  for (int i = 0; i < 10; ++i) ASSERT_FALSE(try_admit());
  EXPECT_EQ(held(), before);
  EXPECT_EQ(world_.breakers.snapshot("a").denials, 10U);
}

TEST_F(AdmissionTest, ABudgetsRefusalBringsItsNumbers) {  // BUD-6, PIP-6.1
  ledger_.charge({}, {.input = 9'900}, {});
  const auto rejected = try_admit();
  ASSERT_FALSE(rejected);
  ASSERT_TRUE(rejected.error().budget);
  EXPECT_EQ(rejected.error().budget->kind, BudgetKind::tokens);
  EXPECT_EQ(rejected.error().budget->consumed, 9'900U);
  EXPECT_EQ(rejected.error().budget->requested, 200U);
  EXPECT_EQ(rejected.error().budget->limit, 10'000U);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.failed, 0U) << "neutral for breakers";
}

TEST_F(AdmissionTest, WithoutAPriceWhereOneIsNeededNothingIsSent) {  // BUD-8
  target_.needs_price = true;
  const auto rejected = try_admit();
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().rejection.reason, RejectionReason::price_missing);
  target_.price = ModelPrice{.input = *Money::parse("3.00"), .output = *Money::parse("15.00")};
  EXPECT_TRUE(try_admit());
}

TEST_F(AdmissionTest, AFailedConnectionIsTheProvidersAndAFailedAnswerTheModels) {  // BRK-22
  const auto end = [&](bool connected) {
    auto permits = try_admit();
    ASSERT_TRUE(permits);
    const AttemptReport report{.outcome = Outcome::failed(Failure::of(Category::network)), .connected = connected};
    std::move(*permits).settle(world_.clock.now(), report, report.outcome);
  };
  end(false);
  EXPECT_EQ(world_.breakers.snapshot("provider").consecutive_failures, 1U);
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 0U);
  end(true);
  EXPECT_EQ(world_.breakers.snapshot("provider").consecutive_failures, 0U) << "it was reached";
  EXPECT_EQ(world_.breakers.snapshot("a").consecutive_failures, 1U);
}

struct Charge {
  const char* what;
  AttemptReport report;
  std::uint64_t tokens;
};

class BudgetCharge : public AdmissionTest, public testing::WithParamInterface<Charge> {};

TEST_P(BudgetCharge, FollowsFromWhatIsKnownOfTheAttempt) {  // BUD-3, BUD-4, BUD-10.1, BUD-10.2, BUD-10.4
  auto permits = try_admit();
  ASSERT_TRUE(permits);
  const auto charged = std::move(*permits).settle(world_.clock.now(), GetParam().report, GetParam().report.outcome);
  ASSERT_TRUE(charged);
  EXPECT_EQ(charged->charged.tokens, GetParam().tokens);
  EXPECT_EQ(charged->charged.rounds, 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Ends, BudgetCharge,
    testing::Values(
        Charge{"usage", {.answered = true, .usage = TokenUsage{.input = 5, .output = 6}}, 11},
        Charge{"success without a figure", {.answered = true}, 100},
        Charge{"success without a figure that was seen", {.answered = true, .seen_output = 777}, 877},
        Charge{"usage of a quarter of what was seen",
               {.answered = true, .usage = TokenUsage{.input = 5, .output = 25}, .seen_output = 100},
               30},
        Charge{"usage of less than a quarter of what was seen",
               {.answered = true, .usage = TokenUsage{.input = 5, .output = 24}, .seen_output = 100},
               200},
        Charge{"usage of a failure",
               {.outcome = Outcome::failed(Failure::of(Category::content_policy)),
                .answered = true,
                .usage = TokenUsage{.input = 5, .output = 6}},
               11},
        Charge{"told error behind what was seen",
               {.outcome = Outcome::failed(Failure::of(Category::overloaded)), .answered = true, .seen_output = 50},
               150},
        Charge{"told error", {.outcome = Outcome::failed(Failure::of(Category::overloaded)), .answered = true}, 0},
        Charge{"refused connection",
               {.outcome = Outcome::failed(Failure::of(Category::network)), .connected = false, .may_have_run = false},
               0},
        Charge{"silence", {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true}, 100},
        Charge{"cancelled", {.outcome = Outcome::cancelled()}, 100}),
    [](const auto& it) {
      std::string words = it.param.what;
      std::ranges::replace(words, ' ', '_');
      return words;
    });

TEST_F(AdmissionTest, UsageThatIsToldTooLowIsNotedWithWhatWasCharged) {  // BUD-10.2
  const auto understated = [&](std::uint64_t told) {
    auto permits = try_admit();
    const AttemptReport report{
        .answered = true, .usage = TokenUsage{.input = 100, .output = told}, .seen_output = 4000};
    return std::move(*permits).settle(world_.clock.now(), report, report.outcome)->understated;
  };
  EXPECT_TRUE(understated(999));
  EXPECT_FALSE(understated(1000));
}

TEST_F(AdmissionTest, ALimitOnTokensLearnsWhatTheBudgetIsCharged) {  // LIM-5.3, BUD-10.4
  const struct {
    AttemptReport report;
    double used;
  } kCases[] = {
      {{.answered = true, .usage = TokenUsage{.input = 5, .output = 6}}, 11},
      {{.answered = true}, 100},
      {{.answered = true, .seen_output = 777}, 877},
      {{.answered = true, .usage = TokenUsage{.input = 5, .output = 24}, .seen_output = 100}, 200},
      {{.outcome = Outcome::failed(Failure::of(Category::timeout)), .seen_output = 30}, 130},
      {{.outcome = Outcome::failed(Failure::of(Category::overloaded)), .answered = true}, 0},
      {{.outcome = Outcome::failed(Failure::of(Category::network)), .connected = false}, 0},
  };
  for (const auto& [report, used] : kCases) {
    const Target target{.name = "limited",
                        .state = std::make_shared<TargetState>(
                            BreakerScopes{world_.breakers.handle("limited")},
                            TargetStateOptions{.limits = {.tokens_per_minute = 6000.0, .tokens_burst = 5000.0}},
                            "limited", nullptr, 1)};
    auto permits = try_admit(target, {.estimate = {.input = 100, .output = 4000}, .probe_lease = seconds(60)});
    ASSERT_TRUE(permits);
    std::move(*permits).settle(world_.clock.now(), report, report.outcome);
    EXPECT_EQ(target.state->limits()->snapshot(world_.clock.now()).tokens_available, 5000.0 - used);
  }
}

TEST_F(AdmissionTest, AnAbandonedStreamIsChargedWhatWasObserved) {  // BUD-4; reservations leaked by disconnects
  {
    auto permits = try_admit();
    ASSERT_TRUE(permits);
    permits->observe({.input = 100, .output = 77});
  }
  EXPECT_EQ(global_budget().committed.tokens, 177U);
  EXPECT_EQ(global_budget().reserved.tokens, 0U);
}

TEST_F(AdmissionTest, AnAnswerThatBrokeOffIsChargedWhatThereWasOfIt) {  // BUD-4
  auto permits = try_admit();
  ASSERT_TRUE(permits);
  permits->first_content(Duration::zero());
  permits->observe({.input = 100, .output = 5000});
  const AttemptReport report{.outcome = Outcome::failed(Failure::of(Category::overloaded)), .answered = true};
  const auto charged = std::move(*permits).settle(world_.clock.now(), report, report.outcome);
  ASSERT_TRUE(charged);
  EXPECT_EQ(charged->charged.tokens, 5100U);
  EXPECT_TRUE(charged->overrun);
}

TEST_F(AdmissionTest, WhatAServerSaysOfItsLimitIsObeyedWithoutLimitsOfOurOwn) {  // LIM-4.3, LIM-4.4
  const auto state = world_.state("plain");
  const Target plain{.name = "plain", .state = state};
  const TimePoint now = world_.clock.now();
  const auto end = [&](const AttemptReport& report) {
    auto permits = try_admit(plain, {.probe_lease = seconds(60)});
    ASSERT_TRUE(permits);
    std::move(*permits).settle(world_.clock.now(), report, report.outcome);
  };
  end({.outcome = Outcome::failed(Failure::of(Category::rate_limit, seconds(7))), .answered = true});
  EXPECT_EQ(peek_rejection(now, plain, {})->retry_after, seconds(7));
  world_.clock.advance(seconds(7));
  end({.answered = true, .window = ServerWindow{.remaining = 0, .reset_after = seconds(3)}});
  EXPECT_EQ(peek_rejection(world_.clock.now(), plain, {})->retry_after, seconds(3));
  world_.clock.advance(seconds(3));
  end({.answered = true, .window = ServerWindow{.remaining = 1, .reset_after = seconds(3)}});
  EXPECT_FALSE(peek_rejection(world_.clock.now(), plain, {}));
}

TEST(TargetState, ChecksEveryOptionAtOnce) {  // CORE-6
  World world;
  const TargetStateOptions bad{.limits = {.requests_per_minute = -1.0},
                               .adaptive_rate = AdaptiveLimiterOptions{.burst = 0.0},
                               .adaptive_concurrency = AdaptiveBulkheadOptions{.min_limit = 0},
                               .retry_after_max = seconds(-1),
                               .retry_budget = {.ratio = -0.1},
                               .queue = {.capacity = 0, .max_wait = seconds(-1)}};
  try {
    const TargetState state(BreakerScopes{world.breakers.handle("a")}, bad);
    FAIL() << "accepted";
  } catch (const InvalidOptions& error) {
    std::vector<std::string> fields;
    for (const Problem& problem : error.problems()) fields.push_back(problem.field);
    EXPECT_EQ(fields, (std::vector<std::string>{"limits.requests_per_minute", "adaptive_rate.burst",
                                                "adaptive_concurrency.min_limit", "retry_after_max",
                                                "retry_budget.ratio", "queue.capacity", "queue.max_wait"}));
  }
}

}  // namespace
}  // namespace fuseboard
