// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/rate_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "sim/quota_headers.h"
#include "sim/response_memory.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using Exceeded = Quota::Exceeded;
using ::testing::Contains;
using ::testing::Pair;

TEST(RateWindows, CountRequestsForAMinuteFromTheFirst) {
  RateWindows windows;
  const TimePoint start{1h};
  EXPECT_EQ(windows.take(start, "m", 2, 10).remaining_requests, 1U);
  const Quota second = windows.take(start + 20s, "m", 2, 10);
  EXPECT_EQ(second.exceeded, Exceeded::kNothing);
  EXPECT_EQ(second.remaining_requests, 0U);
  EXPECT_EQ(second.reset, 40s);
  const Quota third = windows.take(start + 59s, "m", 2, 10);
  EXPECT_EQ(third.exceeded, Exceeded::kRequests);
  EXPECT_EQ(third.reset, 1s);
  EXPECT_EQ(windows.take(start + 60s, "m", 2, 10).exceeded, Exceeded::kNothing) << "the next window";
  EXPECT_EQ(windows.take(start + 59s, "other", 2, 10).remaining_requests, 1U);
}

TEST(RateWindows, CountTokensAndNotWhatWasRefused) {
  RateWindows windows;
  const TimePoint start{1h};
  EXPECT_EQ(windows.take(start, "m", 2, 1500).remaining_tokens, 500U);
  const Quota refused = windows.take(start, "m", 2, 501);
  EXPECT_EQ(refused.exceeded, Exceeded::kTokens);
  EXPECT_EQ(refused.remaining_tokens, 500U);
  EXPECT_EQ(refused.remaining_requests, 1U);
  EXPECT_EQ(windows.take(start, "m", 2, 500).exceeded, Exceeded::kNothing);
}

TEST(RateWindows, NoRequestsAtAll) {
  RateWindows windows;
  EXPECT_EQ(windows.take(TimePoint{1h}, "m", 0, 0).exceeded, Exceeded::kRequests);
}

TEST(RateWindows, NamesBeyondTheBoundShareOne) {
  RateWindows windows;
  for (std::size_t i = 0; i < RateWindows::kMaxNames; ++i) windows.take(TimePoint{1h}, std::to_string(i), 1, 0);
  EXPECT_EQ(windows.take(TimePoint{1h}, "one more", 1, 0).exceeded, Exceeded::kNothing);
  EXPECT_EQ(windows.take(TimePoint{1h}, "another", 1, 0).exceeded, Exceeded::kRequests);
  EXPECT_EQ(windows.take(TimePoint{1h}, "0", 1, 0).exceeded, Exceeded::kRequests);
}

const Quota kQuota = {
    .requests = 60, .tokens = 60'000, .remaining_requests = 59, .remaining_tokens = 59'990, .reset = 59'250ms};
const WallTime kNow = std::chrono::sys_seconds(1'767'225'600s);  // 2026-01-01

TEST(RateHeaders, AreOpenAis) {
  Reply reply;
  add_rate_headers(kNow, Dialect::openai, kQuota, reply);
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-limit-requests", "60")));
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-remaining-requests", "59")));
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-reset-requests", "59.25s")));
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-limit-tokens", "60000")));
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-remaining-tokens", "59990")));
  Quota quota = kQuota;
  quota.reset = 60s;
  add_rate_headers(kNow, Dialect::openai, quota, reply);
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-reset-requests", "1m0s")));
  quota.reset = 20ms;
  add_rate_headers(kNow, Dialect::openai, quota, reply);
  EXPECT_THAT(reply.headers, Contains(Pair("x-ratelimit-reset-requests", "20ms")));
}

TEST(RateHeaders, AreAnthropics) {
  Reply reply;
  add_rate_headers(kNow, Dialect::anthropic, kQuota, reply);
  EXPECT_THAT(reply.headers, Contains(Pair("anthropic-ratelimit-requests-limit", "60")));
  EXPECT_THAT(reply.headers, Contains(Pair("anthropic-ratelimit-requests-remaining", "59")));
  EXPECT_THAT(reply.headers, Contains(Pair("anthropic-ratelimit-requests-reset", "2026-01-01T00:01:00Z")));
  EXPECT_THAT(reply.headers, Contains(Pair("anthropic-ratelimit-input-tokens-remaining", "59990")));
}

TEST(RateHeaders, TheWordsNameTheLimitThatWasReached) {
  Quota quota = kQuota;
  quota.exceeded = Exceeded::kRequests;
  quota.remaining_requests = 0;
  EXPECT_EQ(rate_message(Dialect::openai, quota, "gpt"),
            "Rate limit reached for gpt on requests per min (RPM): Limit 60, Used 60. Please try again in 59.25s.");
  quota.exceeded = Exceeded::kTokens;
  EXPECT_EQ(rate_message(Dialect::anthropic, quota, "claude"),
            "This request would exceed your organization's rate limit of 60000 input tokens per minute.");
}

TEST(ResponseMemory, ForgetsTheOldestFirst) {
  ResponseMemory memory;
  for (std::size_t i = 0; i <= ResponseMemory::kMaxResponses; ++i) memory.remember(std::to_string(i), {.tokens = i});
  EXPECT_FALSE(memory.find("0").has_value());
  EXPECT_EQ(memory.find("1")->tokens, 1U);
  memory.clear();
  EXPECT_FALSE(memory.find("1").has_value());
}

}  // namespace
}  // namespace fuseboard::sim
