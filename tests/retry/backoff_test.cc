// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/backoff.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

RetryOptions without_jitter() { return {.jitter = Jitter::none}; }

TEST(Backoff, DoublesFromTheBaseUpToTheLongest) {  // RTY-1
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

RC_GTEST_PROP(Backoff, StaysInsideTheRangeOfItsJitter, ()) {  // RTY-1
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

TEST(Backoff, FullJitterReachesBothHalvesOfItsRange) {  // RTY-1
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
  EXPECT_EQ(next_delay(options, 1, {}, seconds(7), rng), seconds(7));
  EXPECT_EQ(next_delay(options, 1, {}, hours(2), rng), hours(2)) << "a hint may exceed the longest backoff";
  EXPECT_EQ(next_delay(options, 3, {}, seconds(1), rng), seconds(2));
}

TEST(Backoff, IgnoresHintsWhenToldTo) {  // RTY-10
  Rng rng(1);
  RetryOptions options = without_jitter();
  options.honor_retry_after = false;
  EXPECT_EQ(next_delay(options, 1, {}, seconds(7), rng), milliseconds(500));
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
