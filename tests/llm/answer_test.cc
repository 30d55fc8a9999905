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
  return judge_answer(Endpoint::chat_completions, status, content_type, body, hints);
}

constexpr std::string_view kAnswer = R"({"id":"c","object":"chat.completion","created":1,"model":"gpt-5-2025",
  "choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"logprobs":null,"finish_reason":"stop"}],
  "usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},
           "completion_tokens_details":{"reasoning_tokens":7}}})";

TEST(ChatAnswer, AnAnswerIsNoFailureAndTellsWhatItUsed) {
  const AnswerJudgement judged = judge(200, kAnswer);
  EXPECT_EQ(judged.failure, std::nullopt);
  EXPECT_EQ(judged.finish_reason, "stop");
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

TEST(ChatAnswer, AnAnswerOfAnotherKindIsNoErrorOfThatName) {
  const std::string_view message = R"({"type":"message","content":[{"type":"text","text":"x"}]})";
  const AnswerJudgement judged = judge_answer(Endpoint::count_tokens, 200, kJson, message, {});
  EXPECT_EQ(judged.failure, Failure::of(service_unavailable));
  EXPECT_TRUE(judged.error.empty()) << judged.error.type;
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
  EXPECT_EQ(usage(R"({"prompt_tokens":3,"prompt_tokens_details":null,"prompt_cache_hit_tokens":2})").cached, 2u);
}

TEST(ChatAnswer, UsageIsToldByAnySpellingOfANumber) {  // BUD-10.5
  const auto usage = [](std::string_view text) {
    return judge(200, R"({"choices":[{"message":{"content":"x"}}],"usage":)" + std::string(text) + "}").usage;
  };
  EXPECT_EQ(usage(R"({"prompt_tokens":1e3,"completion_tokens":1000.0})"),
            (Usage{.known = true, .prompt = 1000, .completion = 1000, .total = 2000}));
  EXPECT_EQ(usage(R"({"prompt_tokens":1000000000,"completion_tokens":null,"cache_read_input_tokens":null})"),
            (Usage{.known = true, .prompt = 1'000'000'000, .total = 1'000'000'000}));
}

TEST(ChatAnswer, UsageThatCannotBeReadIsNoZero) {  // BUD-10.4
  for (const char* text :
       {R"({"prompt_tokens":9,"completion_tokens":"1000"})", R"({"prompt_tokens":"9","completion_tokens":1})",
        R"({"prompt_tokens":9,"completion_tokens":-1})", R"({"prompt_tokens":-9,"completion_tokens":1})",
        R"({"prompt_tokens":9,"completion_tokens":1.5})", R"({"prompt_tokens":9,"completion_tokens":[1]})",
        R"({"prompt_tokens":9,"completion_tokens":true})", R"({"prompt_tokens":9,"completion_tokens":1000000001})",
        R"({"prompt_tokens":18446744073709551616,"completion_tokens":1})", R"({"input_tokens":1e99})",
        R"({"total_tokens":"12"})", R"({"input_tokens":1,"output_tokens":1,"cache_read_input_tokens":-5})",
        R"({"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":"5"})", "{}", R"({"seconds":3})", "7"}) {
    EXPECT_EQ(judge(200, R"({"choices":[{"message":{"content":"x"}}],"usage":)" + std::string(text) + "}").usage,
              Usage{})
        << text;
  }
  EXPECT_EQ(judge(200, R"({"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9,"completion_tokens":1,
                           "completion_tokens_details":{"reasoning_tokens":"7"}}})")
                .usage,
            (Usage{.known = true, .prompt = 9, .completion = 1, .total = 10}))
      << "a detail decides nothing";
}

