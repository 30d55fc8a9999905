// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/backoff.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

RetryOptions without_jitter() { return {.jitter = Jitter::none}; }
Failure asked_for(Duration retry_after) { return Failure::of(Category::rate_limit, retry_after); }

TEST(Backoff, DoublesFromTheBaseUpToTheLongest) {  // RTY-1.2
  Rng rng(1);
  const RetryOptions options = without_jitter();
  EXPECT_EQ(next_delay(options, 1, {}, {}, rng), milliseconds(500));
  EXPECT_EQ(next_delay(options, 2, {}, {}, rng), seconds(1));
  EXPECT_EQ(next_delay(options, 3, {}, {}, rng), seconds(2));
  EXPECT_EQ(next_delay(options, 7, {}, {}, rng), seconds(30));
}

TEST(Backoff, SaturatesForAnyRetryNumber) {  // CORE-7
  Rng rng(1);
  for (const Jitter jitter : {Jitter::none, Jitter::proportional, Jitter::full, Jitter::decorrelated}) {
    RetryOptions options{.factor = 10.0, .max = hours(24), .jitter = jitter};
    const Duration delay = next_delay(options, std::numeric_limits<std::uint32_t>::max(), kForever, {}, rng);
    EXPECT_GE(delay, Duration::zero()) << name(jitter);
    EXPECT_LE(delay, hours(24)) << name(jitter);
  }
}

