// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which tool goes when a new one comes to a full guard, and what the guard costs.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ToolEvictionTest : public testing::Test {
 protected:
  static ToolGuardOptions options() {
    ToolOptions one = fragile();
    one.limit = exact_limit(2);
    return {.defaults = one, .max_tools = 4};
  }
  bool holds(const KeyView& tool) { return guard_.snapshot(tool).circuit.generation != 0; }
  // Enough new tools to drive out whatever can go; their buckets are full again in between.
  void flood() {
    for (int i = 0; i < 20; ++i) {
      if (auto permit = guard_.try_acquire("flood-" + std::to_string(i))) {
        std::move(*permit).settle(ToolOutcome::success);
      }
      clock_.advance(kTokenTime);
    }
  }

  ManualClock clock_;
  ToolGuard guard_{options(), clock_};
};

TEST_F(ToolEvictionTest, AToolThatIsIdleMakesRoom) {  // BRK-17.6 BRK-17.7 CORE-5
  call(guard_, "idle", ToolOutcome::success);
  clock_.advance(kTokenTime);
  flood();
  EXPECT_FALSE(holds("idle"));
  EXPECT_EQ(guard_.size(), 4U);
  EXPECT_EQ(guard_.totals().untracked, 0U);
  EXPECT_EQ(guard_.totals().admitted, 21U) << "totals stay";
}

TEST_F(ToolEvictionTest, WhatMustStayStays) {  // BRK-17.6 BRK-17.7 LIM-1
  call(guard_, "open", ToolOutcome::timeout);
  const ToolPermit in_flight = acquired(guard_, "in-flight");
  call(guard_, "asks-for-time", Failure::of(Category::rate_limit, 60s));
  flood();
  for (const char* const tool : {"open", "in-flight", "asks-for-time"}) EXPECT_TRUE(holds(tool)) << tool;
  clock_.advance(60s);
  flood();
  EXPECT_FALSE(holds("asks-for-time"));
}

TEST_F(ToolEvictionTest, NoToolGetsAFullBucketByBeingForgotten) {  // LIM-1
  for (int i = 0; i < 2; ++i) call(guard_, "limited", ToolOutcome::success);
  for (int i = 0; i < 100; ++i) (void)guard_.try_acquire("flood-" + std::to_string(i));
  EXPECT_EQ(rejected(guard_, "limited").reason, RejectionReason::rate_limited);
}

TEST_F(ToolEvictionTest, AToolThatCannotBeHeldIsAdmittedUntrackedAndCounted) {  // BRK-17.5 CORE-5
  for (int i = 0; i < 4; ++i) call(guard_, "open-" + std::to_string(i), ToolOutcome::timeout);
  for (int i = 0; i < 9; ++i) call(guard_, "new", i == 0 ? ToolResult(TransportFault::reset) : ToolOutcome::timeout);
  (void)acquired(guard_, "new");
  const ToolTotals totals = guard_.totals();
  EXPECT_EQ(totals.untracked, 10U);
  EXPECT_EQ(totals.admitted, 14U);
  EXPECT_EQ(totals.timeout, 12U);
  EXPECT_EQ(totals.abandoned, 1U);
  EXPECT_FALSE(holds("new"));
  EXPECT_TRUE(guard_.reset("open-0"));
  call(guard_, "new", ToolOutcome::success);
  EXPECT_TRUE(holds("new")) << "there is room again";
}

TEST_F(ToolEvictionTest, APermitOutlivesNothingThatItNeeds) {  // BRK-17.6 BRK-10.1
  ToolPermit permit = acquired(guard_, "held");
  flood();
  std::move(permit).settle(Failure::of(Category::rate_limit, 5s));
  EXPECT_EQ(guard_.snapshot("held").paused_for, 5s);
}

}  // namespace
}  // namespace fuseboard
