// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/call_stats.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "fuseboard/cache/memory_store.h"
#include "fuseboard/pipeline/pipeline.h"
#include "tests/pipeline/world.h"
#include "tests/support/jumping_waiter.h"

namespace fuseboard::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class CallStatsTest : public testing::Test {
 protected:
  CallStatsTest() { counted_.watch(world_.breakers); }

  // Runs a call whose attempts end as listed; the last one repeats.
  void call(const std::shared_ptr<const Plan>& plan, std::vector<std::optional<Failure>> ends,
            const CallOptions& options = {}) {
    std::size_t next = 0;
    (void)run(plan,
              [&](const Attempt&) -> std::expected<CachedResponsePtr, Failure> {
                world_.clock.advance(milliseconds(100));
                const auto& end = ends[std::min(next++, ends.size() - 1)];
                if (end) return std::unexpected(*end);
                return answer_;
              },
              options, {.clock = world_.clock, .rng = world_.rng, .waiter = waiter_, .observer = &counted_});
  }
  std::uint64_t count(Event event) const { return stats_.snapshot().totals.events[event]; }

  World world_;
  JumpingWaiter waiter_{world_.clock};
  ExecutionStats stats_;
  CallStats counted_{stats_};
  const CachedResponsePtr answer_ = std::make_shared<const CachedResponse>();
};

TEST_F(CallStatsTest, CountsExecutionsByResult) {  // TEL-1.8
  const auto plan = world_.plan({"a"}, World::quick(1));
  call(plan, {std::nullopt});
  call(plan, {Failure::of(Category::invalid_request)});
  call(plan, {Failure::of(Category::timeout)});
  call(plan, {std::nullopt}, {.deadline = Deadline::at(world_.clock.now())});
  const ExecutionTotals totals = stats_.snapshot().totals;
  EXPECT_EQ(totals.total(), 4U);
  EXPECT_EQ(totals.of(ExecutionResult::success), 1U);
  EXPECT_EQ(totals.of(ExecutionResult::failure), 1U);
  EXPECT_EQ(totals.of(ExecutionResult::timeout), 2U) << "by the target, and by the deadline";
  EXPECT_EQ(totals.attempts, 3U);
}

TEST_F(CallStatsTest, CountsRetriesAndWhatBecameOfThem) {  // TEL-1.8
  const Failure ill = Failure::of(Category::service_unavailable);
  call(world_.plan({"a"}, World::quick(3)), {ill, ill, std::nullopt});
  EXPECT_EQ(count(Event::retry_attempted), 2U);
  EXPECT_EQ(count(Event::retry_recovered), 1U);
  EXPECT_EQ(count(Event::retry_exhausted), 0U);
  call(world_.plan({"a"}, World::quick(2)), {ill});
  EXPECT_EQ(count(Event::retry_attempted), 3U);
  EXPECT_EQ(count(Event::retry_recovered), 1U);
  EXPECT_EQ(count(Event::retry_exhausted), 1U);
}

TEST_F(CallStatsTest, CountsTransitionsAndDenials) {  // TEL-1.8
  world_.open("a");
  call(world_.plan({"a"}, World::quick(1)), {std::nullopt});
  EXPECT_EQ(count(Event::breaker_opened), 1U);
  EXPECT_EQ(count(Event::breaker_denied), 1U);
  world_.clock.advance(seconds(30));
  call(world_.plan({"a"}, World::quick(1)), {std::nullopt});
  EXPECT_EQ(count(Event::breaker_half_opened), 1U);
  EXPECT_EQ(count(Event::breaker_closed), 1U);
  ASSERT_TRUE(world_.breakers.set_override("a", OverrideKind::force_open, "maintenance"));
  ASSERT_TRUE(world_.breakers.lift_override("a"));
  EXPECT_EQ(count(Event::breaker_opened), 1U) << "an override is no transition";
  EXPECT_EQ(count(Event::breaker_closed), 1U);
}

TEST_F(CallStatsTest, CountsWhatLimitersAndServersRefuse) {  // TEL-1.8
  world_.state("a", {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}});
  const auto plan = world_.plan({"a"}, World::quick(1));
  call(plan, {Failure::of(Category::rate_limit)});
  call(plan, {std::nullopt});
  EXPECT_EQ(count(Event::limiter_admitted), 1U);
  EXPECT_EQ(count(Event::limiter_denied), 1U);
  EXPECT_EQ(count(Event::limiter_throttled), 1U);
}

