// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/scan.h"

namespace fuseboard::llm {
namespace {

using ::testing::HasSubstr;

// `members` besides a model and, where they have none, messages.
std::string request(std::string_view members) {
  const bool has_messages = members.contains(R"("messages")");
  return R"({"model":"asked",)" + std::string(has_messages ? "" : R"("messages":[{"role":"user","content":"hi"}],)") +
         std::string(members) + "}";
}

std::string translated(Dialect from, std::string_view members, TranslationOptions options = {}) {
  options.model = "m";
  const Dialect to = from == Dialect::openai ? Dialect::anthropic : Dialect::openai;
  const auto result = translate_request(from, to, request(members), options);
  if (!result) return result.error().param + ": " + result.error().code;
  EXPECT_FALSE(json::validate(*result)) << *result;
  return *result;
}

std::string to_anthropic(std::string_view members, const TranslationOptions& options = {}) {
  return translated(Dialect::openai, members, options);
}
std::string to_openai(std::string_view members, const TranslationOptions& options = {}) {
  return translated(Dialect::anthropic, R"("max_tokens":9,)" + std::string(members), options);
}

// What comes before and behind the part that a test is about.
std::string anthropic(std::string_view messages, std::string_view rest = "") {
  return R"({"model":"m","max_tokens":4096,"messages":)" + std::string(messages) + std::string(rest) + "}";
}
std::string openai(std::string_view messages, std::string_view rest = "") {
  return R"({"model":"m","messages":)" + std::string(messages) + std::string(rest) + R"(,"max_completion_tokens":9})";
}

constexpr std::string_view kHi = R"([{"role":"user","content":"hi"}])";

struct Case {
  std::string_view in, out;
};

TEST(TranslateRequestToAnthropic, ConversationsAreSaidInMessages) {
  const Case kCases[] = {
      {R"([{"role":"user","content":"a\u0041\n"}])", R"([{"role":"user","content":"a\u0041\n"}])"},
      {R"([ {"content" : [ {"text":"a","type":"text"} ], "role":"user"} ])", R"([{"role":"user","content":"a"}])"},
      {R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])",
       R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])"},
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":" "},{"role":"user","content":"\n"}])",
       R"([{"role":"user","content":"a"}])"},
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":"b \n\\n \t"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"b \n\\n"}])"},
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"b"}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"no"},{"role":"user","content":"b"}])"},
      {R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image\/png;base64,iVBO\/w==","detail":"high"}},{"type":"image_url","image_url":{"url":"https://x.y/z.png"}}]}])",
       R"([{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO/w=="}},{"type":"image","source":{"type":"url","url":"https://x.y/z.png"}}]}])"},
      {R"([{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}])",
       R"([{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"}]}])"},
  };
  for (const auto& [in, out] : kCases) {
    EXPECT_EQ(to_anthropic(R"("messages":)" + std::string(in)), anthropic(out)) << in;
  }
}

TEST(TranslateRequestToAnthropic, SystemMessagesAreJoinedWhereverTheyStand) {
  EXPECT_EQ(
      to_anthropic(
          R"("messages":[{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"developer","content":[{"type":"text","text":"\"b\""}]},{"role":"system","content":""}])"),
      R"({"model":"m","max_tokens":4096,"system":"a\n\n\"b\"","messages":[{"role":"user","content":"hi"}]})");
}

TEST(TranslateRequestToAnthropic, ToolCallsAndTheirResultsAreBlocks) {
  EXPECT_EQ(
      to_anthropic(
          R"("messages":[{"role":"user","content":"w"},{"role":"assistant","content":"let me","tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":" {\"a\": \"\\u00e9\"}\n"}},{"id":"f.g:2","type":"function","function":{"name":"g","arguments":""}}]},{"role":"tool","tool_call_id":"call_1","name":"f","content":"one"},{"role":"tool","tool_call_id":"f.g:2","content":[{"type":"text","text":"two"},{"type":"text","text":"more"}]},{"role":"user","content":"and?"}])"),
      anthropic(
          R"([{"role":"user","content":"w"},{"role":"assistant","content":[{"type":"text","text":"let me"},{"type":"tool_use","id":"call_1","name":"f","input":{"a": "\u00e9"}},{"type":"tool_use","id":"f_g_2","name":"g","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"one"},{"type":"tool_result","tool_use_id":"f_g_2","content":[{"type":"text","text":"two"},{"type":"text","text":"more"}]},{"type":"text","text":"and?"}]}])"));
}

