// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a known tool must not cost: an allocation, or a clock read too many. Nothing is timed here.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/count_allocations.h"
#include "tests/support/counting_clock.h"
#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

TEST(ToolGuardCost, AKnownToolAllocatesNothingWhateverHappens) {  // BRK-17.4 BRK-18.2
  (void)ThreadSlot::current();                                    // a thread's very first call may allocate
  ManualClock clock;
  ToolGuard guard({.defaults = {.limit = exact_limit(100)}}, clock);
  const std::string long_name(200, 'x');
  for (const KeyView& tool : {KeyView("search"), KeyView("server", "tool"), KeyView(long_name)}) {
    call(guard, tool, ToolOutcome::success);
    const std::uint64_t before = allocations;
    for (int i = 0; i < 200; ++i) {
      if (auto permit = guard.try_acquire(tool)) {
        switch (i % 5) {
          case 0:
            std::move(*permit).settle(ToolOutcome::execution_error);
            break;
          case 1:
            std::move(*permit).settle(Failure::of(Category::overloaded, 10ms));
            break;
          case 2:
            std::move(*permit).settle(HttpFailure{.status = 503});
            break;
          case 3:
            break;
          default:
            std::move(*permit).settle(ToolOutcome::timeout);
        }
      }
      (void)guard.peek_rejection(tool);
      (void)guard.call(tool, [] { return 1; });
      clock.advance(100ms);
    }
    EXPECT_EQ(allocations, before);
    EXPECT_GT(guard.snapshot(tool).circuit.times_opened, 0U) << "the histories must be worth something";
  }
  const std::uint64_t before = allocations;
  call(guard, "new", ToolOutcome::success);
  EXPECT_TRUE(allocations > before || !kAllocationsSeen) << "the allocations are counted";
}

TEST(ToolGuardCost, AnAdmissionReadsTheClockOnceForItsLimitAndElseNever) {  // BRK-18.1
  CountingClock clock;
  ToolGuardOptions options{.defaults = {.limit = exact_limit(1000)}};
  options.tools.push_back({.tool = Key("unlimited"), .options = {.limit = std::nullopt}});
  ToolGuard guard(options, clock);
  for (const char* const tool : {"limited", "unlimited"}) call(guard, tool, ToolOutcome::success);
  clock.reads = 0;
  for (int i = 0; i < 100; ++i) call(guard, "limited", ToolOutcome::success);
  EXPECT_EQ(clock.reads, 100);
  clock.reads = 0;
  for (int i = 0; i < 100; ++i) call(guard, "unlimited", ToolOutcome::success);
  EXPECT_EQ(clock.reads, 0);
}

TEST(ToolGuardCost, AnOpenCircuitReadsTheClockOnce) {  // PIP-2
  CountingClock clock;
  ToolOptions options = fragile();
  options.limit = exact_limit(10);
  ToolGuard guard({.defaults = options}, clock);
  call(guard, "search", ToolOutcome::timeout);
  clock.reads = 0;
  for (int i = 0; i < 100; ++i) (void)rejected(guard, "search");
  EXPECT_EQ(clock.reads, 100);
}

}  // namespace
}  // namespace fuseboard
