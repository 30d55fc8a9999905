// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/admin.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/event_text.h"

namespace fuseboard::gateway {
namespace {

TEST(Admin, AnswersLoopbackUnderALoopbackNameAlone) {
  EXPECT_TRUE(may_administrate("127.0.0.1", {{"host", "127.0.0.1:8787"}}));
  EXPECT_TRUE(may_administrate("::1", {{"host", "[::1]:8787"}}));
  EXPECT_TRUE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "http://localhost:3000"}}));
  EXPECT_FALSE(may_administrate("10.0.0.7", {{"host", "127.0.0.1:8787"}}));
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "rebound.example:8787"}})) << "a rebound DNS name";
  for (const char* name : {"127.evil.example", "127.0.0.1.evil.example:8787", "127.", "127.0.0.1evil"}) {
    EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", name}})) << "a name that begins like an address: " << name;
    const std::string origin = std::string("http://") + name;
    EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", origin}})) << origin;
  }
  EXPECT_FALSE(may_administrate("127.0.0.1", {})) << "no Host at all";
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "https://evil.example"}}));
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "null"}})) << "a sandboxed page";
}

TEST(Admin, KnowsLoopbackInAllItsSpellings) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:80", "127.255.0.9:1", "localhost:8787", "LocalHost", "[::1]", "[::1]:80"})
    EXPECT_TRUE(is_local_request({{"Host", host}, {"Origin", std::string("https://") + host}})) << host;
  for (const char* host : {"", "127.0.0.10.1", "127.0.0", "128.0.0.1", "localhost.", "[::2]", "[::1", "127.0.0.1 "})
    EXPECT_FALSE(is_local_request({{"host", host}})) << host;
}

TEST(EventText, SaysWhatMovedAndWhy) {
  const BreakerEvent opened{.key = "p/m",
                            .from = CircuitState::closed,
                            .to = CircuitState::open,
                            .cause = TransitionCause::consecutive_failures,
                            .consecutive_failures = 5,
                            .open_time = std::chrono::seconds(30),
                            .last_failure = Category::timeout};
  EXPECT_EQ(event_text(opened), "p/m: closed -> open after 5 failures in a row, the last timeout; refusing for 30s");
  const BreakerEvent closed{.key = "p/m",
                            .from = CircuitState::half_open,
                            .to = CircuitState::closed,
                            .cause = TransitionCause::probe_succeeded};
  EXPECT_EQ(event_text(closed), "p/m: half_open -> closed after a good probe");
}

TEST(EventText, StaysOneLineWhateverACallerCalledItsModel) {
  const BreakerEvent event{
      .key = "p/m\n12:00:00 forged\x1B[31m\x7F", .from = CircuitState::closed, .to = CircuitState::open};
  const std::string text = event_text(event);
  EXPECT_TRUE(text.starts_with("p/m?12:00:00 forged?[31m?: closed -> open")) << text;
}

}  // namespace
}  // namespace fuseboard::gateway
