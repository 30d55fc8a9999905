// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream.h"

#include <gtest/gtest.h>

namespace fuseboard::llm {

// For readable failures of EXPECT_EQ.
static void PrintTo(StreamPiece piece, std::ostream* out) { *out << name(piece); }

namespace {

using enum StreamPiece;

StreamPiece piece_of(std::string_view data) {
  ChatStreamReader reader;
  return reader.read(data);
}

std::string delta(std::string_view members, std::string_view rest = R"("finish_reason":null)", int index = 0) {
  return R"({"id":"c","object":"chat.completion.chunk","model":"m-1","choices":[{"index":)" + std::to_string(index) +
         R"(,"delta":{)" + std::string(members) + "}," + std::string(rest) + "}]}";
}
std::string finished(std::string_view reason, int index = 0) {
  return delta("", R"("finish_reason":")" + std::string(reason) + "\"", index);
}

TEST(ChatStream, AnEndWithoutAnyAnswerIsNoAnswer) {  // STR-2
  ChatStreamReader reader;
  EXPECT_EQ(reader.read("[DONE]"), StreamPiece::done);
  ASSERT_TRUE(reader.at_end());
  EXPECT_EQ(reader.at_end()->category, Category::service_unavailable);
}

TEST(ChatStream, TellsWhatAnEventIs) {
  const struct {
    std::string data;
    StreamPiece piece;
  } kCases[] = {
      {delta(R"("role":"assistant","content":"")"), prelude},
      {delta(R"("role":"assistant","content":null)"), prelude},
      {delta(""), prelude},
      {delta(R"("tool_calls":[],"reasoning":null,"refusal":null,"reasoning_content":"")"), prelude},
      {R"({"choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]})", prelude},
      {R"({"type":"ping"})", prelude},
      {"{}", prelude},
      {R"({"choices":null,"error":null,"usage":null})", prelude},
      {delta(R"("content":"Hi")"), content},
      {delta(R"("content":" ")"), content},
      {delta(R"("content":"\ud83d")"), content},
      {delta(R"("content":[{"type":"text","text":"x"}])"), content},
      {delta(R"("reasoning_content":"hm")"), content},
      {delta(R"("content":"","reasoning":"hm")"), content},
      {delta(R"("reasoning_details":[{"data":"x"}])"), content},
      {delta(R"("refusal":"No")"), content},
      {delta(R"("content":null,"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":""}}])"), content},
      {delta(R"("function_call":{"name":"f","arguments":""})"), content},
      {delta(R"("content":"event: error\ndata: {\"error\":{\"code\":500}}")"), content},
      {delta(R"("content":"last")", R"("finish_reason":"stop")"), content},
      {finished("stop"), finish},
      {R"({"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})", usage},
      {"[DONE]", done},
      {" [DONE]\r", done},
      {R"({"error":{"message":"x","type":"server_error"}})", error},
      {R"({"error":"text"})", error},
      {R"({"id":"g","choices":[],"error":{"code":502,"message":"x"}})", error},
      {R"({"type":"error","code":"rate_limit_exceeded","message":"x"})", error},
      {R"({"object":"error","message":"x"})", error},
      {R"({"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"error"}]})", error},
      {R"({"choices":[{"index":0,"delta":{},"error":{"code":502}}]})", error},
      {"", malformed},
      {"   ", malformed},
      {"hello", malformed},
      {"[1]", malformed},
      {"null", malformed},
      {R"({"choices":[{"delta":{"content":"par)", malformed},
      {R"({"choices":[{"delta":{"content":"x"}}]}})", malformed},
      {R"({"id":tru,"choices":[]})", malformed},
      {"{\"choices\":[{\"delta\":{\"content\":\"\xFF\"}}]}", malformed},
  };
  for (const auto& [data, piece] : kCases) EXPECT_EQ(piece_of(data), piece) << data;
}

