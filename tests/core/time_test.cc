// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/deadline.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
__extension__ using Wide = __int128;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

std::int64_t clamped(Wide value) {
  return value > kMax ? kMax : value < kMin ? kMin : static_cast<std::int64_t>(value);
}

// Mostly values near the ends, where overflow lives.
rc::Gen<std::int64_t> any_count() {
  return rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(), rc::gen::inRange<std::int64_t>(kMax - 100, kMax),
                        rc::gen::inRange<std::int64_t>(kMin, kMin + 100), rc::gen::inRange<std::int64_t>(-100, 100));
}

RC_GTEST_PROP(SaturatingTime, SumsAgreeWithWideArithmetic, ()) {  // CORE-7
  const std::int64_t a = *any_count();
  const std::int64_t b = *any_count();
  RC_ASSERT(saturating_add(Duration(a), Duration(b)).count() == clamped(static_cast<Wide>(a) + b));
}

RC_GTEST_PROP(SaturatingTime, ElapsedIsNeverNegativeAndAgreesWithWideArithmetic, ()) {  // CORE-7
  const std::int64_t a = *any_count();
  const std::int64_t b = *any_count();
  const Wide difference = static_cast<Wide>(b) - a;
  RC_ASSERT(elapsed(TimePoint(Duration(a)), TimePoint(Duration(b))).count() ==
            clamped(difference < 0 ? 0 : difference));
}

RC_GTEST_PROP(SaturatingTime, ScalingNeverOverflowsOrGoesNegative, (std::int64_t count, double factor)) {  // CORE-7
  const Duration scaled = saturating_scale(Duration(count), factor);
  RC_ASSERT(scaled >= Duration::zero());
  RC_ASSERT(count <= 0 || !(factor >= 1.0) || scaled.count() >= count - count / 1'000'000 - 1);
}

TEST(SaturatingTime, ScalingByWhatIsNoNumberGivesZeroAndByInfinityTheLongest) {  // CORE-7
  EXPECT_EQ(saturating_scale(1s, std::nan("")), 0s);
  EXPECT_EQ(saturating_scale(1s, -2.0), 0s);
  EXPECT_EQ(saturating_scale(1s, INFINITY), kForever);
  EXPECT_EQ(saturating_scale(kForever, 1.0), kForever);
  EXPECT_EQ(saturating_scale(5s, 2.0), 10s);
}

TEST(SaturatingTime, NeverStaysNeverWhateverIsAdded) {  // CORE-7
  EXPECT_EQ(saturating_add(kNever, -1h), kNever);
  EXPECT_EQ(saturating_add(TimePoint(Duration(kMax - 1)), 1h), kNever);
}

TEST(SaturatingTime, MillisecondsAreRoundedUpSoThatAWaitIsNeverTooShort) {
  EXPECT_EQ(ceil_milliseconds(1ns), 1);
  EXPECT_EQ(ceil_milliseconds(1ms), 1);
  EXPECT_EQ(ceil_milliseconds(1ms + 1ns), 2);
  EXPECT_EQ(ceil_milliseconds(-1s), 0);
  EXPECT_EQ(ceil_milliseconds(kForever), kMax / 1'000'000 + 1);
}

TEST(Deadline, PassesAtItsTimeAndForeverNeverDoes) {  // CORE-7
  const TimePoint now(1h);
  const Deadline deadline = Deadline::after(now, 5s);
  EXPECT_FALSE(deadline.passed(now + 5s - 1ns));
  EXPECT_TRUE(deadline.passed(now + 5s));
  EXPECT_EQ(deadline.remaining(now + 2s), 3s);
  EXPECT_EQ(deadline.remaining(now + 9s), 0s);
  EXPECT_TRUE(Deadline::after(now, kForever).is_never());
  EXPECT_FALSE(Deadline::never().passed(kNever));
  EXPECT_TRUE(Deadline::after(now, -1s).passed(now));
  EXPECT_EQ(Deadline::sooner(deadline, Deadline::never()), deadline);
  EXPECT_TRUE(deadline.fits(now, 5s - 1ns));
  EXPECT_FALSE(deadline.fits(now, 5s));
  EXPECT_FALSE(deadline.fits(now, kForever));
}

TEST(Clock, AManualClockNeverGoesBack) {  // CORE-1
  ManualClock clock;
  const TimePoint start = clock.now();
  clock.advance(-1h);
  clock.advance_to(start - 1s);
  EXPECT_EQ(clock.now(), start);
  clock.advance(1s);
  EXPECT_EQ(clock.now(), start + 1s);
  clock.advance(kForever);
  EXPECT_EQ(clock.now(), kNever);
}

TEST(Clock, AManualClockLosesNoAdvanceOfSeveralThreads) {
  ManualClock clock;
  const TimePoint start = clock.now();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) clock.advance(1ns);
    });
  }
  threads.clear();
  EXPECT_EQ(clock.now(), start + 4000ns);
}

TEST(Clock, OnlyOneFileReadsTheMachinesClocks) {  // CORE-1
  const std::filesystem::path root(FUSEBOARD_SOURCE_DIR);
  std::vector<std::string> readers;
  for (const char* folder : {"include", "src"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      for (const char* read : {"steady_clock::now", "system_clock::now", "high_resolution_clock"}) {
        if (text.str().find(read) != std::string::npos) {
          readers.push_back(std::filesystem::relative(entry.path(), root).string());
          break;
        }
      }
    }
  }
  EXPECT_EQ(readers, std::vector<std::string>{"src/core/clock.cc"});
}

}  // namespace
}  // namespace fuseboard
