// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/cache/memory_store.h"
#include "tests/support/count_allocations.h"
#include "tests/support/jumping_waiter.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class PipelineTest : public testing::Test {
 protected:
  using Reply = std::expected<std::string, Failure>;
  Environment environment() { return {.clock = world_.clock, .rng = world_.rng, .waiter = waiter_}; }

  World world_;
  JumpingWaiter waiter_{world_.clock};
};

TEST_F(PipelineTest, ASwapCountsForCallsThatBeginAfterIt) {  // PIP-5
  Pipeline pipeline(world_.plan({"a", "b"}, World::quick(1)));
  std::vector<std::string> sent;
  const auto send = [&](const Attempt& attempt) -> Reply {
    // The reload comes while the first call is under way.
    if (sent.empty()) pipeline.swap(world_.plan({"c"}));
    sent.push_back(std::to_string(attempt.target));
    if (sent.size() == 1) return std::unexpected(Failure::of(Category::network));
    return "ok";
  };
  const auto first = pipeline.run(send, {}, environment());
  ASSERT_TRUE(first.value);
  EXPECT_EQ(sent, (std::vector<std::string>{"0", "1"})) << "it goes on to its own plan's second target";
  const auto second = pipeline.run(send, {}, environment());
  EXPECT_EQ(second.record.candidates.size(), 1U);
  EXPECT_EQ(world_.breakers.snapshot("c").totals.succeeded, 1U);
}

TEST_F(PipelineTest, SwapsAndCallsFromSeveralThreadsDoNotDisturbOneAnother) {  // PIP-5
  BreakerRegistry breakers(provider_preset());
  const auto plan_of = [&](const std::string& name) {
    return std::make_shared<const Plan>(
        name, std::vector<Target>{
                  {.name = name, .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)})}});
  };
  Pipeline pipeline(plan_of("0"));
  std::atomic<int> calls{0};
  {
    std::barrier start(3);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (int i = 0; i < 2000; ++i) {
          const auto result = pipeline.run([](const Attempt&) -> Reply { return "ok"; });
          if (result.value) ++calls;
        }
      });
    }
    start.arrive_and_wait();
    for (int i = 0; i < 200; ++i) pipeline.swap(plan_of(std::to_string(i % 7)));
  }
  EXPECT_EQ(calls, 4000);
  EXPECT_EQ(pipeline.explanations().size(), 4000U);
}

