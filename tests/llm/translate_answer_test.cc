// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_answer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "json/string.h"
#include "llm/answer.h"
#include "llm/stream_reader.h"
#include "llm/stream_writer.h"
#include "tests/llm/delta_text.h"
#include "tests/support/sdk_accumulator.h"

namespace fuseboard::llm {
namespace {

using sdk::accumulate_completion;
using sdk::accumulate_message;
using sdk::json;
using sdk::sse_events;
using sdk::SseText;
using enum Delta::Kind;

const StreamOrigin kOrigin{.id = "made-up", .model = "alias", .created = 1700000000, .include_usage = true};

json translated(Dialect from, Dialect to, std::string_view body) {
  const auto result = translate_answer(from, to, body, kOrigin);
  return result ? json::parse(*result) : json(result.error());
}
json to_anthropic(std::string_view body) { return translated(Dialect::openai, Dialect::anthropic, body); }
json to_openai(std::string_view body) { return translated(Dialect::anthropic, Dialect::openai, body); }

TEST(TranslateAnswer, ACompletionBecomesAMessage) {
  EXPECT_EQ(to_anthropic(R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5-2025",
      "choices":[{"index":0,"message":{"role":"assistant","content":"Let me look.","refusal":null,
        "tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"x\": [1, 2]}"}},
                      {"id":"call_2","type":"function","function":{"name":"g","arguments":""}}],
        "reasoning_content":"hm"},"logprobs":null,"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,"prompt_tokens_details":{"cached_tokens":5}}})"),
            json::parse(R"({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt-5-2025",
      "content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"Let me look."},
                 {"type":"tool_use","id":"call_1","name":"f","input":{"x":[1,2]}},
                 {"type":"tool_use","id":"call_2","name":"g","input":{}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":15,"cache_creation_input_tokens":0,"cache_read_input_tokens":5,"output_tokens":7}})"));
}

TEST(TranslateAnswer, ArgumentsMayBeAnObjectOrATextThatHoldsOne) {
  for (const std::string arguments : {R"({"x": [1]})", R"("{\"x\": [1]}")"}) {
    EXPECT_EQ(to_anthropic(R"({"choices":[{"message":{"tool_calls":[{"id":"t","function":{"name":"f","arguments":)" +
                           arguments + R"(}}]},"finish_reason":"tool_calls"}]})")["content"],
              json::parse(R"([{"type":"tool_use","id":"t","name":"f","input":{"x":[1]}}])"))
        << arguments;
    EXPECT_EQ(to_openai(R"({"content":[{"type":"tool_use","id":"t","name":"f","input":)" + arguments +
                        R"(}],"stop_reason":"tool_use"})")["choices"][0]["message"]["tool_calls"][0]["function"],
              json::parse(R"({"name":"f","arguments":"{\"x\": [1]}"})"))
        << arguments;
  }
}

TEST(TranslateAnswer, AMessageBecomesACompletion) {
  EXPECT_EQ(to_openai(R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-1",
      "content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"x"},
                 {"type":"text","text":"Let me "},{"type":"text","text":"look."},
                 {"type":"server_tool_use","id":"s","name":"web_search","input":{"q":"x"}},
                 {"type":"tool_use","id":"toolu_1","name":"f","input":{"x": [1, 2]}},
                 {"type":"tool_use","id":"toolu_2","name":"g","input":{}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":7}})"),
            json::parse(R"({"id":"msg_1","object":"chat.completion","created":1700000000,"model":"claude-1",
      "choices":[{"index":0,"message":{"role":"assistant","content":"Let me look.","refusal":null,
        "reasoning_content":"hm",
        "tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"x\": [1, 2]}"}},
                      {"id":"toolu_2","type":"function","function":{"name":"g","arguments":"{}"}}]},
        "logprobs":null,"finish_reason":"tool_calls"}],
      "usage":{"prompt_tokens":20,"completion_tokens":7,"total_tokens":27,
        "prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":3},
        "completion_tokens_details":{"reasoning_tokens":0}}})"));
}

TEST(TranslateAnswer, WhyItEndedIsSaidInTheOtherDialect) {
  const struct {
    std::string openai;
    std::string anthropic;
  } kToAnthropic[] = {{"stop", "end_turn"},
                      {"length", "max_tokens"},
                      {"tool_calls", "tool_use"},
                      {"content_filter", "refusal"},
                      {"eos", "end_turn"}},
    kToOpenAi[] = {{"stop", "end_turn"},       {"stop", "stop_sequence"},
                   {"length", "max_tokens"},   {"length", "model_context_window_exceeded"},
                   {"tool_calls", "tool_use"}, {"content_filter", "refusal"},
                   {"stop", "pause_turn"}};
  for (const auto& [openai, anthropic] : kToAnthropic) {
    EXPECT_EQ(
        to_anthropic(R"({"choices":[{"message":{"content":"x"},"finish_reason":")" + openai + "\"}]}")["stop_reason"],
        anthropic)
        << openai;
  }
  for (const auto& [openai, anthropic] : kToOpenAi) {
    const json completion = to_openai(R"({"content":[{"type":"text","text":"x"}],"stop_reason":")" + anthropic + "\"}");
    EXPECT_EQ(completion["choices"][0]["finish_reason"], openai) << anthropic;
  }
}