TEST(TranslateRequestToAnthropic, ToolsAndTheChoiceOfThemAreCarried) {
  constexpr std::string_view kTools =
      R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{ "type":"object","x":1e999},"strict":true}},{"type":"function","function":{"name":"g"}}])";
  constexpr std::string_view kBlocks =
      R"(,"tools":[{"name":"f","description":"d","input_schema":{ "type":"object","x":1e999},"strict":true},{"name":"g","input_schema":{"type":"object","properties":{}}}])";
  const Case kCases[] = {
      {R"()", R"()"},
      {R"(,"tool_choice":"auto","parallel_tool_calls":true)", R"()"},
      {R"(,"tool_choice":"none","parallel_tool_calls":false)", R"(,"tool_choice":{"type":"none"})"},
      {R"(,"tool_choice":"required")", R"(,"tool_choice":{"type":"any"})"},
      {R"(,"tool_choice":{"type":"function","function":{"name":"g"}})", R"(,"tool_choice":{"type":"tool","name":"g"})"},
      {R"(,"parallel_tool_calls":false)", R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})"},
      {R"(,"tool_choice":"required","parallel_tool_calls":false)",
       R"(,"tool_choice":{"type":"any","disable_parallel_tool_use":true})"},
  };
  for (const auto& [in, out] : kCases) {
    EXPECT_EQ(to_anthropic(std::string(kTools) + std::string(in)),
              anthropic(kHi, std::string(kBlocks) + std::string(out)))
        << in;
  }
}

TEST(TranslateRequestToAnthropic, SamplingCapsAndTheRestAreCarried) {
  const Case kCases[] = {
      {R"("stop":"END","temperature":0.50,"top_p":0.9)", R"(,"stop_sequences":["END"],"temperature":0.50,"top_p":0.9)"},
      {R"("stop":["a","\n\nb"],"top_p":1.0)", R"(,"stop_sequences":["a","\n\nb"])"},
      {R"("stream":true,"stream_options":{"include_usage":true})", R"(,"stream":true)"},
      {R"("user":"u1")", R"(,"metadata":{"user_id":"u1"})"},
      {R"("safety_identifier":"u2")", R"(,"metadata":{"user_id":"u2"})"},
      {R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}})",
       R"(,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}})"},
      {R"("response_format":{"type":"text"})", ""},
  };
  for (const auto& [in, out] : kCases) EXPECT_EQ(to_anthropic(in), anthropic(kHi, out)) << in;
  EXPECT_THAT(to_anthropic(R"("max_tokens":7)"), HasSubstr(R"("max_tokens":7,)"));
  EXPECT_THAT(to_anthropic(R"("max_tokens":7.0,"n":1.0)"), HasSubstr(R"("max_tokens":7,)"));  // BUD-10.5
  EXPECT_THAT(to_anthropic(R"("max_completion_tokens":8,"max_tokens":7)"), HasSubstr(R"("max_tokens":8,)"));
  EXPECT_THAT(to_anthropic(R"("max_tokens":null)", {.default_max_tokens = 11}), HasSubstr(R"("max_tokens":11,)"));
}

TEST(TranslateRequestToAnthropic, DefaultsAndHintsMeanNothing) {
  EXPECT_EQ(
      to_anthropic(
          R"("n":1,"logprobs":false,"top_logprobs":0,"logit_bias":{ },"audio":null,"modalities":[ "text" ],"seed":null,"presence_penalty":0,"frequency_penalty":-0.0,"prediction":null,"store":false,"metadata":{},"web_search_options":null,"functions":[],"function_call":"none","service_tier":"auto","verbosity":"medium","prompt_cache_key":"k","tools":null,"stop":null,"user":null)"),
      anthropic(kHi));
}

