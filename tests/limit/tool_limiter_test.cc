// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/tool_limiter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::uint64_t drain(TimePoint now, ToolLimiter& limiter, KeyView tool, double speed = 1.0) {
  std::uint64_t calls = 0;
  while (limiter.try_acquire(now, tool, speed)) ++calls;
  return calls;
}

TEST(ToolLimiter, TwentyCallsASecondAndAsManyAtOnceUnlessToldOtherwise) {  // LIM-6
  ToolLimiter limiter;
  EXPECT_EQ(drain(kStart, limiter, "search"), 20U);
  EXPECT_EQ(drain(kStart + 500ms, limiter, "search"), 10U);
  EXPECT_EQ(drain(kStart, limiter, "fetch"), 20U) << "tools are limited by themselves";
}

TEST(ToolLimiter, TheBurstIsTheRateButAtLeastFive) {  // LIM-6
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.rate = 0.5}.tool_burst()), 5.0);
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.rate = 7}.tool_burst()), 7.0);
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.rate = 7, .burst = 2.0}.tool_burst()), 2.0);
}

TEST(ToolLimiter, ARefusalSaysHowLong) {  // LIM-3 LIM-6
  ToolLimiter limiter({.rate = 2}, 1);
  drain(kStart, limiter, {"server", "tool"});
  const auto rejected = limiter.try_acquire(kStart, {"server", "tool"});
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().reason, RejectionReason::rate_limited);
  EXPECT_EQ(rejected.error().key, "server/tool");
  EXPECT_GE(rejected.error().retry_after, 500ms);
  EXPECT_LE(rejected.error().retry_after, 550ms);
  EXPECT_TRUE(limiter.try_acquire(kStart + *rejected.error().retry_after, {"server", "tool"}));
}

TEST(ToolLimiter, SpeedHastensTheRefillAndNeverInflatesTheBurst) {  // LIM-6
  ToolLimiter limiter({.rate = 10, .burst = 5.0});
  EXPECT_EQ(drain(kStart, limiter, "search", 100.0), 5U) << "no more at once, however fast";
  EXPECT_EQ(drain(kStart + 100ms, limiter, "search", 3.0), 3U);
  EXPECT_EQ(drain(kStart + 200ms, limiter, "search"), 1U);
  EXPECT_EQ(drain(kStart + 1h, limiter, "search", 3.0), 5U);
  EXPECT_EQ(drain(kStart + 1h, limiter, "search", 100.0), 0U);
}

TEST(ToolLimiter, TimeThatHasRefilledOnceRefillsNoMore) {  // LIM-6
  ToolLimiter limiter({.rate = 1, .burst = 100.0});
  drain(kStart, limiter, "search");
  EXPECT_EQ(drain(kStart + 10s, limiter, "search", 1.0), 10U);
  EXPECT_EQ(drain(kStart + 10s, limiter, "search", 5.0), 0U) << "a faster call does not get the same time again";
}

TEST(ToolLimiter, OddSpeedsCountAsTheNearestAllowedOne) {  // LIM-6 CORE-6
  ToolLimiter limiter({.rate = 10, .burst = 5.0});
  TimePoint now = kStart;
  drain(now, limiter, "search");
  for (const double speed : {0.0, -3.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
    now += 100ms;
    EXPECT_EQ(drain(now, limiter, "search", speed), 1U);
  }
  EXPECT_EQ(drain(now + 1ns, limiter, "search", std::numeric_limits<double>::infinity()), 0U);
}

TEST(ToolLimiter, OneGateHoldsAllToolsTogether) {  // LIM-6
  ToolLimiter limiter({.rate = 20, .process_calls_per_minute = 600.0});
  EXPECT_EQ(drain(kStart, limiter, "a"), 10U);
  EXPECT_EQ(drain(kStart, limiter, "b", 100.0), 0U) << "no speed passes the gate";
  EXPECT_TRUE(limiter.is_limited(kStart, "c"));
  EXPECT_EQ(drain(kStart + 100ms, limiter, "b"), 1U);
}

TEST(ToolLimiter, WhatTheGateRefusesCostsTheToolNothing) {  // LIM-6 BRK-11
  ToolLimiter limiter({.rate = 0.001, .burst = 5.0, .process_calls_per_minute = 1.0});
  EXPECT_EQ(drain(kStart, limiter, "a"), 1U);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.try_acquire(kStart, "b"));
  // A minute for each call of the gate; the tool, which refills no token meanwhile, could have made five at once.
  for (int i = 1; i <= 4; ++i) EXPECT_TRUE(limiter.try_acquire(kStart + i * (1min + 1ms), "b"));
  limiter.reset_all();
  EXPECT_TRUE(limiter.try_acquire(kStart + 4min + 4ms, "a")) << "the gate is reset with all";
}