TEST_F(PipelineTest, EveryObserverIsToldOfEveryCall) {  // PIP-3, PIP-6.1
  class Counter final : public CallObserver {
   public:
    void call_ended(const CallId&, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept override {
      endings.push_back(record.ending);
    }
    std::vector<Ending> endings;
  };
  Counter one;
  Counter two;
  Pipeline pipeline(world_.plan({"a"}, World::quick(1)));
  pipeline.add_observer(one);
  pipeline.add_observer(two);
  (void)pipeline.run([](const Attempt&) -> Reply { return "ok"; }, {}, environment());
  (void)pipeline.run([](const Attempt&) -> Reply { return std::unexpected(Failure::of(Category::invalid_request)); },
                     {}, environment());
  EXPECT_EQ(one.endings, (std::vector<Ending>{Ending::success, Ending::failed}));
  EXPECT_EQ(two.endings, one.endings);
}

TEST_F(PipelineTest, AnExplanationTellsTheWholeStory) {  // PIP-6.1, PIP-6.3
  world_.open("a");
  BudgetLedger ledger({.global = {.tokens = 100'000}});
  Pipeline pipeline(world_.plan({"a", "b", "c"}, World::quick(2)));
  int calls = 0;
  const auto send = [&](const Attempt& attempt) -> std::expected<Answered<std::string>, AttemptFailure> {
    ++calls;
    world_.clock.advance(seconds(3));
    if (attempt.target == 1)
      return std::unexpected(AttemptFailure{.failure = Failure::of(Category::overloaded), .answered = true});
    return Answered<std::string>{.value = "ok", .usage = TokenUsage{.input = 20, .output = 22}};
  };
  (void)pipeline.run(send, {.id = "req-7", .estimate = {.input = 50}, .ledger = &ledger}, environment());
  ASSERT_EQ(calls, 3);
  const auto kept = pipeline.explanations().find("req-7");
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->text(),
            "call to 'test': success after 9500ms, served by c\n"
            "candidates: a b c\n"
            "not sent to a: circuit_open for 30s, 5 failures in a row, last service_unavailable\n"
            "waited 500ms for b: backoff\n"
            "attempt 1 on b at +0s: overloaded after 3s, verdict failure, charged 0 tokens and 0.00 USD\n"
            "attempt 2 on b at +3500ms: overloaded after 3s, verdict failure, charged 0 tokens and 0.00 USD\n"
            "attempt 3 on c at +6500ms: success after 3s, verdict success, charged 42 tokens and 0.00 USD\n");
  EXPECT_FALSE(pipeline.explanations().find("req-8"));
}

TEST_F(PipelineTest, AnExplanationKeepsTheCausesAndTheTargetsOwnRequestIds) {  // PIP-6.3
  const auto plan = world_.plan({"a", "b"}, World::quick(1));
  Execution execution(world_.clock.now(), plan, {}, world_.rng);
  for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
    ASSERT_TRUE(std::holds_alternative<Attempt>(execution.next(world_.clock.now())));
    AttemptReport report{.outcome = Outcome::success(), .upstream_request_id = "req_b"};
    if (attempt == 1) report = {.outcome = Outcome::failed(Failure::of(Category::network)), .cause = "it was reset"};
    execution.report(world_.clock.now(), attempt, report);
  }
  ASSERT_TRUE(std::holds_alternative<Finished>(execution.next(world_.clock.now())));
  Explanations explanations;
  explanations.keep("req-7", plan, execution.record());
  const auto kept = explanations.find("req-7");
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->record.notes.size(), 2U);
  EXPECT_EQ(kept->record.note_of(1)->cause, "it was reset");
  EXPECT_EQ(kept->record.note_of(2)->upstream_request_id, "req_b");
  EXPECT_EQ(kept->record.note_of(3), nullptr);
  EXPECT_NE(kept->text().find("network after 0s, verdict failure; it was reset\n"), std::string::npos) << kept->text();
  EXPECT_NE(kept->text().find("verdict success, request id there req_b\n"), std::string::npos) << kept->text();
}

TEST_F(PipelineTest, ExplanationsAreBoundedByNumberAndByBytes) {  // CORE-5, PIP-6.2
  const auto plan = world_.plan({"a"});
  CallRecord record;
  record.ending = Ending::success;
  Explanations few({.max_calls = 10});
  for (int i = 0; i < 25; ++i) few.keep(CallId(std::to_string(i)), plan, record);
  EXPECT_EQ(few.size(), 10U);
  EXPECT_FALSE(few.find("14"));
  EXPECT_TRUE(few.find("15"));
  EXPECT_EQ(few.latest(3)[0].id, "24");
  EXPECT_EQ(few.latest(100).size(), 10U);

  // Records of many sizes go round and round in little memory: the latest are always whole.
  Explanations small({.max_calls = 10'000, .max_bytes = std::size_t{64} << 10U});
  for (std::uint32_t i = 0; i < 5000; ++i) {
    CallRecord long_one;
    long_one.attempts_sent = i;
    for (std::uint32_t k = 0; k < i % 17; ++k)
      long_one.attempts.push_back({.number = k + 1, .waited = milliseconds(i)});
    for (std::uint32_t k = 0; k < i % 5; ++k) long_one.rejections.push_back({.target = k, .limit = i});
    small.keep(CallId(std::to_string(i)), plan, long_one);
    const auto kept = small.latest(3);
    for (std::size_t back = 0; back < kept.size(); ++back) {
      const auto n = static_cast<std::uint32_t>(i - back);
      ASSERT_EQ(kept[back].record.attempts_sent, n);
      ASSERT_EQ(kept[back].record.attempts.size(), std::min<std::size_t>(n % 17, 16));
      if (n % 17 > 0) {
        ASSERT_EQ(kept[back].record.attempts.back().waited, milliseconds(n));
      }
      if (n % 5 > 0) {
        ASSERT_EQ(kept[back].record.rejections.back().limit, n);
      }
    }
  }
  EXPECT_LT(small.size(), 200U);
}

TEST_F(PipelineTest, ExplanationOptionsAreChecked) {  // CORE-6
  EXPECT_EQ((ExplanationOptions{.max_calls = 0, .max_bytes = 1}.validate().size()), 2U);
}

// Calls through the cache.
class CachedCalls : public PipelineTest {
 protected:
  std::vector<CacheKey> keys(std::uint8_t request) {
    std::vector<CacheKey> keys(2);
    for (std::size_t i = 0; i < 2; ++i) keys[i].bytes = {request, static_cast<std::uint8_t>(i)};
    return keys;
  }
  static constexpr CacheDecision kAll{.lookup = true, .share = true, .store = true};

  ResponseCache cache_{std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, world_.clock)};
  SingleFlight flights_;
  const CachedResponsePtr answer_ =
      std::make_shared<const CachedResponse>(CachedResponse{.target = "b", .headers = {}, .content = "ok"});
};

TEST_F(CachedCalls, AHitTouchesNoPolicyAndSaysSo) {  // CCH-6, PIP-1
  BudgetLedger ledger({.global = {.rounds = 1}});
  Pipeline pipeline(world_.plan({"a", "b"}, World::quick(1)));
  const auto call = [&](CacheSession& session) {
    auto result = pipeline.run(
        [&](const Attempt& attempt) -> std::expected<CachedResponsePtr, Failure> {
          if (attempt.target == 0) return std::unexpected(Failure::of(Category::authentication));
          return answer_;
        },
        {.ledger = &ledger, .cache = &session}, environment());
    if (result.record.cache == CacheUse::miss && result.value)
      session.complete(*result.record.served_by, *result.value, {.succeeded = true, .complete = true});
    return result;
  };
  // The only round goes to the first target's refusal, so this one ends without an answer.
  CacheSession first(cache_, &flights_, keys(1), kAll, minutes(1));
  EXPECT_FALSE(call(first).value);
  ledger.reset_all();
  ledger.configure({});
  CacheSession second(cache_, &flights_, keys(1), kAll, minutes(1));
  EXPECT_EQ(call(second).record.cache, CacheUse::miss);
  ledger.configure({.global = {.rounds = 1}});
  const BudgetSpend spent = ledger.snapshot().levels.front().committed;
  world_.open("a");
  world_.open("b");
  CacheSession third(cache_, &flights_, keys(1), kAll, minutes(1));
  const auto hit = call(third);
  ASSERT_TRUE(hit.value);
  EXPECT_EQ(*hit.value, answer_);
  EXPECT_EQ(hit.record.cache, CacheUse::hit);
  EXPECT_EQ(hit.record.served_by, 1U) << "under the key of the target that produced it";
  EXPECT_EQ(hit.record.attempts_sent, 0U);
  EXPECT_EQ(ledger.snapshot().levels.front().committed, spent);
  EXPECT_EQ(world_.breakers.snapshot("a").denials, 0U);
}

TEST_F(CachedCalls, AHitIsReturnedAsTheReplyOfTheCall) {  // CCH-6, PIP-4
  cache_.store(keys(1)[0], answer_, minutes(1));
  const auto plan = world_.plan({"a"}, World::quick(1));
  const auto use_of = [&](auto send) {
    CacheSession session(cache_, nullptr, {keys(1).front()}, kAll, minutes(1));
    auto result = run(plan, send, {.cache = &session}, environment());
    EXPECT_TRUE(result.value);
    return std::pair(result.record.cache, *std::move(result.value));
  };
  // A reply that is constructed from a stored one, and one that the sender makes of it.
  struct Content {
    explicit Content(std::string its_text) : text(std::move(its_text)) {}
    explicit Content(const CachedResponse& stored) : text("stored " + std::get<std::string>(stored.content)) {}
    std::string text;
  };
  const auto [constructed, content] =
      use_of([](const Attempt&) -> std::expected<Content, Failure> { return Content("sent"); });
  EXPECT_EQ(constructed, CacheUse::hit);
  EXPECT_EQ(content.text, "stored ok");
  struct Sender {
    Reply operator()(const Attempt&) const { return "sent"; }
    static std::string from_cache(const CachedResponse& stored) {
      return "read " + std::get<std::string>(stored.content);
    }
  };
  EXPECT_EQ(use_of(Sender()), std::pair(CacheUse::hit, std::string("read ok")));
  // One that cannot hold a stored answer: the call asks its target.
  EXPECT_EQ(use_of([](const Attempt&) -> Reply { return "sent"; }), std::pair(CacheUse::bypass, std::string("sent")));
}

TEST_F(CachedCalls, IdenticalCallsAtOnceMakeOneUpstreamCall) {  // CCH-4
  BreakerRegistry breakers(provider_preset());
  const auto plan = std::make_shared<const Plan>(
      "threads",
      std::vector<Target>{{.name = "b", .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle("b")})}});
  Pipeline pipeline(plan);
  constexpr int kThreads = 4;
  std::atomic<int> upstream{0};
  std::atomic<int> joined{0};
  std::array<CacheUse, kThreads> uses{};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        CacheSession session(cache_, &flights_, {keys(9).front()}, kAll, minutes(1));
        const auto result = pipeline.run(
            [&](const Attempt&) -> std::expected<CachedResponsePtr, Failure> {
              ++upstream;
              // The answer comes once all the others wait for it.
              while (flights_.snapshot().waiters < kThreads) std::this_thread::yield();
              return answer_;
            },
            {.cache = &session});
        ASSERT_TRUE(result.value);
        EXPECT_EQ((*result.value)->target, "b");
        if (result.record.cache == CacheUse::miss)
          session.complete(0, *result.value, {.succeeded = true, .complete = true});
        uses[static_cast<std::size_t>(t)] = result.record.cache;
        ++joined;
      });
    }
  }
  EXPECT_EQ(joined, kThreads);
  EXPECT_EQ(upstream, 1);
  EXPECT_EQ(std::ranges::count(uses, CacheUse::shared), kThreads - 1);
}