TEST(TranslateRequestToAnthropic, WhatCannotBeCarriedIsRefusedOrDropped) {
  for (const std::string_view member : {R"("n":2)",
                                        R"("logprobs":true)",
                                        R"("top_logprobs":3)",
                                        R"("logit_bias":{"50":1})",
                                        R"("audio":{"voice":"x"})",
                                        R"("modalities":["text","audio"])",
                                        R"("seed":1)",
                                        R"("presence_penalty":0.5)",
                                        R"("frequency_penalty":-1)",
                                        R"("prediction":{"type":"content"})",
                                        R"("store":true)",
                                        R"("metadata":{"a":"b"})",
                                        R"("web_search_options":{})",
                                        R"("functions":[{"name":"f"}])",
                                        R"("function_call":{"name":"f"})",
                                        R"("service_tier":"flex")",
                                        R"("verbosity":"low")",
                                        R"("response_format":{"type":"json_object"})",
                                        R"("top_k":4)",
                                        R"("made_up":0)",
                                        R"("stop":"\n")"}) {
    const std::string name(member.substr(1, member.find('"', 1) - 1));
    EXPECT_EQ(to_anthropic(member), name + ": unsupported_parameter");
    EXPECT_EQ(to_anthropic(member, {.drop_unsupported = true}), anthropic(kHi)) << member;
  }
  EXPECT_EQ(to_anthropic(R"("temperature":1.5)"), "temperature: unsupported_parameter");
  EXPECT_EQ(to_anthropic(R"("temperature":1.5)", {.drop_unsupported = true}), anthropic(kHi, R"(,"temperature":1)"));
}

TEST(TranslateRequestToAnthropic, AnErrorNamesTheFieldInTheDepth) {
  const struct {
    std::string_view message, error;
  } kCases[] = {
      {R"({"role":"user","name":"bob","content":"a"})", "messages[1].name: unsupported_parameter"},
      {R"({"role":"function","name":"f","content":"a"})", "messages[1].name: unsupported_parameter"},
      {R"({"role":"critic","content":"a"})", "messages[1].role: invalid_value"},
      {R"({"role":"user"})", "messages[1].content: missing_required_parameter"},
      {R"({"role":"user","content":5})", "messages[1].content: invalid_type"},
      {R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"input_audio"}]})",
       "messages[1].content[1].type: unsupported_parameter"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]})",
       "messages[1].content[0].image_url.url: invalid_value"},
      {R"({"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]})",
       "messages[1].content[0].file.file_id: unsupported_parameter"},
      {R"({"role":"user","content":[{"type":"file","file":{"file_data":"data:text/csv;base64,AA"}}]})",
       "messages[1].content[0].file.file_data: unsupported_parameter"},
      {R"({"role":"assistant","audio":{"id":"a"}})", "messages[1].audio: unsupported_parameter"},
      {R"({"role":"assistant","content":[{"type":"image_url"}]})",
       "messages[1].content[0].type: unsupported_parameter"},
      {R"({"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"[1]"}}]})",
       "messages[1].tool_calls[0].function.arguments: invalid_value"},
      {R"({"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":}"}}]})",
       "messages[1].tool_calls[0].function.arguments: invalid_value"},
      {R"({"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"\ud83d\":1}"}}]})",
       "messages[1].tool_calls[0].function.arguments: invalid_value"},
      {R"({"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{}}]})",
       "messages[1].tool_calls[0].type: unsupported_parameter"},
      {R"({"role":"tool","content":"x"})", "messages[1].tool_call_id: missing_required_parameter"},
      {R"("hi")", "messages[1]: invalid_type"},
  };
  for (const auto& [message, error] : kCases) {
    EXPECT_EQ(to_anthropic(R"("messages":[{"role":"user","content":"hi"},)" + std::string(message) + "]"), error)
        << message;
  }
  EXPECT_EQ(to_anthropic(R"("tools":[{"type":"custom","custom":{"name":"x"}}])"),
            "tools[0].type: unsupported_parameter");
  EXPECT_EQ(to_anthropic(R"("tools":[{"type":"function","function":{"name":"x","parameters":[]}}])"),
            "tools[0].function.parameters: invalid_type");
  EXPECT_EQ(to_anthropic(R"("tool_choice":"required")"), "tool_choice: invalid_value");
  EXPECT_EQ(to_anthropic(R"("messages":[{"role":"system","content":"a"}])"), "messages: invalid_value");
  EXPECT_EQ(to_anthropic(R"("messages":[],"messages":[])"), "messages: duplicate_parameter");
  EXPECT_EQ(to_anthropic(R"("max_tokens":0)"), "max_tokens: invalid_value");
}

