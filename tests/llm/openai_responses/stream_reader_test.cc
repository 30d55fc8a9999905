// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_reader.h"

#include <gtest/gtest.h>

#include "tests/llm/delta_text.h"

namespace fuseboard::llm {
namespace {

using enum StreamPiece;

std::unique_ptr<StreamReader> responses(StreamReaderOptions options = {}) {
  return make_stream_reader(Endpoint::responses, std::move(options));
}
StreamPiece piece_of(std::string_view data) { return responses()->read({}, data); }

std::string response(std::string_view type, std::string_view members) {
  return R"({"type":")" + std::string(type) +
         R"(","sequence_number":1,"response":{"id":"resp_1","object":"response",)" +
         R"("created_at":1700000000,"model":"gpt-5",)" + std::string(members) + "}}";
}
std::string event(std::string_view type, std::string_view members) {
  return R"({"type":")" + std::string(type) + R"(","sequence_number":1,)" + std::string(members) + "}";
}
std::string item(std::string_view type) {
  return event("response.output_item.added",
               R"("output_index":0,"item":{"id":"i","type":")" + std::string(type) + "\"}");
}

const std::string kCreated = response("response.created", R"("status":"in_progress","error":null,"output":[])");
const std::string kText = event("response.output_text.delta", R"("item_id":"i","delta":"Hel")");
const std::string kCompleted = response(
    "response.completed",
    R"("status":"completed","error":null,"incomplete_details":null,"output":[{"type":"message"}],"usage":{"input_tokens":9,)"
    R"("input_tokens_details":{"cached_tokens":4},"output_tokens":12,"output_tokens_details":{"reasoning_tokens":7},)"
    R"("total_tokens":21})");

TEST(ResponsesStream, TellsWhatAnEventIs) {  // STR-3.3
  const struct {
    std::string data;
    StreamPiece piece;
  } kCases[] = {
      {kCreated, prelude},
      {response("response.in_progress", R"("status":"in_progress")"), prelude},
      {response("response.queued", R"("status":"queued")"), prelude},
      {"{}", prelude},
      {event("response.something_new", R"("x":1)"), prelude},
      {item("message"), prelude},
      // A sign of work and no more [STR-3.4].
      {item("reasoning"), work},
      {item("function_call"), work},
      {item("web_search_call"), work},
      {item("mcp_call"), work},
      {event("response.web_search_call.searching", R"("item_id":"w")"), work},
      {event("response.mcp_list_tools.in_progress", R"("item_id":"m")"), work},
      {event("response.reasoning_summary_part.added", R"("part":{"type":"summary_text","text":""})"), work},
      {event("response.function_call_arguments.done", R"("arguments":"{}")"), work},
      {event("response.output_item.done", R"("item":{"type":"function_call"})"), content},
      {event("response.output_item.done", R"("item":{"type":"message"})"), prelude},
      {R"({"type":"keepalive","sequence_number":3})", prelude},
      {event("response.content_part.added", R"("part":{"type":"output_text","text":""})"), prelude},
      {kText, content},
      {event("response.output_text.delta", R"("delta":"")"), prelude},
      {event("response.refusal.delta", R"("delta":"No")"), content},
      {event("response.reasoning_text.delta", R"("delta":"hm")"), content},
      {event("response.reasoning_summary_text.delta", R"("delta":"hm")"), content},
      {event("response.function_call_arguments.delta", R"("delta":"{")"), content},
      {event("response.audio.delta", R"("delta":"AAAA")"), content},
      {event("response.code_interpreter_call_code.delta", R"("delta":"x")"), content},
      {event("response.something_new.delta", R"("delta":{"x":1})"), content},
      {event("response.output_text.done", R"("text":"Hello")"), content},
      {event("response.output_text.done", R"("text":"")"), prelude},
      {event("response.output_text.annotation.added", R"("annotation":{})"), content},
      {event("response.image_generation_call.partial_image", R"("partial_image_b64":"x")"), content},
      {event("response.output_item.done", R"("item":{"type":"reasoning"})"), work},
      {kCompleted, done},
      {response("response.incomplete", R"("status":"incomplete","incomplete_details":{"reason":"max_output_tokens"})"),
       done},
      {"[DONE]", done},
      {response("response.failed", R"("status":"failed","error":{"code":"server_error","message":"x"})"), error},
      {event("error", R"("code":"rate_limit_exceeded","message":"R","param":null)"), error},
      {R"({"error":{"message":"x"}})", error},
      {"", malformed},
      {"hello", malformed},
      {R"({"type":"response.)", malformed},
  };
  for (const auto& [data, piece] : kCases) EXPECT_EQ(piece_of(data), piece) << data;
  EXPECT_EQ(responses()->read("response.completed", R"({"response":{"status":"completed"}})"), done) << "no type";
}

TEST(ResponsesStream, AnOrdinaryStreamIsComplete) {  // STR-2
  const auto reader = responses();
  for (const std::string& data : {kCreated, item("message"), kText}) reader->read({}, data);
  EXPECT_TRUE(reader->content_seen());
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network));
  reader->read({}, kCompleted);
  EXPECT_EQ(reader->at_end(), std::nullopt);
  EXPECT_TRUE(reader->terminal_seen());
  EXPECT_EQ(reader->id(), "resp_1");
  EXPECT_EQ(reader->model(), "gpt-5");
  EXPECT_EQ(reader->created(), 1700000000);
  EXPECT_EQ(reader->finish_reason(), "completed");
  EXPECT_EQ(reader->usage(),
            (Usage{.known = true, .prompt = 9, .completion = 12, .total = 21, .cached = 4, .reasoning = 7}));
}