TEST(ToolLimiter, TheGatesBurstIsNoMoreThanAMinutesWorth) {  // LIM-6
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.process_calls_per_minute = 2.0}.process_burst()), 2.0);
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.process_calls_per_minute = 60.0}.process_burst()), 5.0);
  EXPECT_DOUBLE_EQ((ToolLimiterOptions{.process_calls_per_minute = 6000.0}.process_burst()), 100.0);
}

TEST(ToolLimiter, AskingConsumesNothing) {  // LIM-6
  ToolLimiter limiter({.rate = 10, .burst = 5.0});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.is_limited(kStart, "search"));
  EXPECT_EQ(limiter.size(), 0U);
  EXPECT_EQ(drain(kStart, limiter, "search"), 5U);
  EXPECT_TRUE(limiter.is_limited(kStart + 99ms, "search"));
  EXPECT_FALSE(limiter.is_limited(kStart + 100ms, "search"));
  EXPECT_FALSE(limiter.is_limited(kStart + 34ms, "search", 3.0));
  EXPECT_EQ(drain(kStart + 100ms, limiter, "search", 3.0), 3U) << "asking did not use the time up";
}

TEST(ToolLimiter, ResetFillsOneTool) {  // LIM-6
  ToolLimiter limiter({.rate = 1});
  drain(kStart, limiter, "a");
  drain(kStart, limiter, "b");
  EXPECT_TRUE(limiter.reset("a"));
  EXPECT_FALSE(limiter.reset("unknown"));
  EXPECT_EQ(drain(kStart, limiter, "a"), 5U);
  EXPECT_EQ(drain(kStart, limiter, "b"), 0U);
  const auto taken = limiter.try_acquire(kStart + 1s, "a");
  ASSERT_TRUE(taken);
  limiter.release("a", *taken);
  EXPECT_EQ(drain(kStart + 1s, limiter, "a"), 1U);
}

TEST(ToolLimiter, ALateRefundGivesNothingBackThatHasComeBackByItself) {               // LIM-1 LIM-6
  ToolLimiter limiter({.rate = 1, .burst = 5.0, .process_calls_per_minute = 600.0});  // the gate's burst is 10
  const auto early = limiter.try_acquire(kStart, "a");
  ASSERT_TRUE(early);
  EXPECT_EQ(drain(kStart + 1s, limiter, "a"), 5U);
  EXPECT_EQ(drain(kStart + 1s, limiter, "b"), 5U);
  limiter.release("a", *early);
  EXPECT_EQ(drain(kStart + 1s, limiter, "a"), 0U) << "its own bucket was full in between";
  EXPECT_EQ(drain(kStart + 1s, limiter, "c"), 0U) << "so was the gate's";
  // The gate is full again long before the tool's bucket is.
  const auto own = limiter.try_acquire(kStart + 2s, "a");
  ASSERT_TRUE(own);
  EXPECT_EQ(drain(kStart + 4s, limiter, "b"), 3U);
  limiter.release("a", *own);
  EXPECT_EQ(drain(kStart + 4s, limiter, "a"), 3U);
}

TEST(ToolLimiter, ToolsBeyondTheBoundShareOneBucket) {  // LIM-6 CORE-5
  ToolLimiter limiter({.rate = 1, .burst = 5.0, .max_keys = 2});
  EXPECT_EQ(drain(kStart, limiter, "a"), 5U);
  EXPECT_EQ(drain(kStart, limiter, "b"), 5U);
  EXPECT_EQ(limiter.shared_calls(), 0U);
  EXPECT_EQ(drain(kStart, limiter, "c"), 5U);
  EXPECT_EQ(drain(kStart, limiter, "d"), 0U) << "c and d are limited together";
  EXPECT_TRUE(limiter.is_limited(kStart, "e"));
  EXPECT_EQ(limiter.size(), 2U);
  EXPECT_EQ(limiter.shared_calls(), 7U);
  const auto taken = limiter.try_acquire(kStart + 1s, "d");
  ASSERT_TRUE(taken);
  limiter.release("d", *taken);
  EXPECT_EQ(drain(kStart + 1s, limiter, "c"), 1U);
}

class ToolLimiterEnvironment : public testing::Test {
 protected:
  ToolLimiterOptions read(ToolLimiterOptions base = {}) {
    return tool_limiter_options_from(
        [this](std::string_view name) {
          const auto found = variables_.find(std::string(name));
          return found == variables_.end() ? std::nullopt : std::optional(found->second);
        },
        [this](std::string_view warning) { warnings_.emplace_back(warning); }, base);
  }

  std::map<std::string, std::string> variables_;
  std::vector<std::string> warnings_;
};

