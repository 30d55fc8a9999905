// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/classifier.h"

#include <gtest/gtest.h>

#include <set>

#include "fuseboard/classify/advice.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNewYear{1767225600s};

Classification message(std::string_view text) {
  return classify({.channel = Channel::message, .domain = Domain::tool, .message = text});
}
Category category(std::string_view text) { return message(text).failure->category; }

TEST(Classify, ANumberIsAStatusOnlyWhereItIsSaidToBeOne) {
  EXPECT_EQ(category("processed 429 files"), Category::execution_error);  // known mistake: "429" out of "429 files"
  EXPECT_EQ(category("section 401 failed"), Category::execution_error);
  EXPECT_EQ(category("exit status 503"), Category::execution_error);
  EXPECT_EQ(category("expected status 404, got 200"), Category::execution_error);
  EXPECT_EQ(category("status: 4290"), Category::execution_error);
  EXPECT_EQ(category("HTTP 429 from upstream"), Category::rate_limit);
  EXPECT_EQ(category("upstream said status code: 503"), Category::service_unavailable);
  EXPECT_EQ(category("npm error 404 Not Found - GET https://registry"), Category::resource_not_found);
  EXPECT_EQ(category("Error code: 401 - {'error': {'message': 'no'}}"), Category::authentication);
}

TEST(Classify, WordsInQuotesPathsAndIdentifiersDoNotCount) {
  for (const std::string_view text :
       {"could not draw 'rate limit exceeded'", "could not draw \"connection refused\"", "bad cell /tmp/timed/out.txt",
        "no column rate_limit_hits", "see https://x/too-many-requests", "the `permission denied` test failed",
        "a quotation is missing", "the hyperparameter is odd", "it ran uninterrupted and failed"}) {
    EXPECT_EQ(category(text), Category::execution_error) << text;
  }
}

TEST(Classify, AnApostropheOpensNoQuote) {
  EXPECT_EQ(category("can't reach it: connection refused, it's down"), Category::network);
}

TEST(Classify, ProseDoesNotOverrideAStatus) {
  const auto judged = classify({.status = 503, .body = R"({"message":"the authentication service is being updated"})"});
  EXPECT_EQ(judged.failure->category, Category::service_unavailable);
}

TEST(Classify, ASandboxAPlanningModeAGuardrailAndABudgetAreToldApart) {
  EXPECT_EQ(message("command blocked by the sandbox").detail, PolicyDetail::sandbox);
  EXPECT_EQ(message("editing is not available in plan mode").detail, PolicyDetail::planning);
  EXPECT_EQ(message("blocked by guardrail pii").detail, PolicyDetail::guardrail);
  EXPECT_EQ(message("token budget exceeded: 9 / 8").detail, PolicyDetail::budget);
  EXPECT_EQ(message("request denied by policy").detail, PolicyDetail::none);
  for (const std::string_view text :
       {"command blocked by the sandbox", "editing is not available in plan mode", "blocked by guardrail pii",
        "token budget exceeded", "request denied by policy"}) {
    EXPECT_EQ(category(text), Category::policy_violation) << text;
  }
}

TEST(Classify, AnErrorIsFoundInsideAMessage) {
  const std::string_view one = R"({"error":{"message":"{\"error\":{\"code\":\"insufficient_quota\"}}"}})";
  EXPECT_EQ(classify({.status = 429, .body = one}).failure->category, Category::quota_exhausted);
  const std::string_view object = R"({"error":{"message":{"error":{"type":"overloaded_error"}}}})";
  EXPECT_EQ(classify({.status = 500, .body = object}).failure->category, Category::overloaded);
}