TEST(ChatAnswer, WhatItSaysIsSeen) {  // BUD-10.3
  const auto seen = [](std::string_view message) {
    return judge(200, R"({"choices":[{"message":{)" + std::string(message) + "}}]}").seen;
  };
  EXPECT_EQ(seen(R"("content":"12345")"), (SeenOutput{.bytes = 5, .pieces = 1}));
  EXPECT_EQ(seen(R"("content":"\u00e9\n\"\ud83d\ude00\u0041\u20ac")").bytes, 2U + 1 + 1 + 4 + 1 + 3);
  EXPECT_EQ(seen(R"("content":"12","reasoning_content":"3456","reasoning":"3456")").bytes, 6U) << "said twice";
  EXPECT_EQ(seen(R"("reasoning":"12","reasoning_details":[{"text":"12"},{"data":"AAAAAAAA"}])").bytes, 2U);
  EXPECT_EQ(seen(R"("content":null,"refusal":"123")").bytes, 3U);
  EXPECT_EQ(seen(R"("content":[{"type":"text","text":"12"},{"type":"thinking","thinking":[{"text":"345"}]}])").bytes,
            5U);
  EXPECT_EQ(
      seen(R"("tool_calls":[{"function":{"name":"f","arguments":"{\"a\":1}"}},{"custom":{"input":"123"}}])").bytes,
      10U);
  EXPECT_EQ(seen(R"("tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}])").bytes, 7U);
  EXPECT_EQ(seen(R"("function_call":{"name":"f","arguments":"12"})").bytes, 2U);
  EXPECT_EQ(seen(R"("audio":{"data":"AAAAAAAAAAAAAAAA","transcript":"123"})").bytes, 3U) << "sound is not text";
  EXPECT_EQ(judge(200, R"({"choices":[{"message":{"content":"12"}},{"message":{"content":"3"}}]})").seen,
            (SeenOutput{.bytes = 3, .pieces = 2}));
}

TEST(ChatAnswer, WhatIsSeenIsAtLeastATokenAPiece) {  // BUD-10.3
  EXPECT_EQ((SeenOutput{.bytes = 400, .pieces = 1}).tokens(), 100U);
  EXPECT_EQ((SeenOutput{.bytes = 401, .pieces = 1}).tokens(), 101U);
  EXPECT_EQ((SeenOutput{.bytes = 4, .pieces = 30}).tokens(), 30U);
  EXPECT_EQ(SeenOutput{}.tokens(), 0U);
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

TEST(ChatAnswer, TellsWhetherItWasWithheld) {
  EXPECT_FALSE(judge(200, kAnswer).filtered);
  EXPECT_TRUE(judge(200, R"({"choices":[{"message":{"content":""},"finish_reason":"content_filter"}]})").filtered);
}

AnswerJudgement judge_of(Endpoint endpoint, std::string_view body, int status = 200,
                         std::string_view content_type = kJson) {
  return judge_answer(endpoint, status, content_type, body, {});
}

constexpr std::string_view kMessage = R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-1",
  "content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","stop_sequence":null,
  "usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":15}})";
constexpr std::string_view kResponse = R"({"id":"resp_1","object":"response","created_at":1,"status":"completed",
  "error":null,"incomplete_details":null,"model":"gpt-5","output":[{"type":"message","content":[]}],
  "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":12,
           "output_tokens_details":{"reasoning_tokens":7},"total_tokens":21}})";
constexpr std::string_view kEmbeddings =
    R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],
  "model":"text-embedding-3","usage":{"prompt_tokens":8,"total_tokens":8}})";

TEST(Answer, AMessageTellsWhatItUsed) {
  const AnswerJudgement judged = judge_of(Endpoint::messages, kMessage);
  EXPECT_EQ(judged.failure, std::nullopt);
  EXPECT_EQ(judged.finish_reason, "end_turn");
  EXPECT_FALSE(judged.filtered);
  EXPECT_EQ(judged.usage,
            (Usage{.known = true, .prompt = 17, .completion = 15, .total = 32, .cached = 4, .cache_written = 3}));
}

TEST(Answer, AResponseTellsWhatItUsed) {
  const AnswerJudgement judged = judge_of(Endpoint::responses, kResponse);
  EXPECT_EQ(judged.failure, std::nullopt);
  EXPECT_EQ(judged.response_id, "resp_1");
  EXPECT_EQ(judged.finish_reason, "completed");
  EXPECT_EQ(judged.usage,
            (Usage{.known = true, .prompt = 9, .completion = 12, .total = 21, .cached = 4, .reasoning = 7}));
}

