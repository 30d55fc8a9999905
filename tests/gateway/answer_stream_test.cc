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
  AnswerStream stream(kNow, chat());
  const std::string comment = ": ping\r\n\r\n";
  const std::string odd = "id: 7\nevent: chunk\ndata:  {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"x\":1}\n\n";
  EXPECT_EQ(stream.read(kNow, kRole + comment), Reading::continues);
  EXPECT_FALSE(stream.content_seen());
  EXPECT_EQ(stream.read(kNow, odd + kStop + std::string(kDone)), Reading::complete);
  EXPECT_TRUE(stream.content_seen());
  EXPECT_EQ(stream.out(), kRole + comment + odd + kStop + std::string(kDone));
}

TEST(AnswerStream, TheFormalEndThatAnUpstreamLeftOutIsAdded) {  // STR-2
  AnswerStream stream(kNow, chat());
  EXPECT_EQ(stream.read(kNow, content("hi") + kStop), Reading::continues);
  EXPECT_EQ(stream.end(false), Reading::complete) << "behind the finish reason nothing but form can be missing";
  EXPECT_EQ(stream.out(), content("hi") + kStop + std::string(kDone));

  AnswerStream messages(kNow, {.from = Endpoint::messages, .to = Endpoint::messages});
  const std::string_view without_stop = kMessageEnd.substr(0, kMessageEnd.find("event: message_stop"));
  EXPECT_EQ(messages.read(kNow, std::string(kMessageStart) + block_delta("hi") + std::string(without_stop)),
            Reading::continues);
  EXPECT_EQ(messages.end(true), Reading::complete);
  EXPECT_TRUE(messages.out().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

TEST(AnswerStream, AnEndWithoutAFinishReasonIsAFailure) {  // STR-2
  AnswerStream stream(kNow, chat());
  EXPECT_EQ(stream.read(kNow, content("hi")), Reading::continues);
  EXPECT_EQ(stream.end(true), Reading::failed);
  ASSERT_TRUE(stream.verdict());
  EXPECT_EQ(stream.verdict()->category, Category::network);
}

TEST(AnswerStream, AMalformedEventIsNeverPassedOn) {  // STR-7
  AnswerStream stream(kNow, chat());
  EXPECT_EQ(stream.read(kNow, content("hi") + "data: {\"choices\": [broken\n\n" + content("more")), Reading::failed);
  EXPECT_EQ(stream.out(), content("hi"));
  EXPECT_EQ(stream.verdict()->category, Category::service_unavailable);
}

TEST(AnswerStream, AMalformedEventIsLeftOutAndCountedWhereThatIsWanted) {  // STR-7
  StreamTerms terms = chat();
  terms.skip_malformed = true;
  AnswerStream stream(kNow, terms);
  EXPECT_EQ(stream.read(kNow, content("hi") + "data: {\"choices\": [broken\n\n" + content("more") + kStop),
            Reading::continues);
  EXPECT_EQ(stream.end(true), Reading::complete);
  EXPECT_EQ(stream.out(), content("hi") + content("more") + kStop + std::string(kDone));
  EXPECT_EQ(stream.skipped(), 1U);
}

TEST(AnswerStream, WhatIsHeldBackIsBounded) {  // STR-8
  AnswerStream stream(kNow, chat());
  const std::string comment = ": " + std::string(1000, 'x') + "\n\n";
  Reading reading = Reading::continues;
  int comments = 0;
  while (reading == Reading::continues && comments < 1000) {
    reading = stream.read(kNow, comment);
    ++comments;
  }
  EXPECT_EQ(reading, Reading::failed);
  EXPECT_LT(comments, 300);
}

TEST(AnswerStream, AnUpstreamsOwnErrorIsKeptForTheCallerAndNotPassedOnYet) {  // STR-5.18
  AnswerStream stream(kNow, chat());
  const std::string error = "data: {\"error\":{\"message\":\"Overloaded\",\"type\":\"server_error\"}}\n\n";
  EXPECT_EQ(stream.read(kNow, content("hi") + error), Reading::failed);
  EXPECT_EQ(stream.out(), content("hi"));
  EXPECT_EQ(stream.error_event(), error);
}

TEST(AnswerStream, AnAnswerOfTheOtherDialectIsWrittenInTheCallers) {
  AnswerStream stream(kNow, {.from = Endpoint::messages, .to = Endpoint::chat_completions, .include_usage = true});
  EXPECT_EQ(stream.read(kNow, std::string(kMessageStart) + block_delta("Good") + block_delta(" day") +
                                  std::string(kMessageEnd)),
            Reading::complete);
  EXPECT_EQ(stream.out().find("message_start"), std::string::npos);
  EXPECT_NE(stream.out().find("\"content\":\"Good\""), std::string::npos);
  EXPECT_NE(stream.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_NE(stream.out().find("\"prompt_tokens\":20"), std::string::npos);
  EXPECT_TRUE(stream.out().ends_with(kDone));
}

TEST(AnswerStream, AStreamOfAnUnknownKindIsCompleteOnlyWhereItsBodyEndedByItself) {  // STR-2
  const StreamTerms other{.from = Endpoint::other, .to = Endpoint::other};
  AnswerStream clean(kNow, other);
  EXPECT_EQ(clean.read(kNow, "data: anything\n\ndata: without an end"), Reading::continues);
  EXPECT_EQ(clean.end(true), Reading::complete);
  EXPECT_EQ(clean.out(), "data: anything\n\ndata: without an end");
  AnswerStream cut(kNow, other);
  EXPECT_EQ(cut.read(kNow, "data: anything\n\n"), Reading::continues);
  EXPECT_EQ(cut.end(false), Reading::failed);
}

TEST(AnswerStream, WhatComesMalformedBehindTheFinishReasonIsLeftOut) {  // STR-2, STR-7
  AnswerStream stream(kNow, chat());
  EXPECT_EQ(stream.read(kNow, content("hi") + kStop + "data: {broken\n\n"), Reading::complete);
  EXPECT_EQ(stream.out(), content("hi") + kStop + std::string(kDone));
}

TEST(AnswerStream, AnAnswerThatHasSaidWhyItEndedIsNotForOthersToGoOnWith) {  // STR-5.15
  AnswerStream stream(kNow, chat());
  EXPECT_EQ(stream.read(kNow, content("hi") + kStop), Reading::continues);
  Delivered delivered;
  stream.deliver(delivered);
  EXPECT_FALSE(delivered.whole);
}

TEST(AnswerStream, APreludeThatRepeatsTheRequestIsWithinBounds) {  // STR-8
  StreamTerms terms{.from = Endpoint::responses, .to = Endpoint::responses, .request_bytes = 200'000};
  AnswerStream stream(kNow, terms);
  const std::string created = R"(data: {"type":"response.created","response":{"id":"r","instructions":")" +
                              std::string(400'000, 'x') + "\"}}\n\n";
  EXPECT_EQ(stream.read(kNow, created), Reading::continues);
  EXPECT_EQ(stream.read(kNow, created), Reading::continues);
  EXPECT_FALSE(stream.content_seen());
}

TEST(AnswerStream, PingsAndCommentsAreNoSignOfLife) {  // STR-3.6
  AnswerStream stream(kNow, {.from = Endpoint::messages, .to = Endpoint::messages});
  const TimePoint later = kNow + std::chrono::seconds(5);
  const TimePoint latest = kNow + std::chrono::seconds(9);
  EXPECT_EQ(stream.read(later, std::string(kMessageStart) + block_delta("hi")), Reading::continues);
  EXPECT_EQ(stream.last_event(), later);
  EXPECT_EQ(stream.read(latest, "event: ping\ndata: {\"type\":\"ping\"}\n\n: keep-alive\n\n"), Reading::continues);
  EXPECT_EQ(stream.last_event(), later);
  EXPECT_EQ(stream.read(latest, block_delta("!")), Reading::continues);
  EXPECT_EQ(stream.last_event(), latest);
}

TEST(AnswerStream, SignsOfWorkAreSignsOfLifeAndSoArePingsWhileThoughtsAreOpen) {  // STR-3.4, STR-3.6
  const std::string_view start = kMessageStart.substr(0, kMessageStart.find("event: content_block_start"));
  const std::string thinks =
      "event: content_block_start\n"
      R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})"
      "\n\n";
  const std::string ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  for (const Endpoint to : {Endpoint::messages, Endpoint::chat_completions}) {
    AnswerStream stream(kNow, {.from = Endpoint::messages, .to = to});
    TimePoint now = kNow;
    const auto after = [&](std::string_view bytes) {
      EXPECT_EQ(stream.read(now += std::chrono::seconds(1), bytes), Reading::continues);
      return stream.last_event() == now;
    };
    EXPECT_FALSE(after(start));
    EXPECT_FALSE(after(ping));
    EXPECT_FALSE(after(": keep-alive\n\n"));
    EXPECT_FALSE(stream.worked());
    EXPECT_TRUE(after(thinks));
    EXPECT_TRUE(stream.worked());
    EXPECT_TRUE(after(ping));
    EXPECT_TRUE(after(": keep-alive\n\n"));
    EXPECT_FALSE(stream.content_seen());
    EXPECT_TRUE(after("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"));
    EXPECT_FALSE(after(ping)) << "thoughts that are over";
    EXPECT_FALSE(after(": keep-alive\n\n"));
  }
}

// The first half, delivered and broken off.
Delivered broken_after(std::string_view text, AnswerStream& stream) {
  Delivered delivered;
  EXPECT_EQ(stream.read(kNow, kRole + content(text)), Reading::continues);
  stream.deliver(delivered);
  stream.note_end(delivered);
  return delivered;
}

TEST(AnswerStream, AnotherAnswerGoesOnUnderTheNameOfTheFirst) {  // STR-5.13
  AnswerStream first(kNow, chat());
  Delivered delivered = broken_after("Good", first);
  EXPECT_TRUE(delivered.whole);
  EXPECT_EQ(delivered.text, "Good");
  EXPECT_EQ(delivered.pieces, 1U);

  AnswerStream second(kNow, chat(), delivered, Splice(Splice::Mode::restarts, delivered.text));
  std::string other = kRole + content("Good") + content(" day") + kStop + std::string(kDone);
  for (std::size_t at = other.find("c1"); at != std::string::npos; at = other.find("c1")) other.replace(at, 2, "c2");
  EXPECT_EQ(second.read(kNow, other), Reading::complete);
  EXPECT_EQ(second.out().find("c2"), std::string::npos);
  EXPECT_EQ(second.out().find("Good"), std::string::npos);
  EXPECT_EQ(second.out().find("role"), std::string::npos);
  EXPECT_NE(second.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_NE(second.out().find("\"finish_reason\":\"stop\""), std::string::npos);
  EXPECT_TRUE(second.out().ends_with(kDone));
  second.deliver(delivered);
  EXPECT_FALSE(delivered.whole) << "it is over";
}

TEST(AnswerStream, AnAnswerOfAnotherDialectGoesOnInTheCallersStream) {  // STR-5.12
  AnswerStream first(kNow, chat());
  const Delivered delivered = broken_after("Good", first);
  StreamTerms terms = chat();
  terms.from = Endpoint::messages;
  AnswerStream second(kNow, terms, delivered, Splice(Splice::Mode::continues, delivered.text));
  EXPECT_EQ(second.read(kNow, std::string(kMessageStart) + block_delta(" day") + std::string(kMessageEnd)),
            Reading::complete);
  EXPECT_NE(second.out().find("\"id\":\"c1\""), std::string::npos);
  EXPECT_NE(second.out().find("\"content\":\" day\""), std::string::npos);
  EXPECT_EQ(second.out().find("event:"), std::string::npos);
  EXPECT_TRUE(second.out().ends_with(kDone));
}

TEST(AnswerStream, AThirdAnswerGoesOnWhereTheSecondStopped) {  // STR-5.12
  const StreamTerms messages{.from = Endpoint::messages, .to = Endpoint::messages, .retain = true};
  AnswerStream first(kNow, messages);
  Delivered delivered;
  const std::string block_stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
  ASSERT_EQ(first.read(kNow, std::string(kMessageStart) + block_delta("One.") + block_stop), Reading::continues);
  first.deliver(delivered);
  first.note_end(delivered);
  EXPECT_FALSE(delivered.recovery_point->text_open);
  AnswerStream second(kNow, messages, delivered, Splice(Splice::Mode::continues, delivered.text));
  ASSERT_EQ(second.read(kNow, std::string(kMessageStart) + block_delta(" Two.")), Reading::continues);
  EXPECT_NE(second.out().find("\"index\":1"), std::string::npos);
  second.deliver(delivered);
  second.note_end(delivered);
  EXPECT_TRUE(delivered.recovery_point->text_open) << "the second one's block";
  EXPECT_EQ(delivered.recovery_point->origin.id, "msg_1");
  AnswerStream third(kNow, messages, delivered, Splice(Splice::Mode::continues, delivered.text));
  ASSERT_EQ(third.read(kNow, std::string(kMessageStart) + block_delta(" Three.")), Reading::continues);
  EXPECT_EQ(third.out().find("content_block_start"), std::string::npos);
  EXPECT_NE(third.out().find("\"index\":1"), std::string::npos);
}

TEST(AnswerStream, OnlyWhatTheCallerGotCountsAsDelivered) {  // STR-5.13
  AnswerStream first(kNow, chat());
  Delivered delivered = broken_after("Good", first);
  AnswerStream second(kNow, chat(), delivered, Splice(Splice::Mode::restarts, delivered.text));
  ASSERT_EQ(second.read(kNow, kRole + content("Go") + content("od")), Reading::continues);
  EXPECT_TRUE(second.content_seen());
  EXPECT_EQ(second.out(), "");
  second.deliver(delivered);
  EXPECT_EQ(delivered.pieces, 1U);
}

TEST(AnswerStream, AFreshAnswerThatDiffersGivesTheCallerNothing) {  // STR-5.9, STR-5.13
  AnswerStream first(kNow, chat());
  const Delivered delivered = broken_after("Good", first);
  AnswerStream second(kNow, chat(), delivered, Splice(Splice::Mode::restarts, delivered.text));
  EXPECT_EQ(second.read(kNow, kRole + content("Bad")), Reading::mismatch);
  EXPECT_EQ(second.out(), "");
}

TEST(AnswerStream, AToolCallBeforeTheFirstTextIsRepeatedDoesNotFit) {  // STR-5.9
  AnswerStream first(kNow, chat());
  const Delivered delivered = broken_after("Good", first);
  AnswerStream second(kNow, chat(), delivered, Splice(Splice::Mode::restarts, delivered.text));
  const std::string call =
      chunk(R"({"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":"{"}}]})");
  EXPECT_EQ(second.read(kNow, kRole + call), Reading::mismatch);
  EXPECT_EQ(second.out(), "");
}

TEST(AnswerStream, AnAnswerWithMoreThanPlainTextIsNotForOthersToGoOnWith) {  // STR-5.15
  AnswerStream stream(kNow, chat());
  const std::string call =
      chunk(R"({"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"f","arguments":""}}]})");
  EXPECT_EQ(stream.read(kNow, content("hi") + call), Reading::continues);
  Delivered delivered;
  stream.deliver(delivered);
  EXPECT_FALSE(delivered.whole);
  EXPECT_EQ(delivered.text, "");
}