TEST_F(CachedCalls, WhenItFailsOneOfThemTriesNext) {  // CCH-4
  const auto plan = world_.plan({"a"}, World::quick(1));
  std::vector<std::unique_ptr<CacheSession>> sessions;
  std::vector<std::unique_ptr<Execution>> calls;
  const auto waker = std::make_shared<WakeFlag>();
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(
        std::make_unique<CacheSession>(cache_, &flights_, std::vector{keys(3).front()}, kAll, minutes(1)));
    calls.push_back(std::make_unique<Execution>(world_.clock.now(), plan, CallOptions{.cache = sessions.back().get()},
                                                world_.rng, DriverAbilities{.waker = waker}));
    ASSERT_TRUE(std::holds_alternative<Lookup>(calls.back()->next(world_.clock.now())));
    sessions.back()->look_up(waker);
  }
  const auto next = [&](std::size_t i) { return calls[i]->next(world_.clock.now()); };
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(0)));
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(next(1)));
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(next(2)));
  report_latest(world_.clock.now(), *calls[0], failed(Category::invalid_request));
  EXPECT_EQ(std::get<Finished>(next(0)).ending, Ending::failed) << "the failure belongs to its own caller";
  ASSERT_TRUE(std::holds_alternative<Attempt>(next(1)));
  EXPECT_TRUE(std::holds_alternative<WaitUntil>(next(2)));
  report_latest(world_.clock.now(), *calls[1], succeeded());
  EXPECT_TRUE(std::holds_alternative<Finished>(next(1)));
  sessions[1]->complete(0, answer_, {.succeeded = true, .complete = true});
  EXPECT_EQ(std::get<Finished>(next(2)).ending, Ending::success);
  EXPECT_EQ(calls[2]->record().cache, CacheUse::shared);
}

