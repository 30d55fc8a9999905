// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/rate_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"

namespace fuseboard::gateway {
namespace {

using namespace std::chrono_literals;
using llm::Dialect;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr TimePoint kStart = TimePoint(1h);
// 2026-01-01T00:00:00Z
constexpr WallTime kNewYear = WallTime(1'767'225'600s);

std::vector<std::pair<std::string, std::string>> all(const net::Headers& headers) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const net::Header header : headers) list.emplace_back(header.name, header.value);
  return list;
}

RateLevel level(std::uint64_t limit, std::uint64_t remaining, Duration reset) {
  return {.limit = limit, .remaining = remaining, .reset_after = reset};
}

class LimitViewTest : public testing::Test {
 protected:
  TargetState state(const TargetStateOptions& options) {
    return TargetState(BreakerScopes{breakers_.handle("p/m", BreakerOptions{})}, options, "p/m");
  }

  BreakerRegistry breakers_;
};

TEST_F(LimitViewTest, TellsWhatIsLeftOfEachLimitThatIsSet) {  // LIM-5.1
  TargetState target = state({.limits = {.requests_per_minute = 500.0, .tokens_per_minute = 6000.0}});
  EXPECT_EQ(limit_view(kStart, target), (LimitView{level(500, 50, 0s), level(6000, 6000, 0s)}));
  auto permit = target.limits()->try_acquire(kStart, {.tokens = 600, .priority = Priority::critical});
  ASSERT_TRUE(permit);
  EXPECT_EQ(limit_view(kStart, target), (LimitView{level(500, 49, 120ms), level(6000, 5400, 6s)}));
  EXPECT_EQ(limit_view(kStart + 60ms, target).requests, level(500, 49, 60ms)) << "half a request is none";
  TargetState unlimited = state({.limits = {.concurrency = 3}});
  EXPECT_EQ(limit_view(kStart, unlimited), LimitView{});
}

TEST_F(LimitViewTest, NoMoreRemainsThanTheLimitHoweverSlowItIs) {
  TargetState target = state({.limits = {.requests_per_minute = 0.25}});
  EXPECT_EQ(limit_view(kStart, target).requests, level(1, 1, 0s));
}

TEST_F(LimitViewTest, AnAdaptiveRateIsToldAsItIsNow) {  // LIM-4.1
  TargetState target = state({.adaptive_rate = AdaptiveLimiterOptions{.rate = {.rate = 10.0}, .burst = 4.0}});
  EXPECT_EQ(limit_view(kStart, target), (LimitView{level(600, 4, 0s), {}}));
  target.adaptive_rate()->observe(kStart, {.remaining = 5, .reset_after = 10s});
  EXPECT_EQ(limit_view(kStart, target).requests, level(30, 1, 6s));
}

TEST_F(LimitViewTest, WhileAServersWordClosesTheTargetNothingRemains) {  // LIM-4.3
  TargetState target = state({.limits = {.requests_per_minute = 600.0}});
  target.gate().close(kStart, 7s);
  EXPECT_EQ(limit_view(kStart + 2s, target).requests, level(600, 0, 5s));
  EXPECT_EQ(limit_view(kStart + 7s, target).requests, level(600, 60, 0s));
  TargetState unlimited = state({});
  unlimited.gate().close(kStart, 7s);
  EXPECT_EQ(limit_view(kStart, unlimited).requests, (RateLevel{.remaining = 0, .reset_after = 7s}));
}

TEST(RateHeaders, AreFoundByTheirPrefixInAnyCase) {
  EXPECT_TRUE(tells_rates({{"date", "d"}, {"X-RateLimit-Limit-Requests", "1"}}));
  EXPECT_TRUE(tells_rates({{"Anthropic-Ratelimit-Tokens-Reset", "1"}}));
  EXPECT_FALSE(tells_rates({{"ratelimit-limit", "1"}, {"x-ratelimit", "1"}, {"anthropic-beta", "1"}, {"", "1"}}));
}

TEST(RefusedView, NothingRemainsOfWhatTheCallLacked) {
  const Rejection refused{.reason = RejectionReason::rate_limited, .key = {}, .retry_after = 5s};
  const LimitView own{level(60, 6, 1s), level(1000, 900, 6s)};
  EXPECT_EQ(rejected_view(own, refused), (LimitView{level(60, 6, 1s), level(1000, 0, 6s)}));
  EXPECT_EQ(rejected_view({level(60, 0, 1s), level(1000, 900, 6s)}, refused),
            (LimitView{level(60, 0, 5s), level(1000, 900, 6s)}));
  EXPECT_EQ(rejected_view({level(60, 2, 1s), {}}, refused).requests, level(60, 0, 5s)) << "a priority's reserve";
  EXPECT_EQ(rejected_view({}, refused).requests, (RateLevel{.remaining = 0, .reset_after = 5s}));
  EXPECT_EQ(rejected_view(own, {.reason = RejectionReason::concurrency_limited, .key = {}}), own);
}

TEST(ReadRateHeaders, ReadsBothFamiliesInEveryFormOfReset) {  // LIM-4.4
  const net::Headers openai = {{"X-RateLimit-Limit-Requests", "60"},  {"x-ratelimit-remaining-requests", "59"},
                               {"x-ratelimit-reset-requests", "1s"},  {"x-ratelimit-limit-tokens", "150000"},
                               {"x-ratelimit-remaining-tokens", "1"}, {"x-ratelimit-reset-tokens", "1m30.5s"}};
  const LimitView expected{level(60, 59, 1s), level(150'000, 1, 90'500ms)};
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::openai, openai), expected);
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::anthropic, openai), expected)
      << "the other family, for want of its own";
  const net::Headers anthropic = {{"anthropic-ratelimit-requests-limit", "50"},
                                  {"anthropic-ratelimit-requests-remaining", "49"},
                                  {"anthropic-ratelimit-requests-reset", "2026-01-01T00:00:02Z"},
                                  {"anthropic-ratelimit-tokens-remaining", "0"},
                                  {"anthropic-ratelimit-tokens-reset", "17"}};
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::anthropic, anthropic),
            (LimitView{level(50, 49, 2s), {.remaining = 0, .reset_after = 17s}}));
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::openai, {{"x-ratelimit-reset-requests", "1767225601"}}).requests,
            (RateLevel{.reset_after = 1s}));
}