TEST(ChatStream, AnOrdinaryStreamIsComplete) {  // STR-2
  ChatStreamReader reader;
  EXPECT_EQ(reader.read(delta(R"("role":"assistant","content":"")")), prelude);
  EXPECT_FALSE(reader.content_seen());
  EXPECT_EQ(reader.read(delta(R"("content":"Hel")")), content);
  EXPECT_TRUE(reader.content_seen());
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.read(finished("stop")), finish);
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.read(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})"),
            usage);
  EXPECT_EQ(reader.read("[DONE]"), done);
  EXPECT_EQ(reader.at_end(), std::nullopt);
  EXPECT_EQ(reader.usage(), (Usage{.known = true, .prompt = 5, .completion = 7, .total = 12}));
  EXPECT_EQ(reader.model(), "m-1");
  EXPECT_EQ(reader.finish_reason(), "stop");
}

TEST(ChatStream, AFinishReasonWithoutDoneIsComplete) {  // STR-2
  ChatStreamReader reader;
  reader.read(delta(R"("content":"x")"));
  reader.read(finished("length"));
  EXPECT_EQ(reader.at_end(), std::nullopt);
}

TEST(ChatStream, DoneWithoutAFinishReasonIsComplete) {  // STR-2
  ChatStreamReader reader;
  reader.read(delta(R"("content":"x")"));
  reader.read("[DONE]");
  EXPECT_EQ(reader.at_end(), std::nullopt);
}

TEST(ChatStream, AStreamThatStopsIsANetworkFailure) {  // STR-2
  ChatStreamReader reader;
  EXPECT_EQ(reader.at_end(), Failure::of(Category::network)) << "nothing came at all";
  reader.read(delta(R"("role":"assistant")"));
  EXPECT_EQ(reader.at_end(), Failure::of(Category::network));
  reader.read(delta(R"("content":"The capital of")"));
  EXPECT_EQ(reader.at_end(), Failure::of(Category::network));
  reader.read(R"({"choices":[],"usage":{"prompt_tokens":5}})");
  EXPECT_EQ(reader.at_end(), Failure::of(Category::network)) << "usage is no end";
}

TEST(ChatStream, AnInBandErrorWinsOverALaterDone) {  // STR-2
  ChatStreamReader reader;
  reader.read(delta(R"("content":"x")"));
  EXPECT_EQ(reader.read(R"({"error":{"message":"Rate limit","type":"x","code":"rate_limit_exceeded"}})"), error);
  reader.read(finished("stop"));
  reader.read(R"({"error":{"code":"overloaded_error"}})");
  reader.read("[DONE]");
  EXPECT_EQ(reader.at_end(), Failure::of(Category::rate_limit));
  EXPECT_EQ(reader.error().code, "rate_limit_exceeded");
  EXPECT_EQ(reader.error().message, "Rate limit");
}

TEST(ChatStream, AnErrorIsJudgedByItsCode) {  // STR-2
  const auto verdict = [](std::string_view data) {
    ChatStreamReader reader;
    reader.read(data);
    return reader.at_end()->category;
  };
  EXPECT_EQ(
      verdict(
          R"({"id":"g","error":{"code":429,"message":"Rate"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]})"),
      Category::rate_limit);
  EXPECT_EQ(verdict(R"({"type":"error","error":{"details":null,"type":"overloaded_error","message":"O"}})"),
            Category::overloaded);
  EXPECT_EQ(verdict(R"({"error":{"message":"The server had an error","type":"invalid_request_error"}})"),
            Category::service_unavailable);
  EXPECT_EQ(verdict(R"({"type":"error","sequence_number":1,"code":"rate_limit_exceeded","message":"R"})"),
            Category::rate_limit);
  EXPECT_EQ(verdict(R"({"error":"Input validation error: `inputs` must have less","error_type":"validation"})"),
            Category::context_length_exceeded);
  EXPECT_EQ(
      verdict(
          R"({"choices":[{"index":0,"delta":{"content":""},"error":{"code":429,"message":"x"},"finish_reason":"error"}]})"),
      Category::rate_limit);
}

TEST(ChatStream, AFinishReasonErrorIsNoEndOfAnAnswer) {  // STR-5: a cut answer is never presented as finished
  ChatStreamReader reader;
  reader.read(delta(R"("content":"x")"));
  reader.read(finished("error"));
  reader.read("[DONE]");
  EXPECT_EQ(reader.at_end(), Failure::of(Category::service_unavailable));
}