TEST(AnswerStream, RetainedTextIsBounded) {  // STR-5.15
  AnswerStream stream(kNow, chat());
  Delivered delivered;
  const std::string piece(4096, 'x');
  for (std::size_t sent = 0; sent < Delivered::kMaxText; sent += piece.size()) {
    ASSERT_EQ(stream.read(kNow, content(piece)), Reading::continues);
    stream.deliver(delivered);
    stream.out().clear();
  }
  EXPECT_TRUE(delivered.whole);
  EXPECT_EQ(delivered.text.size(), Delivered::kMaxText);
  ASSERT_EQ(stream.read(kNow, content("y")), Reading::continues);
  stream.deliver(delivered);
  EXPECT_FALSE(delivered.whole);
  EXPECT_EQ(delivered.text.capacity(), std::string().capacity());
}

TEST(AnswerStream, WhatTheFirstAnswerSaidCountsAsOutputAlthoughTheSecondReadIt) {  // STR-5.12
  StreamTerms terms = chat();
  terms.include_usage = true;
  AnswerStream first(kNow, terms);
  const Delivered delivered = broken_after("Good", first);
  terms.from = Endpoint::messages;
  AnswerStream second(kNow, terms, delivered, Splice(Splice::Mode::continues, delivered.text));
  ASSERT_EQ(second.read(kNow, std::string(kMessageStart) + block_delta(" day") + std::string(kMessageEnd)),
            Reading::complete);
  EXPECT_NE(second.out().find("\"prompt_tokens\":19,\"completion_tokens\":7,\"total_tokens\":26"), std::string::npos)
      << second.out();
  EXPECT_EQ(second.usage().prompt, 20U);  // what its provider bills
}

TEST(AnswerStream, UsageThatTheCallerDidNotAskForIsReadAndGoesNoFurther) {  // BUD-10.6
  const std::string usage =
      "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7,\"total_tokens\":12}}\n\n";
  StreamTerms terms = chat();
  terms.hide_usage = true;
  std::string with_null = content("hi");
  with_null.insert(with_null.rfind('}'), ",\"usage\":null");
  const std::string whole = kRole + with_null + kStop + usage + std::string(kDone);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    AnswerStream stream(kNow, terms);
    EXPECT_EQ(stream.read(kNow, std::string_view(whole).substr(0, cut)), Reading::continues);
    EXPECT_EQ(stream.read(kNow, std::string_view(whole).substr(cut)), Reading::complete);
    EXPECT_EQ(stream.out(), kRole + content("hi") + kStop + std::string(kDone)) << cut;
    EXPECT_EQ(stream.usage(), (llm::Usage{.known = true, .prompt = 5, .completion = 7, .total = 12}));
    EXPECT_EQ(stream.seen(), (llm::SeenOutput{.bytes = 2, .pieces = 1}));
  }
}

}  // namespace
}  // namespace fuseboard::gateway
