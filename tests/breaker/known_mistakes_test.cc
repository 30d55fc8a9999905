// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Mistakes that breakers in the field have made, each kept as a scenario.
#include <gtest/gtest.h>

#include <vector>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class KnownMistake : public testing::Test {
 protected:
  void open() { trip(breaker_, 2); }
  BreakerPermit probe() {
    clock_.advance(10s);
    BreakerPermit permit = acquired(breaker_);
    EXPECT_TRUE(permit.is_probe());
    return permit;
  }

  ManualClock clock_;
  CircuitBreaker breaker_{{.failure_threshold = 2, .open_time = OpenTime::fixed(10s)}, "key", clock_};
};

TEST_F(KnownMistake, UnlimitedProbesInHalfOpen) {  // BRK-6
  open();
  const BreakerPermit first = probe();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rejected(breaker_).reason, RejectionReason::half_open_busy);
}

TEST_F(KnownMistake, AProbeLostForEverWhenItsCallerIsCancelled) {  // BRK-10.2 BRK-11
  open();
  {
    const BreakerPermit cancelled = probe();
  }
  call(breaker_, Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(KnownMistake, AProbeLostForEverWhenItsThreadNeverComesBack) {  // BRK-8.3
  open();
  const BreakerPermit never_settled = probe();
  clock_.advance(60s + 10s);
  EXPECT_TRUE(acquired(breaker_).is_probe());
}

TEST_F(KnownMistake, AProbeLostForEverWhenALaterAdmissionStepRefuses) {  // BRK-11
  open();
  {
    BreakerPermit permit = probe();
    // A limiter refuses now: the permit goes back unsettled.
  }
  EXPECT_EQ(breaker_.peek_rejection(), std::nullopt);
  EXPECT_EQ(breaker_.snapshot().probes_in_flight, 0U);
}

TEST_F(KnownMistake, ALateSuccessThatClosesAnOpenCircuit) {  // BRK-9
  BreakerPermit slow = acquired(breaker_);
  open();
  std::move(slow).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::open);
  EXPECT_EQ(rejected(breaker_).consecutive_failures, 2U);
}

TEST_F(KnownMistake, ALateSuccessThatClosesAHalfOpenCircuit) {  // BRK-9
  BreakerPermit slow = acquired(breaker_);
  open();
  const BreakerPermit current = probe();
  std::move(slow).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
}

TEST_F(KnownMistake, LateFailuresThatKeepAnOpenCircuitOpen) {  // BRK-9 BRK-4.4
  std::vector<BreakerPermit> slow;
  for (int i = 0; i < 10; ++i) slow.push_back(acquired(breaker_));
  open();
  for (BreakerPermit& permit : slow) {
    clock_.advance(1s);
    std::move(permit).settle(failed());
  }
  EXPECT_TRUE(acquired(breaker_).is_probe()) << "ten seconds have passed";
}

TEST_F(KnownMistake, ALateFailureThatOpensAHalfOpenCircuit) {  // BRK-9
  BreakerPermit slow = acquired(breaker_);
  open();
  BreakerPermit current = probe();
  std::move(slow).settle(failed());
  EXPECT_EQ(breaker_.state(), CircuitState::half_open);
  std::move(current).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(KnownMistake, ABadRequestOrCancelledProbeThatWedgesOrCloses) {  // BRK-7.5
  open();
  BreakerPermit permit = probe();
  for (const Outcome& outcome :
       {failed(Category::invalid_request), Outcome::cancelled(), failed(Category::authentication)}) {
    std::move(permit).settle(outcome);
    EXPECT_EQ(breaker_.state(), CircuitState::half_open);
    permit = acquired(breaker_);
    EXPECT_TRUE(permit.is_probe());
  }
}

TEST_F(KnownMistake, AThrottledProbeThatWedges) {  // BRK-7.7
  open();
  probe().settle(failed(Category::rate_limit));
  clock_.advance(10s);
  EXPECT_TRUE(acquired(breaker_).is_probe());
}

TEST_F(KnownMistake, AProbeThatSucceedsAndIsOutvotedByTheOldEvidence) {  // BRK-12
  open();
  probe().settle(Outcome::success());
  call(breaker_, failed());
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
}

TEST_F(KnownMistake, AProbeThatSucceedsAndIsOutvotedByTheOldWindow) {  // BRK-12
  for (const CallWindow window : {CallWindow::last_calls(100), CallWindow::last(1h)}) {
    CircuitBreaker breaker(
        {.failure_threshold = 1000, .failure_rate = 0.5, .window = window, .open_time = OpenTime::fixed(10s)}, "key",
        clock_);
    for (int i = 0; i < 20; ++i) call(breaker, failed());
    ASSERT_EQ(breaker.state(), CircuitState::open);
    clock_.advance(10s);
    call(breaker, Outcome::success());
    for (int i = 0; i < 19; ++i) call(breaker, i % 2 == 0 ? Outcome::success() : failed());
    EXPECT_EQ(breaker.state(), CircuitState::closed) << "nineteen new calls are below the minimum";
  }
}

TEST_F(KnownMistake, AThrottleThatReplacesACooldownByAShorterOne) {  // BRK-4.4
  BreakerPermit late = acquired(breaker_);
  open();
  std::move(late).settle(Outcome::failed(Failure::of(Category::rate_limit, 1s)));
  EXPECT_EQ(rejected(breaker_).retry_after, 10s);
}

TEST_F(KnownMistake, ACooldownReplacedByAShorterOne) {  // BRK-4.4
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "key", clock_);
  BreakerPermit slow = acquired(breaker);
  trip(breaker, 1);
  clock_.advance(5s);
  call(breaker, failed());
  ASSERT_EQ(rejected(breaker).retry_after, 10s);
  std::move(slow).settle(failed());
  breaker.report(failed());
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
}

TEST_F(KnownMistake, StreamsThatCountAsSuccessWhenTheyOpen) {  // BRK-8.5 STR-1
  for (int i = 0; i < 2; ++i) {
    BreakerPermit stream = acquired(breaker_);
    stream.first_content(1s);
    std::move(stream).settle(failed(Category::network));
  }
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "both broke before their end";
}

TEST_F(KnownMistake, OneDeadToolThatTakesTheOthersDown) {  // BRK-17.1
  BreakerRegistry registry(tool_preset(), clock_);
  const BreakerHandle dead = registry.handle("dead");
  trip(dead, 7);
  EXPECT_NE(registry.peek_rejection("dead"), std::nullopt);
  EXPECT_TRUE(registry.try_acquire("alive").has_value());
}

TEST_F(KnownMistake, ArgumentMistakesThatTripAHealthyTool) {  // BRK-19.1
  CircuitBreaker tool(tool_preset(), "search", clock_);
  for (int i = 0; i < 100; ++i) {
    call(tool, failed(Category::invalid_request));
    call(tool, failed(Category::execution_error));
    call(tool, failed(Category::resource_not_found));
  }
  EXPECT_EQ(tool.state(), CircuitState::closed);
}

// The wall clock runs backwards: a breaker has no way to see it. Its own clock cannot, but a thread may read it, be
// overtaken, and bring an older time to the lock.
class SteppingClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return at; }
  TimePoint at{1h};
};

TEST_F(KnownMistake, AClockThatRunsBackwards) {  // CORE-1 BRK-4.4
  SteppingClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(10s)}, "key", clock);
  trip(breaker, 1);
  clock.at += 10s;
  (void)acquired(breaker);
  clock.at -= 1h;
  BreakerPermit permit = acquired(breaker);
  std::move(permit).settle(failed());
  const BreakerSnapshot snapshot = breaker.snapshot();
  for (std::size_t i = 1; i < snapshot.transitions.size(); ++i) {
    EXPECT_GE(snapshot.transitions[i].at, snapshot.transitions[i - 1].at);
  }
  clock.at += 1h + 10s;
  EXPECT_TRUE(acquired(breaker).is_probe());
}

}  // namespace
}  // namespace fuseboard
