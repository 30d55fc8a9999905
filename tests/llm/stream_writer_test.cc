// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "llm/stream_reader.h"
#include "tests/support/sdk_accumulator.h"

namespace fuseboard::llm {
namespace {

using sdk::accumulate_completion;
using sdk::accumulate_message;
using sdk::json;
using sdk::sse_events;
using sdk::SseText;
using enum Delta::Kind;

const StreamOrigin kOrigin{.id = "made-up", .model = "alias", .created = 1700000000};

Delta said(Delta::Kind kind, std::string words) { return {.kind = kind, .text = std::move(words)}; }
Delta call(std::uint32_t tool, std::string id, std::string name) {
  return {.kind = tool_begin, .tool = tool, .id = std::move(id), .name = std::move(name)};
}
Delta arguments(std::uint32_t tool, std::string json_text) {
  return {.kind = tool_arguments, .tool = tool, .text = std::move(json_text)};
}
Delta ended(FinishReason reason, std::string sequence = {}) {
  return {.kind = finish, .reason = reason, .text = std::move(sequence)};
}
const Delta kBegin{.kind = begin, .id = "a-1", .model = "m-1"};
const Usage kUsage{.known = true, .prompt = 20, .completion = 7, .total = 27, .cached = 4, .cache_written = 3};
const Delta kUsed{.kind = usage, .usage = kUsage};

std::string write_all(StreamWriter& writer, const std::vector<Delta>& deltas) {
  std::string out;
  for (const Delta& delta : deltas) EXPECT_TRUE(writer.write(delta, out));
  writer.end(out);
  return out;
}
std::string write_all(Dialect dialect, const std::vector<Delta>& deltas, const StreamOrigin& origin = kOrigin) {
  return write_all(*make_stream_writer(dialect, origin), deltas);
}

// The names of the events, the deltas of blocks by what they are.
std::string outline(std::string_view stream) {
  std::string text;
  for (const SseText& event : sse_events(stream)) {
    const json data = json::parse(event.data);
    text += data.contains("delta") && data["delta"].contains("type") ? data["delta"]["type"].get<std::string>()
                                                                     : event.event;
    if (data.contains("index")) text += ' ' + data["index"].dump();
    text += '\n';
  }
  return text;
}

TEST(OpenAiWriter, WritesTheEventsOfAPlainAnswer) {
  const std::string head =
      R"(data: {"id":"a-1","object":"chat.completion.chunk","created":1700000000,"model":"m-1","choices":)";
  const std::string none = R"(,"logprobs":null,"finish_reason":null}]})"
                           "\n\n";
  EXPECT_EQ(write_all(Dialect::openai, {kBegin, said(text, "Hi \"you\"\n"), ended(FinishReason::stop), kUsed}),
            head + R"([{"index":0,"delta":{"role":"assistant","content":""})" + none + head +
                R"([{"index":0,"delta":{"content":"Hi \"you\"\n"})" + none + head +
                R"([{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})" + "\n\n" + "data: [DONE]\n\n");
}

TEST(OpenAiWriter, UsageComesWhereItWasAskedForAlone) {
  StreamOrigin origin = kOrigin;
  origin.include_usage = true;
  const std::string stream = write_all(Dialect::openai, {kBegin, said(text, "Hi"), kUsed}, origin);
  const auto events = sse_events(stream);
  ASSERT_EQ(events.size(), 5u);
  EXPECT_TRUE(json::parse(events[1].data).at("usage").is_null());
  const json last = json::parse(events[3].data);
  EXPECT_EQ(last["choices"], json::array());
  EXPECT_EQ(last["usage"], json::parse(R"({"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,
      "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},
      "completion_tokens_details":{"reasoning_tokens":0}})"));
  EXPECT_FALSE(write_all(Dialect::openai, {kBegin, said(text, "Hi"), kUsed}).contains("usage"));
}

