// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long a circuit stays open, and the options [BRK-4.1, BRK-4.2, BRK-4.3, BRK-20, CORE-6].
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "fuseboard/breaker/circuit_breaker.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Fails probe after probe; the open times seen.
std::vector<Duration> open_times(CircuitBreaker& breaker, ManualClock& clock, int count) {
  std::vector<Duration> times;
  for (int i = 0; i < count; ++i) {
    call(breaker, failed());
    times.push_back(*rejected(breaker).retry_after);
    clock.advance(times.back());
  }
  return times;
}

TEST(OpenTimeRules, FixedStaysTheSame) {  // BRK-4.1
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(30s)}, "key", clock);
  EXPECT_THAT(open_times(breaker, clock, 4), ElementsAre(30s, 30s, 30s, 30s));
}

TEST(OpenTimeRules, ExponentialGrowsWithEachFailedProbeUpToItsCap) {  // BRK-4.1
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "key", clock);
  EXPECT_THAT(open_times(breaker, clock, 7), ElementsAre(5s, 10s, 20s, 40s, 80s, 120s, 120s));
}

TEST(OpenTimeRules, ATripBeforeTheGrowthIsForgottenStartsAtTheLastOpenTime) {  // BRK-4.3
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "key", clock);
  (void)open_times(breaker, clock, 3);  // 5, 10, 20
  call(breaker, Outcome::success());
  clock.advance(120s - 1ns);
  EXPECT_EQ(breaker.snapshot().open_time, 20s);
  EXPECT_THAT(open_times(breaker, clock, 2), ElementsAre(20s, 40s));
}

TEST(OpenTimeRules, TheGrowthIsForgottenAfterStayingClosedForTheLongestOpenTime) {  // BRK-4.3
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "key", clock);
  (void)open_times(breaker, clock, 3);
  call(breaker, Outcome::success());
  clock.advance(120s);
  EXPECT_EQ(breaker.snapshot().open_time, 5s);
  EXPECT_THAT(open_times(breaker, clock, 2), ElementsAre(5s, 10s));
}

TEST(OpenTimeRules, HowLongTheGrowthIsRememberedCanBeSet) {  // BRK-4.3
  ManualClock clock;
  CircuitBreaker breaker(
      {.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s), .streak_reset_after = 7s}, "key",
      clock);
  (void)open_times(breaker, clock, 3);
  call(breaker, Outcome::success());
  clock.advance(7s - 1ns);
  EXPECT_EQ(breaker.snapshot().open_time, 20s);
  clock.advance(1ns);
  EXPECT_EQ(breaker.snapshot().open_time, 5s);
}

TEST(OpenTimeRules, ALostProbeGrowsItToo) {  // BRK-4.1 BRK-8.3
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::exponential(5s, 2.0, 120s), .probe_lease = 1s},
                         "key", clock);
  trip(breaker, 1);
  clock.advance(5s);
  const BreakerPermit lost = acquired(breaker);
  clock.advance(1s);
  EXPECT_EQ(rejected(breaker).retry_after, 10s);
}

TEST(OpenTimeRules, JitterSpreadsAroundTheOpenTimeAndIsReproducible) {  // BRK-4.2 CORE-2
  ManualClock clock;
  const BreakerOptions options = {.failure_threshold = 1, .open_time = OpenTime::fixed(10s, 0.2)};
  CircuitBreaker one(options, "key", clock, 7);
  const std::vector<Duration> times = open_times(one, clock, 200);
  CircuitBreaker again(options, "key", clock, 7);
  EXPECT_EQ(open_times(again, clock, 200), times);
  CircuitBreaker other(options, "key", clock, 8);
  EXPECT_NE(open_times(other, clock, 200), times);
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  EXPECT_GE(*least, 8s);
  EXPECT_LT(*least, 8500ms);
  EXPECT_LE(*most, 12s);
  EXPECT_GT(*most, 11500ms);
}

TEST(OpenTimeRules, BreakersOfOneSeedButDifferentKeysDoNotProbeInStep) {  // BRK-4.2
  ManualClock clock;
  const BreakerOptions options = {.failure_threshold = 1, .open_time = OpenTime::fixed(10s, 0.2)};
  std::set<Duration> times;
  for (const char* key : {"a", "b", "c", "d"}) {
    CircuitBreaker breaker(options, key, clock, 7);
    trip(breaker, 1);
    times.insert(*rejected(breaker).retry_after);
  }
  EXPECT_EQ(times.size(), 4U);
}

TEST(OpenTimeRules, LookKnowsTheJitterOfAnOpeningThatIsStillToCome) {  // BRK-4.2 BRK-8.3
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 1, .open_time = OpenTime::fixed(10s, 0.5)}, "key", clock, 3);
  trip(breaker, 1);
  clock.advance(15s);
  const BreakerPermit lost = acquired(breaker);
  clock.advance(60s + 1s);
  const Duration looked = *breaker.peek_rejection()->retry_after;
  EXPECT_EQ(rejected(breaker).retry_after, looked);
}

