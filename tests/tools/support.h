// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of the tool guard share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "fuseboard/core/clock.h"
#include "fuseboard/tools/tool_guard.h"

namespace fuseboard {

// One failure opens for 10 s, and there is no limit: for tests of the circuit.
inline ToolOptions fragile() {
  return {.breaker = {.failure_threshold = 1, .open_time = OpenTime::fixed(std::chrono::seconds(10))},
          .limit = std::nullopt};
}

// A bucket that refills a token in 2^29 ns exactly, so that models of it can count in whole nanoseconds.
inline constexpr Duration kTokenTime = Duration(1 << 29);
inline TokenBucketOptions exact_limit(double burst) { return {.rate = 1e9 / (1 << 29), .burst = burst}; }

// Admission that the test expects to succeed.
inline ToolPermit acquired(ToolGuard& guard, const KeyView& tool, Priority priority = Priority::normal) {
  auto permit = guard.try_acquire(tool, priority);
  if (permit) return std::move(*permit);
  ADD_FAILURE() << "refused: " << name(permit.error().reason);
  return {};
}

inline void call(ToolGuard& guard, const KeyView& tool, const ToolResult& result) {
  acquired(guard, tool).settle(result);
}

// Refusal that the test expects.
inline Rejection rejected(ToolGuard& guard, const KeyView& tool, Priority priority = Priority::normal) {
  auto permit = guard.try_acquire(tool, priority);
  if (!permit) return permit.error();
  ADD_FAILURE() << "admitted";
  return {.reason = RejectionReason::deadline_exceeded};
}

inline double tokens(const ToolGuard& guard, const KeyView& tool) { return guard.snapshot(tool).limit->available; }

}  // namespace fuseboard
