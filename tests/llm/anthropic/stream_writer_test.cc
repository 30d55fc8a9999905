// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "tests/llm/written_stream.h"

namespace fuseboard::llm {
namespace {

using sdk::accumulate_message;
using sdk::json;
using sdk::sse_events;
using enum Delta::Kind;

TEST(AnthropicWriter, WritesTheEventsOfAPlainAnswer) {
  EXPECT_EQ(write_all(Dialect::anthropic, {kBegin, said(text, "Hi \"you\"\n"), ended(FinishReason::stop), kUsed}),
            "event: message_start\n"
            R"(data: {"type":"message_start","message":{"id":"a-1","type":"message","role":"assistant","model":"m-1",)"
            R"("content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,)"
            R"("cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}})"
            "\n\n"
            "event: content_block_start\n"
            R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
            "\n\n"
            "event: content_block_delta\n"
            R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"you\"\n"}})"
            "\n\n"
            "event: content_block_stop\n"
            R"(data: {"type":"content_block_stop","index":0})"
            "\n\n"
            "event: message_delta\n"
            R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":)"
            R"({"input_tokens":13,"cache_creation_input_tokens":3,"cache_read_input_tokens":4,"output_tokens":7}})"
            "\n\n"
            "event: message_stop\n"
            R"(data: {"type":"message_stop"})"
            "\n\n");
}

TEST(AnthropicWriter, UsageThatIsKnownAtTheBeginningIsInIt) {
  const std::string stream = write_all(Dialect::anthropic, {kBegin, kUsed, said(text, "Hi")});
  EXPECT_EQ(json::parse(sse_events(stream)[0].data)["message"]["usage"]["input_tokens"], 13);
}

TEST(AnthropicWriter, BlocksComeOneAfterAnotherInTheOrderOfTheAnswer) {
  const std::string stream =
      write_all(Dialect::anthropic,
                {kBegin, said(reasoning, "h"), said(reasoning, "m"), said(signature, "sig"), said(reasoning, "again"),
                 said(text, "So"), said(text, ":"), call(0, "c1", "f"), arguments(0, "{\"x\""), arguments(0, ":1}"),
                 call(1, "c2", "g"), said(refusal, "No."), ended(FinishReason::stop)});
  EXPECT_EQ(outline(stream),
            "message_start\n"
            "content_block_start 0\nthinking_delta 0\nthinking_delta 0\nsignature_delta 0\ncontent_block_stop 0\n"
            "content_block_start 1\nthinking_delta 1\ncontent_block_stop 1\n"
            "content_block_start 2\ntext_delta 2\ntext_delta 2\ncontent_block_stop 2\n"
            "content_block_start 3\ninput_json_delta 3\ninput_json_delta 3\ncontent_block_stop 3\n"
            "content_block_start 4\ncontent_block_stop 4\n"
            "content_block_start 5\ntext_delta 5\ncontent_block_stop 5\n"
            "message_delta\nmessage_stop\n");
  const json message = accumulate_message(stream);
  EXPECT_EQ(message["content"], json::parse(R"([
      {"type":"thinking","thinking":"hm","signature":"sig"},{"type":"thinking","thinking":"again","signature":""},
      {"type":"text","text":"So:"},{"type":"tool_use","id":"c1","name":"f","input":{"x":1}},
      {"type":"tool_use","id":"c2","name":"g","input":{}},{"type":"text","text":"No."}])"));
  EXPECT_EQ(message["stop_reason"], "refusal") << "the model refused";
}

TEST(AnthropicWriter, TellsTheStopSequenceThatWasMet) {
  const auto message_of = [](const Delta& end) {
    return accumulate_message(write_all(Dialect::anthropic, {said(text, "x"), end}));
  };
  EXPECT_EQ(message_of(ended(FinishReason::stop_sequence, "#\"#"))["stop_sequence"], "#\"#");
  EXPECT_TRUE(message_of(ended(FinishReason::stop_sequence))["stop_sequence"].is_null());
  EXPECT_TRUE(message_of(ended(FinishReason::stop, "x"))["stop_sequence"].is_null());
}

TEST(AnthropicWriter, ASignatureWithoutThoughtsHasABlock) {
  EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, {said(signature, "si"), said(signature, "g")}))["content"],
            json::parse(R"([{"type":"thinking","thinking":"","signature":"sig"}])"));
}

// A second call begins the next block at once where the first one's arguments are complete, else when they are.
TEST(AnthropicWriter, ACallWaitsForTheArgumentsOfTheOneBefore) {
  const auto writer = make_stream_writer(Dialect::anthropic, kOrigin);
  const auto written = [&writer](const Delta& delta) {
    std::string out;
    EXPECT_TRUE(writer->write(delta, out));
    return outline(out);
  };
  EXPECT_EQ(written(call(0, "c1", "f")), "message_start\ncontent_block_start 0\n");
  EXPECT_EQ(written(call(1, "c2", "g")), "");
  EXPECT_EQ(written(arguments(1, "{\"y\":")), "");
  EXPECT_EQ(written(arguments(0, "{\"x\":\"}\\\"")), "input_json_delta 0\n");
  EXPECT_EQ(written(call(2, "c3", "h")), "");
  EXPECT_EQ(written(arguments(2, "{}")), "");
  EXPECT_EQ(written(arguments(0, "\"}")),
            "input_json_delta 0\ncontent_block_stop 0\ncontent_block_start 1\ninput_json_delta 1\n");
  EXPECT_EQ(written(arguments(1, "[1]")), "input_json_delta 1\n");
  EXPECT_EQ(written(arguments(0, " ")), "") << "its block is gone";
  EXPECT_EQ(written(arguments(1, "}")),
            "input_json_delta 1\ncontent_block_stop 1\ncontent_block_start 2\n"
            "input_json_delta 2\n");
  EXPECT_EQ(written(said(text, "x")), "content_block_stop 2\ncontent_block_start 3\ntext_delta 3\n");
  EXPECT_EQ(written(ended(FinishReason::tool_calls)), "content_block_stop 3\n");
}

TEST(AnthropicWriter, InterleavedCallsAreTheSameAnswerAsOrderedOnes) {
  const std::vector<Delta> ordered = {call(0, "c1", "f"), arguments(0, R"({"x":[1,{"y":"]}"}]})"), call(1, "c2", "g"),
                                      arguments(1, R"({"z":2})"), ended(FinishReason::tool_calls)};
  const std::vector<Delta> mixed = {call(0, "c1", "f"),      call(1, "c2", "g"),
                                    arguments(1, R"({"z")"), arguments(0, R"({"x":[1,)"),
                                    arguments(1, ":2}"),     arguments(0, R"({"y":"]}"}])"),
                                    arguments(0, "}"),       ended(FinishReason::stop)};
  EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, mixed)),
            accumulate_message(write_all(Dialect::anthropic, ordered)));
}

TEST(AnthropicWriter, WhatIsHeldBackIsBounded) {  // CORE-5
  const auto writer = make_stream_writer(Dialect::anthropic, kOrigin);
  std::string out;
  EXPECT_TRUE(writer->write(call(0, "c1", "f"), out));
  EXPECT_TRUE(writer->write(call(1, "c2", "g"), out));
  const Delta piece = arguments(1, std::string(StreamWriter::kMaxHeldBack / 2, ' '));
  EXPECT_TRUE(writer->write(piece, out));
  EXPECT_FALSE(writer->write(piece, out));
}

}  // namespace
}  // namespace fuseboard::llm
