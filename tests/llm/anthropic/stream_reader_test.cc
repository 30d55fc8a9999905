// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_reader.h"

#include <gtest/gtest.h>

#include "tests/llm/delta_text.h"

namespace fuseboard::llm {
namespace {

using enum StreamPiece;

std::unique_ptr<StreamReader> messages(StreamReaderOptions options = {}) {
  return make_stream_reader(Endpoint::messages, std::move(options));
}
StreamPiece piece_of(std::string_view data) { return messages()->read({}, data); }

const std::string kStart =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-1",)"
    R"("content":[],"stop_reason":null,"stop_sequence":null,)"
    R"("usage":{"input_tokens":10,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":1}}})";
const std::string kStop = R"({"type":"message_stop"})";
const std::string kTextStart = R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";

std::string block(int index, std::string_view members) {
  return R"({"type":"content_block_start","index":)" + std::to_string(index) + R"(,"content_block":{)" +
         std::string(members) + "}}";
}
std::string delta(int index, std::string_view members) {
  return R"({"type":"content_block_delta","index":)" + std::to_string(index) + R"(,"delta":{)" + std::string(members) +
         "}}";
}
std::string text(std::string_view escaped, int index = 0) {
  return delta(index, R"("type":"text_delta","text":")" + std::string(escaped) + '"');
}
std::string block_stop(int index) { return R"({"type":"content_block_stop","index":)" + std::to_string(index) + "}"; }
std::string finished(std::string_view reason, std::string_view sequence = "null") {
  return R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) + R"(","stop_sequence":)" +
         std::string(sequence) + R"(},"usage":{"output_tokens":15}})";
}

std::string tell(std::initializer_list<std::string> events) {
  const auto reader = messages({.deltas = true});
  std::string lines;
  for (const std::string& event : events) {
    reader->read({}, event);
    for (const Delta& said : reader->deltas()) lines += to_line(said) + '\n';
  }
  return lines;
}

