// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/answer_stream.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

using Reading = AnswerStream::Reading;
using llm::Endpoint;

constexpr TimePoint kNow{};

std::string chunk(std::string_view delta, std::string_view finish = "null") {
  return R"(data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"m1","choices":[{"index":0,"delta":)" +
         std::string(delta) + R"(,"finish_reason":)" + std::string(finish) + "}]}\n\n";
}
std::string content(std::string_view text) { return chunk(R"({"content":")" + std::string(text) + "\"}"); }
const std::string kRole = chunk(R"({"role":"assistant","content":""})");
const std::string kStop = chunk("{}", "\"stop\"");
constexpr std::string_view kDone = "data: [DONE]\n\n";

std::string block_delta(std::string_view text) {
  return "event: content_block_delta\n"
         R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
         std::string(text) + "\"}}\n\n";
}
constexpr std::string_view kMessageStart =
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m2","content":[],)"
    R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":20,"output_tokens":1}}})"
    "\n\n"
    "event: content_block_start\n"
    R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
    "\n\n";
constexpr std::string_view kMessageEnd =
    "event: content_block_stop\n"
    R"(data: {"type":"content_block_stop","index":0})"
    "\n\n"
    "event: message_delta\n"
    R"(data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":6}})"
    "\n\n"
    "event: message_stop\n"
    R"(data: {"type":"message_stop"})"
    "\n\n";

StreamTerms chat() { return {.retain = true}; }

TEST(AnswerStream, AnAnswerInTheCallersOwnWordsPassesByteForByte) {  // STR-4
  AnswerStream stream(chat(), kNow);
  const std::string comment = ": ping\r\n\r\n";
  const std::string odd = "id: 7\nevent: chunk\ndata:  {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"x\":1}\n\n";
  EXPECT_EQ(stream.read(kRole + comment, kNow), Reading::goes_on);
  EXPECT_FALSE(stream.content_seen());
  EXPECT_EQ(stream.read(odd + kStop + std::string(kDone), kNow), Reading::complete);
  EXPECT_TRUE(stream.content_seen());
  EXPECT_EQ(stream.out(), kRole + comment + odd + kStop + std::string(kDone));
}

