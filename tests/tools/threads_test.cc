// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Many threads on few tools, and on more tools than are held.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/together.h"
#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 6;

TEST(ToolGuardThreads, TheBurstIsSharedToTheLastToken) {  // LIM-1
  ManualClock clock;
  ToolGuard guard({.defaults = {.limit = exact_limit(1000)}}, clock);
  std::atomic<int> admitted{0};
  together(kThreads, [&](int) {
    for (int i = 0; i < 400; ++i) {
      if (guard.call("search", [] {}).has_value()) ++admitted;
    }
  });
  EXPECT_EQ(admitted, 1000);
  EXPECT_EQ(guard.totals().rate_limited, 400U * kThreads - 1000U);
}

TEST(ToolGuardThreads, OneProbeAndNoTokenLostByThoseItTurnsAway) {  // BRK-6 PIP-2
  ManualClock clock;
  ToolOptions options = fragile();
  options.limit = exact_limit(1000);
  ToolGuard guard({.defaults = options}, clock);
  for (int round = 0; round < 50; ++round) {
    call(guard, "search", ToolOutcome::timeout);
    clock.advance(10s);  // the bucket is full again
    std::atomic<int> probes{0};
    std::vector<ToolPermit> held(kThreads);
    together(kThreads, [&](int t) {
      for (int i = 0; i < 20; ++i) {
        if (auto permit = guard.try_acquire("search")) {
          ++probes;
          held[static_cast<std::size_t>(t)] = std::move(*permit);
        }
      }
    });
    ASSERT_EQ(probes, 1);
    ASSERT_EQ(tokens(guard, "search"), 999.0);
    for (ToolPermit& permit : held) std::move(permit).settle(ToolOutcome::success);
    clock.advance(10s);
  }
}

TEST(ToolGuardThreads, GrantsEqualSettlementsWhateverHappens) {  // PIP-7 BRK-17.1 BRK-10.1
  ManualClock clock;
  ToolGuard guard(
      {.defaults = {.breaker = {.failure_threshold = 3, .open_time = OpenTime::fixed(1ms)}, .limit = exact_limit(50)},
       .max_tools = 8},
      clock);
  std::atomic<std::uint64_t> admitted{0};
  together(kThreads, [&](int t) {
    Rng rng(static_cast<std::uint64_t>(t));
    for (int i = 0; i < 3000; ++i) {
      const std::string tool = "tool-" + std::to_string(rng.below(24));
      const std::uint64_t what = rng.below(8);
      if (what < 3) {
        try {
          const auto done = guard.call(tool, [&]() -> std::expected<int, ToolOutcome> {
            ++admitted;
            if (what == 0) throw std::runtime_error("thrown");
            if (what == 1) return std::unexpected(ToolOutcome::timeout);
            return 1;
          });
          EXPECT_TRUE(done.has_value() || done.error().retry_after > Duration::zero());
        } catch (const std::runtime_error&) {
        }
      } else if (auto permit = guard.try_acquire(tool)) {
        ++admitted;
        if (what == 3) std::move(*permit).settle(Failure::of(Category::rate_limit, 1ms));
        if (what == 4) std::move(*permit).settle(ToolOutcome::cancelled);
        if (what > 5) std::move(*permit).settle(ToolOutcome::success);
      }
      if (what == 5) clock.advance(300us);
      if (rng.below(300) == 0) (void)guard.snapshot();
      if (rng.below(300) == 0) guard.reset_all();
    }
  });
  const ToolTotals totals = guard.totals();
  EXPECT_EQ(totals.admitted, admitted);
  EXPECT_EQ(totals.admitted, totals.succeeded + totals.invalid_argument + totals.execution_error + totals.timeout +
                                 totals.cancelled + totals.judged + totals.abandoned);
  for (const ToolSnapshot& tool : guard.snapshot()) EXPECT_EQ(tool.circuit.in_flight, 0U);
  EXPECT_LE(guard.size(), 8U);
}

}  // namespace
}  // namespace fuseboard
