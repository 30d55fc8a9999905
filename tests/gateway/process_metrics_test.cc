// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/process_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

// Fields as proc(5) numbers them: 14 user and 15 system ticks, 22 ticks of its start, 23 bytes, 24 pages.
constexpr std::string_view kStat =
    "42 (a ) b (c) S 1 42 42 0 -1 4194560 1000 0 0 0 150 50 0 0 20 0 9 0 12345 268435456 2500 18446744073709551615\n";

TEST(ProcessMetrics, ReadsWhatTheSystemSays) {
  const auto figures = parse_process_stat(kStat, 100, 4096);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->cpu_seconds, 2.0);
  EXPECT_EQ(figures->started_after_boot, 123.45);
  EXPECT_EQ(figures->virtual_bytes, 268435456U);
  EXPECT_EQ(figures->resident_bytes, 2500U * 4096U);
}

TEST(ProcessMetrics, ReadsNothingIntoWhatIsNoStat) {
  EXPECT_FALSE(parse_process_stat("", 100, 4096));
  EXPECT_FALSE(parse_process_stat("42 (fuseboard) S 1 2 3", 100, 4096));
  EXPECT_FALSE(parse_process_stat(kStat, 0, 4096));
}

TEST(ProcessMetrics, HasTheUsualNames) {  // TEL-3, TEL-1.4
  telemetry::Exposition out;
  write_process(out);
  const std::string text = std::move(out).take();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
                           "process_start_time_seconds", "process_open_fds", "process_max_fds"}) {
    EXPECT_THAT(text, testing::HasSubstr(std::string("\n") + name + " ")) << name;
  }
  EXPECT_THAT(text, testing::HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  EXPECT_THAT(text, testing::HasSubstr("# TYPE process_open_fds gauge\n"));
}

}  // namespace
}  // namespace fuseboard::gateway