RC_GTEST_PROP(Backoff, StaysInsideTheRangeOfItsJitter, ()) {  // RTY-1.3
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const auto retry = *rc::gen::inRange<std::uint32_t>(1, 60);
  const auto previous = Duration(*rc::gen::inRange<std::int64_t>(0, 40'000'000'000));
  Rng rng(seed);
  RetryOptions options = without_jitter();
  const Duration plain = next_delay(options, retry, previous, {}, rng);

  options.jitter = Jitter::full;
  const Duration full = next_delay(options, retry, previous, {}, rng);
  RC_ASSERT(full >= Duration::zero());
  RC_ASSERT(full <= plain);

  options.jitter = Jitter::proportional;
  const Duration proportional = next_delay(options, retry, previous, {}, rng);
  RC_ASSERT(proportional >= saturating_scale(plain, 0.8));
  RC_ASSERT(proportional <= options.max);

  options.jitter = Jitter::decorrelated;
  const Duration decorrelated = next_delay(options, retry, previous, {}, rng);
  RC_ASSERT(decorrelated >= options.base);
  RC_ASSERT(decorrelated <= std::min(options.max, 3 * std::max(options.base, previous)));
}

TEST(Backoff, FullJitterReachesBothHalvesOfItsRange) {  // RTY-1.3
  Rng rng(7);
  const RetryOptions options;
  int low = 0;
  int high = 0;
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = next_delay(options, 1, {}, {}, rng);
    (delay < milliseconds(250) ? low : high) += 1;
  }
  EXPECT_GT(low, 400);
  EXPECT_GT(high, 400);
}

// With the defaults: what is seen at the longest is seen anywhere else in the range.
TEST(Backoff, WaitsAtTheLongestDoNotPileUpOnIt) {  // RTY-1.4
  constexpr int kWaits = 20'000;
  for (const Jitter jitter : {Jitter::proportional, Jitter::full, Jitter::decorrelated}) {
    const RetryOptions options{.jitter = jitter};
    Rng rng(3);
    std::set<Duration> different;
    int above = 0;
    const Duration low = jitter == Jitter::full           ? Duration::zero()
                         : jitter == Jitter::proportional ? saturating_scale(options.max, 0.8)
                                                          : options.base;
    const Duration last_tenth = options.max - (options.max - low) / 10;
    for (int i = 0; i < kWaits; ++i) {
      const Duration wait = next_delay(options, 20, options.max, {}, rng);
      ASSERT_LE(wait, options.max);
      different.insert(wait);
      if (wait >= last_tenth) ++above;
    }
    EXPECT_GT(different.size(), kWaits - 10U) << name(jitter);
    EXPECT_NEAR(above, kWaits / 10, kWaits / 100) << name(jitter) << " reaches the longest as often as all else";
  }
}

TEST(Backoff, DecorrelatedWaitsOfACallDoNotStayAtTheLongest) {  // RTY-1.4
  const RetryOptions options{.jitter = Jitter::decorrelated};
  Rng rng(4);
  Duration previous{};
  int at_the_longest = 0;
  for (std::uint32_t retry = 1; retry < 1000; ++retry) {
    previous = next_delay(options, retry, previous, {}, rng);
    at_the_longest += previous == options.max ? 1 : 0;
  }
  EXPECT_EQ(at_the_longest, 0);
}

TEST(Backoff, ALinearOneGrowsByTheStep) {  // RTY-1.5 CORE-7
  Rng rng(1);
  RetryOptions options{
      .base = seconds(1), .step = seconds(2), .max = seconds(6), .backoff = LinearBackoff{}, .jitter = Jitter::none};
  EXPECT_EQ(next_delay(options, 1, {}, {}, rng), seconds(1));
  EXPECT_EQ(next_delay(options, 2, {}, {}, rng), seconds(3));
  EXPECT_EQ(next_delay(options, 3, {}, {}, rng), seconds(5));
  EXPECT_EQ(next_delay(options, 4, {}, {}, rng), seconds(6));
  options.step = hours(1);
  options.max = hours(24);
  EXPECT_EQ(next_delay(options, std::numeric_limits<std::uint32_t>::max(), {}, {}, rng), hours(24));
}

TEST(Backoff, AListIsWaitedThroughAndItsLastWaitRepeats) {  // RTY-1.5
  Rng rng(1);
  RetryOptions options{.backoff = BackoffList{milliseconds(100), seconds(1), milliseconds(700)},
                       .jitter = Jitter::none};
  EXPECT_EQ(next_delay(options, 0, {}, {}, rng), milliseconds(100));
  EXPECT_EQ(next_delay(options, 1, {}, {}, rng), milliseconds(100));
  EXPECT_EQ(next_delay(options, 2, {}, {}, rng), seconds(1));
  for (const std::uint32_t later : {3U, 4U, 1000U, std::numeric_limits<std::uint32_t>::max()}) {
    EXPECT_EQ(next_delay(options, later, {}, {}, rng), milliseconds(700));
  }
  options.jitter = Jitter::full;
  EXPECT_LT(next_delay(options, 2, {}, {}, rng), seconds(1)) << "spread like any other";
}

TEST(Backoff, AFunctionIsToldTheRetryAndItsFailure) {  // RTY-1.5
  Rng rng(1);
  const RetryOptions options{.backoff =
                                 [](std::uint32_t retry, const Failure& failure) {
                                   return failure.category == Category::overloaded ? retry * seconds(2) : seconds(1);
                                 },
                             .jitter = Jitter::none};
  EXPECT_EQ(next_delay(options, 3, {}, Failure::of(Category::network), rng), seconds(1));
  EXPECT_EQ(next_delay(options, 3, {}, Failure::of(Category::overloaded), rng), seconds(6));
  EXPECT_EQ(next_delay(options, 0, {}, Failure::of(Category::overloaded), rng), seconds(2));
}

TEST(Backoff, AFunctionIsHeldBetweenNothingAndTheLongest) {  // RTY-1.5 CORE-7
  Rng rng(1);
  for (const auto& [said, waited] : {std::pair<Duration, Duration>{kForever, seconds(30)},
                                     {Duration::min(), Duration::zero()},
                                     {seconds(31), seconds(30)}}) {
    const RetryOptions options{.backoff = [&said](std::uint32_t, const Failure&) { return said; },
                               .jitter = Jitter::none};
    EXPECT_EQ(next_delay(options, 1, {}, {}, rng), waited);
  }
  const RetryOptions throws{.backoff = [](std::uint32_t, const Failure&) -> Duration { throw std::runtime_error("x"); },
                            .jitter = Jitter::none};
  EXPECT_EQ(next_delay(throws, 1, {}, {}, rng), seconds(30));
}

TEST(Backoff, ProportionalJitterIsAsWideAsAskedFor) {  // RTY-1.3
  Rng rng(1);
  const RetryOptions options{.base = seconds(10), .jitter = Jitter::proportional, .jitter_width = 1.0};
  Duration shortest = kForever;
  Duration longest{};
  for (int i = 0; i < 1000; ++i) {
    const Duration wait = next_delay(options, 1, {}, {}, rng);
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  EXPECT_LT(shortest, milliseconds(200));
  EXPECT_GT(longest, milliseconds(19'800));
  EXPECT_EQ(next_delay({.jitter = Jitter::proportional, .jitter_width = 0.0}, 1, {}, {}, rng), milliseconds(500));
}

TEST(Backoff, TheSameSeedGivesTheSameWaits) {  // CORE-2
  Rng one(42);
  Rng two(42);
  for (std::uint32_t retry = 1; retry < 50; ++retry) {
    EXPECT_EQ(next_delay({}, retry, {}, {}, one), next_delay({}, retry, {}, {}, two));
  }
}

TEST(Backoff, AServersHintReplacesAShorterBackoffAndNoLongerOne) {  // RTY-2
  Rng rng(1);
  const RetryOptions options = without_jitter();
  EXPECT_EQ(next_delay(options, 1, {}, asked_for(seconds(7)), rng), seconds(7));
  EXPECT_EQ(next_delay(options, 1, {}, asked_for(hours(2)), rng), hours(2)) << "a hint may exceed the longest backoff";
  EXPECT_EQ(next_delay(options, 3, {}, asked_for(seconds(1)), rng), seconds(2));
}

TEST(Backoff, IgnoresHintsWhenToldTo) {  // RTY-10
  Rng rng(1);
  RetryOptions options = without_jitter();
  options.honor_retry_after = false;
  EXPECT_EQ(next_delay(options, 1, {}, asked_for(seconds(7)), rng), milliseconds(500));
}

TEST(RetryOptions, ReportsEveryProblemWithFieldValueAndRange) {  // CORE-6
  const RetryOptions options{.max_attempts = 0,
                             .base = milliseconds(-1),
                             .factor = std::numeric_limits<double>::quiet_NaN(),
                             .max = hours(25)};
  const Problems problems = options.validate();
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_EQ(problems[0].message(), "max_attempts: 0 is not allowed; allowed: 1 to 100");
  EXPECT_EQ(problems[1].message(), "base: -1ms is not allowed; allowed: 0s to 1h");
  EXPECT_EQ(problems[2].message(), "factor: nan is not allowed; allowed: 1 to 10");
  EXPECT_EQ(problems[3].message(), "max: 25h is not allowed; allowed: 0s to 24h");
}

TEST(RetryOptions, RefusesABackoffThatCannotBeMeant) {  // CORE-6 RTY-1.5
  const auto problem = [](const RetryOptions& options) {
    const Problems problems = options.validate();
    return problems.size() == 1 ? problems.front().message() : std::to_string(problems.size());
  };
  EXPECT_EQ(problem({.step = hours(2)}), "step: 2h is not allowed; allowed: 0s to 1h");
  EXPECT_EQ(problem({.jitter_width = 1.5}), "jitter_width: 1.5 is not allowed; allowed: 0 to 1");
  for (const BackoffList& list :
       {BackoffList{}, BackoffList(101), BackoffList{seconds(1), seconds(31)}, BackoffList{milliseconds(-1)}}) {
    EXPECT_EQ(problem({.backoff = list}), "backoff: a list of " + std::to_string(list.size()) +
                                              " is not allowed; allowed: 1 to 100 durations, each 0s to 30s");
  }
  EXPECT_EQ(problem({.backoff = BackoffFunction()}), "backoff: an empty function is not allowed; allowed: a function");
  EXPECT_EQ(problem({.backoff = LinearBackoff{}, .jitter = Jitter::decorrelated}),
            "jitter: decorrelated is not allowed; allowed: none, proportional or full beside a backoff that is not "
            "exponential");
  EXPECT_EQ(problem({.max = seconds(31), .backoff = BackoffList{seconds(31)}}), "0");
}

TEST(RetryOptions, RefusesALongestBackoffBelowTheBase) {  // CORE-6
  const RetryOptions options{.base = seconds(5), .max = seconds(1)};
  ASSERT_EQ(options.validate().size(), 1U);
  EXPECT_EQ(options.validate()[0].field, "max");
}

TEST(LongestWait, IsAMinuteOrTheLongestBackoffWhereThatIsMore) {  // RTY-2
  EXPECT_EQ(longest_wait({}), std::chrono::minutes(1));
  EXPECT_EQ(longest_wait({.max = std::chrono::minutes(5)}), std::chrono::minutes(5));
}

}  // namespace
}  // namespace fuseboard
