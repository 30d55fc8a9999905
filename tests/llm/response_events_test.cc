// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/response_events.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace fuseboard::llm {
namespace {

using Json = nlohmann::json;

// The data of each event, whose name and number are as they should be.
std::vector<Json> events_of(const std::string& body) {
  const std::string text = response_events(body);
  std::vector<Json> events;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find("\n\n", at);
    const std::string event = text.substr(at, end - at);
    at = end + 2;
    const std::size_t line = event.find('\n');
    EXPECT_EQ(event.find('\n', line + 1), std::string::npos) << event;
    EXPECT_EQ(event.substr(line + 1, 6), "data: ");
    events.push_back(Json::parse(event.substr(line + 7)));
    EXPECT_EQ(event.substr(0, line), "event: " + events.back()["type"].get<std::string>());
    EXPECT_EQ(events.back()["sequence_number"], events.size() - 1);
  }
  return events;
}

std::vector<std::string> types(const std::vector<Json>& events) {
  std::vector<std::string> types;
  for (const Json& event : events) types.push_back(event["type"]);
  return types;
}

TEST(ResponseEvents, ShowAMessageAtItsBeginInOneDeltaAndAtItsEnd) {
  const std::string body = R"({
  "id": "resp_1", "status": "completed", "model": "m",
  "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
    "content": [{"type": "output_text", "text": "Hi \"you\"\n", "annotations": []}]}],
  "usage": {"input_tokens": 3, "output_tokens": 2}
})";
  const std::vector<Json> events = events_of(body);
  EXPECT_EQ(types(events), (std::vector<std::string>{
                               "response.created", "response.in_progress", "response.output_item.added",
                               "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                               "response.content_part.done", "response.output_item.done", "response.completed"}));
  EXPECT_EQ(events[0]["response"],
            Json::parse(R"({"id":"resp_1","status":"in_progress","model":"m","output":[],"usage":null})"));
  EXPECT_EQ(events[2]["item"]["content"], Json::array());
  EXPECT_EQ(events[2]["item"]["status"], "in_progress");
  EXPECT_EQ(events[3]["part"]["text"], "");
  EXPECT_EQ(events[4]["delta"], "Hi \"you\"\n");
  EXPECT_EQ(events[4]["item_id"], "msg_1");
  EXPECT_EQ(events[4]["output_index"], 0);
  EXPECT_EQ(events[4]["content_index"], 0);
  EXPECT_EQ(events[5]["text"], "Hi \"you\"\n");
  EXPECT_EQ(events[7]["item"], Json::parse(body)["output"][0]);
  EXPECT_EQ(events[8]["response"], Json::parse(body));
}

TEST(ResponseEvents, ShowCallsRefusalsAndWhatTheyDoNotKnow) {
  const std::vector<Json> events = events_of(
      R"({"id":"resp_1","status":"incomplete","output":[{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text"}]},)"
      R"({"type":"function_call","id":"fc_1","call_id":"c","name":"f","arguments":"{\"a\":1}"},)"
      R"({"type":"message","id":"msg_1","content":[{"type":"refusal","refusal":"no"},{"type":"other"}]}]})");
  EXPECT_EQ(types(events),
            (std::vector<std::string>{
                "response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
                "response.output_item.added", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.output_item.done", "response.output_item.added",
                "response.content_part.added", "response.refusal.delta", "response.refusal.done",
                "response.content_part.done", "response.content_part.added", "response.content_part.done",
                "response.output_item.done", "response.incomplete"}));
  EXPECT_EQ(events[4]["item"]["arguments"], "");
  EXPECT_EQ(events[5]["delta"], R"({"a":1})");
  EXPECT_EQ(events[6]["arguments"], R"({"a":1})");
  EXPECT_EQ(events[6]["output_index"], 1);
  EXPECT_EQ(events[11]["refusal"], "no");
  EXPECT_EQ(events[13]["content_index"], 1);
}

TEST(ResponseEvents, TellATextByTheKindOfItsItem) {
  const std::vector<Json> events = events_of(
      R"({"id":"resp_1","status":"completed","output":[{"type":"mcp_call","id":"m","arguments":"{}","output":"ok"},)"
      R"({"type":"custom_tool_call","id":"c","input":"in"},{"type":"other","id":"o","arguments":"{}"}]})");
  EXPECT_EQ(
      types(events),
      (std::vector<std::string>{
          "response.created", "response.in_progress", "response.output_item.added", "response.mcp_call_arguments.delta",
          "response.mcp_call_arguments.done", "response.output_item.done", "response.output_item.added",
          "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "response.output_item.done",
          "response.output_item.added", "response.output_item.done", "response.completed"}));
  EXPECT_EQ(events[6]["item"]["input"], "");
  EXPECT_EQ(events[8]["input"], "in");
}

TEST(ResponseEvents, GiveAnItemAnIdThatHasNone) {
  const std::vector<Json> events = events_of(
      R"({"id":"resp_1","status":"completed","output":[null,{"type":"function_call","id":null,"arguments":"{}"},)"
      R"({"type":"message","content":[]}]})");
  EXPECT_EQ(events[2]["item"]["id"], "item_0");
  EXPECT_EQ(events[2]["output_index"], 0);
  EXPECT_EQ(events[3]["item_id"], "item_0");
  EXPECT_EQ(events[5]["item"]["id"], "item_0");
  EXPECT_EQ(events[6]["item"]["id"], "item_1");
  EXPECT_EQ(events.back()["response"]["output"][0]["id"], "item_0");
  EXPECT_EQ(events.back()["response"]["output"][1]["id"], "item_1");
  EXPECT_EQ(events.back()["response"]["output"].size(), 2U) << "what is no item is left out";
}

}  // namespace
}  // namespace fuseboard::llm