TEST(TranslateRequestToAnthropic, EffortIsAThinkingBudgetWhereAnthropicTakesOne) {
  const auto thinking = [](std::string_view members) {
    const std::string body = to_anthropic(members);
    const std::size_t at = body.find(R"("budget_tokens":)");
    return at == std::string::npos ? "none" : body.substr(at + 16, body.find('}', at) - at - 16);
  };
  EXPECT_EQ(to_anthropic(R"("reasoning_effort":"high")"),
            R"({"model":"m","max_tokens":28672,"messages":[{"role":"user","content":"hi"}],)"
            R"("thinking":{"type":"enabled","budget_tokens":24576}})");
  EXPECT_EQ(thinking(R"("reasoning_effort":"minimal")"), "1024");
  EXPECT_EQ(thinking(R"("reasoning_effort":"medium")"), "8192");
  EXPECT_EQ(thinking(R"("reasoning_effort":"none")"), "none");
  EXPECT_EQ(thinking(R"("reasoning_effort":"high","max_tokens":24576)"), "8192");
  EXPECT_EQ(thinking(R"("reasoning_effort":"high","max_tokens":1024)"), "none");
  EXPECT_EQ(thinking(R"("reasoning_effort":"low","temperature":1)"), "1024");
  EXPECT_EQ(thinking(R"("reasoning_effort":"low","temperature":0.5)"), "none");
  EXPECT_EQ(thinking(R"("reasoning_effort":"low","top_p":0.5)"), "none");
  EXPECT_EQ(
      thinking(
          R"("reasoning_effort":"low","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}])"),
      "none");
  EXPECT_EQ(thinking(R"("reasoning_effort":"low","messages":[{"role":"tool","tool_call_id":"a","content":"b"}])"),
            "none");
  EXPECT_EQ(to_anthropic(R"("reasoning_effort":"much")"), "reasoning_effort: invalid_value");
}

TEST(TranslateRequestToAnthropic, EffortIsSaidAsSuchToModelsThatKnowIt) {
  const TranslationOptions options{.reasoning = Reasoning::effort};
  EXPECT_EQ(to_anthropic(R"("reasoning_effort":"xhigh")", options),
            anthropic(kHi, R"(,"output_config":{"effort":"xhigh"},"thinking":{"type":"adaptive"})"));
  EXPECT_EQ(to_anthropic(R"("reasoning_effort":"low","temperature":0)", options),
            anthropic(kHi, R"(,"temperature":0,"output_config":{"effort":"low"})"));
  EXPECT_EQ(to_anthropic(R"("reasoning_effort":"low")", {.reasoning = Reasoning::leave_out}), anthropic(kHi));
}

