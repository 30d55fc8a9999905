// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/hidden_usage.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fuseboard::gateway {
namespace {

std::string hidden(std::string_view stream) {
  net::SseParser parser;
  parser.feed(stream);
  std::string out;
  net::SseEvent event;
  while (parser.next(event) == net::SseParser::Next::event) append_without_usage(out, event);
  return out;
}

std::string data(std::string_view json) { return "data: " + std::string(json) + "\n\n"; }

TEST(HiddenUsage, TheEventThatTellsItIsGone) {  // BUD-10.6
  EXPECT_EQ(hidden(data(R"({"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}})")), "");
  EXPECT_EQ(hidden(data(R"({"usage": {"prompt_tokens":1}, "choices": [ ]})")), "");
  EXPECT_EQ(hidden(data(R"({"id":"c","usage":{"prompt_tokens":"odd"}})")), "");
  EXPECT_EQ(hidden("data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":1}}\n\n"), "") << "in two lines";
}

TEST(HiddenUsage, OthersDoNotSayThatTheyHaveNone) {  // BUD-10.6
  EXPECT_EQ(hidden(data(R"({"choices":[{"delta":{"content":"a"}}],"usage":null})")),
            data(R"({"choices":[{"delta":{"content":"a"}}]})"));
  EXPECT_EQ(hidden(data(R"({"choices":[{"delta":{"content":"a"}}] , "usage" : null , "x":1})")),
            data(R"({"choices":[{"delta":{"content":"a"}}] , "x":1})"));
  EXPECT_EQ(hidden(data(R"({"choices":[], "usage": null, "x":1})")), data(R"({"choices":[], "x":1})"));
  EXPECT_EQ(hidden(data(R"({ "usage":null , "choices":[]})")), data(R"({ "choices":[]})"));
  EXPECT_EQ(hidden(data(R"({"usage":null })")), data("{ }"));
}

TEST(HiddenUsage, EveryOtherByteStays) {  // BUD-10.6
  for (const std::string& text :
       {data("[DONE]"), std::string(": ping\r\n\r\n"), data(R"({"choices":[{"delta":{"content":"\"usage\":null"}}]})"),
        data(R"({"choices":[{"delta":{"content":"a","usage":null}}]})"),
        std::string("id: 7\nevent: chunk\ndata:  {\"choices\":[],\"x\":1}\r\nretry: 5\n\n"),
        // Servers that tell it beside a choice do so unasked.
        data(R"({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})")}) {
    EXPECT_EQ(hidden(text), text);
  }
  EXPECT_EQ(hidden("event: chunk\ndata: {\"a\":1,\"usage\":null}\nid: 7\r\n\n"),
            "event: chunk\ndata: {\"a\":1}\nid: 7\r\n\n");
}

}  // namespace
}  // namespace fuseboard::gateway
