// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/begun_answer.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "json/scan.h"

namespace fuseboard::llm {
namespace {

TEST(EndedJson, EndsATextWhereItStandsAndLeavesOutWhatIsLess) {  // BUD-10.10
  EXPECT_EQ(ended_json(R"({"a":"so fa)"), R"({"a":"so fa"})");
  EXPECT_EQ(ended_json(R"({"a":[{"b":"x"},{"c":1)"), R"({"a":[{"b":"x"},{}]})");
  EXPECT_EQ(ended_json(R"({"a":1,"b)"), R"({"a":1})");
  EXPECT_EQ(ended_json(R"({"a":1,"b")"), R"({"a":1})");
  EXPECT_EQ(ended_json(R"({"a":1,"b":)"), R"({"a":1})");
  EXPECT_EQ(ended_json(R"({"a":1,"b":tru)"), R"({"a":1})");
  EXPECT_EQ(ended_json(R"(["a\)"), R"(["a"])");
  EXPECT_EQ(ended_json(R"(["a\u00)"), R"(["a"])");
  EXPECT_EQ(ended_json(R"(["a\u0041)"), R"(["a\u0041"])");
  EXPECT_EQ(ended_json(R"(["a\\)"), R"(["a\\"])");
  EXPECT_EQ(ended_json("[\"a\xC3"), "[\"a\"]");
  EXPECT_EQ(ended_json("[\"\xE2\x82"), "[\"\"]");
  EXPECT_EQ(ended_json("[\"\xE2\x82\xAC"), "[\"\xE2\x82\xAC\"]");
  EXPECT_EQ(ended_json(R"({"a":1})"), R"({"a":1})");
}

TEST(EndedJson, IsJsonWhereverItBreaksOff) {  // BUD-10.10
  constexpr std::string_view kWhole =
      "{ \"id\": \"x\\\"\\\\\", \"n\": -1.5e3, \"t\": [true, null, {\"\\u00e4\": "
      "\"\xF0\x9F\x8C\x8A\xC3\xA4\\ud83c\\udf0a\"}], \"e\": {} }";
  ASSERT_FALSE(json::validate(kWhole));
  for (std::size_t size = 2; size <= kWhole.size(); ++size) {
    const std::string ended = ended_json(kWhole.substr(0, size));
    EXPECT_FALSE(json::validate(ended)) << ended;
  }
}

TEST(EndedJson, HasABoundForDepth) {  // BUD-10.10
  const std::string deep(1'000'000, '[');
  EXPECT_LE(ended_json(deep).size(), 2 * (json::kMaxDepth + 1));
}

TEST(BegunAnswer, WhatItSaysIsSeenAsFarAsItCame) {  // BUD-10.10
  const std::string text(400, 'x');
  EXPECT_EQ(read_begun_answer(Endpoint::chat_completions,
                              R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":")" + text)
                .seen.tokens(),
            100U);
  const AnswerSoFar message = read_begun_answer(
      Endpoint::messages,
      R"({"type":"message","usage":{"input_tokens":7,"output_tokens":3},"content":[{"type":"text","text":")" + text);
  EXPECT_EQ(message.seen.tokens(), 100U);
  EXPECT_EQ(message.usage.prompt, 7U);
  EXPECT_EQ(read_begun_answer(
                Endpoint::responses,
                R"({"object":"response","output":[{"type":"message","content":[{"type":"output_text","text":")" + text)
                .seen.tokens(),
            100U);
}

TEST(BegunAnswer, WhatCannotBeReadSaysNothing) {  // BUD-10.10
  for (const char* begun : {"", "<html>", "{", R"({"id":"c","choi)", "\x1f\x8b\x08"}) {
    EXPECT_EQ(read_begun_answer(Endpoint::chat_completions, begun).seen.tokens(), 0U) << begun;
  }
}

}  // namespace
}  // namespace fuseboard::llm