TEST_F(ToolLimiterEnvironment, SetsWhatItNames) {  // LIM-6
  variables_ = {
      {"FUSEBOARD_TOOL_RATE_LIMIT", "2.5"}, {"FUSEBOARD_TOOL_BURST", " 7 "}, {"FUSEBOARD_TOOL_CALLS_PER_MIN", "90"}};
  const ToolLimiterOptions options = read();
  EXPECT_DOUBLE_EQ(options.rate, 2.5);
  EXPECT_EQ(options.burst, 7.0);
  EXPECT_EQ(options.process_calls_per_minute, 90.0);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(ToolLimiterEnvironment, LeavesTheRestAsItWas) {  // LIM-6
  const ToolLimiterOptions options = read({.rate = 3, .burst = 9.0});
  EXPECT_DOUBLE_EQ(options.rate, 3.0);
  EXPECT_EQ(options.burst, 9.0);
  EXPECT_EQ(options.process_calls_per_minute, std::nullopt);
}

TEST_F(ToolLimiterEnvironment, NonsenseIsIgnoredWithOneWarning) {  // LIM-6
  for (const char* nonsense : {"0", "-1", "fast", "", "nan", "inf", "1e400", "5 per second", "0x10", "1,5"}) {
    variables_ = {{"FUSEBOARD_TOOL_RATE_LIMIT", nonsense},
                  {"FUSEBOARD_TOOL_BURST", nonsense},
                  {"FUSEBOARD_TOOL_CALLS_PER_MIN", "60"}};
    warnings_.clear();
    const ToolLimiterOptions options = read();
    EXPECT_DOUBLE_EQ(options.rate, 20.0) << nonsense;
    EXPECT_EQ(options.burst, std::nullopt) << nonsense;
    EXPECT_EQ(options.process_calls_per_minute, 60.0);
    EXPECT_THAT(warnings_, ElementsAre(AllOf(HasSubstr("FUSEBOARD_TOOL_RATE_LIMIT"), HasSubstr("FUSEBOARD_TOOL_BURST"),
                                             Not(HasSubstr("CALLS_PER_MIN")))))
        << nonsense;
    EXPECT_TRUE(options.validate().empty());
  }
}

TEST(ToolLimiterOptionsRules, EveryProblemIsReported) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const ToolLimiterOptions options{.rate = nan, .burst = 0.0, .process_calls_per_minute = -1.0, .max_keys = 0};
  EXPECT_THAT(fields_of(options.validate()), ElementsAre("rate", "burst", "process_calls_per_minute", "max_keys"));
  EXPECT_THROW(ToolLimiter{options}, InvalidOptions);
}

RC_GTEST_PROP(ToolLimiterOracle, NoIntervalAdmitsMoreThanItsBoundAtAnySpeed, ()) {  // LIM-6
  const double rate = *rc::gen::element(0.5, 3.0, 20.0);
  const double burst = static_cast<double>(*rc::gen::inRange(1, 10));
  ToolLimiter limiter({.rate = rate, .burst = burst}, 1);
  std::vector<TimePoint> grants;
  double fastest = 1.0;
  TimePoint now = kStart;
  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    now += saturating_scale(1s, *rc::gen::element(0.0, 0.0, 0.1, 0.7, 3.0) / rate);
    const double speed = *rc::gen::element(1.0, 1.0, 2.0, 3.5);
    fastest = std::max(fastest, speed);
    const bool limited = limiter.is_limited(now, "tool", speed);
    const auto granted = limiter.try_acquire(now, "tool", speed);
    RC_ASSERT(granted.has_value() != limited);
    if (granted) {
      grants.push_back(now);
    } else {
      RC_ASSERT(!limiter.is_limited(now + *granted.error().retry_after, "tool", speed));
    }
  }
  for (std::size_t first = 0; first < grants.size(); ++first) {
    for (std::size_t last = first; last < grants.size(); ++last) {
      const double t = static_cast<double>((grants[last] - grants[first]).count()) / 1e9;
      RC_ASSERT(static_cast<double>(last - first + 1) <= burst + rate * fastest * t + 1e-6);
    }
  }
}

TEST(ToolLimiterThreads, ToolsAndGateHoldHoweverManyAsk) {  // LIM-1 LIM-6
  ToolLimiter limiter({.rate = 1, .burst = 50.0, .process_calls_per_minute = 12'000.0, .max_keys = 10});
  std::array<std::atomic<std::uint64_t>, 20> calls{};
  together(kThreads, [&](int thread) {
    Rng rng(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < 3000; ++i) {
      const std::size_t tool = rng.below(20);
      const KeyView key = std::string_view("abcdefghijklmnopqrst").substr(tool, 1);
      if (limiter.try_acquire(kStart, key, 1.0 + static_cast<double>(rng.below(3)))) ++calls[tool];
      (void)limiter.is_limited(kStart, key);
    }
  });
  std::uint64_t all = 0;
  for (const auto& count : calls) {
    EXPECT_LE(count, 50U);
    all += count;
  }
  EXPECT_EQ(all, 200U) << "the gate's burst, exactly";
  EXPECT_EQ(limiter.size(), 10U);
}

}  // namespace
}  // namespace fuseboard
