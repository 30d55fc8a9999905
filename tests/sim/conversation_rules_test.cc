// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/conversation_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fuseboard::sim {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// The refusal of a conversation, empty where there is none.
std::string openai(const char* messages) {
  const auto checked = check_messages(Dialect::openai, json::parse(messages));
  return checked ? "" : checked.error().message;
}
std::string anthropic(const char* messages) {
  const auto checked = check_messages(Dialect::anthropic, json::parse(messages));
  return checked ? "" : checked.error().message;
}
std::string tools(Dialect dialect, const char* text) {
  const auto checked = check_tools(dialect, json::parse(text));
  return checked ? "" : checked.error().message;
}

TEST(ConversationRules, RolesAreTheDialects) {
  EXPECT_EQ(openai(R"([{"role":"system"},{"role":"developer"},{"role":"user"},{"role":"assistant"}])"), "");
  EXPECT_THAT(openai(R"([{"role":"human"}])"), HasSubstr("Invalid value: 'human'"));
  EXPECT_EQ(anthropic(R"([{"role":"user"},{"role":"assistant"}])"), "");
  EXPECT_THAT(anthropic(R"([{"role":"system"}])"), HasSubstr("Unexpected role \"system\""));
}

TEST(ConversationRules, PartsAreTheDialects) {
  EXPECT_EQ(openai(R"([{"role":"user","content":[{"type":"text"},{"type":"image_url"},{"type":"file"}]}])"), "");
  EXPECT_THAT(openai(R"([{"role":"user","content":[{"type":"text"},{"type":"image"}]}])"),
              HasSubstr("Invalid value: 'image'"));
  EXPECT_EQ(anthropic(R"([{"role":"user","content":[{"type":"text"},{"type":"image"},{"type":"document"}]}])"), "");
  EXPECT_EQ(anthropic(R"([{"role":"assistant","content":[{"type":"server_tool_use","id":"s"},
                          {"type":"web_search_tool_result","tool_use_id":"s"}]}])"),
            "");
  EXPECT_THAT(anthropic(R"([{"role":"user","content":"x"},{"role":"user","content":[{"type":"image_url"}]}])"),
              HasSubstr("messages.1.content.0: Input tag 'image_url'"));
}

TEST(ConversationRules, OpenAiWantsEveryCallAnsweredAtOnce) {
  constexpr const char* kCalls = R"({"role":"assistant","tool_calls":[{"id":"a"},{"id":"b"}]})";
  const auto with = [&](const std::string& rest) { return openai(("[" + std::string(kCalls) + rest + "]").c_str()); };
  EXPECT_EQ(with(R"(,{"role":"tool","tool_call_id":"b"},{"role":"tool","tool_call_id":"a"},{"role":"user"})"), "");
  EXPECT_THAT(with(R"(,{"role":"tool","tool_call_id":"b"},{"role":"user"})"), ::testing::EndsWith("messages: a"));
  EXPECT_THAT(with(""), ::testing::EndsWith("messages: a, b"));
  EXPECT_THAT(with(R"(,{"role":"tool","tool_call_id":"c"})"), HasSubstr("must be a response to a preceeding message"));
  EXPECT_THAT(openai(R"([{"role":"tool","tool_call_id":"a"}])"), HasSubstr("must be a response to a preceeding"));
}

TEST(ConversationRules, AnthropicWantsEveryUseAnsweredInTheNextMessage) {
  constexpr const char* kUses =
      R"({"role":"assistant","content":[{"type":"tool_use","id":"a"},{"type":"tool_use","id":"b"}]})";
  const auto with = [&](const std::string& rest) { return anthropic(("[" + std::string(kUses) + rest + "]").c_str()); };
  const std::string a = R"({"type":"tool_result","tool_use_id":"a"})";
  const std::string b = R"({"type":"tool_result","tool_use_id":"b"})";
  EXPECT_EQ(with(R"(,{"role":"user","content":[)" + b + "," + a + "]}"), "");
  EXPECT_THAT(with(R"(,{"role":"user","content":[)" + b + "]}"),
              HasSubstr("messages.0: `tool_use` ids were found without `tool_result` blocks immediately after: a."));
  EXPECT_THAT(with(""), HasSubstr("immediately after: a."));
  EXPECT_THAT(with(R"(,{"role":"user","content":"x"},{"role":"user","content":[)" + a + "," + b + "]}"),
              HasSubstr("immediately after: a."))
      << "not in the next but one";
  EXPECT_THAT(anthropic(R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"z"}]}])"),
              HasSubstr("unexpected `tool_use_id` found in `tool_result` blocks: z."));
}

TEST(ConversationRules, AnthropicTakesBackOnlyThinkingThatItSigned) {
  const auto with = [](const std::string& block) {
    return anthropic((R"([{"role":"user"},{"role":"assistant","content":[)" + block + "]}]").c_str());
  };
  EXPECT_EQ(with(R"({"type":"thinking","thinking":"t","signature":"s"})"), "");
  EXPECT_EQ(with(R"({"type":"redacted_thinking","data":"d"})"), "");
  EXPECT_EQ(with(R"({"type":"thinking","thinking":"t","signature":""})"),
            "messages.1.content.0: Invalid `signature` in `thinking` block");
  EXPECT_EQ(with(R"({"type":"thinking","thinking":"t"})"), "messages.1.content.0.thinking.signature: Field required");
}

TEST(ConversationRules, AnthropicWantsATurnThatThinksToBeginWithThoughts) {
  const auto with = [](const std::string& type, const std::string& first) {
    const auto checked = check_thinking(json::parse(
        R"({"thinking":{"type":")" + type +
        R"("},"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[)" + first +
        R"({"type":"tool_use","id":"t"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}]})"));
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(with("enabled", R"({"type":"thinking","thinking":"t","signature":"s"},)"), "");
  EXPECT_EQ(with("adaptive", ""), "");
  EXPECT_EQ(with("disabled", ""), "");
  EXPECT_THAT(
      with("enabled", ""),
      HasSubstr("messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`."));
}

TEST(ConversationRules, ToolsAreDefinedAsTheDialectDoes) {
  EXPECT_EQ(tools(Dialect::openai, R"([{"type":"function","function":{"name":"f"}},{"type":"custom"}])"), "");
  EXPECT_EQ(tools(Dialect::openai, R"([{"name":"f","input_schema":{}}])"),
            "Missing required parameter: 'tools[0].type'.");
  EXPECT_EQ(tools(Dialect::openai, R"([{"type":"function","name":"f"}])"),
            "Missing required parameter: 'tools[0].function.name'.");
  EXPECT_EQ(tools(Dialect::anthropic, R"([{"name":"f","input_schema":{}},{"type":"bash_20250124","name":"bash"}])"),
            "");
  EXPECT_THAT(tools(Dialect::anthropic, R"([{"type":"function","function":{"name":"f"}}])"),
              HasSubstr("Input tag 'function'"));
  EXPECT_THAT(tools(Dialect::anthropic, R"([{"name":"f"}])"), HasSubstr("input_schema: Field required"));
}

}  // namespace
}  // namespace fuseboard::sim
