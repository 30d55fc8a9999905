// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/call_headers.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace fuseboard::gateway {
namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};

TEST(ReadCallOptions, ARequestThatAsksForNothingGetsTheDefaults) {
  for (const net::Headers& headers :
       {net::Headers{}, net::Headers{{"host", "h"}, {"x-fuseboard", "1"}, {"y-fuseboard-priority", "low"}},
        net::Headers{{"x-fuseboard-", "low"}, {"x-fuseboard-unheard-of", "1"}}}) {
    for (const bool idempotent : {true, false}) {
      const auto options = read_call_options(headers, kNow, {.idempotent = idempotent});
      ASSERT_TRUE(options);
      EXPECT_EQ(options->idempotent, idempotent);
      EXPECT_EQ(options->deadline.time(), Deadline{}.time());
      EXPECT_EQ(options->priority, Priority::normal);
      EXPECT_TRUE(options->account.session.empty());
    }
  }
}

TEST(ReadCallOptions, ReadsWhatIsAskedForInAnyCaseAndOrder) {  // RTY-3.6, RTY-7.1
  const net::Headers headers = {{"accept", "*/*"},
                                {"X-FUSEBOARD-Session", "s"},
                                {"x-fuseboard-PRIORITY", "low"},
                                {"X-Fuseboard-Idempotent", "false"},
                                {"x-fuseboard-deadline-ms", "1500"},
                                {"x-fuseboard-deadline-ms", "9"}};
  const auto options = read_call_options(headers, kNow, {});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->account.session, "s");
  EXPECT_EQ(options->priority, Priority::low);
  EXPECT_FALSE(options->idempotent);
  EXPECT_EQ(options->deadline.time(), kNow + std::chrono::milliseconds(1500)) << "the first of a name counts";
}

TEST(ReadCallOptions, APriorityNeverRises) {
  const auto options = read_call_options({{"x-fuseboard-priority", "critical"}}, kNow, {});
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
    const auto options = read_call_options({{"x-fuseboard-other", "1"}, {name, value}}, kNow, {});
    ASSERT_FALSE(options) << name << ": " << value;
    EXPECT_EQ(options.error().param, name);
  }
  EXPECT_FALSE(read_call_options({{"x-fuseboard-session", std::string(129, 's')}}, kNow, {}));
  EXPECT_TRUE(read_call_options({{"x-fuseboard-session", std::string(128, 's')}}, kNow, {}));
}

std::optional<Duration> deadline(const net::Headers& headers, bool streaming = false) {
  const auto options = read_call_options(headers, kNow, {.streaming = streaming});
  EXPECT_TRUE(options);
  if (!options || options->deadline.time() == Deadline{}.time()) return std::nullopt;
  return options->deadline.time() - kNow;
}

TEST(ReadCallOptions, TakesTheTimeThatAnSdkAnnouncesLessWhatTellingItTakes) {  // RTY-3.7
  using namespace std::chrono_literals;
  for (const auto& [seconds, left] : {std::pair<std::string_view, Duration>{"600", 595s},
                                      {"100", 95s},
                                      {"99.5", 94'525ms},
                                      {"60.0", 57s},
                                      {"10", 9500ms},
                                      {"5", 4750ms},
                                      {"4", 3750ms},
                                      {"1", 750ms},
                                      {"0.5", 250ms},
                                      {"0.251", 1ms}}) {
    for (const char* name : {"x-stainless-timeout", "X-Stainless-Timeout", "x-stainless-read-timeout"}) {
      const auto found = deadline({{name, seconds}});
      ASSERT_TRUE(found) << name << ' ' << seconds;
      EXPECT_LE(std::chrono::abs(*found - left), 1us) << name << ' ' << seconds;
    }
  }
  EXPECT_EQ(deadline({{"x-stainless-timeout", "99999999999999999999999999"}}), 24h);
}

TEST(ReadCallOptions, IgnoresAnAnnouncementThatIsNone) {  // RTY-3.7
  for (const char* text :
       {"", "0", "0.25", "0.0", "-5", "+5", "1e3", "inf", "nan", "soon", "5s", " 5", "5,5", "5.5.5", ".", "0x10"}) {
    EXPECT_EQ(deadline({{"x-stainless-timeout", text}}), std::nullopt) << text;
  }
}

TEST(ReadCallOptions, TheCallersOwnWordComesBeforeItsSdks) {  // RTY-3.6
  using namespace std::chrono_literals;
  EXPECT_EQ(deadline({{"x-stainless-timeout", "10"}, {"x-fuseboard-deadline-ms", "60000"}}), 60s);
  EXPECT_EQ(deadline({{"x-stainless-read-timeout", "100"}, {"x-stainless-timeout", "10"}}), 9500ms);
  EXPECT_EQ(deadline({{"x-stainless-read-timeout", "100"}, {"x-stainless-timeout", "never"}}), 95s);
  EXPECT_EQ(deadline({{"x-stainless-read-timeout", "100"}}, true), std::nullopt)
      << "of a stream it bounds each silence, and not the whole";
  EXPECT_EQ(deadline({{"x-stainless-timeout", "100"}}, true), 95s);
}

}  // namespace
}  // namespace fuseboard::gateway
