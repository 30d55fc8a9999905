// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/call_options.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};

TEST(ReadCallOptions, ARequestThatAsksForNothingGetsTheDefaults) {
  for (const net::Headers& headers :
       {net::Headers{}, net::Headers{{"host", "h"}, {"x-fuseboard", "1"}, {"y-fuseboard-priority", "low"}},
        net::Headers{{"x-fuseboard-", "low"}, {"x-fuseboard-unheard-of", "1"}}}) {
    for (const bool idempotent : {true, false}) {
      const auto options = read_call_options(headers, kNow, idempotent);
      ASSERT_TRUE(options);
      EXPECT_EQ(options->idempotent, idempotent);
      EXPECT_EQ(options->deadline.time(), Deadline{}.time());
      EXPECT_EQ(options->priority, Priority::normal);
      EXPECT_TRUE(options->account.session.empty());
    }
  }
}

TEST(ReadCallOptions, ReadsWhatIsAskedForInAnyCaseAndOrder) {
  const net::Headers headers = {{"accept", "*/*"},
                                {"X-FUSEBOARD-Session", "s"},
                                {"x-fuseboard-PRIORITY", "low"},
                                {"X-Fuseboard-Idempotent", "false"},
                                {"x-fuseboard-deadline-ms", "1500"},
                                {"x-fuseboard-deadline-ms", "9"}};
  const auto options = read_call_options(headers, kNow, true);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->account.session, "s");
  EXPECT_EQ(options->priority, Priority::low);
  EXPECT_FALSE(options->idempotent);
  EXPECT_EQ(options->deadline.time(), kNow + std::chrono::milliseconds(1500)) << "the first of a name counts";
}

TEST(ReadCallOptions, APriorityNeverRises) {
  const auto options = read_call_options({{"x-fuseboard-priority", "critical"}}, kNow, true);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->priority, Priority::normal);
}

TEST(ReadCallOptions, RefusesWhatItCannotRead) {
  for (const auto& [name, value] : {net::Header{"x-fuseboard-deadline-ms", "0"},
                                    {"x-fuseboard-deadline-ms", "86400001"},
                                    {"x-fuseboard-deadline-ms", "1s"},
                                    {"x-fuseboard-deadline-ms", ""},
                                    {"x-fuseboard-idempotent", "yes"},
                                    {"x-fuseboard-priority", "urgent"},
                                    {"x-fuseboard-session", ""}}) {
    const auto options = read_call_options({{"x-fuseboard-other", "1"}, {name, value}}, kNow, true);
    ASSERT_FALSE(options) << name << ": " << value;
    EXPECT_EQ(options.error().param, name);
  }
  EXPECT_FALSE(read_call_options({{"x-fuseboard-session", std::string(129, 's')}}, kNow, true));
  EXPECT_TRUE(read_call_options({{"x-fuseboard-session", std::string(128, 's')}}, kNow, true));
}

}  // namespace
}  // namespace fuseboard::gateway
