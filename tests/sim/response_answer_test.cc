// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers of /v1/responses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/sim/answering.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::StartsWith;

Reply respond(json body, std::string_view model = "sim-ok") {
  body["model"] = model;
  const auto request = read_response(body.dump());
  EXPECT_TRUE(request.has_value()) << request.error().message;
  return chat_reply(Dialect::openai, *request, planned(model), kContext);
}

json plain(const json& body, std::string_view model = "sim-ok") { return json::parse(respond(body, model).body()); }

// The events of a stream, whose numbers must follow one another.
std::vector<json> streamed(json body, std::string_view model = "sim-ok") {
  body["stream"] = true;
  std::vector<json> events;
  for (const Event& event : events_of(respond(body, model).body())) {
    events.push_back(json::parse(event.data));
    EXPECT_EQ(events.back()["type"].get<std::string>(), event.name);
    EXPECT_EQ(events.back()["sequence_number"], events.size() - 1);
  }
  return events;
}

// The types in their order, each run of one type once.
std::vector<std::string> types_of(const std::vector<json>& events) {
  std::vector<std::string> types;
  for (const json& event : events) {
    std::string type = event["type"];
    if (types.empty() || types.back() != type) types.push_back(std::move(type));
  }
  return types;
}

const json kTools = {{{"type", "function"}, {"name", "look"}, {"parameters", {{"type", "object"}}}},
                     {{"type", "function"}, {"name", "listen"}, {"parameters", {{"type", "object"}}}}};

TEST(Response, HasTheShapeOfAResponse) {
  const json body = plain({{"input", "hello"}, {"instructions", "Be brief."}, {"metadata", {{"a", "b"}}}});
  EXPECT_THAT(body["id"].get<std::string>(), StartsWith("resp_"));
  EXPECT_EQ(body["object"], "response");
  EXPECT_EQ(body["created_at"], 1'767'225'600);
  EXPECT_EQ(body["status"], "completed");
  EXPECT_EQ(body["model"], "sim-ok");
  EXPECT_EQ(body["instructions"], "Be brief.");
  EXPECT_EQ(body["metadata"]["a"], "b");
  EXPECT_TRUE(body["previous_response_id"].is_null());
  ASSERT_EQ(body["output"].size(), 1U);
  const json& item = body["output"][0];
  EXPECT_EQ(item["type"], "message");
  EXPECT_EQ(item["role"], "assistant");
  EXPECT_EQ(item["content"][0]["type"], "output_text");
  EXPECT_FALSE(item["content"][0]["text"].get<std::string>().empty());
  const json& usage = body["usage"];
  EXPECT_EQ(usage["total_tokens"].get<int>(), usage["input_tokens"].get<int>() + usage["output_tokens"].get<int>());
}

TEST(Response, ATextAndAMessageOfItSayTheSame) {
  const json items = {{{"role", "user"}, {"content", {{{"type", "input_text"}, {"text", "hello"}}}}}};
  EXPECT_EQ(plain({{"input", items}})["output"], plain({{"input", "hello"}})["output"]);
  EXPECT_NE(plain({{"input", "hello!"}})["output"], plain({{"input", "hello"}})["output"]);
}

TEST(Response, TheStreamHasItsEventsInOrder) {
  const auto events = streamed({{"input", "hello"}});
  EXPECT_THAT(types_of(events),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                          "response.content_part.done", "response.output_item.done", "response.completed"));
  EXPECT_EQ(events.front()["response"]["status"], "in_progress");
  EXPECT_TRUE(events.front()["response"]["output"].empty());
  EXPECT_EQ(events.back()["response"], plain({{"input", "hello"}}));
  std::string text;
  for (const json& event : events) {
    if (event["type"] == "response.output_text.delta") text += event["delta"].get<std::string>();
    if (event["type"] == "response.output_text.done") EXPECT_EQ(event["text"], text);
  }
}

TEST(Response, CallsAreItemsOfTheirOwn) {
  const auto events = streamed({{"input", "hello"}, {"tools", kTools}}, "sim-tool-calls:2");
  EXPECT_THAT(
      types_of(events),
      ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                  "response.function_call_arguments.delta", "response.function_call_arguments.done",
                  "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta",
                  "response.function_call_arguments.done", "response.output_item.done", "response.completed"));
  std::vector<int> indices;
  for (const json& event : events) {
    if (event["type"] == "response.output_item.added") indices.push_back(event["output_index"]);
  }
  EXPECT_THAT(indices, ElementsAre(0, 1));
  const json& output = events.back()["response"]["output"];
  ASSERT_EQ(output.size(), 2U);
  EXPECT_EQ(output[0]["type"], "function_call");
  EXPECT_EQ(output[0]["name"], "look");
  EXPECT_EQ(output[1]["name"], "listen");
  EXPECT_EQ(output[1]["arguments"], "{}");
  EXPECT_NE(output[0]["call_id"], output[1]["call_id"]);
  EXPECT_EQ(output, plain({{"input", "hello"}, {"tools", kTools}}, "sim-tool-calls:2")["output"]);
}

TEST(Response, ACallsResultIsAnsweredInWords) {
  const json items = {{{"role", "user"}, {"content", "x"}},
                      {{"type", "function_call"}, {"call_id", "c"}, {"name", "look"}, {"arguments", "{}"}},
                      {{"type", "function_call_output"}, {"call_id", "c"}, {"output", "sunny"}}};
  EXPECT_EQ(plain({{"input", items}, {"tools", kTools}}, "sim-tool-call")["output"][0]["type"], "message");
}