RC_GTEST_PROP(OpenTimeRules, NoFactorOrCountOverflowsOrPassesTheCap, ()) {  // CORE-7 BRK-4.1 BRK-4.2
  const OpenTime times = OpenTime::exponential(std::chrono::milliseconds(*rc::gen::inRange(1, 86'400'000)),
                                               *rc::gen::element(1.0, 1.0000001, 1.5, 2.0, 99.9, 100.0), 24h,
                                               *rc::gen::element(0.0, 0.1, 0.9));
  Duration base = times.initial;
  for (int i = 0; i < 100; ++i) {
    const Duration next = times.grown(base);
    RC_ASSERT(next >= base);
    RC_ASSERT(next <= Duration(24h));
    base = next;
    for (const double unit : {0.0, 0.5, std::nextafter(1.0, 0.0)}) {
      RC_ASSERT(times.jittered(base, unit) > Duration::zero());
      RC_ASSERT(times.factor == 1.0 || times.jittered(base, unit) <= times.longest());
    }
  }
}

TEST(OpenTimeRules, AtTheEndOfTimeNothingWraps) {  // CORE-7
  ManualClock clock(kNever - 1s);
  CircuitBreaker breaker({.failure_threshold = 1}, "key", clock);
  trip(breaker, 1);
  EXPECT_GT(*rejected(breaker).retry_after, 0s);
  EXPECT_EQ(breaker.state(), CircuitState::open);
}

TEST(BreakerOptionsRules, EveryProblemIsFoundAtOnce) {  // CORE-6
  const BreakerOptions bad = {.failure_threshold = 0,
                              .half_open_max_probes = 1001,
                              .half_open_successes = 0,
                              .open_time = {.initial = -1s, .factor = std::nan(""), .max = 48h, .jitter = 0.95},
                              .probe_lease = 0s,
                              .streak_reset_after = -1s};
  std::vector<std::string> fields;
  for (const Problem& problem : bad.validate()) fields.push_back(problem.field);
  EXPECT_THAT(fields, ElementsAre("failure_threshold", "half_open_max_probes", "half_open_successes",
                                  "open_time.initial", "open_time.factor", "open_time.max", "open_time.jitter",
                                  "probe_lease", "streak_reset_after"));
  EXPECT_THROW(CircuitBreaker{bad}, InvalidOptions);
}

TEST(BreakerOptionsRules, EveryProblemOfRatesWindowsAndHintsIsFoundAtOnce) {  // CORE-6 BRK-2.2
  const BreakerOptions bad = {.failure_rate = 0.0,
                              .slow_call_rate = std::nan(""),
                              .slow_call_duration = 0s,
                              .minimum_calls = 11,
                              .window = CallWindow::last_calls(10),
                              .stuck_call_age = 0s,
                              .retry_after_max = -1s};
  std::vector<std::string> fields;
  for (const Problem& problem : bad.validate()) fields.push_back(problem.field);
  EXPECT_THAT(fields, ElementsAre("failure_rate", "slow_call_rate", "slow_call_duration", "minimum_calls",
                                  "stuck_call_age", "retry_after_max"));
  const auto problem_of = [](CallWindow window) {
    const Problems problems = window.validate();
    return problems.empty() ? "" : problems.front().message();
  };
  EXPECT_EQ(problem_of(CallWindow::last_calls(10'001)), "calls: 10001 is not allowed; allowed: 1 to 10000");
  EXPECT_EQ(problem_of(CallWindow::last(1ms)), "time: 1ms is not allowed; allowed: 1s to 24h");
  EXPECT_EQ(problem_of(CallWindow::last(60s, 0)), "buckets: 0 is not allowed; allowed: 1 to 100");
  EXPECT_EQ(problem_of({.calls = 5, .time = 60s}).substr(0, 4), "time");
}

TEST(BreakerOptionsRules, TheCapMayNotLieBelowTheFirstOpenTime) {  // CORE-6
  const OpenTime times = {.initial = 10s, .factor = 2.0, .max = 9s};
  ASSERT_EQ(times.validate().size(), 1U);
  EXPECT_EQ(times.validate().front().message(), "max: 9s is not allowed; allowed: 10s to 24h");
}

TEST(BreakerOptionsRules, DefaultsAndPresetsAreValid) {  // BRK-20
  for (const BreakerOptions& options : {BreakerOptions{}, provider_preset(), tool_preset(), strict_provider_preset()}) {
    EXPECT_TRUE(options.validate().empty());
  }
}

TEST(BreakerOptionsRules, PresetsHaveTheNumbersOfTheirNames) {  // BRK-20
  const BreakerOptions provider = provider_preset();
  EXPECT_EQ(provider.failure_threshold, 5U);
  EXPECT_EQ(provider.open_time, OpenTime::fixed(30s));
  EXPECT_EQ(provider.half_open_max_probes, 1U);
  EXPECT_EQ(provider.half_open_successes, 1U);
  const BreakerOptions tool = tool_preset();
  EXPECT_EQ(tool.failure_threshold, 7U);
  EXPECT_EQ(tool.open_time, OpenTime::exponential(5s, 2.0, 120s));
  BreakerOptions widened = tool_preset();
  widened.half_open_max_probes = 3;
  EXPECT_TRUE(widened.validate().empty());
}

TEST(BreakerOptionsRules, TheStrictPresetCountsEveryErrorUnclassified) {  // BRK-20
  ManualClock clock;
  for (const CategoryProperties& row : all_categories()) {
    CircuitBreaker breaker(strict_provider_preset(), "key", clock);
    for (int i = 0; i < 5; ++i) call(breaker, Outcome::failed({.category = row.category}));
    EXPECT_EQ(breaker.state() == CircuitState::open, row.category != Category::cancelled) << row.name;
  }
}

}  // namespace
}  // namespace fuseboard
