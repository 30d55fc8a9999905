// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_responses/response_events.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "json/scan.h"

namespace fuseboard::llm {
namespace {

// What each event says besides its name and number, which are as they should be.
struct Event {
  std::string type;
  std::string fields;
};

std::vector<Event> events_of(std::string_view body) {
  const std::string text = response_events(body);
  std::vector<Event> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\n\n", at);
    const std::string event = text.substr(at, end - at);
    at = end + 2;
    const std::size_t line = event.find('\n');
    const std::string type = event.substr(0, line).substr(std::string_view("event: ").size());
    const std::string data = event.substr(line + 1).substr(std::string_view("data: ").size());
    EXPECT_EQ(data.find('\n'), std::string::npos) << event;
    EXPECT_FALSE(json::validate(data)) << data;
    const std::string begin = "{\"type\":\"" + type + "\",\"sequence_number\":" + std::to_string(events.size()) + ",";
    EXPECT_TRUE(data.starts_with(begin)) << data;
    events.push_back({.type = type, .fields = data.substr(begin.size(), data.size() - begin.size() - 1)});
  }
  return events;
}

std::vector<std::string> types(const std::vector<Event>& events) {
  std::vector<std::string> types;
  for (const Event& event : events) types.push_back(event.type);
  return types;
}

TEST(ResponseEvents, ShowAMessageAtItsBeginInOneDeltaAndAtItsEnd) {
  const std::vector<Event> events = events_of(
      "{\"id\":\"resp_1\",\"status\":\"completed\",\r\n\"model\":\"m\",\"output\":[{\"type\":\"message\",\"id\":\"msg_"
      "1\","
      "\"status\":\"completed\",\n\"content\":[{\"type\":\"output_text\",\"text\":\"Hi \\\"you\\\"\\n\"}]}],"
      "\"usage\":{\"input_tokens\":3}}");
  ASSERT_EQ(types(events), (std::vector<std::string>{
                               "response.created", "response.in_progress", "response.output_item.added",
                               "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                               "response.content_part.done", "response.output_item.done", "response.completed"}));
  EXPECT_EQ(events[0].fields,
            R"("response":{"id":"resp_1","status":"in_progress","model":"m","output":[],"usage":null})");
  EXPECT_EQ(events[1].fields, events[0].fields);
  EXPECT_EQ(events[2].fields,
            R"("output_index":0,"item":{"type":"message","id":"msg_1","status":"in_progress","content":[]})");
  const std::string place = R"("item_id":"msg_1","output_index":0,"content_index":0)";
  EXPECT_EQ(events[3].fields, place + R"(,"part":{"type":"output_text","text":""})");
  EXPECT_EQ(events[4].fields, place + R"(,"delta":"Hi \"you\"\n")");
  EXPECT_EQ(events[5].fields, place + R"(,"text":"Hi \"you\"\n")");
  EXPECT_EQ(events[6].fields, place + R"(,"part":{"type":"output_text","text":"Hi \"you\"\n"})");
  const std::string item = R"({"type":"message","id":"msg_1","status":"completed", )"
                           R"("content":[{"type":"output_text","text":"Hi \"you\"\n"}]})";
  EXPECT_EQ(events[7].fields, R"("output_index":0,"item":)" + item);
  EXPECT_EQ(events[8].fields, R"("response":{"id":"resp_1","status":"completed","model":"m","output":[)" + item +
                                  R"(],"usage":{"input_tokens":3}})");
}

TEST(ResponseEvents, ShowCallsRefusalsAndWhatTheyDoNotKnow) {
  const std::vector<Event> events =
      events_of(R"({"id":"resp_1","status":"incomplete","output":[)"
                R"({"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text"}]},)"
                R"({"type":"function_call","id":"fc_1","name":"f","arguments":"{\"a\":1}"},)"
                R"({"type":"message","id":"msg_1","content":[{"type":"refusal","refusal":"no"},{"type":"other"}]}]})");
  ASSERT_EQ(types(events),
            (std::vector<std::string>{
                "response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
                "response.output_item.added", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.output_item.done", "response.output_item.added",
                "response.content_part.added", "response.refusal.delta", "response.refusal.done",
                "response.content_part.done", "response.content_part.added", "response.content_part.done",
                "response.output_item.done", "response.incomplete"}));
  EXPECT_EQ(events[4].fields,
            R"("output_index":1,"item":{"type":"function_call","id":"fc_1","name":"f","arguments":""})");
  EXPECT_EQ(events[5].fields, R"("item_id":"fc_1","output_index":1,"delta":"{\"a\":1}")");
  EXPECT_EQ(events[6].fields, R"("item_id":"fc_1","output_index":1,"arguments":"{\"a\":1}")");
  EXPECT_EQ(events[11].fields, R"("item_id":"msg_1","output_index":2,"content_index":0,"refusal":"no")");
  EXPECT_EQ(events[13].fields, R"("item_id":"msg_1","output_index":2,"content_index":1,"part":{"type":"other"})");
}

TEST(ResponseEvents, TellATextByTheKindOfItsItem) {
  const std::vector<Event> events = events_of(
      R"({"id":"resp_1","status":"completed","output":[{"type":"mcp_call","id":"m","arguments":"{}","output":"ok"},)"
      R"({"type":"custom_tool_call","id":"c","input":"in"},{"type":"other","id":"o","arguments":"{}"}]})");
  ASSERT_EQ(
      types(events),
      (std::vector<std::string>{
          "response.created", "response.in_progress", "response.output_item.added", "response.mcp_call_arguments.delta",
          "response.mcp_call_arguments.done", "response.output_item.done", "response.output_item.added",
          "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "response.output_item.done",
          "response.output_item.added", "response.output_item.done", "response.completed"}));
  EXPECT_EQ(events[6].fields, R"("output_index":1,"item":{"type":"custom_tool_call","id":"c","input":""})");
  EXPECT_EQ(events[8].fields, R"("item_id":"c","output_index":1,"input":"in")");
}

TEST(ResponseEvents, GiveAnItemAnIdThatHasNone) {
  const std::vector<Event> events = events_of(
      R"({"id":"resp_1","status":"completed","output":[null,{"type":"function_call","id":null,"arguments":"{}"},)"
      R"({"type":"message","content":[]}]})");
  EXPECT_EQ(events[2].fields, R"("output_index":0,"item":{"id":"item_0","type":"function_call","arguments":""})");
  EXPECT_EQ(events[3].fields, R"("item_id":"item_0","output_index":0,"delta":"{}")");
  EXPECT_EQ(events[5].fields, R"("output_index":0,"item":{"id":"item_0","type":"function_call","arguments":"{}"})");
  EXPECT_EQ(
      events.back().fields,
      R"("response":{"id":"resp_1","status":"completed","output":[)"
      R"({"id":"item_0","type":"function_call","arguments":"{}"},{"id":"item_1","type":"message","content":[]}]})")
      << "what is no item is left out";
}

}  // namespace
}  // namespace fuseboard::llm