TEST(TranslateRequestToOpenAi, ConversationsAreSaidInMessages) {
  const Case kCases[] = {
      {R"([{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}])",
       R"([{"role":"user","content":"a"}])"},
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"b","citations":null},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a": "\"x\""}}]},{"role":"user","content":[{"type":"text","text":"c"},{"type":"tool_result","tool_use_id":"toolu_1","content":"r"}]}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"b","tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"f","arguments":"{\"a\": \"\\\"x\\\"\"}"}}]},{"role":"tool","tool_call_id":"toolu_1","content":"r"},{"role":"user","content":"c"}])"},
      {R"([{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":"boom"}]}])",
       R"([{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t","content":"Error: boom"}])"},
      {R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"},{"type":"tool_result","tool_use_id":"u","is_error":true},{"type":"tool_result","tool_use_id":"v","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}])",
       R"([{"role":"tool","tool_call_id":"t","content":""},{"role":"tool","tool_call_id":"u","content":"Error"},{"role":"tool","tool_call_id":"v","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])"},
      {R"([{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},{"type":"text","text":"?"}]}])",
       R"([{"role":"tool","tool_call_id":"t","content":"What cannot be shown here is in the next message of the user."},{"role":"user","content":[{"type":"text","text":"From the result of the tool call t"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"text","text":"?"}]}])"},
      {R"([{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x/y"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JV"},"citations":{"enabled":false}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"},"title":"T"}]}])",
       R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}},{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,JV"}},{"type":"text","text":"T"},{"type":"text","text":"d"}]}])"},
      {R"([{"role":"user","content":"a"},{"role":"assistant","content":"One, "}])",
       R"([{"role":"user","content":"a"},{"role":"assistant","content":"One,"}])"},
  };
  for (const auto& [in, out] : kCases) EXPECT_EQ(to_openai(R"("messages":)" + std::string(in)), openai(out)) << in;
}

TEST(TranslateRequestToOpenAi, TheSystemPromptIsTheFirstMessage) {
  constexpr std::string_view kExpected = R"([{"role":"system","content":"a\n\nb"},{"role":"user","content":"hi"}])";
  EXPECT_EQ(to_openai(R"("system":"a\n\nb")"), openai(kExpected));
  EXPECT_EQ(
      to_openai(
          R"("system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}])"),
      openai(kExpected));
  EXPECT_EQ(to_openai(R"("system":[])"), openai(kHi));
}

TEST(TranslateRequestToOpenAi, SystemMessagesAmongTheOthersAreCarried) {
  const Case kCases[] = {
      {R"("messages":[{"role":"system","content":"x"},{"role":"user","content":"hi"}])",
       R"([{"role":"system","content":"x"},{"role":"user","content":"hi"}])"},
      {R"("messages":[{"role":"developer","content":[{"type":"text","text":"x"}]},{"role":"user","content":"hi"}],"system":"s")",
       R"([{"role":"system","content":"s\n\nx"},{"role":"user","content":"hi"}])"},
      // In the midst of the conversation they keep their place.
      {R"("messages":[{"role":"user","content":"a"},{"role":"system","content":"x"},{"role":"user","content":"b"}])",
       R"([{"role":"user","content":"a"},{"role":"system","content":"x"},{"role":"user","content":"b"}])"},
      {R"("messages":[{"role":"user","content":"a"},{"role":"system","content":"x"},{"role":"system","content":[]},{"role":"developer","content":"y"}])",
       R"([{"role":"user","content":"a"},{"role":"system","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}])"},
      // But not between a call and its result.
      {R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"system","content":"x"},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}])",
       R"([{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t","content":"r"},{"role":"system","content":"x"}])"},
  };
  for (const auto& [in, out] : kCases) EXPECT_EQ(to_openai(in), openai(out)) << in;
  EXPECT_EQ(to_openai(R"("messages":[{"role":"system","content":[{"type":"image"}]},{"role":"user","content":"hi"}])"),
            "messages[0].content[0].type: unsupported_parameter");
}