TEST(ReadRateHeaders, PassesOverWhatItCannotRead) {  // CORE-7
  for (const char* value : {"", "-1", "many", "1.5", "99999999999999999999", "1 "}) {
    EXPECT_EQ(read_rate_headers(kNewYear, Dialect::openai, {{"x-ratelimit-remaining-requests", value}}), LimitView{});
  }
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::openai, {{"x-ratelimit-reset-requests", "soon"}}), LimitView{});
  EXPECT_EQ(read_rate_headers(kNewYear, Dialect::openai, {}), LimitView{});
}

ServerWindow window(const RateLevel& requests) { return server_window({requests, {}}).value(); }

TEST(ServerWindow, BoundsCallsOnceMostOfTheLimitIsUsed) {  // LIM-4.4
  EXPECT_EQ(window(level(500, 250, 30s)).reset_after, 0s) << "enough remains";
  EXPECT_EQ(window(level(500, 500, 0s)).reset_after, 0s);
  EXPECT_EQ(window(level(500, 100, 48s)).remaining, 500U) << "400 of them come back until the reset";
  EXPECT_EQ(window(level(500, 100, 48s)).reset_after, 48s);
  EXPECT_EQ(window(level(1, 1, 0s)).reset_after, 0s);
}

TEST(ServerWindow, ClosesOnlyUntilOneCallComesBack) {  // LIM-4.4
  const ServerWindow closed = window(level(500, 0, 60s));
  EXPECT_EQ(closed.remaining, 0U);
  EXPECT_EQ(closed.reset_after, 120ms + 1ns);
  EXPECT_EQ(window(level(1, 0, 60s)).reset_after, 60s);
  EXPECT_EQ(window(level(~std::uint64_t{0}, 0, 60s)).reset_after, 1ns);
  EXPECT_EQ(window(level(500, 0, 0s)).reset_after, 0s);
}

TEST(ServerWindow, WithoutALimitWhatRemainsIsAllUntilTheReset) {  // LIM-4.4
  const ServerWindow plain = window({.remaining = 3, .reset_after = 10s});
  EXPECT_EQ(plain.remaining, 3U);
  EXPECT_EQ(plain.reset_after, 10s);
  EXPECT_EQ(server_window({{.remaining = 3}, {}}).has_value(), false);
  EXPECT_EQ(server_window({{.limit = 3, .reset_after = 10s}, {}}).has_value(), false);
  EXPECT_EQ(server_window({{}, level(10, 0, 1s)}).has_value(), false) << "tokens are no calls";
}