TEST(TranslateAnswer, ARefusalIsTextThatEndsSo) {
  const json message =
      to_anthropic(R"({"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]})");
  EXPECT_EQ(message["content"], json::parse(R"([{"type":"text","text":"No."}])"));
  EXPECT_EQ(message["stop_reason"], "refusal");
}

TEST(TranslateAnswer, AStopSequenceIsKeptWhereTheDialectHasOne) {
  const std::string body = R"({"content":[],"stop_reason":"stop_sequence","stop_sequence":"##"})";
  EXPECT_EQ(translated(Dialect::anthropic, Dialect::anthropic, body)["stop_sequence"], "##");
  EXPECT_EQ(to_openai(body)["choices"][0]["finish_reason"], "stop");
}

TEST(TranslateAnswer, ArgumentsThatAreNoObjectAreShownAsTheyAre) {
  for (const std::string_view arguments : {"{\"x\":", "[1]", "7", "oops"}) {
    const json message =
        to_anthropic(R"({"choices":[{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":)" +
                     fuseboard::json::string_literal(arguments) + "}}]}}]}");
    EXPECT_EQ(message["content"][0]["input"], (json{{"raw_arguments", arguments}})) << arguments;
  }
}

TEST(TranslateAnswer, ArgumentsThatAreAnArrayAndInNoStringAreShownToo) {
  const json message =
      to_anthropic(R"({"choices":[{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":[1]}}]}}]})");
  EXPECT_EQ(message["content"][0]["input"], (json{{"raw_arguments", "[1]"}}));
}

TEST(TranslateAnswer, AnAnswerWithoutIdModelOrUsageGetsTheCallers) {
  const json message = to_anthropic(R"({"choices":[{"message":{"content":"x"}}]})");
  EXPECT_EQ(message["id"], "made-up");
  EXPECT_EQ(message["model"], "alias");
  EXPECT_EQ(message["usage"]["input_tokens"], 0);
  EXPECT_FALSE(to_openai(R"({"content":[]})").contains("usage"));
}

TEST(TranslateAnswer, AnEmptyAnswerStaysOne) {
  EXPECT_EQ(to_anthropic(R"({"choices":[{"message":{"content":""},"finish_reason":"stop"}]})")["content"],
            json::array());
  EXPECT_TRUE(to_openai(R"({"content":[],"stop_reason":"end_turn"})")["choices"][0]["message"]["content"].is_null());
}

TEST(TranslateAnswer, WhatIsNoAnswerIsRefused) {
  for (const std::string_view body :
       {"", "x", "[1]", "{}", R"({"error":{"message":"x"}})", R"({"choices":[{}]})", R"({"choices":[]})",
        R"({"content":"x"})", R"({"content":{}})", "{\"content\":[]"}) {
    EXPECT_FALSE(translate_answer(Dialect::openai, Dialect::anthropic, body)) << body;
    EXPECT_FALSE(translate_answer(Dialect::anthropic, Dialect::openai, body)) << body;
  }
}

TEST(TranslateAnswer, AWholeAnswerCanBeStreamed) {
  const std::string completion =
      R"({"id":"c","model":"m","choices":[{"message":{"content":"x","tool_calls":[{"id":"t","function":)"
      R"({"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}],)"
      R"("usage":{"prompt_tokens":20,"completion_tokens":7}})";
  const auto deltas = answer_deltas(Dialect::openai, completion);
  ASSERT_TRUE(deltas);
  EXPECT_EQ(accumulate_completion(answer_events(Dialect::openai, *deltas, kOrigin)),
            json::parse(answer_body(Dialect::openai, *deltas, kOrigin)));
  const std::string events = answer_events(Dialect::anthropic, *deltas, kOrigin);
  EXPECT_EQ(accumulate_message(events), json::parse(answer_body(Dialect::anthropic, *deltas, kOrigin)));
  EXPECT_EQ(json::parse(sse_events(events)[0].data)["message"]["usage"]["input_tokens"], 20)
      << "known from the beginning";
}