TEST_F(CachedCalls, TheCallStopsWhenTheLastOneLeavesNotTheFirst) {  // CCH-4
  const auto plan = world_.plan({"a"});
  const auto waker = std::make_shared<WakeFlag>();
  CacheSession one(cache_, &flights_, {keys(4).front()}, kAll, minutes(1));
  CacheSession two(cache_, &flights_, {keys(4).front()}, kAll, minutes(1));
  Execution leading(world_.clock.now(), plan, {.cache = &one}, world_.rng, {.waker = waker});
  Execution waiting(world_.clock.now(), plan, {.cache = &two}, world_.rng, {.waker = waker});
  (void)leading.next(world_.clock.now());
  one.look_up(waker);
  (void)waiting.next(world_.clock.now());
  two.look_up(waker);
  ASSERT_TRUE(std::holds_alternative<Attempt>(leading.next(world_.clock.now())));
  leading.leave(world_.clock.now());
  EXPECT_TRUE(std::holds_alternative<Await>(leading.next(world_.clock.now()))) << "somebody still wants the answer";
  EXPECT_TRUE(leading.in_flight(1));
  (void)waker->take();
  waiting.leave(world_.clock.now());
  EXPECT_TRUE(waker->take()) << "its driver is told";
  EXPECT_EQ(std::get<Finished>(leading.next(world_.clock.now())).ending, Ending::cancelled);
  EXPECT_FALSE(leading.in_flight(1));
  EXPECT_EQ(world_.breakers.snapshot("a").totals.neutral, 1U);
}