TEST(ServerWindow, AnAdaptiveLimitFollowsIt) {  // LIM-4.4
  AdaptiveLimiter limiter({.rate = {.rate = 100}, .burst = 50.0});
  limiter.observe(kStart, window(level(600, 590, 1s)));
  EXPECT_EQ(limiter.view(kStart).remaining, 50U) << "the burst stays";
  limiter.observe(kStart, window(level(600, 100, 50s)));
  EXPECT_DOUBLE_EQ(limiter.rate(kStart), 12.0);
  limiter.observe(kStart, window(level(600, 0, 60s)));
  EXPECT_EQ(limiter.gate().peek_rejection(kStart)->retry_after, 100ms + 1ns);
}

TEST(SetRateHeaders, LeavesAnUpstreamOfTheCallersDialectAsItIs) {
  const net::Headers upstream = {{"X-RateLimit-Limit-Requests", "0060"},
                                 {"x-ratelimit-remaining-requests", "59"},
                                 {"x-ratelimit-reset-requests", "1.0s"},
                                 {"x-ratelimit-limit-project-tokens", "7"},
                                 {"anthropic-ratelimit-unified-status", "allowed"}};
  net::Headers answer = upstream;
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, read_rate_headers(kNewYear, Dialect::openai, upstream), {}});
  EXPECT_EQ(all(answer), all(upstream));
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, read_rate_headers(kNewYear, Dialect::openai, upstream), {level(600, 60, 0s), {}}});
  EXPECT_EQ(all(answer), all(upstream)) << "the upstream's is tighter";
}

TEST(SetRateHeaders, TheTighterLimitOfEachKindIsToldWhole) {
  net::Headers answer = {{"x-ratelimit-limit-requests", "6000"}, {"x-ratelimit-remaining-requests", "5000"},
                         {"x-ratelimit-reset-requests", "10ms"}, {"x-ratelimit-limit-tokens", "100"},
                         {"x-ratelimit-remaining-tokens", "10"}, {"x-ratelimit-reset-tokens", "54.0s"}};
  const LimitView upstream = read_rate_headers(kNewYear, Dialect::openai, answer);
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, upstream, {level(60, 6, 90s), level(1000, 500, 30s)}});
  EXPECT_THAT(all(answer),
              ElementsAre(Pair("x-ratelimit-limit-requests", "60"), Pair("x-ratelimit-remaining-requests", "6"),
                          Pair("x-ratelimit-reset-requests", "1m30s"), Pair("x-ratelimit-limit-tokens", "100"),
                          Pair("x-ratelimit-remaining-tokens", "10"), Pair("x-ratelimit-reset-tokens", "54.0s")));
}

TEST(SetRateHeaders, OfTwoThatAreUsedUpTheLaterResetIsTold) {
  net::Headers answer = {{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1s"}};
  const LimitView upstream = read_rate_headers(kNewYear, Dialect::openai, answer);
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, upstream, {{.remaining = 0, .reset_after = 500ms}, {}}});
  EXPECT_EQ(answer.get("x-ratelimit-reset-requests"), "1s");
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, upstream, {{.remaining = 0, .reset_after = 2s}, {}}});
  EXPECT_EQ(answer.get("x-ratelimit-reset-requests"), "2s");
}

TEST(SetRateHeaders, WhatTheTighterOneDoesNotKnowIsNotLeftFromTheOther) {
  net::Headers answer = {{"x-ratelimit-limit-requests", "60"}, {"x-ratelimit-remaining-requests", "59"}};
  const LimitView upstream = read_rate_headers(kNewYear, Dialect::openai, answer);
  set_rate_headers(kNewYear, answer, Dialect::openai,
                   {Dialect::openai, upstream, {{.remaining = 0, .reset_after = 2s}, {}}});
  EXPECT_THAT(all(answer),
              ElementsAre(Pair("x-ratelimit-remaining-requests", "0"), Pair("x-ratelimit-reset-requests", "2s")));
}