TEST(AnswerStream, TheFormalEndThatAnUpstreamLeftOutIsAdded) {  // STR-2
  AnswerStream stream(chat(), kNow);
  EXPECT_EQ(stream.read(content("hi") + kStop, kNow), Reading::goes_on);
  EXPECT_EQ(stream.end(), Reading::complete);
  EXPECT_EQ(stream.out(), content("hi") + kStop + std::string(kDone));

  AnswerStream messages({.from = Endpoint::messages, .to = Endpoint::messages}, kNow);
  const std::string_view without_stop = kMessageEnd.substr(0, kMessageEnd.find("event: message_stop"));
  EXPECT_EQ(messages.read(std::string(kMessageStart) + block_delta("hi") + std::string(without_stop), kNow),
            Reading::goes_on);
  EXPECT_EQ(messages.end(), Reading::complete);
  EXPECT_TRUE(messages.out().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

TEST(AnswerStream, AnEndWithoutAFinishReasonIsAFailure) {  // STR-2
  AnswerStream stream(chat(), kNow);
  EXPECT_EQ(stream.read(content("hi"), kNow), Reading::goes_on);
  EXPECT_EQ(stream.end(), Reading::failed);
  ASSERT_TRUE(stream.verdict());
  EXPECT_EQ(stream.verdict()->category, Category::network);
}

TEST(AnswerStream, AMalformedEventIsNeverPassedOn) {  // STR-7
  AnswerStream stream(chat(), kNow);
  EXPECT_EQ(stream.read(content("hi") + "data: {\"choices\": [broken\n\n" + content("more"), kNow), Reading::failed);
  EXPECT_EQ(stream.out(), content("hi"));
  EXPECT_EQ(stream.verdict()->category, Category::service_unavailable);
}

TEST(AnswerStream, AMalformedEventIsLeftOutAndCountedWhereThatIsWanted) {  // STR-7
  StreamTerms terms = chat();
  terms.skip_malformed = true;
  AnswerStream stream(terms, kNow);
  EXPECT_EQ(stream.read(content("hi") + "data: {\"choices\": [broken\n\n" + content("more") + kStop, kNow),
            Reading::goes_on);
  EXPECT_EQ(stream.end(), Reading::complete);
  EXPECT_EQ(stream.out(), content("hi") + content("more") + kStop + std::string(kDone));
  EXPECT_EQ(stream.skipped(), 1U);
}

TEST(AnswerStream, WhatIsHeldBackIsBounded) {  // STR-8
  AnswerStream stream(chat(), kNow);
  const std::string comment = ": " + std::string(1000, 'x') + "\n\n";
  Reading reading = Reading::goes_on;
  int comments = 0;
  while (reading == Reading::goes_on && comments < 1000) {
    reading = stream.read(comment, kNow);
    ++comments;
  }
  EXPECT_EQ(reading, Reading::failed);
  EXPECT_LT(comments, 300);
}

TEST(AnswerStream, AnUpstreamsOwnErrorIsKeptForTheCallerAndNotPassedOnYet) {  // STR-5
  AnswerStream stream(chat(), kNow);
  const std::string error = "data: {\"error\":{\"message\":\"Overloaded\",\"type\":\"server_error\"}}\n\n";
  EXPECT_EQ(stream.read(content("hi") + error, kNow), Reading::failed);
  EXPECT_EQ(stream.out(), content("hi"));
  EXPECT_EQ(stream.error_event(), error);
}

TEST(AnswerStream, AnAnswerOfTheOtherDialectIsWrittenInTheCallers) {
  AnswerStream stream({.from = Endpoint::messages, .to = Endpoint::chat_completions, .include_usage = true}, kNow);
  EXPECT_EQ(
      stream.read(std::string(kMessageStart) + block_delta("Good") + block_delta(" day") + std::string(kMessageEnd),
                  kNow),
      Reading::complete);
  EXPECT_EQ(stream.out().find("message_start"), std::string::npos);
  EXPECT_NE(stream.out().find("\"content\":\"Good\""), std::string::npos);
  EXPECT_NE(stream.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_NE(stream.out().find("\"prompt_tokens\":20"), std::string::npos);
  EXPECT_TRUE(stream.out().ends_with(kDone));
}

// The first half, delivered and broken off.
Delivered broken_after(std::string_view text, AnswerStream& stream) {
  Delivered delivered;
  EXPECT_EQ(stream.read(kRole + content(text), kNow), Reading::goes_on);
  stream.deliver(delivered);
  stream.note_end(delivered);
  return delivered;
}

TEST(AnswerStream, AnotherAnswerGoesOnUnderTheNameOfTheFirst) {  // STR-5
  AnswerStream first(chat(), kNow);
  Delivered delivered = broken_after("Good", first);
  EXPECT_TRUE(delivered.whole);
  EXPECT_EQ(delivered.text, "Good");
  EXPECT_EQ(delivered.pieces, 1U);

  AnswerStream second(chat(), delivered, Splice(Splice::Mode::begins_anew, delivered.text), kNow);
  std::string other = kRole + content("Good") + content(" day") + kStop + std::string(kDone);
  for (std::size_t at = other.find("c1"); at != std::string::npos; at = other.find("c1")) other.replace(at, 2, "c2");
  EXPECT_EQ(second.read(other, kNow), Reading::complete);
  EXPECT_EQ(second.out().find("c2"), std::string::npos);
  EXPECT_EQ(second.out().find("Good"), std::string::npos);
  EXPECT_EQ(second.out().find("role"), std::string::npos);
  EXPECT_NE(second.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_NE(second.out().find("\"finish_reason\":\"stop\""), std::string::npos);
  EXPECT_TRUE(second.out().ends_with(kDone));
  second.deliver(delivered);
  EXPECT_EQ(delivered.text, "Good day");
}

TEST(AnswerStream, AnAnswerOfAnotherDialectGoesOnInTheCallersStream) {  // STR-5
  AnswerStream first(chat(), kNow);
  const Delivered delivered = broken_after("Good", first);
  StreamTerms terms = chat();
  terms.from = Endpoint::messages;
  AnswerStream second(terms, delivered, Splice(Splice::Mode::goes_on, delivered.text), kNow);
  EXPECT_EQ(second.read(std::string(kMessageStart) + block_delta(" day") + std::string(kMessageEnd), kNow),
            Reading::complete);
  EXPECT_NE(second.out().find("\"id\":\"c1\""), std::string::npos);
  EXPECT_NE(second.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_EQ(second.out().find("event:"), std::string::npos);
  EXPECT_TRUE(second.out().ends_with(kDone));
}

TEST(AnswerStream, AFreshAnswerThatDiffersGivesTheCallerNothing) {  // STR-5
  AnswerStream first(chat(), kNow);
  const Delivered delivered = broken_after("Good", first);
  AnswerStream second(chat(), delivered, Splice(Splice::Mode::begins_anew, delivered.text), kNow);
  EXPECT_EQ(second.read(kRole + content("Bad"), kNow), Reading::mismatch);
  EXPECT_EQ(second.out(), "");
}

TEST(AnswerStream, AToolCallBeforeTheFirstTextIsRepeatedDoesNotFit) {  // STR-5
  AnswerStream first(chat(), kNow);
  const Delivered delivered = broken_after("Good", first);
  AnswerStream second(chat(), delivered, Splice(Splice::Mode::begins_anew, delivered.text), kNow);
  const std::string call =
      chunk(R"({"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]})");
  EXPECT_EQ(second.read(kRole + call, kNow), Reading::mismatch);
  EXPECT_EQ(second.out(), "");
}

TEST(AnswerStream, AnAnswerWithMoreThanPlainTextIsNotForOthersToGoOnWith) {  // STR-5
  AnswerStream stream(chat(), kNow);
  const std::string call =
      chunk(R"({"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]})");
  EXPECT_EQ(stream.read(content("hi") + call, kNow), Reading::goes_on);
  Delivered delivered;
  stream.deliver(delivered);
  EXPECT_FALSE(delivered.whole);
  EXPECT_EQ(delivered.text, "");
}

TEST(AnswerStream, RetainedTextIsBounded) {  // STR-5
  AnswerStream stream(chat(), kNow);
  Delivered delivered;
  const std::string piece(4096, 'x');
  for (std::size_t sent = 0; sent < Delivered::kMaxText; sent += piece.size()) {
    ASSERT_EQ(stream.read(content(piece), kNow), Reading::goes_on);
    stream.deliver(delivered);
    stream.out().clear();
  }
  EXPECT_TRUE(delivered.whole);
  EXPECT_EQ(delivered.text.size(), Delivered::kMaxText);
  ASSERT_EQ(stream.read(content("y"), kNow), Reading::goes_on);
  stream.deliver(delivered);
  EXPECT_FALSE(delivered.whole);
  EXPECT_EQ(delivered.text.capacity(), std::string().capacity());
}

TEST(AnswerStream, WhatTheFirstAnswerSaidCountsAsOutputAlthoughTheSecondReadIt) {  // STR-5
  StreamTerms terms = chat();
  terms.include_usage = true;
  AnswerStream first(terms, kNow);
  const Delivered delivered = broken_after("Good", first);
  terms.from = Endpoint::messages;
  AnswerStream second(terms, delivered, Splice(Splice::Mode::goes_on, delivered.text), kNow);
  ASSERT_EQ(second.read(std::string(kMessageStart) + block_delta(" day") + std::string(kMessageEnd), kNow),
            Reading::complete);
  EXPECT_NE(second.out().find("\"prompt_tokens\":19,\"completion_tokens\":7,\"total_tokens\":26"), std::string::npos)
      << second.out();
  EXPECT_EQ(second.usage().prompt, 20U);  // what its provider bills
}

}  // namespace
}  // namespace fuseboard::gateway
