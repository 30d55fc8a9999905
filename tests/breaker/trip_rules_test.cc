// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Rates, slow calls, stuck calls, and failures by their times [BRK-2.2, BRK-2.3, BRK-2.4, BRK-2.6, BRK-2.7, BRK-2.8].
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kNoThreshold = 1'000'000;

BreakerOptions rate_rule(double rate, std::uint32_t minimum, CallWindow window) {
  return {.failure_threshold = kNoThreshold, .failure_rate = rate, .minimum_calls = minimum, .window = window};
}

class TripRulesTest : public testing::Test {
 protected:
  ManualClock clock_;
};

TEST_F(TripRulesTest, TheFailureRateOpensItOnceTheMinimumOfCallsIsIn) {  // BRK-2.2
  CircuitBreaker breaker(rate_rule(0.5, 4, CallWindow::last_calls(10)), "key", clock_);
  for (int i = 0; i < 3; ++i) call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "three calls say nothing yet";
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "the fourth makes three of four failures count";
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::failure_rate);
  EXPECT_EQ(rejected(breaker).retry_after, 30s);
  CircuitBreaker at_the_rate(rate_rule(0.5, 4, CallWindow::last_calls(10)), "key", clock_);
  for (int i = 0; i < 2; ++i) call(at_the_rate, Outcome::success());
  call(at_the_rate, failed());
  EXPECT_EQ(at_the_rate.state(), CircuitState::closed);
  call(at_the_rate, failed());
  EXPECT_EQ(at_the_rate.state(), CircuitState::open) << "two of four are the rate itself";
}

TEST_F(TripRulesTest, ACountWindowIsExact) {  // BRK-2.2
  CircuitBreaker breaker(rate_rule(0.5, 4, CallWindow::last_calls(4)), "key", clock_);
  for (int round = 0; round < 5; ++round) {
    call(breaker, failed());
    for (int i = 0; i < 3; ++i) call(breaker, Outcome::success());
    EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 4, .failures = 1}));
  }
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "the failure of before has just left";
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

// While a window holds nothing but good calls, another one is not written into it.
RC_GTEST_PROP(CountWindow, IsExactAlsoWhereGoodCallsLeaveItAsItIs, ()) {  // BRK-2.2, BRK-2.3
  BreakerOptions options = rate_rule(1.0, 1, CallWindow::last_calls(*rc::gen::inRange(1U, 4U)));
  options.minimum_calls = options.window.calls;
  options.slow_call_duration = 1s;
  options.track_in_flight = *rc::gen::arbitrary<bool>();
  CircuitBreaker breaker(options, "key");
  std::deque<std::pair<bool, bool>> naive;  // failed, slow
  std::uint32_t in_a_row = 0;
  const int steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::weightedElement<int>({{12, 0}, {2, 1}, {1, 2}, {1, 3}, {1, 4}})) {
      case 0:
      case 1: {
        const Duration latency = *rc::gen::weightedElement<Duration>({{6, 0s}, {2, 1s}, {2, 2s}, {1, -1s}});
        // Never all of them, which would open it.
        const bool fails = naive.size() > 1 && !naive.back().first && *rc::gen::arbitrary<bool>();
        const Outcome outcome =
            fails ? Outcome::failed(Failure::of(Category::timeout), latency) : Outcome::success(latency);
        if (*rc::gen::arbitrary<bool>()) {
          breaker.report(outcome);
        } else {
          call(breaker, outcome);
        }
        naive.emplace_back(fails, latency > options.slow_call_duration);
        in_a_row = fails ? in_a_row + 1 : 0;
        break;
      }
      case 2:
        breaker.reset();
        naive.clear();
        in_a_row = 0;
        break;
      case 3:
        options.slow_call_duration = *rc::gen::element<Duration>(500ms, 1s, 3s);
        breaker.apply(options);
        break;
      default:
        options.window.calls = *rc::gen::inRange(1U, 4U);
        options.minimum_calls = options.window.calls;
        breaker.apply(options);
    }
    while (naive.size() > options.window.calls) naive.pop_front();
    WindowTotals expected{.calls = naive.size()};
    for (const auto& [failed, slow] : naive) {
      expected.failures += failed ? 1 : 0;
      expected.slow += slow ? 1 : 0;
    }
    // A window of one call that failed has opened it: begin again.
    if (breaker.state() != CircuitState::closed) return;
    const BreakerSnapshot snapshot = breaker.snapshot();
    RC_ASSERT(snapshot.window == expected);
    RC_ASSERT(snapshot.consecutive_failures == in_a_row);
  }
}