TEST_F(CallStatsTest, CountsBudgets) {  // TEL-1.8
  BudgetLedger ledger({.global = {.rounds = 1}});
  const auto plan = world_.plan({"a"}, World::quick(1));
  call(plan, {std::nullopt}, {.ledger = &ledger});
  call(plan, {std::nullopt}, {.ledger = &ledger});
  EXPECT_EQ(count(Event::budget_reserved), 1U);
  EXPECT_EQ(count(Event::budget_settled), 1U);
  EXPECT_EQ(count(Event::budget_overrun), 0U);
  EXPECT_EQ(count(Event::budget_refused), 1U);
}

TEST_F(CallStatsTest, CountsFallbacks) {  // TEL-1.8, FBK-5
  const Failure ill = Failure::of(Category::overloaded);
  call(world_.plan({"a", "b", "c"}, World::quick(1)), {ill, ill, std::nullopt});
  EXPECT_EQ(count(Event::fallback_taken), 2U);
  EXPECT_EQ(count(Event::fallback_succeeded), 1U);
}

TEST_F(CallStatsTest, AMendedStreamBeganOnceAndItsRepetitionIsARetry) {  // TEL-1.8, STR-5.2
  PlanOptions options = World::quick(2);
  options.hedge = HedgeOptions{.after = milliseconds(50)};
  Execution execution(world_.clock.now(), world_.plan({"a", "b"}, options), {.streaming = true}, world_.rng,
                      {.hedges = true}, &counted_);
  const auto next = [&] { return execution.next(world_.clock.now()); };
  const auto answer = [&](std::uint32_t attempt, Duration first_content, const AttemptReport& report) {
    world_.clock.advance(first_content);
    execution.first_content(world_.clock.now(), attempt);
    execution.report(world_.clock.now(), attempt, report);
  };
  (void)next();
  world_.clock.advance(milliseconds(50));
  AttemptReport broken = failed(Category::network);
  broken.recovery = StreamRecovery{};
  answer(std::get<Attempt>(next()).number, milliseconds(200), broken);
  world_.clock.advance_to(std::get<WaitUntil>(next()).time);
  answer(std::get<Attempt>(next()).number, milliseconds(700), succeeded());
  EXPECT_EQ(std::get<Finished>(next()).ending, Ending::success);
  EXPECT_EQ(count(Event::retry_attempted), 1U) << "of the hedge that had won";
  EXPECT_EQ(count(Event::retry_recovered), 1U);
  EXPECT_EQ(count(Event::fallback_taken), 0U);
  EXPECT_EQ(summary_of(execution.record()).first_content, milliseconds(200));
}

TEST_F(CallStatsTest, CountsTheCache) {  // TEL-1.8
  ResponseCache cache(std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, world_.clock));
  const auto plan = world_.plan({"a"});
  for (int i = 0; i < 2; ++i) {
    CacheSession session(cache, nullptr, {CacheKey{}}, {.lookup = true, .store = true}, minutes(1));
    call(plan, {std::nullopt}, {.cache = &session});
    session.complete(0, answer_, {.succeeded = true, .complete = true});
  }
  EXPECT_EQ(count(Event::cache_miss), 1U);
  EXPECT_EQ(count(Event::cache_hit), 1U);
}

TEST_F(CallStatsTest, TheLatestCallsAreThereOneByOne) {  // TEL-1.6, TEL-1.8
  const auto plan = world_.plan({"a"}, World::quick(1));
  for (int i = 0; i < 120; ++i) call(plan, {std::nullopt});
  call(plan, {Failure::of(Category::invalid_request)});
  const auto recent = stats_.snapshot().recent;
  ASSERT_EQ(recent.size(), 100U);
  EXPECT_EQ(recent[0].result, ExecutionResult::failure);
  EXPECT_EQ(recent[1].result, ExecutionResult::success);
  EXPECT_EQ(recent[1].duration, milliseconds(100));
}

TEST(CallStats, MayBeDestroyedWhileCircuitsMove) {  // CORE-4.5 TEL-1.8
  BreakerRegistry breakers(provider_preset());
  ExecutionStats stats;
  std::atomic<bool> stop{false};
  std::jthread moving([&] {
    const BreakerHandle handle = breakers.handle("a");
    while (!stop) handle.reset();
  });
  for (int i = 0; i < 100; ++i) {
    const auto counted = std::make_unique<CallStats>(stats);
    counted->watch(breakers);
    std::this_thread::yield();
  }
  stop = true;
  moving.join();
  const std::uint64_t closed = stats.snapshot().totals.events[Event::breaker_closed];
  breakers.handle("a").reset();
  EXPECT_EQ(stats.snapshot().totals.events[Event::breaker_closed], closed) << "nobody counts any more";
}

}  // namespace
}  // namespace fuseboard::telemetry
