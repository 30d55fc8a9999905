// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/blocking.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "fuseboard/core/cancelled.h"
#include "tests/support/jumping_waiter.h"
#include "world.h"

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class BlockingTest : public testing::Test {
 protected:
  using Reply = std::expected<std::string, Failure>;

  Environment environment() { return {.clock = world_.clock, .rng = world_.rng, .waiter = waiter_}; }

  World world_;
  JumpingWaiter waiter_{world_.clock};
};

TEST_F(BlockingTest, ReturnsTheFirstGoodAnswer) {  // PIP-4
  int calls = 0;
  const auto result = run(
      world_.plan({"a", "b"}),
      [&](const Attempt& attempt) -> Reply {
        ++calls;
        if (attempt.target == 0) return std::unexpected(Failure::of(Category::model_not_found));
        return "from b";
      },
      {}, environment());
  ASSERT_TRUE(result.value);
  EXPECT_EQ(*result.value, "from b");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(result.record.served_by, 1U);
}

TEST_F(BlockingTest, SaysWhyThereIsNoAnswer) {  // RTY-8.1
  const auto result = run(
      world_.plan({"a"}), [&](const Attempt&) -> Reply { return std::unexpected(Failure::of(Category::network)); }, {},
      environment());
  ASSERT_FALSE(result.value);
  EXPECT_EQ(result.value.error().ending, Ending::retries_exhausted);
  EXPECT_EQ(result.value.error().failure->category, Category::network);
  EXPECT_EQ(result.record.attempts_sent, 4U);
}

TEST_F(BlockingTest, ARateLimitRefusesBeforeTheCallRunsAndOtherFailuresMayNot) {  // RTY-7.2
  const auto attempts_that_end_with = [&](Category category) {
    const auto send = [&](const Attempt&) -> Reply { return std::unexpected(Failure::of(category)); };
    return run(world_.plan({"a"}), send, {.idempotent = false}, environment()).record.attempts_sent;
  };
  EXPECT_EQ(attempts_that_end_with(Category::rate_limit), 4U);
  EXPECT_EQ(attempts_that_end_with(Category::overloaded), 1U);
}

TEST_F(BlockingTest, WithoutRetriesThereIsOneAttempt) {  // RTY-10
  const auto send = [&](const Attempt&) -> Reply { return std::unexpected(Failure::of(Category::network)); };
  const auto result = run(world_.plan({"a"}, {.retry = RetryOptions::none()}), send, {}, environment());
  EXPECT_EQ(result.record.attempts_sent, 1U);
}

TEST_F(BlockingTest, AnExceptionPassesThroughAndIsAFailureOfItsTarget) {  // PIP-7, BRK-10.4; panics of user code
  const auto throwing = [&](const Attempt&) -> Reply { throw std::runtime_error("mine"); };
  for (int i = 0; i < 5; ++i) {
    EXPECT_THROW(run(world_.plan({"a"}), throwing, {}, environment()), std::runtime_error);
    const BreakerSnapshot breaker = world_.breakers.snapshot("a");
    EXPECT_EQ(breaker.in_flight, 0U);
    EXPECT_EQ(breaker.totals.failed, static_cast<std::uint64_t>(i + 1));
    EXPECT_EQ(breaker.last_failure, Category::execution_error);
  }
  EXPECT_EQ(world_.breakers.snapshot("a").state, CircuitState::open) << "a sender that always throws is cut off";
  const auto rejected = run(world_.plan({"a"}), throwing, {}, environment());
  EXPECT_EQ(rejected.value.error().ending, Ending::circuit_open) << "and not called any more";
}

TEST_F(BlockingTest, AnExceptionOnAThreadOfItsOwnIsAFailureOfItsTargetToo) {  // BRK-10.4
  const auto throwing = [&](const Attempt&, const std::stop_token&) -> Reply { throw std::runtime_error("mine"); };
  EXPECT_THROW((void)run(world_.plan({"a", "b"}), throwing, {}, Environment::process()), std::runtime_error);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.failed, 1U);
  EXPECT_EQ(world_.breakers.snapshot("b").totals.admitted, 0U);
}