TEST(Classify, BrokenJsonStillTellsWhatItSaidBeforeItBroke) {
  EXPECT_EQ(classify({.status = 429, .body = R"({"error":{"code":"insufficient_quota","mess)"}).failure->category,
            Category::quota_exhausted);
}

struct WaitCase {
  std::string_view body;
  std::chrono::milliseconds wait;
};

TEST(Classify, WaitsInBodiesAreReadExactly) {
  constexpr WaitCase kCases[] = {
      {R"({"error":{"details":[{"retryDelay":"34.4s"}]}})", 34400ms},
      {R"({"error":{"details":[{"retryDelay":"34.074824224s"}]}})", 34075ms},
      {R"({"error":{"details":[{"retryDelay":"36s"}]}})", 36s},
      {R"({"retry_after_ms":1500,"retry_after":9})", 1500ms},
      {R"({"retry_after":30})", 30s},
      {R"({"error":"loading","estimated_time":300.89})", 300890ms},
      {R"({"message":"Please try again in 8ms."})", 8ms},
      {R"({"message":"Please try again in 6m0s."})", 6min},
      {R"({"message":"Please try again in 2m59.56s"})", 179560ms},
      {R"({"message":"Please retry after 9 seconds."})", 9s},
      {R"({"message":"Retry in 1 minute and 30 seconds"})", 90s},
      {R"({"message":"next probe in 12s"})", 12s},
      {R"({"error":{"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767225642000"}}}})", 42s},
  };
  for (const WaitCase& it : kCases) {
    const auto judged = classify({.status = 503, .body = it.body, .now = kNewYear});
    EXPECT_EQ(judged.failure->retry_after, Duration(it.wait)) << it.body;
  }
}

TEST(Classify, TextsThatNameNoWaitGiveNone) {
  for (const std::string_view body :
       {R"({"message":"try again in a moment"})", R"({"message":"retry after 2026-01-01T00:00:00Z"})",
        R"({"message":"try again in 5 requests"})", R"({"retry_after":-1})", R"({"retry_after":"soon"})",
        R"({"message":"the 'retry after 9 seconds' text"})"}) {
    EXPECT_EQ(classify({.status = 503, .body = body}).failure->retry_after, std::nullopt) << body;
  }
}

TEST(Classify, AHeaderGoesBeforeTheBodyAndTheBodyBeforeAWindow) {
  const HeaderField both[] = {
      {"retry-after", "7"}, {"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "1s"}};
  const std::string_view body = R"({"retry_after":30})";
  EXPECT_EQ(classify({.status = 429, .headers = both, .body = body}).failure->retry_after, 7s);
  const std::span window = std::span(both).subspan(1);
  EXPECT_EQ(classify({.status = 429, .headers = window, .body = body}).failure->retry_after, 30s);
  EXPECT_EQ(classify({.status = 429, .headers = window}).failure->retry_after, 1s);
}

TEST(Classify, WithoutAClockADateIsNoHint) {  // CORE-1
  const HeaderField headers[] = {{"retry-after", "Thu, 01 Jan 2026 00:00:42 GMT"}};
  EXPECT_EQ(classify({.status = 503, .headers = headers}).failure->retry_after, std::nullopt);
  EXPECT_EQ(classify({.status = 503, .headers = headers, .now = kNewYear}).failure->retry_after, 42s);
}

TEST(Classify, ALongWindowIsAQuotaUnlessTheWaitIsShort) {
  const std::string_view day =
      R"({"error":{"message":"Rate limit reached: tokens per day","code":"rate_limit_exceeded"}})";
  EXPECT_EQ(classify({.status = 429, .body = day}).failure->category, Category::quota_exhausted);
  const HeaderField soon[] = {{"retry-after", "600"}};
  EXPECT_EQ(classify({.status = 429, .headers = soon, .body = day}).failure, Failure::of(Category::rate_limit, 600s));
}

TEST(Classify, AStreamThatEndsWithoutItsLastEventWasCut) {  // STR-2
  const auto judge = [](std::string_view body) {
    return classify({.channel = Channel::sse, .status = 200, .body = body});
  };
  EXPECT_EQ(judge("data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n").failure->category,
            Category::network);
  EXPECT_FALSE(judge("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n\r\n").failure);
  EXPECT_FALSE(judge("data: [DONE]\n\n").failure);
  EXPECT_EQ(judge("").failure->category, Category::network);
  EXPECT_FALSE(judge("{\"messageStop\":{\"stopReason\":\"end_turn\"}}").failure);
  EXPECT_EQ(judge("{\"messageStop\":{\"stopReason\":\"guardrail_intervened\"}}").detail, PolicyDetail::guardrail);
  EXPECT_EQ(judge("data: {\"error\":{\"code\":429}}\n\ndata: [DONE]\n\n").failure->category, Category::rate_limit)
      << "an error wins over a later end";
}

TEST(Classify, ADomainDecidesWhetherARefusedCredentialFallsBack) {
  EXPECT_TRUE(classify({.status = 401}).failure->fallback);
  EXPECT_FALSE(classify({.domain = Domain::tool, .status = 401}).failure->fallback);
}

TEST(Advice, ThereIsSomeForEveryCategoryDepartureAndDetail) {
  std::set<std::string_view> labels;
  for (const CategoryProperties& row : all_categories()) {
    const Advice advice = advice_for(row.category);
    EXPECT_FALSE(advice.suggestions.empty()) << row.name;
    EXPECT_TRUE(labels.insert(advice.label).second) << advice.label;
  }
  EXPECT_TRUE(advice_for(Category::quota_exhausted).needs_person);
  EXPECT_TRUE(advice_for(Category::policy_violation, Modifier::none, PolicyDetail::planning).needs_person);
  EXPECT_FALSE(advice_for(Category::rate_limit).needs_person);
  EXPECT_NE(advice_for(Category::policy_violation, Modifier::none, PolicyDetail::sandbox).label,
            advice_for(Category::policy_violation, Modifier::none, PolicyDetail::planning).label);
  EXPECT_EQ(advice_for(Category::execution_error, Modifier::bad_model_output).suggestions.front(),
            RecoverySuggestion::retry_now);
}

TEST(Advice, NamesAreReadBack) {
  for (std::size_t i = 0; i < kModifierCount; ++i) {
    EXPECT_EQ(modifier_from_name(name(static_cast<Modifier>(i))), static_cast<Modifier>(i));
  }
  EXPECT_EQ(channel_from_name("sse"), Channel::sse);
  EXPECT_EQ(channel_from_name("SSE"), std::nullopt);
  EXPECT_EQ(domain_from_name(name(Domain::tool)), Domain::tool);
}

}  // namespace
}  // namespace fuseboard