TEST(Answer, EmbeddingsTellWhatTheyUsed) {
  const AnswerJudgement judged = judge_of(Endpoint::embeddings, kEmbeddings);
  EXPECT_EQ(judged.failure, std::nullopt);
  EXPECT_EQ(judged.usage, (Usage{.known = true, .prompt = 8, .total = 8}));
}

TEST(Answer, UsageIsCountedOnceHoweverItIsSaid) {
  const auto usage = [](std::string_view text) {
    return judge_of(Endpoint::other, R"({"usage":)" + std::string(text) + "}").usage;
  };
  const Usage kCached{.known = true, .prompt = 100, .completion = 7, .total = 107, .cached = 40, .cache_written = 20};
  EXPECT_EQ(
      usage(R"({"input_tokens":40,"cache_read_input_tokens":40,"cache_creation_input_tokens":20,"output_tokens":7})"),
      kCached)
      << "Anthropic counts beside the input";
  EXPECT_EQ(
      usage(R"({"prompt_tokens":100,"cache_read_input_tokens":40,"cache_creation_input_tokens":20,"completion_tokens":7,
                      "prompt_tokens_details":{"cached_tokens":40}})"),
      kCached)
      << "LiteLLM counts within the prompt";
  EXPECT_EQ(
      usage(
          R"({"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":20}})"),
      kCached)
      << "OpenRouter";
  EXPECT_EQ(
      usage(R"({"input_tokens":1000000000,"cache_read_input_tokens":1000000000,"cache_creation_input_tokens":null})")
          .prompt,
      2'000'000'000U);
}

TEST(Answer, WhatItSaysIsSeenAtEveryEndpoint) {  // BUD-10.3
  EXPECT_EQ(judge_of(Endpoint::messages,
                     R"({"content":[{"type":"text","text":"12"},{"type":"thinking","thinking":"345","signature":"AAAA"},
                        {"type":"tool_use","id":"t","name":"f","input":{"a":1}},
                        {"type":"web_search_tool_result","content":[{"title":"not its own"}]}]})")
                .seen,
            (SeenOutput{.bytes = 2 + 3 + 7, .pieces = 4}));
  EXPECT_EQ(judge_of(Endpoint::responses,
                     R"({"id":"r","status":"completed","output":[
                        {"type":"reasoning","summary":[{"text":"12"}],"encrypted_content":"AAAAAAAA"},
                        {"type":"message","content":[{"type":"output_text","text":"345"},{"refusal":"6"}]},
                        {"type":"function_call","name":"f","arguments":"{}"},
                        {"type":"code_interpreter_call","code":"1+1","outputs":[{"logs":"not its own"}]},
                        {"type":"mcp_call","arguments":"{}","output":"not its own"}]})")
                .seen,
            (SeenOutput{.bytes = 2 + 3 + 1 + 2 + 3 + 2, .pieces = 5}));
  EXPECT_EQ(judge_of(Endpoint::other, R"({"choices":[{"text":"12345"}]})").seen, (SeenOutput{.bytes = 5, .pieces = 1}));
  EXPECT_EQ(judge_of(Endpoint::other, R"({"data":[{"b64_json":"AAAAAAAAAAAAAAAA"}]})").seen, SeenOutput{});
  EXPECT_EQ(judge_of(Endpoint::embeddings, R"({"data":[{"embedding":"AAAAAAAAAAAAAAAA"}]})").seen, SeenOutput{});
}