TEST_F(CachedCalls, WhoseDeadlinePassesWhileAnotherIsAskedIsToldSo) {  // CCH-4, RTY-3.1
  const auto plan = world_.plan({"a"});
  const auto waker = std::make_shared<WakeFlag>();
  CacheSession one(cache_, &flights_, {keys(5).front()}, kAll, minutes(1));
  CacheSession two(cache_, &flights_, {keys(5).front()}, kAll, minutes(1));
  one.look_up(waker);
  Execution hurried(world_.clock.now(), plan,
                    {.deadline = Deadline::after(world_.clock.now(), seconds(1)), .cache = &two}, world_.rng,
                    {.waker = waker});
  (void)hurried.next(world_.clock.now());
  two.look_up(waker);
  const Step step = hurried.next(world_.clock.now());
  ASSERT_TRUE(std::holds_alternative<WaitUntil>(step));
  world_.clock.advance_to(std::get<WaitUntil>(step).time);
  EXPECT_EQ(std::get<Finished>(hurried.next(world_.clock.now())).ending, Ending::deadline_exceeded);
}

// Hedging by the blocking driver: real threads, no sleeping.
TEST(BlockingHedge, TheSecondThreadsAnswerWinsAndTheFirstIsToldToStop) {  // RTY-9.2, RTY-9.4, PIP-4
  BreakerRegistry breakers(provider_preset());
  std::vector<Target> targets;
  for (const char* name : {"a", "b"})
    targets.push_back({.name = name, .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)})});
  const auto plan = std::make_shared<const Plan>("hedged", std::move(targets),
                                                 PlanOptions{.hedge = HedgeOptions{.after = milliseconds(1)}});
  std::atomic<bool> stopped{false};
  const auto send = [&](const Attempt& attempt, const std::stop_token& stop) -> std::expected<int, Failure> {
    if (attempt.target == 1) return 42;
    // Never answers by itself.
    std::mutex mutex;
    std::condition_variable_any told;
    std::unique_lock lock(mutex);
    told.wait(lock, stop, [] { return false; });
    stopped = true;
    return std::unexpected(Failure::of(Category::cancelled));
  };
  const auto result = run(plan, send);
  ASSERT_TRUE(result.value);
  EXPECT_EQ(*result.value, 42);
  EXPECT_TRUE(result.record.hedged);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(breakers.snapshot("a").totals.neutral, 1U);
  EXPECT_EQ(breakers.snapshot("a").in_flight, 0U);
}

