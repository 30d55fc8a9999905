// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer.h"

#include <gtest/gtest.h>

namespace fuseboard::llm {
namespace {

using namespace std::chrono_literals;
using enum Category;

constexpr std::string_view kJson = "application/json";

AnswerJudgement judge(int status, std::string_view body, std::string_view content_type = kJson, RetryHints hints = {}) {
  return judge_chat_answer(status, content_type, body, hints);
}

constexpr std::string_view kAnswer = R"({"id":"c","object":"chat.completion","created":1,"model":"gpt-5-2025",
  "choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}],
  "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},
           "completion_tokens_details":{"reasoning_tokens":7}}})";

TEST(ChatAnswer, AnAnswerIsNoFailureAndTellsWhatItUsed) {
  const AnswerJudgement judged = judge(200, kAnswer);
  EXPECT_EQ(judged.failure, std::nullopt);
  EXPECT_EQ(judged.finish_reason, "stop");
  EXPECT_EQ(judged.model, "gpt-5-2025");
  EXPECT_EQ(judged.usage,
            (Usage{.known = true, .prompt = 9, .completion = 12, .total = 21, .cached = 4, .reasoning = 7}));
  EXPECT_TRUE(judged.error.empty());
}

TEST(ChatAnswer, WhatAnswersIsPassedOn) {
  for (
      const std::string_view choice : {
          R"({"message":{"content":"x"}})",
          R"({"message":{"content":null,"tool_calls":[{"id":"t","function":{"name":"f","arguments":"{\"error\":1}"}}]},"finish_reason":"tool_calls"})",
          R"({"message":{"content":null,"refusal":"No."},"finish_reason":"stop"})",
          R"({"message":{"content":"","reasoning_content":"hm"}})",
          R"({"message":{"content":null},"finish_reason":"length"})",
          R"({"message":{"content":""},"finish_reason":"stop"})",
          R"({"message":{"content":"{\"error\":{\"code\":503,\"message\":\"overloaded\"}}"},"finish_reason":"stop"})",
          R"({"message":{"content":""},"finish_reason":"content_filter"})",
          R"({"message":{"content":"half \ud83d"},"finish_reason":"length"})",
      }) {
    EXPECT_EQ(judge(200, R"({"error":null,"choices":[)" + std::string(choice) + "]}").failure, std::nullopt) << choice;
  }
  EXPECT_EQ(judge(200, kAnswer, "").failure, std::nullopt);
}

struct Case {
  int status;
  std::string_view body;
  Category category;
  std::string_view code, type, message;
};

TEST(ChatAnswer, AnErrorBodyIsReadInTheShapesThatProvidersUse) {
  constexpr Case kCases[] = {
      {429, R"({"error":{"message":"Quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}})",
       quota_exhausted, "insufficient_quota", "insufficient_quota", "Quota"},
      {400, R"({"error":{"code":"context_length_exceeded","message":"long","type":"invalid_request_error"}})",
       context_length_exceeded, "context_length_exceeded", "invalid_request_error", "long"},
      {529, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})",
       overloaded, "", "overloaded_error", "Overloaded"},
      {404, R"({"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}})", model_not_found, "",
       "not_found_error", "model: claude-9"},
      {401, R"({"error":"unauthorized"})", authentication, "", "", "unauthorized"},
      {422, R"({"error":"Input validation error: `inputs` must have less than 1024 tokens","error_type":"validation"})",
       context_length_exceeded, "", "validation", "Input validation error: `inputs` must have less than 1024 tokens"},
      {400, R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided"})", authentication,
       "Client specified an invalid argument", "", "Incorrect API key provided"},
      {422, R"({"detail":[{"loc":["body"],"msg":"field required","type":"missing"},{"msg":"second"}]})",
       invalid_request, "", "", "field required"},
      {403, R"({"detail":"Not allowed"})", permission_denied, "", "", "Not allowed"},
      {429, R"({"object":"error","message":"Too many","type":"rate_limited","param":null,"code":"1300"})", rate_limit,
       "1300", "rate_limited", "Too many"},
      {500, R"([{"error":{"code":429,"message":"Resource exhausted","status":"RESOURCE_EXHAUSTED"}}])", rate_limit,
       "429", "", "Resource exhausted"},
      {503, "", service_unavailable, "", "", ""},
      {502, "<html><h1>502 Bad Gateway</h1></html>", service_unavailable, "", "", ""},
      {503, "upstream connect error", service_unavailable, "", "", ""},
      {500, R"({"error":{"message":"cut sho)", service_unavailable, "", "", ""},
      {500, R"({"error":null})", service_unavailable, "", "", ""},
      {500, R"({"error":[1,2]})", service_unavailable, "", "", ""},
      {500, "[]", service_unavailable, "", "", ""},
      {500, "7", service_unavailable, "", "", ""},
  };
  for (const Case& c : kCases) {
    const AnswerJudgement judged = judge(c.status, c.body);
    ASSERT_TRUE(judged.failure) << c.body;
    EXPECT_EQ(judged.failure->category, c.category) << c.body;
    EXPECT_EQ(judged.error.code, c.code) << c.body;
    EXPECT_EQ(judged.error.type, c.type) << c.body;
    EXPECT_EQ(judged.error.message, c.message) << c.body;
  }
}

