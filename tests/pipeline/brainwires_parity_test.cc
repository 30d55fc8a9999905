// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the Brainwires Agent Framework documents of its provider decorators, asked of Fuseboard: each with the options
// that docs/parity.md names for it, and where it differs on purpose, the difference.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/budget/estimate.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/cache/memory_store.h"
#include "fuseboard/cache/response_cache.h"
#include "fuseboard/classify/http_failure.h"
#include "fuseboard/pipeline/blocking.h"
#include "tests/support/jumping_waiter.h"
#include "world.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class Brainwires : public testing::Test {
 protected:
  using Reply = std::expected<std::string, Failure>;

  Environment environment() { return {.clock = world_.clock, .rng = world_.rng, .waiter = waiter_}; }
  template <typename Send>
  auto chat(const std::shared_ptr<const Plan>& plan, Send&& send, const CallOptions& options = {}) {
    return run(plan, std::forward<Send>(send), options, environment());
  }
  Reply fails(Category category) {
    ++calls_;
    return std::unexpected(Failure::of(category));
  }
  static PlanOptions as_there() { return {.retry = {.jitter = Jitter::proportional}, .overall_deadline = 60s}; }

  World world_;
  JumpingWaiter waiter_{world_.clock};
  int calls_ = 0;
};

TEST_F(Brainwires, TheBreakerJudgesEachAttemptNotAChainOfRetries) {  // parity B1
  (void)chat(world_.plan({"p"}, World::quick(4)), [&](const Attempt&) { return fails(Category::service_unavailable); });
  EXPECT_EQ(world_.breakers.snapshot("p").consecutive_failures, 4U);
}

TEST_F(Brainwires, FourTriesFromHalfASecondToThirtySeconds) {  // parity B2
  EXPECT_EQ(RetryOptions{}.max_attempts, 4U);
  Rng rng(1);
  const RetryOptions retry{.max_attempts = 10, .base = 100ms, .max = 800ms, .jitter = Jitter::none};
  std::vector<Duration> waits;
  for (std::uint32_t i = 1; i <= 5; ++i) waits.push_back(next_delay(retry, i, 0s, {}, rng));
  EXPECT_EQ(waits, (std::vector<Duration>{100ms, 200ms, 400ms, 800ms, 800ms}));
  for (int i = 0; i < 50; ++i) {
    const Duration wait = next_delay({.base = 1000ms, .jitter = Jitter::proportional}, 1, 0s, {}, rng);
    EXPECT_GE(wait, 800ms);
    EXPECT_LE(wait, 1200ms);
  }
  EXPECT_EQ(RetryOptions::none().max_attempts, 1U);
}

TEST_F(Brainwires, AHintIsObeyedUnlessItIsNotToBe) {  // parity B2
  Rng rng(1);
  RetryOptions retry{.base = 1s, .jitter = Jitter::none};
  EXPECT_EQ(next_delay(retry, 1, 0s, Failure::of(Category::rate_limit, 7s), rng), 7s);
  EXPECT_EQ(next_delay(retry, 1, 0s, Failure::of(Category::rate_limit, 200ms), rng), 1s)
      << "a shorter one replaces no longer backoff, there it does";
  retry.honor_retry_after = false;
  EXPECT_EQ(next_delay(retry, 1, 0s, Failure::of(Category::rate_limit, 7s), rng), 1s);
}

TEST_F(Brainwires, TheDeadlineEndsTheTriesBeforeTheyAreUsedUp) {  // parity B2, B8
  PlanOptions options{.retry = {.max_attempts = 100, .base = 50ms, .max = 200ms, .jitter = Jitter::none},
                      .overall_deadline = 150ms,
                      .max_total_attempts = 0};
  const auto result = chat(world_.plan({"p"}, options), [&](const Attempt&) { return fails(Category::rate_limit); });
  EXPECT_EQ(result.value.error().ending, Ending::deadline_exceeded);
  EXPECT_EQ(calls_, 2) << "after 50 ms the next wait, of 100, would not fit";
  EXPECT_EQ(result.record.attempts_sent, 2U);
  options.overall_deadline = kForever;
  options.retry.max_attempts = 3;
  calls_ = 0;
  const auto all = chat(world_.plan({"p"}, options), [&](const Attempt&) { return fails(Category::rate_limit); });
  EXPECT_EQ(all.value.error().ending, Ending::retries_exhausted);
  EXPECT_EQ(calls_, 3);
}

TEST_F(Brainwires, WhatCannotBeMendedIsPassedThroughAsItIs) {  // parity B2, B8
  const auto result =
      chat(world_.plan({"p"}, as_there()), [&](const Attempt&) { return fails(Category::invalid_request); });
  EXPECT_EQ(result.value.error().ending, Ending::failed);
  EXPECT_EQ(result.value.error().failure->category, Category::invalid_request);
  EXPECT_EQ(calls_, 1);
}

