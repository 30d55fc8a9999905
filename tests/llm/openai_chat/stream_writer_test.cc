// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include "tests/llm/written_stream.h"

namespace fuseboard::llm {
namespace {

using sdk::accumulate_completion;
using sdk::json;
using sdk::sse_events;
using enum Delta::Kind;

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

}  // namespace
}  // namespace fuseboard::llm