TEST(ChatStream, AMalformedEventFailsTheStream) {  // STR-7
  ChatStreamReader reader;
  reader.read(delta(R"("content":"x")"));
  EXPECT_EQ(reader.read("{oops"), malformed);
  reader.read(finished("stop"));
  reader.read("[DONE]");
  EXPECT_EQ(reader.at_end(), Failure::of(Category::service_unavailable));
}

TEST(ChatStream, SeveralChoicesAreCompleteWhenEachBegunOneIs) {  // STR-2
  ChatStreamReader reader;
  reader.read(delta(R"("content":"a")", R"("finish_reason":null)", 0));
  reader.read(delta(R"("content":"b")", R"("finish_reason":null)", 1));
  reader.read(finished("stop", 1));
  EXPECT_FALSE(reader.complete());
  EXPECT_EQ(reader.at_end(), Failure::of(Category::network));
  reader.read(finished("length", 0));
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.finish_reason(0), "length");
  EXPECT_EQ(reader.finish_reason(1), "stop");
  EXPECT_EQ(reader.finish_reason(2), "");
}

TEST(ChatStream, IsNotCompleteBeforeEveryChoiceThatWasAskedForIs) {  // STR-2, STR-5
  ChatStreamReader reader(2);
  reader.read(delta(R"("content":"x")"));
  reader.read(finished("stop"));
  EXPECT_FALSE(reader.complete()) << "choice 1 has not even begun";
  EXPECT_TRUE(reader.at_end());
  reader.read(finished("stop", 1));
  EXPECT_TRUE(reader.complete());

  ChatStreamReader fewer(2);
  fewer.read(finished("stop"));
  fewer.read("[DONE]");
  EXPECT_TRUE(fewer.complete()) << "an upstream that ignores n says itself that it is done";
}

TEST(ChatStream, SeveralChoicesInOneEventAreAllRead) {
  ChatStreamReader reader;
  EXPECT_EQ(
      reader.read(
          R"({"choices":[{"delta":{"content":""},"index":0},{"index":1,"delta":{"content":"x"},"finish_reason":"stop"},
                            {"finish_reason":"stop","delta":{},"index":7}]})"),
      content);
  EXPECT_EQ(reader.finish_reason(7), "stop");
  EXPECT_FALSE(reader.complete()) << "choice 0 has begun";
}

TEST(ChatStream, ChoicesAreBounded) {  // CORE-5
  ChatStreamReader reader;
  for (int i = 0; i < 128; ++i) EXPECT_EQ(reader.read(finished("stop", i)), finish) << i;
  EXPECT_EQ(reader.read(finished("stop", 128)), malformed);
  EXPECT_EQ(reader.read(finished("stop", 127)), finish);
}

TEST(ChatStream, UsageInEveryEventKeepsTheLast) {  // vLLM's continuous_usage_stats
  ChatStreamReader reader;
  EXPECT_EQ(
      reader.read(
          R"({"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})"),
      content);
  EXPECT_EQ(
      reader.read(
          R"({"choices":[{"index":0,"delta":{"content":"y"}}],"usage":{"prompt_tokens":5,"completion_tokens":2}})"),
      content);
  EXPECT_EQ(reader.read(R"({"choices":[{"index":0,"delta":{"content":"y"}}],"usage":null})"), content);
  EXPECT_EQ(reader.usage().completion, 2u);
}

TEST(ChatStream, EveryBeginningOfAnEventIsMalformed) {  // STR-7
  const std::string data = delta(R"("content":"h)"
                                 "\xC3\xA9"
                                 R"(\n")",
                                 R"("finish_reason":"stop")");
  for (std::size_t size = 0; size < data.size(); ++size) {
    EXPECT_EQ(piece_of(std::string_view(data).substr(0, size)), malformed) << size;
  }
  EXPECT_EQ(piece_of(data), content);
}

}  // namespace
}  // namespace fuseboard::llm
