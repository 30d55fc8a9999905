// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Conversations that end with an assistant's message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/sim/answering.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

constexpr Dialect kBoth[] = {Dialect::openai, Dialect::anthropic};

std::string body_with(std::string_view prefill, bool stream = false, int max_tokens = 500) {
  return json{
      {"model", "m"},
      {"max_tokens", max_tokens},
      {"stream", stream},
      {"messages",
       {{{"role", "user"}, {"content", "Say hello to the fuses"}}, {{"role", "assistant"}, {"content", prefill}}}}}
      .dump();
}

constexpr std::string_view kFresh =
    R"({"model":"m","max_tokens":500,"messages":[{"role":"user","content":"Say hello to the fuses"}]})";

std::string text_of(Dialect dialect, const Reply& plain) {
  const json body = json::parse(plain.body());
  if (dialect == Dialect::openai) return body["choices"][0]["message"]["content"];
  return body["content"].empty() ? std::string() : body["content"][0]["text"].get<std::string>();
}

TEST(Prefill, TheAnswerGoesOnWhereverItWasCut) {
  for (const Dialect dialect : kBoth) {
    const std::string whole = text_of(dialect, reply(dialect, kFresh));
    for (std::size_t cut = 1; cut <= whole.size(); ++cut) {
      const std::string begun = whole.substr(0, cut);
      if (begun.back() == ' ') continue;  // Anthropic refuses it
      EXPECT_EQ(begun + text_of(dialect, reply(dialect, body_with(begun))), whole);
      EXPECT_EQ(begun + streamed_text(events_of(reply(dialect, body_with(begun, true)).body())), whole);
    }
  }
}

TEST(Prefill, WhiteSpaceAtItsEndIsNotSaidTwice) {
  const std::string whole = text_of(Dialect::openai, reply(Dialect::openai, kFresh));
  const std::size_t space = whole.find(' ');
  for (const std::string& begun : {whole.substr(0, space + 1), whole.substr(0, space) + " \n "}) {
    EXPECT_EQ(text_of(Dialect::openai, reply(Dialect::openai, body_with(begun))), whole.substr(space + 1));
  }
}

TEST(Prefill, WhiteSpaceThatIsTheAnswersOwnIsNotLost) {
  const std::string spaced = "a  b   c\n\n d";
  for (std::size_t cut = 1; cut <= spaced.size(); ++cut) {
    const std::string begun = spaced.substr(0, cut);
    const json messages = {{{"role", "user"}, {"content", spaced}}, {{"role", "assistant"}, {"content", begun}}};
    const std::string body = json{{"model", "m"}, {"messages", messages}}.dump();
    EXPECT_EQ(begun + text_of(Dialect::openai, reply(Dialect::openai, body, "sim-echo")), spaced);
  }
}

TEST(Prefill, AnthropicRefusesOneThatEndsWithWhiteSpace) {
  const auto request = read_chat(Dialect::anthropic, body_with("Steady "));
  ASSERT_FALSE(request.has_value());
  EXPECT_EQ(request.error().message, "messages: final assistant content cannot end with trailing whitespace");
}

TEST(Prefill, WhatIsNoBeginningOfTheAnswerIsFollowedByAllOfIt) {
  for (const Dialect dialect : kBoth) {
    EXPECT_EQ(text_of(dialect, reply(dialect, body_with("Something else"))), text_of(dialect, reply(dialect, kFresh)));
  }
}

TEST(Prefill, AnAnswerThatIsAllThereEndsAtOnce) {
  for (const Dialect dialect : kBoth) {
    const std::string whole = text_of(dialect, reply(dialect, kFresh));
    const json body = json::parse(reply(dialect, body_with(whole)).body());
    EXPECT_EQ(text_of(dialect, reply(dialect, body_with(whole))), "");
    EXPECT_EQ(dialect == Dialect::openai ? body["choices"][0]["finish_reason"] : body["stop_reason"],
              dialect == Dialect::openai ? "stop" : "end_turn");
  }
}