TEST(MessagesStream, TellsWhatAnEventIs) {  // STR-3.3
  const struct {
    std::string data;
    StreamPiece piece;
  } kCases[] = {
      {kStart, prelude},
      {R"({"type":"ping"})", prelude},
      {R"({"type":"something_new","data":{"x":1}})", prelude},
      {"{}", prelude},
      {kTextStart, prelude},
      {block(0, R"("type":"text","text":"Hi")"), content},
      // A sign of work and no more [STR-3.4].
      {block(0, R"("type":"thinking","thinking":"","signature":"")"), work},
      {block(0, R"("type":"tool_use","id":"t","name":"f","input":{})"), work},
      {block(0, R"("type":"server_tool_use","id":"s","name":"web_search","input":{})"), work},
      {block(0, R"("type":"mcp_tool_use","id":"s","name":"f","server_name":"x","input":{})"), work},
      {delta(0, R"("type":"thinking_delta","thinking":"")"), work},
      {block(0, R"("type":"thinking","thinking":"hm")"), content},
      {block(0, R"("type":"tool_use","id":"t","name":"f","input":{"x":1})"), content},
      {block(0, R"("type":"tool_use","id":"t","name":"f","input":"{\"x\":1}")"), content},
      {block(0, R"("type":"redacted_thinking","data":"x")"), content},
      {block(0, R"("type":"web_search_tool_result","tool_use_id":"s","content":[])"), content},
      {block(0, R"("type":"something_new")"), content},
      {text("Hi"), content},
      {text(R"(\ud83d)"), content},
      {text(""), prelude},
      {delta(0, R"("type":"thinking_delta","thinking":"hm")"), content},
      {delta(0, R"("type":"signature_delta","signature":"x")"), work},
      {delta(0, R"("type":"input_json_delta","partial_json":"{\"a")"), content},
      {delta(0, R"("type":"input_json_delta","partial_json":"")"), work},
      {delta(0, R"("type":"input_json_delta","partial_json":{"a":1})"), content},
      {delta(0, R"("type":"citations_delta","citation":{"cited_text":"x"})"), content},
      {block_stop(0), prelude},
      {finished("end_turn"), finish},
      {R"({"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":3}})", usage},
      {kStop, done},
      {"[DONE]", done},
      {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", error},
      {R"({"error":{"message":"x"}})", error},
      {R"({"delta":{"text":"Hi","type":"text_delta"},"index":0,"type":"content_block_delta"})", content},
      {"", malformed},
      {"hello", malformed},
      {"[1]", malformed},
      {R"({"type":"content_block_del)", malformed},
  };
  for (const auto& [data, piece] : kCases) EXPECT_EQ(piece_of(data), piece) << data;
}

TEST(MessagesStream, BelievesTheTypeOverTheEventsName) {
  EXPECT_EQ(messages()->read("message_stop", text("Hi")), content);
  EXPECT_EQ(messages()->read("content_block_delta", kStop), done);
  EXPECT_EQ(messages()->read("message_stop", "{}"), done) << "no type at all";
}

TEST(MessagesStream, AnOrdinaryStreamIsComplete) {  // STR-2
  const auto reader = messages();
  for (const std::string& event : {kStart, kTextStart, text("Hel"), text("lo"), block_stop(0)}) reader->read({}, event);
  EXPECT_TRUE(reader->content_seen());
  EXPECT_FALSE(reader->complete());
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network));
  reader->read({}, finished("end_turn"));
  EXPECT_EQ(reader->at_end(), std::nullopt) << "only the formal end is missing";
  EXPECT_FALSE(reader->terminal_seen());
  reader->read({}, kStop);
  EXPECT_EQ(reader->at_end(), std::nullopt);
  EXPECT_TRUE(reader->terminal_seen());
  EXPECT_EQ(reader->id(), "msg_1");
  EXPECT_EQ(reader->model(), "claude-1");
  EXPECT_EQ(reader->finish_reason(), "end_turn");
  EXPECT_EQ(reader->finish_reason(1), "");
  EXPECT_FALSE(reader->filtered());
  EXPECT_EQ(reader->usage(),
            (Usage{.known = true, .prompt = 17, .completion = 15, .total = 32, .cached = 4, .cache_written = 3}));
}

TEST(MessagesStream, AnEndWithoutAnyAnswerIsNoAnswer) {  // STR-2
  const auto reader = messages();
  EXPECT_EQ(reader->at_end(), Failure::of(Category::network)) << "nothing came at all";
  reader->read({}, kStop);
  EXPECT_EQ(reader->at_end(), Failure::of(Category::service_unavailable));
}

TEST(MessagesStream, AnErrorWinsOverALaterEnd) {  // STR-2
  const auto reader = messages();
  reader->read({}, text("Hi"));
  reader->read({}, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})");
  reader->read({}, finished("end_turn"));
  reader->read({}, kStop);
  EXPECT_EQ(reader->at_end(), Failure::of(Category::overloaded));
  EXPECT_EQ(reader->error().type, "overloaded_error");
  EXPECT_EQ(reader->error().message, "Overloaded");
}

TEST(MessagesStream, AMalformedEventFailsTheStream) {  // STR-7
  const auto reader = messages();
  reader->read({}, "{oops");
  reader->read({}, finished("end_turn"));
  EXPECT_EQ(reader->at_end(), Failure::of(Category::service_unavailable));
}

TEST(MessagesStream, ARefusalIsAnAnswerThatWasWithheld) {
  const auto reader = messages();
  reader->read({}, kStart);
  reader->read({}, finished("refusal"));
  EXPECT_TRUE(reader->filtered());
  EXPECT_EQ(reader->at_end(), std::nullopt);
}

TEST(MessagesStream, LaterWordsOnUsageGoBeforeEarlierOnes) {
  const auto reader = messages();
  reader->read({}, kStart);
  reader->read(
      {},
      R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":20,"output_tokens":5}})");
  EXPECT_EQ(reader->usage().prompt, 27u) << "20, 3 written to the cache and 4 read from it";
  EXPECT_EQ(reader->usage().completion, 5u);
}

TEST(MessagesStream, TellsWhatAnAnswerSays) {
  EXPECT_EQ(tell({kStart, block(0, R"("type":"thinking","thinking":"","signature":"")"),
                  delta(0, R"("type":"thinking_delta","thinking":"hm")"),
                  delta(0, R"("type":"signature_delta","signature":"sig")"), block_stop(0),
                  block(1, R"("type":"text","text":"A")"), text("b", 1), block_stop(1),
                  block(2, R"("type":"tool_use","id":"toolu_1","name":"f","input":{})"),
                  delta(2, R"("type":"input_json_delta","partial_json":"")"),
                  delta(2, R"("type":"input_json_delta","partial_json":"{\"x\":")"),
                  delta(2, R"("type":"input_json_delta","partial_json":"1}")"), block_stop(2),
                  block(3, R"("type":"tool_use","id":"toolu_2","name":"g","input":{})"), block_stop(3),
                  finished("tool_use"), kStop}),
            "begin msg_1 claude-1\nusage 17+1=18 cached 4 reasoning 0 written 3\n"
            "reasoning hm\nsignature sig\ntext A\ntext b\n"
            "tool_begin 0 toolu_1 f\ntool_arguments 0 {\"x\":\ntool_arguments 0 1}\ntool_begin 1 toolu_2 g\n"
            "finish tool_calls\nusage 17+15=32 cached 4 reasoning 0 written 3\n");
}

TEST(MessagesStream, TellsTheStopSequenceThatWasMet) {
  EXPECT_EQ(tell({finished("stop_sequence", R"("###")")}),
            "finish stop_sequence ###\nusage 0+15=15 cached 0 reasoning 0 written 0\n");
}

TEST(MessagesStream, TellsWhyAnAnswerEnded) {
  const struct {
    std::string_view word;
    FinishReason reason;
  } kCases[] = {{"end_turn", FinishReason::stop},       {"stop_sequence", FinishReason::stop_sequence},
                {"max_tokens", FinishReason::length},   {"model_context_window_exceeded", FinishReason::length},
                {"tool_use", FinishReason::tool_calls}, {"refusal", FinishReason::content_filter},
                {"pause_turn", FinishReason::other}};
  for (const auto& [word, reason] : kCases) {
    const auto reader = messages({.deltas = true});
    reader->read({}, finished(word));
    ASSERT_FALSE(reader->deltas().empty()) << word;
    EXPECT_EQ(reader->deltas()[0].reason, reason) << word;
  }
}

TEST(MessagesStream, InputThatComesWithTheBlocksStartIsItsArguments) {
  const std::string start = block(0, R"("type":"tool_use","id":"t","name":"f","input":{"x": [1]})");
  EXPECT_EQ(tell({start, block_stop(0)}), "tool_begin 0 t f\ntool_arguments 0 {\"x\": [1]}\n");
  EXPECT_EQ(tell({start, finished("tool_use")}).substr(0, 46), "tool_begin 0 t f\ntool_arguments 0 {\"x\": [1]}\nf");
  EXPECT_EQ(tell({start, delta(0, R"("type":"input_json_delta","partial_json":"{}")"), block_stop(0)}),
            "tool_begin 0 t f\ntool_arguments 0 {}\n")
      << "pieces come in its place";
}

TEST(MessagesStream, InputMayBeATextThatHoldsTheObjectAndAPieceMayBeTheObject) {
  EXPECT_EQ(tell({block(0, R"("type":"tool_use","id":"t","name":"f","input":"{\"x\": [1]}")"), block_stop(0)}),
            "tool_begin 0 t f\ntool_arguments 0 {\"x\": [1]}\n");
  const std::string start = block(0, R"("type":"tool_use","id":"t","name":"f","input":{})");
  EXPECT_EQ(tell({start, delta(0, R"("type":"input_json_delta","partial_json":{"x": [1]})"), block_stop(0)}),
            "tool_begin 0 t f\ntool_arguments 0 {\"x\": [1]}\n");
  for (const auto& [input, arguments] : {std::pair{R"("no object")", "no object"}, std::pair{"[1]", "[1]"}}) {
    const std::string members = R"("type":"tool_use","id":"t","name":"f","input":)" + std::string(input);
    EXPECT_EQ(tell({block(0, members), block_stop(0)}),
              "tool_begin 0 t f\ntool_arguments 0 " + std::string(arguments) + "\n")
        << "what is no object is not lost";
  }
  EXPECT_EQ(tell({block(0, R"("type":"tool_use","id":"t","name":"f","input":null)"), block_stop(0)}),
            "tool_begin 0 t f\n");
}

// Thinking whose text is left out is a block that opens, is signed and closes, with nothing but pings in between.
TEST(MessagesStream, APingIsASignOfWorkWhileThoughtsOrACallAreOpen) {  // STR-3.6
  const std::string ping = R"({"type":"ping"})";
  const auto secret = messages();
  secret->read({}, kStart);
  secret->read({}, block(0, R"("type":"redacted_thinking","data":"x")"));
  EXPECT_TRUE(secret->at_work()) << "thoughts that nobody may read";
  for (const std::string members :
       {R"("type":"thinking","thinking":"","signature":"")", R"("type":"tool_use","id":"t","name":"f","input":{})",
        R"("type":"server_tool_use","id":"s","name":"web_search","input":{})"}) {
    const auto reader = messages();
    reader->read({}, kStart);
    EXPECT_EQ(reader->read({}, ping), prelude);
    EXPECT_EQ(reader->read({}, block(0, members)), work);
    EXPECT_TRUE(reader->at_work());
    EXPECT_EQ(reader->read({}, ping), work) << members;
    EXPECT_EQ(reader->read({}, block_stop(0)), work);
    EXPECT_FALSE(reader->at_work());
    EXPECT_EQ(reader->read({}, ping), prelude);
    EXPECT_FALSE(reader->content_seen());
    EXPECT_EQ(reader->read({}, block(1, R"("type":"text","text":"")")), prelude);
    EXPECT_EQ(reader->read({}, ping), prelude) << "a text that is open says nothing";
  }
}

TEST(MessagesStream, ToolsOfTheProviderAreNotTold) {
  EXPECT_EQ(tell({block(0, R"("type":"server_tool_use","id":"s","name":"web_search","input":{"q":"x"})"),
                  delta(0, R"("type":"input_json_delta","partial_json":"{}")"), block_stop(0),
                  block(1, R"("type":"web_search_tool_result","tool_use_id":"s","content":[{"text":"x"}])"),
                  block_stop(1), block(2, R"("type":"tool_use","id":"t","name":"f","input":{})")}),
            "tool_begin 0 t f\n");
}

TEST(MessagesStream, HalvesOfACharacterAreToldTogether) {
  EXPECT_EQ(tell({kTextStart, text(R"(x\ud83d)"), text(R"(\ude00)"), text(R"(\ud83d)"), block_stop(0)}),
            "text x\ntext \xF0\x9F\x98\x80\ntext \xEF\xBF\xBD\n");
}

TEST(MessagesStream, KeepsTheTextOfTheLastEventWhereAskedFor) {
  const auto reader = messages({.text = true});
  reader->read({}, text("Hel"));
  EXPECT_EQ(reader->text(), "Hel");
  EXPECT_TRUE(reader->deltas().empty());
  reader->read({}, delta(0, R"("type":"thinking_delta","thinking":"hm")"));
  EXPECT_EQ(reader->text(), "");
}

TEST(MessagesStream, KnowsWhatMayBeContinued) {  // STR-5.15
  const auto plain_after = [](std::string_view event) {
    const auto reader = messages();
    for (const std::string& before : {kStart, kTextStart, text("Hi")}) reader->read({}, before);
    EXPECT_TRUE(reader->plain_text_only());
    reader->read({}, event);
    return reader->plain_text_only();
  };
  EXPECT_TRUE(plain_after(text("more")));
  EXPECT_TRUE(plain_after(block(1, R"("type":"text","text":"")")));
  EXPECT_TRUE(plain_after(R"({"type":"ping"})"));
  EXPECT_FALSE(plain_after(block(1, R"("type":"thinking","thinking":"")")));
  EXPECT_FALSE(plain_after(block(1, R"("type":"tool_use","id":"t","name":"f","input":{})")));
  EXPECT_FALSE(plain_after(block(1, R"("type":"server_tool_use","id":"t","name":"f","input":{})")));
  EXPECT_FALSE(plain_after(delta(0, R"("type":"citations_delta","citation":{})")));
  EXPECT_FALSE(plain_after(delta(0, R"("type":"input_json_delta","partial_json":"{")")));
}

TEST(MessagesStream, SaysWhereItStands) {  // STR-5.12
  const auto reader = messages();
  reader->read({}, kStart);
  EXPECT_FALSE(reader->recovery_point().text_open);
  EXPECT_EQ(reader->recovery_point().text_block, 0u);
  reader->read({}, kTextStart);
  reader->read({}, block_stop(0));
  EXPECT_FALSE(reader->recovery_point().text_open);
  EXPECT_EQ(reader->recovery_point().text_block, 1u);
  reader->read({}, block(1, R"("type":"text","text":"x")"));
  const RecoveryPoint point = reader->recovery_point();
  EXPECT_TRUE(point.text_open);
  EXPECT_EQ(point.text_block, 1u);
  EXPECT_EQ(point.origin.id, "msg_1");
  EXPECT_EQ(point.origin.model, "claude-1");
}

TEST(MessagesStream, OpenBlocksAreBounded) {  // CORE-5
  const auto reader = messages();
  for (int i = 0; i < 128; ++i) reader->read({}, block(i, R"("type":"text","text":"")"));
  EXPECT_EQ(reader->read({}, block(128, R"("type":"text","text":"")")), malformed);
}

TEST(MessagesStream, WhatItSaysIsSeen) {  // BUD-10.3
  for (const bool deltas : {false, true}) {
    const auto reader = messages({.deltas = deltas});
    reader->read({}, kStart);
    reader->read({}, block(0, R"("type":"thinking","thinking":"","signature":"")"));
    reader->read({}, delta(0, R"("type":"thinking_delta","thinking":"12\n")"));
    reader->read({}, delta(0, R"("type":"signature_delta","signature":"AAAAAAAA")"));
    reader->read({}, block_stop(0));
    reader->read({}, block(1, R"("type":"text","text":"4")"));
    reader->read({}, text("56", 1));
    reader->read({}, block(2, R"("type":"tool_use","id":"t","name":"f","input":{})"));
    EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 3 + 1 + 2, .pieces = 3})) << "that a call begins is none";
    reader->read({}, delta(2, R"("type":"input_json_delta","partial_json":"{\"a\":1}")"));
    reader->read({}, finished("end_turn"));
    EXPECT_EQ(reader->seen(), (SeenOutput{.bytes = 6 + 7, .pieces = 4})) << deltas;
  }
}

TEST(MessagesStream, UsageThatCannotBeReadIsNoZero) {  // BUD-10.4
  const auto reader = messages();
  reader->read({}, kStart);
  EXPECT_TRUE(reader->usage().known);
  reader->read({}, R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":"15"}})");
  EXPECT_EQ(reader->usage(), Usage{});
  reader->read({}, R"({"type":"message_delta","delta":{},"usage":{"output_tokens":15.0}})");
  EXPECT_EQ(reader->usage().completion, 15U);
}

}  // namespace
}  // namespace fuseboard::llm