TEST_F(Brainwires, AStreamIsRetriedAsLongAsNothingOfItWasHandedOn) {  // parity B2
  Execution call(world_.clock.now(), world_.plan({"p"}), {.streaming = true}, world_.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(call.next(world_.clock.now())));
  call.report(world_.clock.now(), 1, failed(Category::service_unavailable));
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(call.next(world_.clock.now())));
}

TEST_F(Brainwires, ANumberInASentenceIsNoStatus) {  // parity B3
  EXPECT_NE(classify_http({.status = 400, .error_message = "processed 429 files"}).category, Category::rate_limit);
  EXPECT_EQ(classify_http({.status = 429, .error_message = "slow down"}).category, Category::rate_limit);
  EXPECT_TRUE(classify_http({.status = 503, .error_message = "service unavailable"}).retryable);
}

TEST_F(Brainwires, AGuardCountsTokensCostAndRounds) {  // parity B4
  BudgetLedger guard({.global = {.tokens = 100}});
  guard.charge({}, {.input = 40, .output = 40}, {});
  EXPECT_FALSE(guard.check({}));
  guard.charge({}, {.input = 30}, {});
  ASSERT_TRUE(guard.check({}));
  EXPECT_EQ(guard.check({})->kind, BudgetKind::tokens);
  EXPECT_EQ(guard.check({})->consumed, 110U);

  BudgetLedger cents({.global = {.usd = Money::parse("0.05")}});
  cents.charge({}, {}, *Money::parse("0.05"));
  EXPECT_EQ(cents.check({})->kind, BudgetKind::usd);

  BudgetLedger rounds({.global = {.rounds = 2}});
  EXPECT_TRUE(rounds.check_and_tick({}));
  EXPECT_TRUE(rounds.check_and_tick({}));
  EXPECT_EQ(rounds.check_and_tick({}).error().kind, BudgetKind::rounds);
  rounds.reset_all();
  EXPECT_TRUE(rounds.check_and_tick({}));
  EXPECT_EQ(rounds.levels_of({})[0].resets_at, std::nullopt) << "by default its period is the total";
}

TEST_F(Brainwires, OneGuardServesSeveralPlans) {  // parity B4
  BudgetLedger guard({.global = {.rounds = 2}});
  const auto answers = [](const Attempt&) -> Reply { return "ok"; };
  EXPECT_TRUE(chat(world_.plan({"p"}), answers, {.ledger = &guard}).value);
  EXPECT_TRUE(chat(world_.plan({"q"}), answers, {.ledger = &guard}).value);
  EXPECT_EQ(chat(world_.plan({"p"}), answers, {.ledger = &guard}).value.error().ending, Ending::budget_exceeded);
}

TEST_F(Brainwires, ARequestThatAloneIsTooLargeIsRefusedBeforeItIsSent) {  // parity B4
  BudgetLedger guard({.global = {.tokens = 100}});
  const TokenUsage estimate = estimate_usage({.text_bytes = 160, .output_cap = 0}, {});
  EXPECT_EQ(estimate.input, 40U) << "four bytes a token";
  const auto answers = [](const Attempt&) -> Reply { return "ok"; };
  const auto rejected = chat(world_.plan({"p"}), answers, {.estimate = {.input = 101}, .ledger = &guard});
  EXPECT_EQ(rejected.value.error().ending, Ending::budget_exceeded);
  EXPECT_EQ(rejected.record.attempts_sent, 0U);
}

TEST_F(Brainwires, FiveFailuresOpenForThirtySecondsThenOneTrial) {  // parity B5
  BreakerRegistry breakers(provider_preset(), world_.clock, 1);
  const KeyView key{"openai", "gpt-4o"};
  EXPECT_EQ(breakers.snapshot(key).state, CircuitState::closed);
  for (int i = 0; i < 5; ++i) breakers.report(key, Outcome::failed(Failure::of(Category::service_unavailable)));
  EXPECT_EQ(breakers.peek_rejection(key)->retry_after, 30s);
  EXPECT_FALSE(breakers.peek_rejection({"openai", "o3"})) << "each model by itself";
  world_.clock.advance(30s);
  auto trial = breakers.try_acquire(key);
  ASSERT_TRUE(trial);
  EXPECT_EQ(breakers.try_acquire(key).error().reason, RejectionReason::half_open_busy) << "there everybody gets in";
  std::move(*trial).settle(Outcome::success());
  EXPECT_EQ(breakers.snapshot(key).state, CircuitState::closed);
}