TEST_F(TripRulesTest, ASuccessEndsARestoredRowOfFailuresWhateverTheWindowHolds) {  // BRK-3 BRK-15
  CircuitBreaker breaker(rate_rule(1.0, 1, CallWindow::last_calls(2)), "key", clock_);
  for (int i = 0; i < 3; ++i) call(breaker, Outcome::success());
  ASSERT_TRUE(breaker.restore({.key = Key("key"), .consecutive_failures = 2}));
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 2U);
  call(breaker, Outcome::success());
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 0U);
}

TEST_F(TripRulesTest, ATimeWindowForgets) {  // BRK-2.2
  CircuitBreaker breaker(rate_rule(0.5, 4, CallWindow::last(60s, 6)), "key", clock_);
  for (int i = 0; i < 3; ++i) call(breaker, failed());
  clock_.advance(50s);
  EXPECT_EQ(breaker.snapshot().window->failures, 3U);
  clock_.advance(10s);
  EXPECT_EQ(breaker.snapshot().window, WindowTotals{});
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
}

TEST_F(TripRulesTest, ARateIsComparedAsItWasWritten) {  // BRK-2.2
  CircuitBreaker breaker(rate_rule(0.07, 100, CallWindow::last_calls(100)), "key", clock_);
  for (int i = 0; i < 93; ++i) call(breaker, Outcome::success());
  for (int i = 0; i < 7; ++i) call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "0.07 * 100 is a little more than 7";
}

TEST_F(TripRulesTest, ThrottledAndNeutralCallsEnterNoWindow) {  // BRK-2.2 BRK-3
  CircuitBreaker breaker(rate_rule(0.5, 2, CallWindow::last_calls(10)), "key", clock_);
  call(breaker, failed());
  for (int i = 0; i < 5; ++i) {
    call(breaker, failed(Category::rate_limit));
    call(breaker, failed(Category::invalid_request));
    call(breaker, Outcome::cancelled());
    (void)acquired(breaker);
  }
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 1, .failures = 1}));
}

TEST_F(TripRulesTest, SlowCallsOpenItThoughTheySucceed) {  // BRK-2.3
  CircuitBreaker breaker({.slow_call_rate = 0.5, .slow_call_duration = 10s, .minimum_calls = 4}, "key", clock_);
  for (int i = 0; i < 3; ++i) call(breaker, Outcome::success(10s));
  EXPECT_EQ(breaker.snapshot().window->slow, 0U) << "not slower than the limit";
  for (int i = 0; i < 3; ++i) call(breaker, Outcome::success(10s + 1ns));
  EXPECT_EQ(breaker.state(), CircuitState::open);
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::slow_call_rate);
  EXPECT_DOUBLE_EQ(breaker.snapshot().window->slow_call_rate(), 0.5);
}