TEST(BlockingHedge, WhatEitherThreadThrowsReachesTheCaller) {  // RTY-9.2, PIP-7
  BreakerRegistry breakers(provider_preset());
  std::vector<Target> targets;
  for (const char* name : {"a", "b"})
    targets.push_back({.name = name, .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)})});
  const auto plan = std::make_shared<const Plan>("hedged", std::move(targets),
                                                 PlanOptions{.hedge = HedgeOptions{.after = milliseconds(1)}});
  const auto send = [&](const Attempt& attempt, const std::stop_token& stop) -> std::expected<int, Failure> {
    if (attempt.target == 1) throw std::runtime_error("broken");
    std::mutex mutex;
    std::condition_variable_any told;
    std::unique_lock lock(mutex);
    told.wait(lock, stop, [] { return false; });
    return std::unexpected(Failure::of(Category::cancelled));
  };
  EXPECT_THROW((void)run(plan, send), std::runtime_error);
  for (const char* name : {"a", "b"}) EXPECT_EQ(breakers.snapshot(name).in_flight, 0U);
}

TEST_F(PipelineTest, ItMayBeDestroyedWhileCircuitsMove) {  // CORE-4.5
  BreakerRegistry breakers(provider_preset());
  const auto state = std::make_shared<TargetState>(BreakerScopes{breakers.handle("a")});
  const auto plan = std::make_shared<const Plan>("p", std::vector<Target>{{.name = "a", .state = state}});
  std::atomic<bool> stop{false};
  std::jthread moving([&] {
    const BreakerHandle handle = breakers.handle("a");
    while (!stop) handle.reset();
  });
  for (int i = 0; i < 100; ++i) {
    const auto pipeline = std::make_unique<Pipeline>(plan);
    pipeline->watch(breakers);
    std::this_thread::yield();
    pipeline->watch(breakers);
    std::this_thread::yield();
  }
  stop = true;
  moving.join();
  EXPECT_EQ(breakers.snapshot("a").state, CircuitState::closed);
}

TEST_F(PipelineTest, ExplanationsTakeNoMemoryBeforeTheFirstCall) {  // CORE-5, PIP-6.2
  const auto plan = world_.plan({"a"});
  const std::uint64_t before = allocated_bytes;
  Pipeline pipeline(plan);
  EXPECT_LT(allocated_bytes - before, 16'384U);
  EXPECT_EQ(pipeline.explanations().size(), 0U);
  EXPECT_TRUE(pipeline.explanations().latest(3).empty());
  EXPECT_FALSE(pipeline.explanations().find("none"));
}

TEST(AdmissionQueueOrders, WhoJoinsAndWhoWakesDoNotMissEachOther) {  // LIM-7.4, RTY-4.4
  // Whoever joins looks once more; whoever has made room wakes whoever waits. With orders that let a store come after
  // the load behind it, both can miss the other.
  AdmissionQueue queue;
  const auto woken = std::make_shared<WakeFlag>();
  constexpr int kRounds = 2000;
  std::atomic<int> room{0};
  std::atomic<int> round{0};
  int missed = 0;
  std::jthread making_room([&] {
    for (int i = 1; i <= kRounds; ++i) {
      while (round.load(std::memory_order_acquire) != i) std::this_thread::yield();
      room.store(i, std::memory_order_release);
      queue.wake_next(TimePoint());
      round.store(-i, std::memory_order_release);
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    (void)woken->take();
    round.store(i, std::memory_order_release);
    const auto ticket = queue.join(TimePoint(), {}, woken);
    ASSERT_TRUE(ticket);
    const bool saw_room = room.load(std::memory_order_acquire) == i;
    while (round.load(std::memory_order_acquire) != -i) std::this_thread::yield();
    if (!saw_room && !woken->take()) ++missed;
    queue.leave(TimePoint(), *ticket);
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace fuseboard