TEST(Response, ForcedToolChoiceIsObeyed) {
  const json choice = {{"type", "function"}, {"name", "listen"}};
  const json body = plain({{"input", "x"}, {"tools", kTools}, {"tool_choice", choice}});
  EXPECT_EQ(body["output"][0]["name"], "listen");
  EXPECT_EQ(body["tool_choice"], choice);
  EXPECT_EQ(body["tools"], kTools);
}

TEST(Response, ReasoningComesFirst) {
  const auto events = streamed({{"input", "hello"}}, "sim-reasoning:3");
  EXPECT_THAT(types_of(events),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
                          "response.reasoning_summary_text.done", "response.reasoning_summary_part.done",
                          "response.output_item.done", "response.output_item.added", "response.content_part.added",
                          "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"));
  const json body = plain({{"input", "hello"}}, "sim-reasoning:3");
  EXPECT_EQ(body["output"][0]["type"], "reasoning");
  EXPECT_EQ(body["output"][1]["type"], "message");
  EXPECT_EQ(body["usage"]["output_tokens_details"]["reasoning_tokens"], 3);
}

TEST(Response, WhatIsCutShortIsIncomplete) {
  const auto events = streamed({{"input", "hello"}, {"max_output_tokens", 2}});
  EXPECT_EQ(events.back()["type"], "response.incomplete");
  EXPECT_EQ(events.back()["response"]["incomplete_details"]["reason"], "max_output_tokens");
  const json refused = plain({{"input", "hello"}}, "sim-refusal");
  EXPECT_EQ(refused["status"], "incomplete");
  EXPECT_EQ(refused["incomplete_details"]["reason"], "content_filter");
  EXPECT_TRUE(refused["output"].empty());
  EXPECT_EQ(streamed({{"input", "hello"}}, "sim-refusal").back()["type"], "response.incomplete");
}

TEST(Response, BreaksLikeTheOthers) {
  EXPECT_EQ(streamed({{"input", "x"}}, "sim-no-done").back()["type"], "response.output_item.done");
  const json cut = {{"input", "x"}, {"stream", true}};
  EXPECT_EQ(respond(cut, "sim-stream-cut:2").ending, Reply::Ending::kCut);
  EXPECT_EQ(respond(cut, "sim-stream-cut:2").steps.size(), 3U);
  EXPECT_EQ(respond(cut, "sim-stall:2").ending, Reply::Ending::kStall);
  const auto events = events_of(respond(cut, "sim-malformed-event:2").body());
  EXPECT_TRUE(json::parse(events[6].data, nullptr, false).is_discarded());
  EXPECT_EQ(events.back().name, "response.completed");
}

TEST(Response, AnErrorInTheStreamFailsTheResponse) {
  const auto events = streamed({{"input", "x"}}, "sim-error-in-stream:2");
  ASSERT_EQ(events.size(), 8U) << "two, item and part begun, two tokens, the error and the end";
  EXPECT_EQ(events[6]["type"], "error");
  EXPECT_EQ(events[6]["error"]["type"], "server_error");
  EXPECT_EQ(events[7]["type"], "response.failed");
  EXPECT_EQ(events[7]["response"]["status"], "failed");
  EXPECT_EQ(respond({{"input", "x"}}, "sim-error-in-stream").status, 500);
}

TEST(Response, PrefillIsGoneOnWith) {
  const std::string whole = plain({{"input", "hello"}})["output"][0]["content"][0]["text"];
  const std::string begun = whole.substr(0, 30);
  const json items = {{{"role", "user"}, {"content", "hello"}}, {{"role", "assistant"}, {"content", begun}}};
  EXPECT_EQ(begun + plain({{"input", items}})["output"][0]["content"][0]["text"].get<std::string>(), whole);
  EXPECT_EQ(respond({{"input", items}}, "sim-no-prefill").status, 400);
}

TEST(Response, BadRequestsNameTheField) {
  EXPECT_EQ(read_response(R"({"model":"m"})").error().param, "input");
  EXPECT_EQ(read_response(R"({"model":"m","input":[]})").error().param, "input");
  EXPECT_EQ(read_response(R"({"model":"m","input":[{"content":"x"}]})").error().param, "input");
  EXPECT_EQ(read_response(R"({"model":"m","input":"x","max_output_tokens":0})").error().param, "max_output_tokens");
  EXPECT_EQ(read_response(R"({"input":"x"})").error().param, "model");
  EXPECT_EQ(read_response(R"({"model":"m","input":[7]})").error().param, "input");
}

TEST(Response, OddShapesNeverThrow) {
  for (const char* odd :
       {R"({"model":"m","input":[{"type":5},{"role":"user","content":{"a":[]}}],"tools":{},"metadata":7})",
        R"({"model":"m","input":[{"type":"function_call_output"}],"tool_choice":[1],"stream":"yes"})"}) {
    const auto request = read_response(odd);
    ASSERT_TRUE(request.has_value()) << odd;
    EXPECT_EQ(chat_reply(Dialect::openai, *request, {}, kContext).status, 200) << odd;
  }
}

}  // namespace
}  // namespace fuseboard::sim
