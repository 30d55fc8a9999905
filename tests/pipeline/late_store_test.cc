// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls whose cache has a store that does not answer at once.

#include "tests/support/late_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/pipeline/blocking.h"
#include "fuseboard/pipeline/cache_session.h"
#include "fuseboard/pipeline/callback.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class Hooks final : public DriverDelegate {
 public:
  void send(const Attempt&) override { ++sent; }
  void cancel(std::uint32_t) override {}
  void proceed_at(TimePoint time) override { at = time; }
  void ended(const CallRecord&) override { ++ends; }

  int sent = 0;
  int ends = 0;
  TimePoint at{};
};

// One call by the callback driver.
struct Call {
  Call(World& world, ResponseCache& cache, SingleFlight& flights, std::shared_ptr<WakeFlag> its_waker,
       const CallOptions& options = {})
      : waker(std::move(its_waker)), session(cache, &flights, {CacheKey{}}, kAll, minutes(1)) {
    CallOptions cached = options;
    cached.cache = &session;
    driver.emplace(world.plan({"a"}), cached, world.rng, world.clock, hooks, waker);
    driver->proceed();
  }
  const CallRecord& record() const { return driver->execution().record(); }

  static constexpr CacheDecision kAll{.lookup = true, .share = true, .store = true};
  const std::shared_ptr<WakeFlag> waker;
  Hooks hooks;
  CacheSession session;
  std::optional<CallbackDriver> driver{};
};

class LateStoreTest : public testing::Test {
 protected:
  std::unique_ptr<Call> call(const CallOptions& options = {}) {
    return std::make_unique<Call>(world_, cache_, flights_, std::make_shared<WakeFlag>(), options);
  }
  CacheFound found() const { return {.response = answer_}; }

  World world_;
  const std::shared_ptr<LateStore> store_ = std::make_shared<LateStore>();
  ResponseCache cache_{store_};
  SingleFlight flights_;
  const CachedResponsePtr answer_ =
      std::make_shared<const CachedResponse>(CachedResponse{.target = "a", .headers = {}, .content = "stored"});
};

TEST_F(LateStoreTest, ItsAnswerWakesTheCall) {  // CCH-3, CCH-6
  const auto one = call();
  EXPECT_EQ(one->hooks.at, world_.clock.now() + milliseconds(50)) << "the default";
  EXPECT_FALSE(one->waker->take());
  store_->take().answer(found());
  EXPECT_TRUE(one->waker->take());
  one->driver->proceed();
  EXPECT_TRUE(one->driver->ended());
  EXPECT_EQ(one->record().cache, CacheUse::hit);
  EXPECT_EQ(one->session.response(), answer_);
  EXPECT_EQ(one->hooks.sent, 0);
  EXPECT_EQ(cache_.totals(), (ResponseCache::Totals{.hits = 1}));
}

TEST_F(LateStoreTest, NothingFoundIsAMissAndAnErrorIsOneThatCounts) {  // CCH-3
  const auto one = call();
  store_->take().answer(CacheFound{});
  one->driver->proceed();
  EXPECT_EQ(one->hooks.sent, 1);
  EXPECT_EQ(one->record().cache, CacheUse::miss);
  one->session.fail();
  const auto two = call();
  store_->take().answer(std::unexpected(CacheStoreError{"disk full"}));
  two->driver->proceed();
  EXPECT_EQ(two->hooks.sent, 1);
  two->session.fail();
  const auto three = call();
  {
    const CacheReply forgotten = store_->take();
  }
  EXPECT_TRUE(three->waker->take()) << "a store that forgets to answer is no longer waited for";
  three->driver->proceed();
  EXPECT_EQ(three->hooks.sent, 1);
  EXPECT_EQ(cache_.totals(), (ResponseCache::Totals{.misses = 3, .failures = 2}));
}

TEST_F(LateStoreTest, WhatComesTooLateIsDropped) {  // CCH-3
  const auto one = call();
  CacheReply reply = store_->take();
  EXPECT_TRUE(reply.wanted());
  world_.clock.advance(milliseconds(49));
  one->driver->proceed();
  EXPECT_EQ(one->hooks.sent, 0);
  world_.clock.advance(milliseconds(1));
  one->driver->proceed();
  EXPECT_EQ(one->hooks.sent, 1);
  EXPECT_FALSE(reply.wanted());
  (void)one->waker->take();  // it was told to lead
  auto late = std::make_shared<const CachedResponse>();
  const std::weak_ptr<const CachedResponse> kept = late;
  std::move(reply).answer(CacheFound{.response = std::move(late)});
  EXPECT_TRUE(kept.expired());
  EXPECT_FALSE(one->waker->take());
  EXPECT_EQ(one->session.state(), CacheState::missed);
  EXPECT_EQ(cache_.totals(), (ResponseCache::Totals{.misses = 1, .failures = 1}));
}

TEST_F(LateStoreTest, TheCallMayBeGoneWhenItAnswers) {  // CCH-3
  auto one = call();
  CacheReply reply = store_->take();
  const auto waker = one->waker;
  one.reset();
  EXPECT_FALSE(reply.wanted());
  std::move(reply).answer(found());
  EXPECT_FALSE(waker->take());
}