// Answers as a dialect can give them.

struct Call {
  std::string name;
  std::string arguments;
};
struct Answer {
  std::string thoughts;
  std::string signature;
  std::string words;
  std::string refusal;
  std::vector<Call> calls;
  FinishReason reason = FinishReason::stop;
  std::string stop_sequence;
  Usage used;
};

rc::Gen<std::string> any_text() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
                          "a", "Wort ", "\n", "\"", "\\", "\xC3\xA9", "\xF0\x9F\x98\x80", "{", "data: [DONE]", "\x01")),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const std::string& piece : pieces) text += piece;
                        return text;
                      });
}

Answer any_answer(Dialect dialect) {
  Answer answer;
  answer.thoughts = *any_text();
  answer.words = *any_text();
  if (dialect == Dialect::anthropic) {
    answer.signature = *any_text();
  } else {
    answer.refusal = *any_text();
  }
  for (int left = *rc::gen::inRange(0, 4); left > 0; --left) {
    const std::string value = fuseboard::json::string_literal(*any_text());
    answer.calls.push_back({.name = "tool_" + std::to_string(left),
                            .arguments = *rc::gen::element<std::string>(
                                "{}", R"({"x":)" + value + "}", R"({"a":[1,{"b":)" + value + R"(}],"c":null})")});
  }
  using enum FinishReason;
  answer.reason = dialect == Dialect::openai
                      ? *rc::gen::element(stop, length, tool_calls, content_filter)
                      : *rc::gen::element(stop, stop_sequence, length, tool_calls, content_filter);
  if (answer.reason == stop_sequence) answer.stop_sequence = *any_text();
  Usage& used = answer.used;
  used.known = true;
  used.cached = *rc::gen::inRange(0u, 1000u);
  used.cache_written = *rc::gen::inRange(0u, 1000u);
  used.prompt = used.cached + used.cache_written + *rc::gen::inRange(0u, 1000u);
  used.completion = *rc::gen::inRange(0u, 1000u);
  used.total = used.prompt + used.completion;
  return answer;
}

// In pieces of any size, which may cut through escapes of the arguments but not through characters.
void add_in_pieces(std::vector<Delta>& deltas, Delta::Kind kind, std::uint32_t tool, std::string_view rest) {
  while (!rest.empty()) {
    std::size_t size = std::min<std::size_t>(rest.size(), *rc::gen::inRange(1u, 12u));
    while (size < rest.size() && (static_cast<unsigned char>(rest[size]) & 0xC0u) == 0x80u) ++size;
    deltas.push_back({.kind = kind, .tool = tool, .text = std::string(rest.substr(0, size))});
    rest.remove_prefix(size);
  }
}

// The pieces of several calls in any order in which each call's own pieces stay as they are.
std::vector<Delta> shuffled_together(std::vector<std::vector<Delta>> calls) {
  std::vector<Delta> mixed;
  std::erase_if(calls, [](const auto& pieces) { return pieces.empty(); });
  // OpenAI counts calls in the order in which they begin.
  for (auto& pieces : calls) mixed.push_back(pieces.front());
  for (auto& pieces : calls) pieces.erase(pieces.begin());
  for (;;) {
    std::erase_if(calls, [](const auto& pieces) { return pieces.empty(); });
    if (calls.empty()) return mixed;
    auto& pieces = calls[*rc::gen::inRange<std::size_t>(0, calls.size())];
    mixed.push_back(pieces.front());
    pieces.erase(pieces.begin());
  }
}

std::vector<Delta> stream_deltas(const Answer& answer, bool interleaved) {
  std::vector<Delta> deltas = {{.kind = begin, .id = "answer-1", .model = "model-1"}};
  add_in_pieces(deltas, reasoning, 0, answer.thoughts);
  if (!answer.signature.empty()) deltas.push_back({.kind = signature, .text = answer.signature});
  add_in_pieces(deltas, text, 0, answer.words);
  add_in_pieces(deltas, refusal, 0, answer.refusal);
  std::vector<std::vector<Delta>> calls;
  for (const Call& call : answer.calls) {
    const auto tool = static_cast<std::uint32_t>(calls.size());
    calls.push_back({{.kind = tool_begin, .tool = tool, .id = "call-" + std::to_string(tool), .name = call.name}});
    add_in_pieces(calls.back(), tool_arguments, tool, call.arguments);
  }
  if (interleaved) calls = {shuffled_together(std::move(calls))};
  for (const auto& pieces : calls) deltas.insert(deltas.end(), pieces.begin(), pieces.end());
  deltas.push_back({.kind = finish, .reason = answer.reason, .text = answer.stop_sequence});
  deltas.push_back({.kind = usage, .usage = answer.used});
  return deltas;
}