TEST(Answer, IsPassedOnWhereTheEndpointsPartIsThere) {
  const struct {
    Endpoint endpoint;
    std::string_view body;
  } kCases[] = {
      {Endpoint::messages, R"({"content":[],"stop_reason":"end_turn"})"},
      {Endpoint::messages, R"({"type":"message","content":[{"type":"text","text":"{\"type\":\"error\"}"}]})"},
      {Endpoint::responses, R"({"status":"queued","output":[]})"},
      {Endpoint::responses,
       R"({"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]})"},
      {Endpoint::embeddings, R"({"data":[]})"},
      {Endpoint::count_tokens, R"({"input_tokens":14})"},
      {Endpoint::count_tokens, R"({"input_tokens":0})"},
      {Endpoint::other, "{}"},
      {Endpoint::other, "[1]"},
      {Endpoint::other, R"({"error":null})"},
      {Endpoint::other, "\xFF\xFB binary"},
      {Endpoint::other, ""},
  };
  for (const auto& [endpoint, body] : kCases) {
    EXPECT_EQ(judge_of(endpoint, body).failure, std::nullopt) << name(endpoint) << ' ' << body;
  }
  EXPECT_EQ(judge_of(Endpoint::other, "<html>", 200, "text/html").failure, std::nullopt);
}

TEST(Answer, A2xxWithoutTheEndpointsPartIsTheServersFault) {
  const struct {
    Endpoint endpoint;
    std::vector<std::string_view> bodies;
  } kCases[] = {
      {Endpoint::messages, {"", "[]", "{}", R"({"content":null})", R"({"content":"x"})", kEmbeddings}},
      {Endpoint::responses,
       {"", "{}", R"({"output":null})", kMessage, R"({"status":"failed","error":null,"output":[]})"}},
      {Endpoint::embeddings, {"", "{}", R"({"data":"x"})", kMessage}},
      {Endpoint::count_tokens, {"", "{}", R"({"input_tokens":"14"})", R"({"input_tokens":-1})", kMessage}},
  };
  for (const auto& [endpoint, bodies] : kCases) {
    for (const std::string_view body : bodies) {
      EXPECT_EQ(judge_of(endpoint, body).failure, Failure::of(service_unavailable)) << name(endpoint) << ' ' << body;
    }
    EXPECT_EQ(judge_of(endpoint, R"({"cut":)").failure, Failure::of(network)) << name(endpoint);
    EXPECT_EQ(judge_of(endpoint, "<html>", 200, "text/html").failure, Failure::of(service_unavailable));
  }
}

TEST(Answer, AnErrorInsideA2xxIsThatErrorAtEveryEndpoint) {
  for (const Endpoint endpoint : {Endpoint::chat_completions, Endpoint::messages, Endpoint::responses,
                                  Endpoint::embeddings, Endpoint::count_tokens, Endpoint::other}) {
    const AnswerJudgement judged =
        judge_of(endpoint, R"({"type":"error","error":{"type":"overloaded_error","message":"O"},"request_id":"r"})");
    EXPECT_EQ(judged.failure, Failure::of(overloaded)) << name(endpoint);
    EXPECT_EQ(judged.error.type, "overloaded_error") << name(endpoint);
    EXPECT_EQ(judge_of(endpoint, R"({"error":{"message":"Rate limit","code":429}})").failure, Failure::of(rate_limit))
        << name(endpoint);
  }
  const AnswerJudgement failed = judge_of(
      Endpoint::responses,
      R"({"id":"r","status":"failed","error":{"code":"rate_limit_exceeded","message":"R"},"output":[],"usage":null})");
  EXPECT_EQ(failed.failure, Failure::of(rate_limit));
  EXPECT_EQ(failed.error.message, "R");
}

TEST(Answer, AFailedStatusFailsAtEveryEndpoint) {
  for (const Endpoint endpoint : {Endpoint::messages, Endpoint::responses, Endpoint::embeddings, Endpoint::other}) {
    EXPECT_EQ(judge_of(endpoint, "<html>", 503, "text/html").failure, Failure::of(service_unavailable));
    EXPECT_EQ(judge_of(endpoint, kMessage, 529).failure, Failure::of(overloaded));
  }
}

TEST(Answer, IsWithheldWhereTheProviderSaysSo) {
  EXPECT_TRUE(judge_of(Endpoint::messages, R"({"content":[],"stop_reason":"refusal"})").filtered);
  EXPECT_TRUE(judge_of(Endpoint::responses,
                       R"({"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]})")
                  .filtered);
  EXPECT_FALSE(judge_of(Endpoint::responses, kResponse).filtered);
}

}  // namespace
}  // namespace fuseboard::llm