TEST(SetRateHeaders, AnUpstreamOfTheOtherDialectIsSaidInTheCallers) {
  const net::Headers upstream = {{"content-type", "application/json"},
                                 {"Anthropic-RateLimit-Requests-Limit", "50"},
                                 {"anthropic-ratelimit-requests-remaining", "49"},
                                 {"anthropic-ratelimit-requests-reset", "2026-01-01T00:00:02Z"},
                                 {"anthropic-ratelimit-input-tokens-remaining", "7"},
                                 {"anthropic-priority-input-tokens-limit", "7"}};
  net::Headers answer = upstream;
  const LimitView view = read_rate_headers(kNewYear, Dialect::anthropic, upstream);
  set_rate_headers(kNewYear, answer, Dialect::openai, {Dialect::anthropic, view, {}});
  EXPECT_THAT(all(answer),
              ElementsAre(Pair("content-type", "application/json"), Pair("x-ratelimit-limit-requests", "50"),
                          Pair("x-ratelimit-remaining-requests", "49"), Pair("x-ratelimit-reset-requests", "2s")));

  answer = {{"x-ratelimit-remaining-tokens", "9"}, {"x-ratelimit-limit-requests", "60"}, {"x-ratelimit-other", "1"}};
  set_rate_headers(kNewYear, answer, Dialect::anthropic,
                   {Dialect::openai, read_rate_headers(kNewYear, Dialect::openai, answer), {level(5, 1, 1500ms), {}}});
  EXPECT_THAT(all(answer), ElementsAre(Pair("anthropic-ratelimit-requests-limit", "5"),
                                       Pair("anthropic-ratelimit-requests-remaining", "1"),
                                       Pair("anthropic-ratelimit-requests-reset", "2026-01-01T00:00:02Z"),
                                       Pair("anthropic-ratelimit-tokens-remaining", "9")));
}

TEST(RateHeaders, AHeadThatIsLookedAtLaterTellsOfNearerResets) {
  const LimitView view = {level(50, 49, 2s), {.limit = 10, .remaining = 9}};
  EXPECT_EQ(aged(view, 500ms), (LimitView{level(50, 49, 1500ms), {.limit = 10, .remaining = 9}}));
  EXPECT_EQ(aged(view, 3s), (LimitView{level(50, 49, 0s), {.limit = 10, .remaining = 9}}));
}

std::string reset_text(Dialect caller, Duration after, WallTime now = kNewYear) {
  net::Headers answer;
  set_rate_headers(now, answer, caller, {caller, {}, {level(1, 0, after), {}}});
  return std::string(
      answer.get(caller == Dialect::openai ? "x-ratelimit-reset-requests" : "anthropic-ratelimit-requests-reset"));
}

TEST(SetRateHeaders, ResetsAreWrittenAsEachDialectWritesThem) {
  EXPECT_EQ(reset_text(Dialect::openai, 0s), "0s");
  EXPECT_EQ(reset_text(Dialect::openai, 1ns), "1ms") << "never too short";
  EXPECT_EQ(reset_text(Dialect::openai, 120ms), "120ms");
  EXPECT_EQ(reset_text(Dialect::openai, 1s), "1s");
  EXPECT_EQ(reset_text(Dialect::openai, 8640ms), "8.64s");
  EXPECT_EQ(reset_text(Dialect::openai, 10'005ms), "10.005s");
  EXPECT_EQ(reset_text(Dialect::openai, 6min), "6m0s");
  EXPECT_EQ(reset_text(Dialect::openai, 1h), "1h0m0s");
  EXPECT_EQ(reset_text(Dialect::openai, kForever), "8760h0m0s");
  EXPECT_EQ(reset_text(Dialect::anthropic, 0s), "2026-01-01T00:00:00Z");
  EXPECT_EQ(reset_text(Dialect::anthropic, 1ns), "2026-01-01T00:00:01Z") << "never too early";
  EXPECT_EQ(reset_text(Dialect::anthropic, 24h, kNewYear - 1s), "2026-01-01T23:59:59Z");
  EXPECT_EQ(reset_text(Dialect::anthropic, kForever), "2027-01-01T00:00:00Z");
}

TEST(SetRateHeaders, WithoutAnyLimitNothingIsSaid) {
  for (const Dialect caller : {Dialect::openai, Dialect::anthropic}) {
    net::Headers answer;
    set_rate_headers(kNewYear, answer, caller, {Dialect::openai, {}, {}});
    EXPECT_THAT(all(answer), IsEmpty());
  }
}

RC_GTEST_PROP(SetRateHeadersProperty, WhatIsWrittenReadsBackAndIsNeverTooShort, ()) {
  const auto caller = *rc::gen::element(Dialect::openai, Dialect::anthropic);
  const auto limit = *rc::gen::inRange<std::uint64_t>(1, 1'000'000'000);
  const auto remaining = *rc::gen::inRange<std::uint64_t>(0, limit + 1);
  const Duration reset = Duration(*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000'000));
  net::Headers answer;
  set_rate_headers(kNewYear, answer, caller, {caller, {}, {{}, level(limit, remaining, reset)}});
  const RateLevel read = read_rate_headers(kNewYear, caller, answer).tokens;
  RC_ASSERT(read.limit == limit && read.remaining == remaining);
  RC_ASSERT(*read.reset_after >= reset && *read.reset_after - reset < 1s);
}

}  // namespace
}  // namespace fuseboard::gateway