TEST_F(BlockingTest, AnExceptionThatSaysItWasCancelledIsNeutral) {  // BRK-10.6
  const auto told_to_stop = [&](const Attempt&) -> Reply { throw Cancelled(); };
  EXPECT_THROW((void)run(world_.plan({"a"}), told_to_stop, {}, environment()), Cancelled);
  const auto by_code = [&](const Attempt&) -> Reply {
    throw std::system_error(std::make_error_code(std::errc::operation_canceled));
  };
  EXPECT_THROW((void)run(world_.plan({"a"}), by_code, {}, environment()), std::system_error);
  const BreakerSnapshot breaker = world_.breakers.snapshot("a");
  EXPECT_EQ(breaker.totals.failed, 0U);
  EXPECT_EQ(breaker.totals.neutral, 2U);
  EXPECT_EQ(breaker.in_flight, 0U);
}

TEST_F(BlockingTest, AnExceptionAfterAStopWasRequestedIsNeutral) {  // BRK-10.6
  std::stop_source stop;
  const auto leaves = [&](const Attempt&) -> Reply {
    stop.request_stop();
    throw std::runtime_error("whatever the stop broke");
  };
  EXPECT_THROW((void)run(world_.plan({"a"}), leaves, {}, environment(), stop.get_token()), std::runtime_error);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.failed, 0U);
  EXPECT_EQ(world_.breakers.snapshot("a").totals.neutral, 1U);
}

TEST_F(BlockingTest, ACallThatThrowsIsTold) {  // PIP-6.1
  class Counter final : public CallObserver {
   public:
    void call_ended(const CallId&, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept override {
      ++calls;
      attempts += record.attempts_sent;
    }
    int calls = 0;
    std::uint32_t attempts = 0;
  } counter;
  Environment observed{.clock = world_.clock, .rng = world_.rng, .waiter = waiter_, .observer = &counter};
  const auto throwing = [](const Attempt&) -> Reply { throw std::runtime_error("broken"); };
  EXPECT_THROW((void)run(world_.plan({"a"}), throwing, {}, observed), std::runtime_error);
  EXPECT_EQ(counter.calls, 1);
  EXPECT_EQ(counter.attempts, 1U);
}

TEST_F(BlockingTest, AStopRequestEndsTheCallBeforeTheNextAttempt) {  // STR-6.2
  std::stop_source stop;
  int calls = 0;
  const auto result = run(
      world_.plan({"a"}),
      [&](const Attempt&) -> Reply {
        ++calls;
        stop.request_stop();
        return std::unexpected(Failure::of(Category::network));
      },
      {}, environment(), stop.get_token());
  ASSERT_FALSE(result.value);
  EXPECT_EQ(result.value.error().ending, Ending::cancelled);
  EXPECT_EQ(calls, 1);
}

TEST(ThreadWaiter, EndsAtOnceWhenStopIsRequestedFromAnotherThread) {  // STR-6.2
  ThreadWaiter waiter;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  // Ends by the stop alone: the time never comes.
  WakeFlag woken;
  waiter.wait_until(kNever, stop.get_token(), woken);
  EXPECT_TRUE(stop.stop_requested());
}

TEST(ThreadWaiter, WaitsUntilItsClockSaysSo) {
  const SteadyClock& clock = SteadyClock::instance();
  const TimePoint until = saturating_add(clock.now(), milliseconds(5));
  WakeFlag woken;
  ThreadWaiter(clock).wait_until(until, {}, woken);
  EXPECT_GE(clock.now(), until);
}

TEST(ProcessEnvironment, AChildOfForkDrawsNumbersOfItsOwn) {  // CORE-2 RTY-1.3
  const Environment environment = Environment::process();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::uint64_t drawn = environment.rng.next();
    ::_exit(::write(ends[1], &drawn, sizeof drawn) == sizeof drawn ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::uint64_t of_child = 0;
  ASSERT_EQ(::read(ends[0], &of_child, sizeof of_child), static_cast<::ssize_t>(sizeof of_child));
  EXPECT_NE(environment.rng.next(), of_child);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace fuseboard
