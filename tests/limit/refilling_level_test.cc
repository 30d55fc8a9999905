// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/refilling_level.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "fuseboard/limit/token_bucket.h"
#include "tests/limit/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

TEST(RefillingLevel, NothingIsLostHoweverOftenItIsAsked) {  // LIM-1
  // In a double, or rounded per step, each of these refills would vanish in a level of a billion.
  for (const double rate : {kMinRate, 0.001, 7.0}) {
    RefillingLevel stepped(kMaxTokens);
    RefillingLevel at_once(kMaxTokens);
    stepped.advance(kStart, rate);
    at_once.advance(kStart, rate);
    stepped.take(1000.0);
    at_once.take(1000.0);
    const Duration before = stepped.time_until(kMaxTokens, 0, rate);
    for (int i = 1; i <= 10'000; ++i) stepped.advance(kStart + i * 1ns, rate);
    at_once.advance(kStart + 10us, rate);
    EXPECT_EQ(stepped.time_until(kMaxTokens, 0, rate), at_once.time_until(kMaxTokens, 0, rate));
    EXPECT_EQ(before - stepped.time_until(kMaxTokens, 0, rate), 10us);
  }
}

TEST(RefillingLevel, AnEarlierTimeRefillsNothing) {  // LIM-1 CORE-1, known mistake: a clock that runs backwards
  RefillingLevel level(10);
  level.advance(kStart, 1);
  level.take(10);
  level.advance(kStart + 3s, 1);
  level.advance(kStart - 1h, 1);
  EXPECT_DOUBLE_EQ(level.level(), 3.0);
  level.advance(kStart + 3s, 1);
  EXPECT_DOUBLE_EQ(level.level(), 3.0) << "the same seconds refill once";
}

TEST(RefillingLevel, ExtremesSaturate) {  // CORE-7
  RefillingLevel level(kMaxTokens);
  level.advance(TimePoint::min() + 1ns, kMaxTokens);
  for (int i = 0; i < 100; ++i) level.take(1e30);
  EXPECT_LT(level.level(), -kMaxTokens);
  EXPECT_EQ(level.time_until(2 * kMaxTokens, 0, kMaxTokens), kForever);
  EXPECT_EQ(level.time_until(1, 0, 0.0), kForever);
  EXPECT_EQ(level.time_until(1, 0, kMinRate), kForever);
  level.advance(kNever, kMaxTokens);
  EXPECT_TRUE(level.full());
  level.put(1e30, level.filling());
  EXPECT_DOUBLE_EQ(level.level(), kMaxTokens);
}

TEST(RefillingLevel, ADebtIsPaidBeforeAnythingElse) {  // LIM-5.2
  RefillingLevel level(10);
  level.advance(kStart, 1);
  level.take(15);
  EXPECT_DOUBLE_EQ(level.level(), -5.0);
  level.drain();
  EXPECT_DOUBLE_EQ(level.level(), -5.0) << "draining forgives nothing";
  EXPECT_EQ(level.time_until(2, 3, 1), 10s);
  level.advance(kStart + 10s, 1);
  EXPECT_TRUE(level.has(2, 3));
  EXPECT_FALSE(level.has(2, 3.001));
  level.clamp(1);
  EXPECT_DOUBLE_EQ(level.level(), 1.0);
  level.drain();
  EXPECT_DOUBLE_EQ(level.level(), 0.0);
}

RC_GTEST_PROP(RefillingLevelOracle, AgreesWithArithmeticInLongDouble, ()) {  // LIM-1
  const double burst = static_cast<double>(*rc::gen::inRange(1, 1000));
  RefillingLevel level(burst);
  long double naive = burst;
  TimePoint now = kStart;
  level.advance(now, 1);
  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    const double rate = *rc::gen::element(0.01, 1.0, 3.7, 250.0);
    const Duration wait = *rc::gen::element<Duration>(0ns, 1ns, 13us, 70ms, 2s, -1s);
    now += wait;
    level.advance(now, rate);
    if (wait > 0ns) naive = std::min<long double>(burst, naive + static_cast<long double>(wait.count()) * rate / 1e9L);
    if (wait < 0ns) now -= wait;  // an earlier time did nothing
    const double amount = static_cast<double>(*rc::gen::inRange(0, 40)) / 4;
    if (*rc::gen::arbitrary<bool>()) {
      level.take(amount);
      naive -= amount;
    } else {
      level.put(amount, level.filling());
      naive = std::min<long double>(burst, naive + amount);
    }
    RC_ASSERT(std::abs(static_cast<long double>(level.level()) - naive) < 1e-9L);
    const Duration until = level.time_until(1, 0, rate);
    RefillingLevel then = level;
    then.advance(now + until, rate);
    RC_ASSERT(then.has(1));
  }
}

}  // namespace
}  // namespace fuseboard
