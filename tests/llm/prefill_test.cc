// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/prefill.h"

#include <gtest/gtest.h>

namespace fuseboard::llm {
namespace {

constexpr Dialect kOpenAi = Dialect::openai;
constexpr Dialect kAnthropic = Dialect::anthropic;

std::string prefilled(Dialect dialect, std::string_view body, std::string_view partial) {
  const auto result = with_prefill(dialect, body, partial);
  return result ? *result : "error: " + result.error().message;
}

TEST(Prefill, APartialAnswerIsTheClosingMessageAndEveryOtherByteStays) {
  EXPECT_EQ(
      prefilled(kOpenAi, "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"hi\"} ]\n, \"x\": 1.50 }", "a \"b\"\n"),
      "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"hi\"},"
      "{\"role\":\"assistant\",\"content\":\"a \\\"b\\\"\\n\"} ]\n, \"x\": 1.50 }");
  EXPECT_EQ(prefilled(kOpenAi, R"({"m\u0065ssages":[ ]})", "a"),
            R"({"m\u0065ssages":[{"role":"assistant","content":"a"} ]})");
}

TEST(Prefill, ABegunAnswerIsGoneOnWith) {
  const auto with = [](std::string_view last) { return R"({"messages":[{"role":"user"},)" + std::string(last) + "]}"; };
  const struct {
    std::string_view before, after;
  } kCases[] = {
      {R"({"role":"assistant","content":"One,"})", R"({"role":"assistant","content":"One, two"})"},
      {R"({"role":"assistant","content":null})", R"({"role":"assistant","content":" two"})"},
      {R"({"role":"assistant"})", R"({"role":"assistant","content":" two"})"},
      {R"({"role":"assistant","tool_calls":[],"content":""})",
       R"({"role":"assistant","tool_calls":[],"content":" two"})"},
      {R"({"content":[{"type":"text","text":"One,"} ],"role":"assistant"})",
       R"({"content":[{"type":"text","text":"One, two"} ],"role":"assistant"})"},
      {R"({"role":"assistant","content":[]})", R"({"role":"assistant","content":[{"type":"text","text":" two"}]})"},
      {R"({"role":"assistant","content":[{"type":"refusal","refusal":"x"}]})",
       R"({"role":"assistant","content":[{"type":"refusal","refusal":"x"},{"type":"text","text":" two"}]})"},
  };
  for (const auto& [before, after] : kCases) EXPECT_EQ(prefilled(kOpenAi, with(before), " two"), with(after)) << before;
}

TEST(Prefill, AnthropicIsSentNoWhitespaceAtTheEnd) {
  EXPECT_EQ(prefill_text(kAnthropic, "One \r\n\t"), "One");
  EXPECT_EQ(prefill_text(kOpenAi, "One "), "One ");
  EXPECT_EQ(prefilled(kAnthropic, R"({"messages":[{"role":"user"}]})", "One "),
            R"({"messages":[{"role":"user"},{"role":"assistant","content":"One"}]})");
  EXPECT_EQ(prefilled(kAnthropic, R"({"messages":[{"role":"user"}]})", " \n"), R"({"messages":[{"role":"user"}]})");
}

TEST(Prefill, WhatCannotBeGoneOnWithIsRefused) {
  for (const std::string_view last : {R"({"role":"assistant","tool_calls":[{"id":"a"}]})",
                                      R"({"role":"assistant","content":[{"type":"text"},{"type":"tool_use"}]})"}) {
    const auto result = with_prefill(kOpenAi, R"({"messages":[)" + std::string(last) + "]}", "a");
    ASSERT_FALSE(result) << last;
    EXPECT_EQ(result.error().param, "messages");
  }
  EXPECT_EQ(with_prefill(kOpenAi, R"({"messages":{}})", "a").error().code, "invalid_type");
  EXPECT_EQ(with_prefill(kOpenAi, R"({})", "a").error().code, "invalid_type");
  EXPECT_EQ(with_prefill(kOpenAi, "{", "a").error().code, "invalid_json");
}

TEST(Prefill, WhatWasSaidAlreadyIsTakenOffTheCap) {  // STR-5.12
  EXPECT_EQ(with_lower_cap(R"({"a": 1, "max_tokens": 100 ,"max_completion_tokens":50})", 40),
            R"({"a": 1, "max_tokens": 60 ,"max_completion_tokens":10})");
  EXPECT_EQ(with_lower_cap(R"({"max_tokens":10})", 40), R"({"max_tokens":1})");
  EXPECT_EQ(with_lower_cap(R"({"max_tokens":1e2})", 40), R"({"max_tokens":60})");  // BUD-10.5
  EXPECT_EQ(with_lower_cap(R"({"max_tokens":null,"x":{"max_tokens":9}})", 4),
            R"({"max_tokens":null,"x":{"max_tokens":9}})");
}

}  // namespace
}  // namespace fuseboard::llm