TEST_F(LateStoreTest, ACallerWhoLeavesMeanwhileWaitsForNothing) {  // CCH-3, STR-6.1
  const auto one = call();
  const CacheReply reply = store_->take();
  one->driver->leave();
  EXPECT_TRUE(one->driver->ended());
  EXPECT_EQ(one->record().ending, Ending::cancelled);
  EXPECT_EQ(one->record().cache, CacheUse::miss);
  EXPECT_FALSE(reply.wanted());
}

TEST_F(LateStoreTest, TheDeadlineDoesNotWaitForIt) {  // CCH-3, RTY-3.1
  const auto one = call({.deadline = Deadline::after(world_.clock.now(), milliseconds(20))});
  EXPECT_EQ(one->hooks.at, world_.clock.now() + milliseconds(20));
  world_.clock.advance(milliseconds(20));
  one->driver->proceed();
  EXPECT_EQ(one->record().ending, Ending::deadline_exceeded);
  EXPECT_FALSE(store_->take().wanted());
}

TEST_F(LateStoreTest, TwoCallsOfOneKeyAreEachAnswered) {  // CCH-3
  const auto one = call();
  const auto two = call();
  ASSERT_EQ(store_->asked(), 2U);
  CacheReply first = store_->take();
  store_->take().answer(found());
  EXPECT_FALSE(one->waker->take());
  EXPECT_TRUE(two->waker->take());
  two->driver->proceed();
  EXPECT_EQ(two->record().cache, CacheUse::hit);
  EXPECT_FALSE(one->driver->ended());
  std::move(first).answer(found());
  one->driver->proceed();
  EXPECT_EQ(one->record().cache, CacheUse::hit);
}

TEST_F(LateStoreTest, TwoCallsThatFindNothingMakeOneUpstreamCall) {  // CCH-4
  const auto one = call();
  const auto two = call();
  for (int i = 0; i < 2; ++i) store_->take().answer(CacheFound{});
  two->driver->proceed();
  one->driver->proceed();
  EXPECT_EQ(one->hooks.sent + two->hooks.sent, 1);
  EXPECT_EQ(one->session.state(), CacheState::waiting) << "the one that went on first leads";
  two->driver->report(1, {.outcome = Outcome::success(), .answered = true});
  two->session.complete(0, answer_, {.succeeded = true, .complete = true});
  EXPECT_EQ(store_->kept(), 1U);
  EXPECT_TRUE(one->waker->take());
  one->driver->proceed();
  EXPECT_EQ(one->record().cache, CacheUse::shared);
}

TEST_F(LateStoreTest, ADriverThatCannotBeWokenLooksWhenItsTimeHasCome) {  // CCH-3, PIP-4
  CacheSession session(cache_, nullptr, {CacheKey{}}, Call::kAll, minutes(1));
  Hooks hooks;
  CallbackDriver driver(world_.plan({"a"}), {.cache = &session}, world_.rng, world_.clock, hooks);
  driver.proceed();
  store_->take().answer(found());
  world_.clock.advance_to(hooks.at);
  driver.proceed();
  EXPECT_EQ(driver.execution().record().cache, CacheUse::hit);
}

// The blocking driver, with a store that has a thread of its own.
class BlockingLateStore : public testing::Test {
 protected:
  CallRecord run_call(Duration max_wait) {
    ResponseCache cache(store_, {.max_wait = max_wait});
    CacheSession session(cache, nullptr, {CacheKey{}}, Call::kAll, minutes(1));
    const auto result =
        run(std::make_shared<const Plan>(
                "late",
                std::vector<Target>{
                    {.name = "a", .state = std::make_shared<TargetState>(BreakerScopes{breakers_.handle("a")})}}),
            [](const Attempt&) -> std::expected<CachedResponsePtr, Failure> { return nullptr; }, {.cache = &session});
    EXPECT_TRUE(result.value);
    return result.record;
  }

  BreakerRegistry breakers_{provider_preset()};
  const std::shared_ptr<LateStore> store_ = std::make_shared<LateStore>();
};

TEST_F(BlockingLateStore, AnswersFromAnotherThread) {  // CCH-3, PIP-4
  const std::jthread thread([&] {
    while (store_->asked() == 0) std::this_thread::yield();
    store_->take().answer(CacheFound{.response = std::make_shared<const CachedResponse>()});
  });
  EXPECT_EQ(run_call(minutes(1)).cache, CacheUse::hit);
}

TEST_F(BlockingLateStore, ThatNeverAnswersHoldsNothingUp) {  // CCH-3, PIP-4
  const CallRecord record = run_call(milliseconds(1));
  EXPECT_EQ(record.cache, CacheUse::miss);
  EXPECT_EQ(record.attempts_sent, 1U);
  EXPECT_FALSE(store_->take().wanted());
}

TEST_F(BlockingLateStore, MayAnswerWhileItsCallsEnd) {  // CCH-3
  const std::jthread thread([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (store_->asked() > 0) store_->take().answer(CacheFound{.response = std::make_shared<const CachedResponse>()});
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(run_call(milliseconds(1)).ending, Ending::success);
}

}  // namespace
}  // namespace fuseboard
