// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "llm/stream_reader.h"
#include "tests/llm/written_stream.h"

namespace fuseboard::llm {
namespace {

using sdk::accumulate_completion;
using sdk::accumulate_message;
using sdk::json;
using sdk::sse_events;
using sdk::SseText;
using enum Delta::Kind;

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
  RecoveryPoint point;
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
  broken.point = reader->recovery_point();
  return broken;
}

TEST(RecoveredStream, IsOneAnswerWithWhatCameBefore) {  // STR-5.12
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
  EXPECT_EQ(
      accumulate_completion(broken.relayed + write_all(*make_recovery_writer(Dialect::openai, broken.point), rest)),
      accumulate_completion(openai));

  const std::string anthropic = write_all(Dialect::anthropic, whole);
  broken = break_off(Endpoint::messages, anthropic, 3);
  EXPECT_EQ(
      accumulate_message(broken.relayed + write_all(*make_recovery_writer(Dialect::anthropic, broken.point), rest)),
      accumulate_message(anthropic));
}

// Wherever the stream broke off, and however the rest is cut.
RC_GTEST_PROP(RecoveredStream, IsTheWholeAnswerWhereverItBrokeOff, (bool openai)) {  // STR-5.12
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
  const std::string all = broken.relayed + write_all(*make_recovery_writer(dialect, broken.point),
                                                     {said(text, rest.substr(0, cut)), said(text, rest.substr(cut))});
  if (openai) {
    RC_ASSERT(accumulate_completion(all) == accumulate_completion(stream));
  } else {
    RC_ASSERT(accumulate_message(all) == accumulate_message(stream));
  }
}

TEST(RecoveredStream, GoesOnWithABlockOfItsOwnWhereNoneIsOpen) {  // STR-5.12
  const std::string before = write_all(Dialect::anthropic, {kBegin, said(text, "One.")});
  for (const std::size_t events : {1u, 2u, 3u, 4u}) {
    const Broken broken = break_off(Endpoint::messages, before, events);
    const json message =
        accumulate_message(broken.relayed + write_all(*make_recovery_writer(Dialect::anthropic, broken.point),
                                                      {said(text, " Two."), call(0, "c", "f"), arguments(0, "{}")}));
    std::string all;
    for (const json& block : message["content"]) all += block.value("text", "");
    EXPECT_EQ(all, events < 3 ? " Two." : "One. Two.") << events;
    EXPECT_EQ(message["content"].back()["type"], "tool_use");
  }
}

TEST(RecoveredStream, NeverNamesTheRoleAgain) {  // STR-5.12
  const auto recovers = make_recovery_writer(Dialect::openai, {.origin = kOrigin, .text_open = true});
  const std::string rest = write_all(*recovers, {kBegin, said(text, "Two.")});
  EXPECT_FALSE(rest.contains("role"));
  EXPECT_TRUE(rest.contains("made-up")) << "the id of what came before";
}

TEST(RecoveredStream, MayGoOnWithSomethingElseThanText) {  // STR-5.12
  const std::string before = write_all(Dialect::anthropic, {kBegin, said(text, "One.")});
  const Broken broken = break_off(Endpoint::messages, before, 3);
  const auto recovers = make_recovery_writer(Dialect::anthropic, broken.point);
  EXPECT_EQ(outline(write_all(*recovers, {call(0, "c", "f"), arguments(0, "{}")})),
            "content_block_stop 0\ncontent_block_start 1\ninput_json_delta 1\ncontent_block_stop 1\n"
            "message_delta\nmessage_stop\n");
}

}  // namespace
}  // namespace fuseboard::llm