TEST_F(TripRulesTest, ACallWhoseLatencyIsNotToldIsMeasured) {  // BRK-2.5
  const BreakerOptions options = {.slow_call_rate = 0.5, .slow_call_duration = 10s, .minimum_calls = 4};
  const auto calls_taking = [&](CircuitBreaker& breaker, Duration time, auto end) {
    for (int i = 0; i < 4; ++i) {
      BreakerPermit permit = acquired(breaker);
      clock_.advance(time);
      end(std::move(permit));
    }
  };
  const auto succeed = [](BreakerPermit permit) { std::move(permit).settle(Outcome::success()); };
  CircuitBreaker breaker(options, "key", clock_);
  calls_taking(breaker, 10s, succeed);
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 4}));
  calls_taking(breaker, 10s + 1ns, succeed);
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::slow_call_rate);
  // What is told counts, and so does a first content.
  breaker.reset();
  calls_taking(breaker, 1min, [](BreakerPermit permit) { std::move(permit).settle(Outcome::success(1s)); });
  calls_taking(breaker, 1min, [](BreakerPermit permit) {
    permit.first_content(2s);
    permit.first_content(1min);
    std::move(permit).settle(Outcome::success());
  });
  EXPECT_EQ(breaker.snapshot().window, (WindowTotals{.calls = 8}));
  // Failures and time windows, calls that are watched, and a rule that comes later.
  for (const bool watched : {false, true}) {
    CircuitBreaker other({.failure_threshold = 100}, "key", clock_);
    BreakerOptions later = options;
    later.failure_threshold = 100;
    later.window = CallWindow::last(1h);
    later.track_in_flight = watched;
    other.apply(later);
    calls_taking(other, 11s, [](BreakerPermit permit) { std::move(permit).settle(failed()); });
    EXPECT_EQ(other.snapshot().transitions.back().cause, TransitionCause::slow_call_rate);
  }
}

TEST_F(TripRulesTest, RatesOfAnEmptyWindowAreZero) {  // BRK-16.3 TEL-1.7
  CircuitBreaker breaker(rate_rule(0.5, 4, CallWindow::last_calls(4)), "key", clock_);
  EXPECT_EQ(breaker.snapshot().window->failure_rate(), 0.0);
  EXPECT_EQ(breaker.snapshot().window->slow_call_rate(), 0.0);
  EXPECT_EQ(CircuitBreaker({}, "key", clock_).snapshot().window, std::nullopt);
}

TEST_F(TripRulesTest, ClosingClearsTheWindow) {  // BRK-12
  for (const CallWindow window : {CallWindow::last_calls(10), CallWindow::last(1h)}) {
    CircuitBreaker breaker(rate_rule(0.5, 4, window), "key", clock_);
    for (int i = 0; i < 4; ++i) call(breaker, failed());
    clock_.advance(30s);
    call(breaker, Outcome::success());
    ASSERT_EQ(breaker.state(), CircuitState::closed);
    EXPECT_EQ(breaker.snapshot().window, WindowTotals{});
    for (int i = 0; i < 3; ++i) call(breaker, failed());
    EXPECT_EQ(breaker.state(), CircuitState::closed);
    breaker.reset();
    EXPECT_EQ(breaker.snapshot().window, WindowTotals{}) << "a reset clears it too";  // BRK-21.2
  }
}

TEST_F(TripRulesTest, LateOutcomesEnterNoWindow) {  // BRK-9
  CircuitBreaker breaker(rate_rule(0.5, 2, CallWindow::last_calls(10)), "key", clock_);
  BreakerPermit success = acquired(breaker);
  BreakerPermit failure = acquired(breaker);
  breaker.reset();
  std::move(success).settle(Outcome::success());
  std::move(failure).settle(failed());
  EXPECT_EQ(breaker.snapshot().window, WindowTotals{});
}

constexpr BreakerOptions three_within(Duration time) {
  return {.failure_threshold = 0, .failures_within = FailuresWithin{.failures = 3, .time = time}};
}

TEST_F(TripRulesTest, SoManyFailuresWithinATimeOpenItWhateverSucceedsBetweenThem) {  // BRK-2.6
  CircuitBreaker breaker(three_within(10s), "key", clock_);
  const auto fail_after = [&](Duration pause) {
    clock_.advance(pause);
    call(breaker, failed());
    call(breaker, Outcome::success());
  };
  fail_after(0s);
  fail_after(5s);
  fail_after(5s + 1ns);
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "the first is a nanosecond too old";
  clock_.advance(5s - 1ns);
  call(breaker, failed(Category::invalid_request));
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "what does not count does not count here either";
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "ten seconds from the second to the fourth";
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::failures_within);
  EXPECT_EQ(name(TransitionCause::failures_within), "failures_within");
}

