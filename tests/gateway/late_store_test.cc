// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The event-loop driver on a real loop, with a store that answers later, on a thread of its own or never.

#include "tests/support/late_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/pipeline/cache_session.h"
#include "gateway/exchange.h"
#include "net/loop.h"
#include "tests/gateway/exchange_world.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

struct Ended {
  CacheUse cache;
  std::uint32_t attempts;
};

class AnswersAtOnce final : public AttemptTask {
 public:
  net::Task<void> attempt(const Attempt& attempt) override {
    exchange->driver().report(attempt.number, {.outcome = Outcome::success(), .answered = true});
    co_return;
  }
  std::optional<StreamRecovery> recovery() const override { return std::nullopt; }

  ProtectedExchange* exchange = nullptr;
};

class LoopLateStore : public testing::Test {
 protected:
  // What becomes of a call. `leaves`: its caller does, as soon as the store is asked.
  Ended call(Duration max_wait, bool leaves = false) {
    ResponseCache cache(store_, {.max_wait = max_wait});
    std::promise<Ended> ended;
    loops_.at(0).post([&] { net::spawn(run(loops_.at(0), cache, leaves, ended)); });
    return ended.get_future().get();
  }

  net::Task<void> run(net::Loop& loop, ResponseCache& cache, bool leaves, std::promise<Ended>& ended) {
    ExchangeWorld world(loop, SteadyClock::instance(), rng_);
    CacheSession session(cache, nullptr, {CacheKey{}}, {.lookup = true, .share = true, .store = true}, minutes(1));
    AnswersAtOnce task;
    ProtectedExchange exchange(world.context, plan_, {.cache = &session}, task);
    task.exchange = &exchange;
    if (leaves) loop.post([&exchange] { exchange.caller_gone(); });
    co_await exchange.run();
    const CallRecord& record = exchange.execution().record();
    ended.set_value({.cache = record.cache, .attempts = record.attempts_sent});
  }

  static CacheFound found() { return {.response = std::make_shared<const CachedResponse>()}; }

  Rng rng_{1};
  BreakerRegistry breakers_{provider_preset()};
  const std::shared_ptr<const Plan> plan_ = std::make_shared<const Plan>(
      "late",
      std::vector<Target>{{.name = "a", .state = std::make_shared<TargetState>(BreakerScopes{breakers_.handle("a")})}});
  const std::shared_ptr<LateStore> store_ = std::make_shared<LateStore>();
  net::LoopGroup loops_{1};
};

TEST_F(LoopLateStore, AnswersFromAnotherThread) {  // CCH-3, PIP-4
  const std::jthread thread([&] {
    while (store_->asked() == 0) std::this_thread::yield();
    store_->take().answer(found());
  });
  const Ended ended = call(minutes(1));
  EXPECT_EQ(ended.cache, CacheUse::hit);
  EXPECT_EQ(ended.attempts, 0U);
}

TEST_F(LoopLateStore, ThatNeverAnswersHoldsUpNeitherTheLoopNorTheCall) {  // CCH-3, PIP-4
  const Ended ended = call(milliseconds(1));
  EXPECT_EQ(ended.cache, CacheUse::miss);
  EXPECT_EQ(ended.attempts, 1U);
}

TEST_F(LoopLateStore, MayAnswerWhenTheCallIsGone) {  // CCH-3, STR-6.1
  EXPECT_EQ(call(minutes(1), true).attempts, 0U);
  CacheReply reply = store_->take();
  EXPECT_FALSE(reply.wanted());
  std::move(reply).answer(found());
}

}  // namespace
}  // namespace fuseboard::gateway