TEST(ChatAnswer, AnErrorInsideA2xxIsThatError) {
  constexpr Case kCases[] = {
      {200, R"({"error":{"message":"Provider returned error","code":502},"user_id":"u"})", service_unavailable, "502",
       "", ""},
      {200, R"({"error":{"message":"Rate limit","code":429}})", rate_limit, "429", "", ""},
      {200, R"({"error":{"code":"context_length_exceeded"},"choices":[{"message":{"content":"x"}}]})",
       context_length_exceeded, "", "", ""},
      {200, R"({"error":"model is loading"})", service_unavailable, "", "", ""},
      {200, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", overloaded, "", "", ""},
      {200, R"({"object":"error","message":"Internal","type":"internal_server_error","code":"1000"})",
       service_unavailable, "", "", ""},
      {200, R"({"choices":[{"finish_reason":"error","message":{"role":"assistant","content":""}}]})",
       service_unavailable, "", "", ""},
      {200,
       R"({"choices":[{"finish_reason":"error","error":{"code":429,"message":"slow"},"message":{"content":"half"}}]})",
       rate_limit, "", "", ""},
  };
  for (const Case& c : kCases) {
    const AnswerJudgement judged = judge(c.status, c.body);
    ASSERT_TRUE(judged.failure) << c.body;
    EXPECT_EQ(*judged.failure, Failure::of(c.category)) << c.body;
  }
}

TEST(ChatAnswer, A2xxWithoutAnAnswerIsTheServersFault) {
  for (const std::string_view body :
       {"",
        " \r\n",
        "{}",
        "[]",
        "null",
        "7",
        R"("ok")",
        R"({"choices":[]})",
        R"({"choices":null})",
        R"({"choices":{}})",
        R"({"choices":[{}]})",
        R"({"choices":[{"message":{}}]})",
        R"({"choices":[{"message":{"content":""}}]})",
        R"({"choices":[{"message":{"content":null,"tool_calls":[]},"finish_reason":null}]})",
        "OK",
        "true",
        "<!DOCTYPE html><html><title>Sign in</title></html>",
        R"({"choices":[{"message":{"content":"x"}}]} trailing)",
        R"({"choices":[}]})",
        "{\"choices\":[{\"message\":{\"content\":\"\xFF\"}}]}"}) {
    EXPECT_EQ(judge(200, body).failure, Failure::of(service_unavailable)) << body;
  }
  EXPECT_EQ(judge(204, "").failure, Failure::of(service_unavailable));
  EXPECT_EQ(judge(200, kAnswer, "text/html; charset=utf-8").failure, Failure::of(service_unavailable));
  EXPECT_EQ(judge(200, kAnswer, "Text/HTML").failure, Failure::of(service_unavailable));
}

TEST(ChatAnswer, A2xxCutShortAnywhereIsANetworkFailure) {
  const std::string answer = R"({"choices":[{"message":{"content":"h)"
                             "\xC3\xA9 \xF0\x9F\x98\x80"
                             R"(","x":[1,true]}}]})";
  ASSERT_EQ(judge(200, answer).failure, std::nullopt);
  for (std::size_t size = 1; size < answer.size(); ++size) {
    EXPECT_EQ(judge(200, answer.substr(0, size)).failure, Failure::of(network)) << size;
  }
}

TEST(ChatAnswer, HintsReachTheFailure) {
  EXPECT_EQ(judge(503, "", "", {.retry_after = 2s}).failure, Failure::of(service_unavailable, 2s));
  EXPECT_EQ(judge(200, R"({"error":{"code":429}})", kJson, {.retry_after = 2s}).failure, Failure::of(rate_limit, 2s));
}

TEST(ChatAnswer, OddUsageIsReadAsFarAsItGoes) {
  const auto usage = [](std::string_view text) {
    return judge(200, R"({"choices":[{"message":{"content":"x"}}],"usage":)" + std::string(text) + "}").usage;
  };
  EXPECT_EQ(usage("null"), Usage{});
  EXPECT_EQ(usage("[1]"), Usage{});
  EXPECT_EQ(usage(R"({"prompt_tokens":3,"completion_tokens":4})").total, 7u);
  EXPECT_EQ(usage(R"({"prompt_tokens":-3,"completion_tokens":"4","total_tokens":1.5})"), Usage{.known = true});
  EXPECT_EQ(usage(R"({"prompt_tokens":18446744073709551615,"completion_tokens":1})").total, UINT64_MAX);
  EXPECT_EQ(usage(R"({"prompt_tokens":3,"prompt_tokens_details":null,"prompt_cache_hit_tokens":2})").cached, 2u);
}

TEST(ChatAnswer, LongErrorTextsAreCutAtACharacter) {  // CORE-5
  std::string text(1023, 'x');
  text += "\xC3\xA9 and more";
  const AnswerJudgement judged = judge(500, R"({"error":{"message":")" + text + R"("}})");
  EXPECT_EQ(judged.error.message, std::string(1023, 'x'));
}

TEST(ChatAnswer, ManyAnswersOfChangingSizeAreReadAlike) {
  for (const std::size_t size : {10ul, 5'000ul, 700'000ul, 20ul, 300'000ul, 262'144ul, 1ul}) {
    const std::string body = R"({"model":"m","choices":[{"message":{"content":")" + std::string(size, 'x') +
                             R"("},"finish_reason":"stop"}]})";
    EXPECT_EQ(judge(200, body).failure, std::nullopt) << size;
    EXPECT_EQ(judge(200, body).finish_reason, "stop") << size;
  }
}

}  // namespace
}  // namespace fuseboard::llm