TEST_F(TripRulesTest, ABoundedNumberOfFailuresIsKept) {  // BRK-2.6 CORE-5 CORE-6
  const BreakerOptions most{.failure_threshold = 0, .failures_within = FailuresWithin{.failures = 10'000, .time = 24h}};
  CircuitBreaker breaker(most, "key", clock_);
  for (int i = 0; i < 9'999; ++i) call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
  const Problems problems = FailuresWithin{.failures = 10'001, .time = 0s}.validate();
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].message(), "failures: 10001 is not allowed; allowed: 1 to 10000");
  EXPECT_EQ(problems[1].message(), "time: 0s is not allowed; allowed: 1ms to 24h");
}

TEST_F(TripRulesTest, FailuresWithinATimeAreForgottenWhenItCloses) {  // BRK-2.6 BRK-12
  CircuitBreaker breaker(three_within(24h), "key", clock_);
  trip(breaker, 3);
  clock_.advance(30s);
  call(breaker, Outcome::success());
  trip(breaker, 2);
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  breaker.reset();
  trip(breaker, 2);
  EXPECT_EQ(breaker.state(), CircuitState::closed) << "a reset forgets them too";  // BRK-21.2
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST_F(TripRulesTest, WithoutAThresholdAnotherRuleStandsAlone) {  // BRK-2.8
  BreakerOptions options = rate_rule(0.5, 4, CallWindow::last_calls(4));
  options.failure_threshold = 0;
  CircuitBreaker breaker(options, "key", clock_);
  for (int i = 0; i < 2; ++i) call(breaker, Outcome::success());
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U) << "it is counted all the same";
  call(breaker, failed());
  EXPECT_EQ(breaker.snapshot().transitions.back().cause, TransitionCause::failure_rate);
  EXPECT_EQ(breaker.silent_after(), 5U);
}

TEST_F(TripRulesTest, ABreakerThatNothingTripsIsRefused) {  // BRK-2.8 CORE-6
  ASSERT_EQ(BreakerOptions{.failure_threshold = 0}.validate().size(), 1U);
  EXPECT_EQ(BreakerOptions{.failure_threshold = 0}.validate()[0].message(),
            "failure_threshold: 0 is not allowed; allowed: 1 to 1000000");
  EXPECT_EQ((BreakerOptions{.failure_threshold = 0, .silence_threshold = 0}.validate().size()), 1U);
  for (const BreakerOptions& alone : {three_within(1s), BreakerOptions{.failure_threshold = 0, .silence_threshold = 4},
                                      BreakerOptions{.failure_threshold = 0, .failure_rate = 0.5},
                                      BreakerOptions{.failure_threshold = 0, .slow_call_rate = 0.5},
                                      BreakerOptions{.failure_threshold = 0, .stuck_call_age = 1min}}) {
    EXPECT_TRUE(alone.validate().empty());
  }
}

TEST_F(TripRulesTest, ARunOfFailuresThatIsTooOldBeginsAgain) {  // BRK-2.7
  CircuitBreaker breaker({.failure_threshold = 3, .failure_run_expires_after = 10s}, "key", clock_);
  call(breaker, failed());
  clock_.advance(6s);
  call(breaker, failed());
  clock_.advance(4s + 1ns);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 2U) << "nobody has judged it yet";
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::closed);
  EXPECT_EQ(breaker.snapshot().consecutive_failures, 1U);
  clock_.advance(5s);
  call(breaker, failed());
  clock_.advance(5s);
  call(breaker, failed());
  EXPECT_EQ(breaker.state(), CircuitState::open) << "its first is just not too old";
  CircuitBreaker patient({.failure_threshold = 2}, "key", clock_);
  call(patient, failed());
  clock_.advance(1000h);
  call(patient, failed());
  EXPECT_EQ(patient.state(), CircuitState::open) << "off by default";
}