TEST(OpenAiWriter, WritesThoughtsRefusalsAndCalls) {
  const json completion = accumulate_completion(
      write_all(Dialect::openai, {kBegin, said(reasoning, "hm"), said(signature, "sig"), said(text, "So:"),
                                  said(refusal, "No."), call(0, "c1", "f"), arguments(0, "{\"x\""), call(1, "c2", "g"),
                                  arguments(1, "{}"), arguments(0, ":1}"), ended(FinishReason::tool_calls)}));
  EXPECT_EQ(completion["choices"][0]["message"], json::parse(R"({"role":"assistant","content":"So:","refusal":"No.",
      "reasoning_content":"hm","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
        {"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]})"));
  EXPECT_EQ(completion["choices"][0]["finish_reason"], "tool_calls");
}

TEST(OpenAiWriter, ACallWithoutArgumentsHasAnEmptyObject) {
  const json completion = accumulate_completion(write_all(Dialect::openai, {call(0, "c1", "f")}));
  EXPECT_EQ(completion["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], "{}");
}

TEST(OpenAiWriter, TakesIdAndModelOfTheAnswerElseThoseOfTheCaller) {
  EXPECT_EQ(accumulate_completion(write_all(Dialect::openai, {kBegin}))["id"], "a-1");
  const json completion = accumulate_completion(write_all(Dialect::openai, {said(text, "Hi"), kBegin}));
  EXPECT_EQ(completion["id"], "made-up") << "one id for all events";
  EXPECT_EQ(completion["model"], "alias");
}

TEST(OpenAiWriter, CallsWithoutAnIdGetOne) {
  const json completion = accumulate_completion(write_all(Dialect::openai, {call(0, "", "f"), call(1, "", "g")}));
  EXPECT_EQ(completion["choices"][0]["message"]["tool_calls"][0]["id"], "call_made-up_0");
  EXPECT_EQ(completion["choices"][0]["message"]["tool_calls"][1]["id"], "call_made-up_1");
}

TEST(StreamWriter, WritesWhyAnAnswerEndedInTheDialectsWords) {
  const struct {
    FinishReason reason;
    std::string openai;
    std::string anthropic;
  } kCases[] = {{FinishReason::stop, "stop", "end_turn"},
                {FinishReason::stop_sequence, "stop", "stop_sequence"},
                {FinishReason::length, "length", "max_tokens"},
                {FinishReason::tool_calls, "tool_calls", "tool_use"},
                {FinishReason::content_filter, "content_filter", "refusal"},
                {FinishReason::other, "stop", "end_turn"}};
  for (const auto& [reason, openai, anthropic] : kCases) {
    const std::vector<Delta> deltas = {said(text, "x"), ended(reason)};
    EXPECT_EQ(accumulate_completion(write_all(Dialect::openai, deltas))["choices"][0]["finish_reason"], openai);
    EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, deltas))["stop_reason"], anthropic);
  }
}

TEST(StreamWriter, AnAnswerWithCallsThatEndedPlainlyEndedForItsCalls) {
  for (const FinishReason reason : {FinishReason::stop, FinishReason::other}) {
    const std::vector<Delta> deltas = {call(0, "c", "f"), ended(reason)};
    EXPECT_EQ(accumulate_completion(write_all(Dialect::openai, deltas))["choices"][0]["finish_reason"], "tool_calls");
    EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, deltas))["stop_reason"], "tool_use");
  }
  const std::vector<Delta> cut = {call(0, "c", "f"), ended(FinishReason::length)};
  EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, cut))["stop_reason"], "max_tokens");
}

TEST(StreamWriter, AnAnswerThatSaysNothingHasItsBeginningAndItsEnd) {
  EXPECT_TRUE(accumulate_completion(write_all(Dialect::openai, {}))["choices"][0]["message"]["content"].is_null());
  EXPECT_EQ(accumulate_message(write_all(Dialect::anthropic, {}))["content"], json::array());
}

TEST(StreamWriter, NothingIsWrittenBeforeThereIsContentNorBehindTheEnd) {  // STR-4
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
    const auto writer = make_stream_writer(dialect, kOrigin);
    std::string out;
    for (const Delta& delta : {kBegin, kUsed, said(text, ""), said(reasoning, "")}) writer->write(delta, out);
    EXPECT_EQ(out, "");
    writer->end(out);
    const std::string all = out;
    writer->end(out);
    writer->write(said(text, "late"), out);
    EXPECT_EQ(out, all);
  }
}

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

TEST(StreamWriter, CallsAreBounded) {  // CORE-5
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
    const auto writer = make_stream_writer(dialect, kOrigin);
    std::string out;
    for (std::uint32_t i = 0; i < 128; ++i) EXPECT_TRUE(writer->write(call(i, "c", "f"), out)) << i;
    EXPECT_FALSE(writer->write(call(128, "c", "f"), out));
    EXPECT_TRUE(writer->write(arguments(127, "{}"), out));
  }
}

// What a provider had sent of a stream when it broke off, event by event.
struct Broken {
  std::string relayed;
  ResumePoint point;
};
Broken break_off(Endpoint endpoint, std::string_view stream, std::size_t events) {
  const auto reader = make_stream_reader(endpoint);
  Broken broken;
  for (const SseText& event : sse_events(stream)) {
    if (events-- == 0) break;
    reader->read(event.event, event.data);
    if (!event.event.empty()) broken.relayed += "event: " + event.event + '\n';
    broken.relayed += "data: " + event.data + "\n\n";
  }
  EXPECT_TRUE(reader->plain_text_only());
  broken.point = reader->resume_point();
  return broken;
}