TEST_F(Brainwires, TheStrictPresetCountsEveryError) {  // parity B5
  BreakerRegistry strict(strict_provider_preset(), world_.clock, 1);
  BreakerRegistry by_default(provider_preset(), world_.clock, 1);
  for (const Category category : {Category::authentication, Category::invalid_request, Category::rate_limit,
                                  Category::context_length_exceeded, Category::quota_exhausted}) {
    strict.report("p", Outcome::failed(Failure::of(category)));
    by_default.report("p", Outcome::failed(Failure::of(category)));
  }
  EXPECT_EQ(strict.open_count(), 1U);
  EXPECT_EQ(by_default.open_count(), 0U);
}

TEST_F(Brainwires, StreamsCountForTheBreakerToo) {  // parity B5
  Execution call(world_.clock.now(), world_.plan({"p"}, World::quick(1)), {.streaming = true}, world_.rng);
  ASSERT_TRUE(std::holds_alternative<Attempt>(call.next(world_.clock.now())));
  call.report(world_.clock.now(), 1, failed(Category::service_unavailable));
  EXPECT_EQ(world_.breakers.snapshot("p").consecutive_failures, 1U);
}

TEST_F(Brainwires, ASecondTargetServesWhileTheCircuitIsOpenAndAfterFailures) {  // parity B6
  const auto send = [&](const Attempt& attempt) -> Reply {
    if (attempt.target == 0) return fails(Category::service_unavailable);
    return "fallback";
  };
  EXPECT_EQ(chat(world_.plan({"p", "q"}, World::quick(1)), send).record.served_by, 1U) << "also of a closed circuit";
  world_.open("p");
  calls_ = 0;
  EXPECT_EQ(chat(world_.plan({"p", "q"}, World::quick(1)), send).record.served_by, 1U);
  EXPECT_EQ(calls_, 0) << "passed by without an attempt";
}

TEST_F(Brainwires, AFallbackOnlyWhileTheCircuitIsOpenIsTheChoiceOfAPlan) {  // parity B6
  const auto first = world_.plan({"p"}, World::quick(1));
  const auto second = world_.plan({"q"}, World::quick(1));
  const auto plan = [&] { return world_.breakers.peek_rejection("p") ? second : first; };
  const auto send = [&](const Attempt&) { return fails(Category::service_unavailable); };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(plan(), first);
    EXPECT_FALSE(chat(plan(), send).value) << "an error of a closed circuit is the caller's, as there";
  }
  EXPECT_EQ(plan(), second);
  world_.clock.advance(30s);
  EXPECT_EQ(plan(), first) << "the trial is its own again";
}

TEST_F(Brainwires, IdenticalCallsAreAnsweredFromTheCacheWhereThatIsAskedFor) {  // parity B7
  // Neither a temperature nor anything else that says the answer is the same each time: as there, with the option.
  EXPECT_FALSE(decide_cache({.enabled = true}).lookup);
  const CacheDecision decision = decide_cache({.enabled = true, .nondeterministic = true});
  EXPECT_TRUE(decision.lookup);
  ResponseCache cache(std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, world_.clock));
  CacheKey key;
  key.bytes = {1};
  const std::vector<CacheKey> keys = {key};
  EXPECT_FALSE(cache.lookup(keys));
  const auto answer = std::make_shared<const CachedResponse>(
      CachedResponse{.target = "p", .headers = {}, .content = R"({"tool_calls":[{"id":"1"}]})"});
  EXPECT_TRUE(cache.store(key, answer, 1h));
  EXPECT_EQ(cache.lookup(keys)->response, answer) << "tool calls too, to the byte";
  CacheKey other;
  other.bytes = {2};
  EXPECT_FALSE(cache.lookup(std::vector{other}));
}

TEST_F(Brainwires, ErrorsSayWhatHappenedAsValues) {  // parity B8
  world_.open("p");
  const auto open = chat(world_.plan({"p"}), [](const Attempt&) -> Reply { return "ok"; });
  EXPECT_EQ(open.value.error().ending, Ending::circuit_open);
  EXPECT_EQ(open.record.rejections[0].consecutive_failures, 5U);
  const auto exhausted =
      chat(world_.plan({"q"}, World::quick(2)), [&](const Attempt&) { return fails(Category::overloaded); });
  EXPECT_EQ(exhausted.value.error().ending, Ending::retries_exhausted);
  EXPECT_EQ(exhausted.record.attempts_sent, 2U);
  EXPECT_EQ(exhausted.value.error().failure->category, Category::overloaded);
  EXPECT_EQ(exhausted.record.attempts[1].waited, 500ms);
}

}  // namespace
}  // namespace fuseboard