TEST(TranslateRequest, ArgumentsMayBeAnObjectOrATextThatHoldsOne) {
  for (const std::string_view arguments : {R"({"x": [1]})", R"("{\"x\": [1]}")", R"(" {\"x\": [1]}\n")"}) {
    EXPECT_EQ(
        to_anthropic(R"("messages":[{"role":"assistant","tool_calls":[{"id":"t","function":{"name":"f","arguments":)" +
                     std::string(arguments) + R"(}}]},{"role":"tool","tool_call_id":"t","content":"r"}])"),
        anthropic(
            R"([{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"x": [1]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}])"))
        << arguments;
    EXPECT_EQ(
        to_openai(R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":)" +
                  std::string(arguments) +
                  R"(}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}])"),
        openai(
            R"([{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":"{\"x\": [1]}"}}]},{"role":"tool","tool_call_id":"t","content":"r"}])"))
        << arguments;
  }
  EXPECT_EQ(
      to_openai(R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":[1]}]}])"),
      "messages[0].content[0].input: invalid_type");
}

TEST(TranslateRequestToOpenAi, ToolsAndTheChoiceOfThemAreCarried) {
  constexpr std::string_view kTools =
      R"("tools":[{"name":"f","description":"d","input_schema":{ "type":"object"},"cache_control":{"type":"ephemeral"}},{"type":"custom","name":"g","input_schema":{},"strict":true}])";
  constexpr std::string_view kFunctions =
      R"(,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{ "type":"object"}}},{"type":"function","function":{"name":"g","parameters":{"type":"object","properties":{}},"strict":true}}])";
  const Case kCases[] = {
      {R"()", R"()"},
      {R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})", R"(,"parallel_tool_calls":false)"},
      {R"(,"tool_choice":{"type":"any"})", R"(,"tool_choice":"required")"},
      {R"(,"tool_choice":{"type":"none"})", R"(,"tool_choice":"none")"},
      {R"(,"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true})",
       R"(,"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false)"},
  };
  for (const auto& [in, out] : kCases) {
    EXPECT_EQ(to_openai(std::string(kTools) + std::string(in)), openai(kHi, std::string(kFunctions) + std::string(out)))
        << in;
  }
}

TEST(TranslateRequestToOpenAi, SamplingCapsAndTheRestAreCarried) {
  EXPECT_EQ(
      to_openai(
          R"("stop_sequences":["a","b"],"temperature":1,"top_p":0.5,"stream":true,"metadata":{"user_id":"u"},"service_tier":"auto","output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"object"}}})"),
      R"({"model":"m","messages":[{"role":"user","content":"hi"}],"stop":["a","b"],"temperature":1,"top_p":0.5,)"
      R"("max_completion_tokens":9,"stream":true,"stream_options":{"include_usage":true},"user":"u",)"
      R"("response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"type":"object"},"strict":true}},)"
      R"("reasoning_effort":"xhigh"})");
  EXPECT_THAT(to_openai(R"("output_format":{"type":"json_schema","schema":{}})"), HasSubstr(R"("schema":{})"));
  EXPECT_THAT(to_openai(R"("stream":false)", {.legacy_max_tokens = true}), HasSubstr(R"("max_tokens":9)"));
}

TEST(TranslateRequestToOpenAi, AThinkingBudgetIsTheHighestEffortItAllows) {
  const auto effort = [](std::string_view budget, std::string_view cap) {
    const std::string body = translated(Dialect::anthropic, R"("max_tokens":)" + std::string(cap) +
                                                                R"(,"thinking":{"type":"enabled","budget_tokens":)" +
                                                                std::string(budget) + "}");
    const std::size_t at = body.find(R"("reasoning_effort":")");
    return at == std::string::npos ? "none" : body.substr(at + 20, body.find('"', at + 20) - at - 20);
  };
  EXPECT_EQ(effort("1024", "32000"), "low");
  EXPECT_EQ(effort("8191", "32000"), "low");
  EXPECT_EQ(effort("8192", "32000"), "medium");
  EXPECT_EQ(effort("24576", "32000"), "high");
  EXPECT_EQ(effort("31999", "32000"), "high");
  EXPECT_EQ(effort("31999", "9000"), "medium");
  EXPECT_EQ(effort("1023", "32000"), "none");
  EXPECT_EQ(to_openai(R"("thinking":{"type":"adaptive"})"), openai(kHi));
  EXPECT_EQ(to_openai(R"("thinking":{"type":"disabled"})"), openai(kHi));
  EXPECT_EQ(to_openai(R"("thinking":{"type":"adaptive"},"output_config":{"effort":"low"})",
                      {.reasoning = Reasoning::leave_out}),
            openai(kHi));
}