TEST(Prefill, CountsAsPromptAndNotAsAnswer) {
  const json fresh = json::parse(reply(Dialect::anthropic, kFresh).body());
  const std::string whole = fresh["content"][0]["text"];
  const std::string begun = whole.substr(0, whole.find(' ', whole.size() / 2));
  const json rest = json::parse(reply(Dialect::anthropic, body_with(begun)).body());
  const int input = fresh["usage"]["input_tokens"];
  EXPECT_EQ(rest["usage"]["input_tokens"], input + static_cast<int>(count_tokens(begun)) + 4) << "four a message";
  const int said = fresh["usage"]["output_tokens"];
  EXPECT_EQ(rest["usage"]["output_tokens"], said - static_cast<int>(split_tokens(begun).size())) << "no word is long";
}

TEST(Prefill, MaxTokensBoundsWhatIsAdded) {
  const std::string whole = text_of(Dialect::openai, reply(Dialect::openai, kFresh));
  const std::string begun = whole.substr(0, whole.find(' ', whole.size() / 2));
  const json rest = json::parse(reply(Dialect::openai, body_with(begun, false, 2)).body());
  const std::string added = rest["choices"][0]["message"]["content"];
  EXPECT_TRUE(whole.starts_with(begun + added));
  EXPECT_EQ(rest["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(rest["usage"]["completion_tokens"], 2);
}

TEST(Prefill, SimNoPrefillRefusesItAsAnthropicDoes) {
  for (const Dialect dialect : kBoth) {
    const Reply refused = reply(dialect, body_with("Steady", true), "sim-no-prefill");
    EXPECT_EQ(refused.status, 400);
    const json body = json::parse(refused.body());
    EXPECT_EQ(body["error"]["message"],
              "This model does not support assistant message prefill. The conversation must end with a user message.");
    EXPECT_EQ(body["error"]["type"], "invalid_request_error");
    EXPECT_EQ(reply(dialect, kFresh, "sim-no-prefill").status, 200);
  }
}

TEST(Prefill, SimIgnoresPrefillBeginsAnotherAnswer) {
  const std::string whole = text_of(Dialect::openai, reply(Dialect::openai, kFresh));
  const std::string begun = whole.substr(0, whole.find(' '));
  const std::string anew = text_of(Dialect::openai, reply(Dialect::openai, body_with(begun), "sim-ignores-prefill"));
  EXPECT_GT(anew.size(), begun.size());
  EXPECT_NE(anew, whole);
  EXPECT_NE(anew, whole.substr(begun.size()));
  EXPECT_EQ(text_of(Dialect::openai, reply(Dialect::openai, kFresh, "sim-ignores-prefill")), whole);
}

TEST(Prefill, WhatIsIgnoredIsNotLeftOutEither) {
  std::size_t coincidences = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string begun(1, static_cast<char>('A' + i % 26));
    const json messages = {{{"role", "user"}, {"content", std::to_string(i)}},
                           {{"role", "assistant"}, {"content", begun}}};
    const std::string body = json{{"model", "m"}, {"messages", messages}}.dump();
    const std::string anew = text_of(Dialect::openai, reply(Dialect::openai, body, "sim-ignores-prefill"));
    EXPECT_TRUE(anew.front() >= 'A' && anew.front() <= 'Z') << "the beginning of a sentence: " << anew;
    if (anew.starts_with(begun)) ++coincidences;
  }
  EXPECT_GT(coincidences, 0U) << "an answer that happens to begin like the prefill is whole all the same";
}

TEST(Prefill, GoesTogetherWithOtherBehaviours) {
  const Reply cut = reply(Dialect::openai, body_with("Something else", true), "sim-ignores-prefill+sim-stream-cut:2");
  EXPECT_EQ(cut.ending, Reply::Ending::kCut);
  EXPECT_EQ(cut.steps.size(), 3U) << "the role and two tokens";
  EXPECT_EQ(reply(Dialect::openai, body_with("x", true), "sim-no-prefill+sim-stream-cut:2").status, 400);
}

}  // namespace
}  // namespace fuseboard::sim