std::string stream_of(Dialect dialect, const std::vector<Delta>& deltas) {
  const auto writer = make_stream_writer(dialect, kOrigin);
  std::string out;
  for (const Delta& delta : deltas) RC_ASSERT(writer->write(delta, out));
  writer->end(out);
  return out;
}

std::vector<Delta> read_stream(Dialect dialect, std::string_view stream) {
  const auto reader = make_stream_reader(chat_endpoint(dialect), {.deltas = true});
  std::vector<Delta> deltas;
  for (const SseText& event : sse_events(stream)) {
    const StreamPiece piece = reader->read(event.event, event.data);
    RC_ASSERT(piece != StreamPiece::malformed && piece != StreamPiece::error);
    deltas.insert(deltas.end(), reader->deltas().begin(), reader->deltas().end());
  }
  RC_ASSERT(!reader->at_end().has_value());
  RC_ASSERT(reader->terminal_seen());
  return deltas;
}

json accumulated(Dialect dialect, std::string_view stream) {
  return dialect == Dialect::openai ? accumulate_completion(stream) : accumulate_message(stream);
}

Dialect other(Dialect dialect) { return dialect == Dialect::openai ? Dialect::anthropic : Dialect::openai; }

RC_GTEST_PROP(TranslateAnswerProperty, AStreamAccumulatesToTheWholeAnswer, (bool openai, bool interleaved)) {
  const Dialect dialect = openai ? Dialect::openai : Dialect::anthropic;
  const auto deltas = stream_deltas(any_answer(dialect), interleaved);
  RC_ASSERT(accumulated(dialect, stream_of(dialect, deltas)) == json::parse(answer_body(dialect, deltas, kOrigin)));
}

RC_GTEST_PROP(TranslateAnswerProperty, AStreamTranslatesToWhatTheWholeAnswerTranslatesTo,
              (bool openai, bool interleaved)) {
  const Dialect from = openai ? Dialect::openai : Dialect::anthropic;
  const auto deltas = stream_deltas(any_answer(from), interleaved);
  const std::string whole = answer_body(from, deltas, kOrigin);
  const json translated_whole = translated(from, other(from), whole);
  const std::string translated_stream = stream_of(other(from), read_stream(from, stream_of(from, deltas)));
  RC_ASSERT(accumulated(other(from), translated_stream) == translated_whole);
  RC_ASSERT(!judge_answer(chat_endpoint(other(from)), 200, "application/json", translated_whole.dump(), {}).failure);
}

TEST(TranslateAnswer, AStopSequenceIsToldWholeHoweverLongItIs) {
  const std::string sequence(5000, 'x');
  const std::string whole = answer_body(
      Dialect::anthropic,
      std::vector<Delta>{{.kind = Delta::Kind::text, .text = "hi"},
                         {.kind = Delta::Kind::finish, .reason = FinishReason::stop_sequence, .text = sequence}},
      kOrigin);
  EXPECT_EQ(translated(Dialect::anthropic, Dialect::anthropic, whole)["stop_sequence"].get<std::string>(), sequence);
}

RC_GTEST_PROP(TranslateAnswerProperty, AnAnswerReadAndWrittenAgainIsTheSame, (bool openai)) {
  const Dialect dialect = openai ? Dialect::openai : Dialect::anthropic;
  const std::string whole = answer_body(dialect, stream_deltas(any_answer(dialect), false), kOrigin);
  RC_ASSERT(translated(dialect, dialect, whole) == json::parse(whole));
}

// Signatures, the stop sequence and the line between text and refusal are all that the way there and back loses.
RC_GTEST_PROP(TranslateAnswerProperty, AnAnswerComesBackFromTheOtherDialect, (bool openai)) {
  const Dialect dialect = openai ? Dialect::openai : Dialect::anthropic;
  Answer answer = any_answer(dialect);
  answer.signature.clear();
  answer.refusal.clear();
  if (answer.reason == FinishReason::stop_sequence) answer.reason = FinishReason::stop;
  answer.stop_sequence.clear();
  const std::string whole = answer_body(dialect, stream_deltas(answer, false), kOrigin);
  const auto there = translate_answer(dialect, other(dialect), whole, kOrigin);
  RC_ASSERT(there.has_value());
  RC_ASSERT(translated(other(dialect), dialect, *there) == json::parse(whole));
}

}  // namespace
}  // namespace fuseboard::llm