class StuckCalls : public TripRulesTest {
 protected:
  CircuitBreaker breaker_{{.stuck_call_age = 60s}, "key", clock_};
};

TEST_F(StuckCalls, OpenItAtTheNextAdmission) {  // BRK-2.4
  BreakerPermit stuck = acquired(breaker_);
  clock_.advance(60s);
  (void)acquired(breaker_);
  clock_.advance(1ns);
  EXPECT_EQ(breaker_.peek_rejection()->retry_after, 30s) << "a look foresees it";
  EXPECT_EQ(breaker_.state(), CircuitState::closed);
  EXPECT_EQ(rejected(breaker_).retry_after, 30s);
  EXPECT_EQ(breaker_.snapshot().transitions.back().cause, TransitionCause::stuck_call);
  std::move(stuck).settle(Outcome::success());
  EXPECT_EQ(breaker_.state(), CircuitState::open) << "too late";
}

TEST_F(StuckCalls, OpenItAtTheNextSnapshot) {  // BRK-2.4
  const BreakerPermit stuck = acquired(breaker_);
  clock_.advance(61s);
  const BreakerSnapshot snapshot = breaker_.snapshot();
  EXPECT_EQ(snapshot.state, CircuitState::open);
  EXPECT_EQ(snapshot.oldest_in_flight, 61s);
}

TEST_F(StuckCalls, DoNotOpenItAgainAfterAProbeHasSucceeded) {  // BRK-12
  const BreakerPermit stuck = acquired(breaker_);
  clock_.advance(61s);
  (void)rejected(breaker_);
  clock_.advance(30s);
  call(breaker_, Outcome::success());
  clock_.advance(1h);
  EXPECT_EQ(breaker_.snapshot().state, CircuitState::closed);
  EXPECT_EQ(breaker_.snapshot().oldest_in_flight, 61s + 30s + 1h);
}

TEST_F(StuckCalls, AreOffByDefaultAndTheAgeIsNull) {  // BRK-2.4 BRK-16.3
  CircuitBreaker breaker({}, "key", clock_);
  const BreakerPermit permit = acquired(breaker);
  clock_.advance(100h);
  EXPECT_EQ(breaker.snapshot().state, CircuitState::closed);
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, std::nullopt);
}

TEST_F(StuckCalls, TheOldestCallIsKnownInWhateverOrderTheyEnd) {  // BRK-16.3
  CircuitBreaker breaker({.track_in_flight = true}, "key", clock_);
  std::vector<BreakerPermit> calls;
  for (int i = 0; i < 300; ++i) {
    calls.push_back(acquired(breaker));
    clock_.advance(1s);
  }
  std::move(calls[1]).settle(Outcome::success());
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, 300s);
  std::move(calls[0]).settle(Outcome::success());
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, 298s);
  calls.push_back(acquired(breaker));  // in a slot that was used before
  for (std::size_t i = 2; i < 300; ++i) std::move(calls[i]).settle(failed(Category::invalid_request));
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, 0s);
  calls.clear();
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, std::nullopt);
}

TEST_F(StuckCalls, BeyondTheBoundCallsGoUnwatched) {  // CORE-5
  CircuitBreaker breaker({.track_in_flight = true}, "key", clock_);
  std::vector<BreakerPermit> calls;
  for (std::uint32_t i = 0; i < kMaxTrackedCalls + 2; ++i) calls.push_back(acquired(breaker));
  clock_.advance(1s);
  EXPECT_EQ(breaker.snapshot().in_flight, kMaxTrackedCalls + 2U);
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, 1s);
  calls.clear();
  EXPECT_EQ(breaker.snapshot().oldest_in_flight, std::nullopt);
}

}  // namespace
}  // namespace fuseboard