TEST(ResumedStream, IsOneAnswerWithWhatCameBefore) {  // STR-5.12
  StreamOrigin origin = kOrigin;
  origin.include_usage = true;
  const std::vector<Delta> whole = {kBegin,
                                    said(text, "The capital"),
                                    said(text, " of France"),
                                    said(text, " is Paris."),
                                    ended(FinishReason::length),
                                    kUsed};
  const std::vector<Delta> rest = {{.kind = begin, .id = "b-2", .model = "m-2"},
                                   said(text, " of Fra"),
                                   said(text, "nce is Paris."),
                                   ended(FinishReason::length),
                                   kUsed};
  const std::string openai = write_all(Dialect::openai, whole, origin);
  Broken broken = break_off(Endpoint::chat_completions, openai, 2);
  broken.point.origin.include_usage = true;
  EXPECT_EQ(accumulate_completion(broken.relayed + write_all(*resume_stream(Dialect::openai, broken.point), rest)),
            accumulate_completion(openai));

  const std::string anthropic = write_all(Dialect::anthropic, whole);
  broken = break_off(Endpoint::messages, anthropic, 3);
  EXPECT_EQ(accumulate_message(broken.relayed + write_all(*resume_stream(Dialect::anthropic, broken.point), rest)),
            accumulate_message(anthropic));
}

// Wherever the stream broke off, and however the rest is cut.
RC_GTEST_PROP(ResumedStream, IsTheWholeAnswerWhereverItBrokeOff, (bool openai)) {  // STR-5.12
  const Dialect dialect = openai ? Dialect::openai : Dialect::anthropic;
  const std::vector<std::string> words = {"The ", "capital", "\n", " of \"France\"", " is", " Paris."};
  std::vector<Delta> whole = {kBegin};
  for (const std::string& word : words) whole.push_back(said(text, word));
  const std::string stream = write_all(dialect, whole);
  const std::size_t preludes = openai ? 1 : 2;
  const auto heard = *rc::gen::inRange<std::size_t>(0, words.size() + 1);
  const Broken broken = break_off(chat_endpoint(dialect), stream, preludes + heard);
  std::string rest;
  for (std::size_t i = heard; i < words.size(); ++i) rest += words[i];
  const auto cut = *rc::gen::inRange<std::size_t>(0, rest.size() + 1);
  const std::string all = broken.relayed + write_all(*resume_stream(dialect, broken.point),
                                                     {said(text, rest.substr(0, cut)), said(text, rest.substr(cut))});
  if (openai) {
    RC_ASSERT(accumulate_completion(all) == accumulate_completion(stream));
  } else {
    RC_ASSERT(accumulate_message(all) == accumulate_message(stream));
  }
}

TEST(ResumedStream, GoesOnWithABlockOfItsOwnWhereNoneIsOpen) {  // STR-5.12
  const std::string before = write_all(Dialect::anthropic, {kBegin, said(text, "One.")});
  for (const std::size_t events : {1u, 2u, 3u, 4u}) {
    const Broken broken = break_off(Endpoint::messages, before, events);
    const json message =
        accumulate_message(broken.relayed + write_all(*resume_stream(Dialect::anthropic, broken.point),
                                                      {said(text, " Two."), call(0, "c", "f"), arguments(0, "{}")}));
    std::string all;
    for (const json& block : message["content"]) all += block.value("text", "");
    EXPECT_EQ(all, events < 3 ? " Two." : "One. Two.") << events;
    EXPECT_EQ(message["content"].back()["type"], "tool_use");
  }
}

TEST(ResumedStream, NeverNamesTheRoleAgain) {  // STR-5.12
  const auto resumed = resume_stream(Dialect::openai, {.origin = kOrigin, .text_open = true});
  const std::string rest = write_all(*resumed, {kBegin, said(text, "Two.")});
  EXPECT_FALSE(rest.contains("role"));
  EXPECT_TRUE(rest.contains("made-up")) << "the id of what came before";
}

TEST(ResumedStream, MayGoOnWithSomethingElseThanText) {  // STR-5.12
  const std::string before = write_all(Dialect::anthropic, {kBegin, said(text, "One.")});
  const Broken broken = break_off(Endpoint::messages, before, 3);
  const auto resumed = resume_stream(Dialect::anthropic, broken.point);
  EXPECT_EQ(outline(write_all(*resumed, {call(0, "c", "f"), arguments(0, "{}")})),
            "content_block_stop 0\ncontent_block_start 1\ninput_json_delta 1\ncontent_block_stop 1\n"
            "message_delta\nmessage_stop\n");
}

}  // namespace
}  // namespace fuseboard::llm
