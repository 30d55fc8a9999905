// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/event_text.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

TEST(EventText, SaysWhatMovedAndWhy) {
  const BreakerEvent opened{.key = "p/m",
                            .from = CircuitState::closed,
                            .to = CircuitState::open,
                            .cause = TransitionCause::consecutive_failures,
                            .consecutive_failures = 5,
                            .open_time = std::chrono::seconds(30),
                            .last_failure = Category::timeout};
  EXPECT_EQ(event_text(opened), "p/m: closed -> open after 5 failures in a row, the last timeout; refusing for 30s");
  BreakerEvent at_once = opened;
  at_once.consecutive_failures = 1;
  EXPECT_EQ(event_text(at_once), "p/m: closed -> open after 1 failure in a row, the last timeout; refusing for 30s");
  const BreakerEvent closed{.key = "p/m",
                            .from = CircuitState::half_open,
                            .to = CircuitState::closed,
                            .cause = TransitionCause::probe_succeeded};
  EXPECT_EQ(event_text(closed), "p/m: half_open -> closed after a good probe");
}

TEST(EventText, StaysOneLineWhateverACallerCalledItsModel) {
  const BreakerEvent event{.key = "p/m\n12:00:00 forged\x1B[31m\x7F\u009B2J\u202E\xFF",
                           .from = CircuitState::closed,
                           .to = CircuitState::open};
  const std::string text = event_text(event);
  EXPECT_TRUE(text.starts_with("p/m\\x0a12:00:00 forged\\x1b[31m\\x7f\\u{009b}2J\\u{202e}\\xff: closed -> open"))
      << text;
}

}  // namespace
}  // namespace fuseboard::gateway