TEST(TranslateRequestToOpenAi, WhatCannotBeCarriedIsRefusedOrDropped) {
  const struct {
    std::string_view member, param;
  } kCases[] = {
      {R"("top_k":5)", "top_k"},
      {R"("container":"c1")", "container"},
      {R"("mcp_servers":[{"url":"x"}])", "mcp_servers"},
      {R"("context_management":{"edits":[]})", "context_management"},
      {R"("inference_geo":"us")", "inference_geo"},
      {R"("service_tier":"batch")", "service_tier"},
      {R"("speed":"fast")", "speed"},
      {R"("made_up":false)", "made_up"},
      {R"("metadata":{"tag":"x"})", "metadata.tag"},
      {R"("output_config":{"task_budget":{"total":1}})", "output_config.task_budget"},
      {R"("tools":[{"type":"web_search_20250305","name":"web_search"}])", "tools[0].type"},
      {R"("stop_sequences":[" "])", "stop_sequences[0]"},
      {R"("system":[{"type":"image"}])", "system[0].type"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"container_upload","file_id":"f"}]}])",
       "messages[0].content[1].type"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"file","file_id":"f"}}]}])",
       "messages[0].content[1].source.type"},
      {R"("messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"document","source":{"type":"url","url":"u"}}]}])",
       "messages[0].content[1].source.type"},
      {R"("messages":[{"role":"assistant","content":[{"type":"server_tool_use"}]},{"role":"user","content":"hi"}])",
       "messages[0].content[0].type"},
  };
  for (const auto& [member, param] : kCases) {
    EXPECT_EQ(to_openai(member), std::string(param) + ": unsupported_parameter") << member;
    EXPECT_EQ(to_openai(member, {.drop_unsupported = true}), openai(kHi)) << member;
  }
  EXPECT_EQ(to_openai(R"("stop_sequences":["1","2","3","4","5"])"), "stop_sequences[4]: unsupported_parameter");
  EXPECT_EQ(translated(Dialect::anthropic, R"("stream":true)"), "max_tokens: missing_required_parameter");
  EXPECT_EQ(to_openai(R"("messages":[{"role":"tool","content":"x"}])"), "messages[0].role: invalid_value");
  EXPECT_EQ(to_openai(R"("messages":[{"role":"user","content":[{"type":"tool_result"}]}])"),
            "messages[0].content[0].tool_use_id: missing_required_parameter");
  EXPECT_EQ(to_openai(R"("tools":[{"name":"f"}])"), "tools[0].input_schema: invalid_type");
  EXPECT_EQ(
      to_openai(
          R"("messages":[{"role":"user","content":[{"type":"document","context":"c","source":{"type":"base64","media_type":"application/pdf","data":"A"}}]}])"),
      "messages[0].content[0].context: unsupported_parameter");
  EXPECT_EQ(
      to_openai(
          R"("messages":[{"role":"user","content":[{"type":"document","citations":{"enabled":true},"source":{"type":"text","data":"A"}}]}])"),
      "messages[0].content[0].citations.enabled: unsupported_parameter");
}

TEST(TranslateRequest, WhatIsNoJsonIsRefusedWithItsPlace) {
  const auto result = translate_request(Dialect::openai, Dialect::anthropic, "{\"messages\":[}", {.model = "m"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "invalid_json");
  EXPECT_THAT(result.error().message, HasSubstr("line 1, column 14"));
}

TEST(TranslateRequest, TheMessageSaysWhichDialectCannotSayIt) {
  const auto result = translate_request(Dialect::openai, Dialect::anthropic, request(R"("seed":1)"), {.model = "m"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "'seed' cannot be translated to the dialect of Anthropic's messages.");
}

}  // namespace
}  // namespace fuseboard::llm