TEST(ResponsesStream, AnIncompleteResponseIsACompleteAnswerAndSaysWhy) {  // STR-2
  const auto reader = responses();
  reader->read({}, kText);
  reader->read({}, response("response.incomplete",
                            R"("status":"incomplete","incomplete_details":{"reason":"content_filter"},"error":null)"));
  EXPECT_EQ(reader->at_end(), std::nullopt);
  EXPECT_EQ(reader->finish_reason(), "content_filter");
  EXPECT_TRUE(reader->filtered());
}

TEST(ResponsesStream, AnyEventIsASignOfWorkWhileThoughtsOrACallAreOpen) {  // STR-3.6
  const auto reader = responses();
  const std::string alive = R"({"type":"keepalive","sequence_number":3})";
  reader->read({}, kCreated);
  EXPECT_EQ(reader->read({}, alive), prelude);
  EXPECT_EQ(reader->read({}, item("reasoning")), work);
  EXPECT_EQ(reader->read({}, alive), work);
  EXPECT_TRUE(reader->at_work());
  EXPECT_EQ(reader->read({}, event("response.output_item.done", R"("item":{"type":"reasoning"})")), work);
  EXPECT_FALSE(reader->at_work());
  EXPECT_EQ(reader->read({}, alive), prelude);
  EXPECT_FALSE(reader->content_seen());
}

TEST(ResponsesStream, AnErrorIsJudgedByItsCode) {  // STR-2
  const struct {
    std::string data;
    Category category;
    std::string_view code;
  } kCases[] = {
      {response("response.failed", R"("status":"failed","error":{"code":"rate_limit_exceeded","message":"R"})"),
       Category::rate_limit, "rate_limit_exceeded"},
      {response("response.failed", R"("status":"failed","error":{"code":"server_error","message":"S"})"),
       Category::service_unavailable, "server_error"},
      {response("response.failed", R"("status":"failed","error":null)"), Category::service_unavailable, ""},
      {event("error", R"("code":"rate_limit_exceeded","message":"R")"), Category::rate_limit, "rate_limit_exceeded"},
  };
  for (const auto& [data, category, code] : kCases) {
    const auto reader = responses();
    reader->read({}, kText);
    reader->read({}, data);
    ASSERT_TRUE(reader->at_end()) << data;
    EXPECT_EQ(reader->at_end()->category, category) << data;
    EXPECT_EQ(reader->error().code, code) << data;
    EXPECT_EQ(reader->error().type, "") << data;
  }
}

TEST(ResponsesStream, AnEndWithoutAnyAnswerIsNoAnswer) {  // STR-2
  const auto reader = responses();
  reader->read({}, "[DONE]");
  EXPECT_EQ(reader->at_end(), Failure::of(Category::service_unavailable));
}

TEST(ResponsesStream, KeepsTheTextOfTheLastEventWhereAskedFor) {
  const auto reader = responses({.text = true});
  reader->read({}, kText);
  EXPECT_EQ(reader->text(), "Hel");
  reader->read({}, event("response.reasoning_text.delta", R"("delta":"hm")"));
  EXPECT_EQ(reader->text(), "");
}

TEST(ResponsesStream, KnowsWhatMayBeContinued) {  // STR-5.15
  const auto plain_after = [](std::string_view data) {
    const auto reader = responses();
    for (const std::string& before : {kCreated, item("message"), kText}) reader->read({}, before);
    EXPECT_TRUE(reader->plain_text_only());
    reader->read({}, data);
    return reader->plain_text_only();
  };
  EXPECT_TRUE(plain_after(kText));
  EXPECT_FALSE(plain_after(item("reasoning")));
  EXPECT_FALSE(plain_after(item("function_call")));
  EXPECT_FALSE(plain_after(event("response.refusal.delta", R"("delta":"No")")));
  EXPECT_FALSE(plain_after(event("response.output_text.annotation.added", R"("annotation":{})")));
}

TEST(ResponsesStream, WhatItSaysIsSeenOnceHoweverOftenItIsTold) {  // BUD-10.3
  const auto deltas = event("response.output_text.delta", R"("delta":"12345\n")");
  const auto part = event("response.output_text.done", R"("text":"12345\n")");
  const auto part_again =
      event("response.content_part.done", R"("part":{"type":"output_text","text":"12345\n","annotations":[]})");
  const std::string message = R"({"type":"message","content":[{"type":"output_text","text":"12345\n"}]})";
  const auto done = event("response.output_item.done", R"("item":)" + message);
  const auto whole = response("response.completed", R"("status":"completed","output":[)" + message + "]");
  for (const auto& events : std::vector<std::vector<std::string>>{
           {deltas, part, part_again, done, whole}, {deltas}, {part, done}, {part_again, done}, {kCreated, whole}}) {
    const auto reader = responses();
    for (const std::string& data : events) reader->read({}, data);
    EXPECT_EQ(reader->seen().bytes, 6U) << events.front();
  }
}

TEST(ResponsesStream, ThoughtsRefusalsAndArgumentsAreSeenAndSoundIsNot) {  // BUD-10.3
  const auto reader = responses();
  for (const char* type : {"response.reasoning_text.delta", "response.reasoning_summary_text.delta",
                           "response.refusal.delta", "response.function_call_arguments.delta",
                           "response.custom_tool_call_input.delta", "response.code_interpreter_call_code.delta"}) {
    reader->read({}, event(type, R"("delta":"123")"));
  }
  EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 18, .pieces = 6}));
  reader->read({}, event("response.audio.delta", R"("delta":"AAAAAAAAAAAAAAAA")"));
  EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 18, .pieces = 7}));
  reader->read({}, event("response.function_call_arguments.done", R"("arguments":"0123456789012345678")"));
  EXPECT_EQ(reader->seen().bytes, 19U);
}

}  // namespace
}  // namespace fuseboard::llm
