// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/breaker_gauge.h"

#include <gtest/gtest.h>

#include <vector>

namespace fuseboard::telemetry {
namespace {

TEST(BreakerGauge, HasASeriesForEveryStateHalfOpenIncluded) {  // TEL-2
  Exposition out;
  const std::vector<BreakerGauge> breakers = {{.key = "a/b", .state = "half_open"}, {.key = "c/d", .state = "closed"}};
  write_breaker_states(out, breakers);
  EXPECT_EQ(std::move(out).take(),
            "# HELP fuseboard_breaker_state 1 for the state the breaker is in, 0 for the others.\n"
            "# TYPE fuseboard_breaker_state gauge\n"
            "fuseboard_breaker_state{key=\"a/b\",state=\"closed\"} 0\n"
            "fuseboard_breaker_state{key=\"a/b\",state=\"open\"} 0\n"
            "fuseboard_breaker_state{key=\"a/b\",state=\"half_open\"} 1\n"
            "fuseboard_breaker_state{key=\"c/d\",state=\"closed\"} 1\n"
            "fuseboard_breaker_state{key=\"c/d\",state=\"open\"} 0\n"
            "fuseboard_breaker_state{key=\"c/d\",state=\"half_open\"} 0\n");
}

}  // namespace
}  // namespace fuseboard::telemetry
