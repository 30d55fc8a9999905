// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/provider_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/sim/answering.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kChat =
    R"({"model":"gpt-5","messages":[{"role":"user","content":"Say hello to the fuses"}]})";
constexpr std::string_view kStream =
    R"({"model":"gpt-5","stream":true,"messages":[{"role":"user","content":"Say hello to the fuses"}]})";
constexpr std::string_view kMessage =
    R"({"model":"claude","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"Hello there"}]}]})";
constexpr std::string_view kMessageStream =
    R"({"model":"claude","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello there"}]})";

TEST(OpenAiAnswer, HasTheShapeOfAChatCompletion) {
  const Reply plain = reply(Dialect::openai, kChat);
  EXPECT_EQ(plain.status, 200);
  EXPECT_FALSE(plain.streamed);
  const json body = json::parse(plain.body());
  EXPECT_THAT(body["id"].get<std::string>(), ::testing::StartsWith("chatcmpl-"));
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_EQ(body["created"], 1'767'225'600);
  EXPECT_EQ(body["model"], "gpt-5");
  EXPECT_EQ(body["choices"].size(), 1U);
  EXPECT_EQ(body["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(body["choices"][0]["message"]["role"], "assistant");
  EXPECT_FALSE(body["choices"][0]["message"]["content"].get<std::string>().empty());
  const json& usage = body["usage"];
  EXPECT_EQ(usage["total_tokens"].get<int>(),
            usage["prompt_tokens"].get<int>() + usage["completion_tokens"].get<int>());
}

TEST(OpenAiAnswer, TheStreamSaysWhatThePlainAnswerSays) {
  const Reply streamed = reply(Dialect::openai, kStream);
  EXPECT_TRUE(streamed.streamed);
  const auto events = events_of(streamed.body());
  const json plain = json::parse(reply(Dialect::openai, kChat).body());
  EXPECT_EQ(streamed_text(events), plain["choices"][0]["message"]["content"].get<std::string>());
  EXPECT_EQ(json::parse(events.front().data)["choices"][0]["delta"]["role"], "assistant");
  EXPECT_EQ(json::parse(events[events.size() - 2].data)["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(events.back().data, "[DONE]");
}

TEST(OpenAiAnswer, UsageComesInItsOwnChunkWhenAskedFor) {
  const Reply streamed =
      reply(Dialect::openai, R"({"model":"gpt-5","stream":true,"stream_options":{"include_usage":true},
                                                    "messages":[{"role":"user","content":"x"}]})");
  const auto events = events_of(streamed.body());
  const json last = json::parse(events[events.size() - 2].data);
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_GT(last["usage"]["completion_tokens"], 0);
  EXPECT_TRUE(json::parse(events.front().data)["usage"].is_null());
}

TEST(AnthropicAnswer, HasTheShapeOfAMessage) {
  const json body = json::parse(reply(Dialect::anthropic, kMessage).body());
  EXPECT_THAT(body["id"].get<std::string>(), ::testing::StartsWith("msg_"));
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(body["role"], "assistant");
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_TRUE(body["stop_sequence"].is_null());
  EXPECT_EQ(body["content"][0]["type"], "text");
  EXPECT_GT(body["usage"]["input_tokens"], 0);
  EXPECT_GT(body["usage"]["output_tokens"], 0);
}

TEST(AnthropicAnswer, TheStreamHasItsEventsInOrder) {
  const auto events = events_of(reply(Dialect::anthropic, kMessageStream).body());
  std::vector<std::string> names;
  for (const Event& event : events) {
    EXPECT_EQ(json::parse(event.data)["type"].get<std::string>(), event.name);
    if (names.empty() || names.back() != event.name) names.push_back(event.name);
  }
  EXPECT_THAT(names, ElementsAre("message_start", "content_block_start", "ping", "content_block_delta",
                                 "content_block_stop", "message_delta", "message_stop"));
  const json plain = json::parse(reply(Dialect::anthropic, kMessage).body());
  EXPECT_EQ(streamed_text(events), plain["content"][0]["text"].get<std::string>());
}

TEST(Answers, AreTheSameForTheSameSeedAndPromptAndDifferOtherwise) {
  EXPECT_EQ(reply(Dialect::openai, kStream).body(), reply(Dialect::openai, kStream).body());
  const auto request = read_chat(Dialect::openai, kChat);
  const std::string one = compose(*request, {}, {.seed = 1}).text();
  EXPECT_NE(one, compose(*request, {}, {.seed = 2}).text());
  ChatRequest other = *request;
  other.prompt += "!";
  EXPECT_NE(one, compose(other, {}, {.seed = 1}).text());
}

TEST(Answers, MaxTokensLimitsTheLength) {
  const json body = json::parse(
      reply(Dialect::openai, R"({"model":"m","max_completion_tokens":3,"messages":[{"role":"user","content":"x"}]})")
          .body());
  EXPECT_EQ(body["usage"]["completion_tokens"], 3);
  EXPECT_EQ(body["choices"][0]["finish_reason"], "length");
  const json message = json::parse(
      reply(Dialect::anthropic, R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}]})").body());
  EXPECT_EQ(message["stop_reason"], "max_tokens");
  EXPECT_EQ(message["usage"]["output_tokens"], 1);
}

TEST(Answers, TheProvidersOwnBoundHoldsForLongAnswers) {
  const auto request = read_chat(Dialect::openai, kChat);
  EXPECT_EQ(compose(*request, planned("sim-long:1000000000"), {.max_tokens = 50}).tokens.size(), 50U);
  EXPECT_EQ(compose(*request, planned("sim-long:50"), {.max_tokens = 50}).finish, Finish::kStop);
}

TEST(Answers, EchoRepeatsTheLastUserMessage) {
  const json body = json::parse(reply(Dialect::openai,
                                      R"({"model":"m","messages":[{"role":"user","content":"first"},
      {"role":"assistant","content":"a"},{"role":"user","content":[{"type":"text","text":"zw\u00f6lf  Boxk\u00e4mpfer"}]}]})",
                                      "sim-echo")
                                    .body());
  EXPECT_EQ(body["choices"][0]["message"]["content"], "zwölf  Boxkämpfer");
}

TEST(Answers, TokensNeverSplitACharacter) {
  for (const std::string& token : split_tokens("ääääääääääääääääää 日本語日本語日本語 x  y ")) {
    EXPECT_NO_THROW(json(token).dump()) << token;
  }
}

TEST(Answers, AToolCallFitsTheSchema) {
  constexpr std::string_view kTools = R"({"model":"m","messages":[{"role":"user","content":"x"}],"tools":[
      {"type":"function","function":{"name":"book","parameters":{"type":"object","properties":{
         "seats":{"type":"integer"},"class":{"type":"string","enum":["second","first"]},"note":{"type":"string"}},
         "required":["seats","class"]}}}]})";
  const json choice = json::parse(reply(Dialect::openai, kTools, "sim-tool-call").body())["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_TRUE(choice["message"]["content"].is_null());
  const json& call = choice["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "book");
  EXPECT_EQ(json::parse(call["function"]["arguments"].get<std::string>()), json({{"class", "second"}, {"seats", 1}}));
}

TEST(Answers, AStreamedToolCallAddsUpToItsArguments) {
  const auto events = events_of(reply(Dialect::anthropic, kMessageStream, "sim-tool-call").body());
  std::string arguments;
  std::string name;
  for (const Event& event : events) {
    const json data = json::parse(event.data);
    if (event.name == "content_block_start") name = data["content_block"]["name"];
    if (event.name == "content_block_delta") arguments += data["delta"]["partial_json"].get<std::string>();
  }
  EXPECT_EQ(name, "get_weather");
  EXPECT_EQ(json::parse(arguments), json({{"city", "Sample City"}}));
}

TEST(Answers, AForcedToolChoiceIsObeyedAndAToolResultIsAnsweredInWords) {
  const json forced =
      json::parse(reply(Dialect::anthropic, R"({"model":"m","max_tokens":50,"tool_choice":{"type":"any"},
      "tools":[{"name":"look","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"}]})")
                      .body());
  EXPECT_EQ(forced["stop_reason"], "tool_use");
  EXPECT_EQ(forced["content"][0]["name"], "look");
  const json after = json::parse(reply(Dialect::openai, R"({"model":"m","messages":[{"role":"user","content":"x"},
      {"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]},
      {"role":"tool","tool_call_id":"1","content":"sunny"}]})",
                                       "sim-tool-call")
                                     .body());
  EXPECT_EQ(after["choices"][0]["finish_reason"], "stop");
}

constexpr std::string_view kThreeTools =
    R"("messages":[{"role":"user","content":"x"}],"tools":[
      {"type":"function","function":{"name":"a","parameters":{"required":["k"]}}},
      {"type":"function","function":{"name":"b"}},{"type":"function","function":{"name":"c"}}]})";
constexpr std::string_view kTwoMessageTools =
    R"("max_tokens":500,"messages":[{"role":"user","content":"x"}],"tools":[
      {"name":"a","input_schema":{"required":["k"]}},{"name":"b","input_schema":{}}]})";

TEST(Answers, SeveralToolsAreCalledAtOnce) {
  const std::string body = R"({"model":"m",)" + std::string(kThreeTools);
  const json choice = json::parse(reply(Dialect::openai, body, "sim-tool-calls:2").body())["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  const json& calls = choice["message"]["tool_calls"];
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0]["function"], json({{"name", "a"}, {"arguments", R"({"k":"sample"})"}}));
  EXPECT_EQ(calls[1]["function"], json({{"name", "b"}, {"arguments", "{}"}}));
  EXPECT_NE(calls[0]["id"], calls[1]["id"]);
  const json four = json::parse(reply(Dialect::openai, body, "sim-tool-calls:4").body())["choices"][0];
  ASSERT_EQ(four["message"]["tool_calls"].size(), 4U);
  EXPECT_EQ(four["message"]["tool_calls"][3]["function"]["name"], "a") << "not enough tools: the first, four times";
}

TEST(Answers, ParallelCallsCanBeForbidden) {
  const std::string openai = R"({"model":"m","parallel_tool_calls":false,)" + std::string(kThreeTools);
  EXPECT_EQ(
      json::parse(reply(Dialect::openai, openai, "sim-tool-calls:2").body())["choices"][0]["message"]["tool_calls"]
          .size(),
      1U);
  const std::string anthropic =
      R"({"model":"m","tool_choice":{"type":"auto","disable_parallel_tool_use":true},)" + std::string(kTwoMessageTools);
  EXPECT_EQ(json::parse(reply(Dialect::anthropic, anthropic, "sim-tool-calls:2").body())["content"].size(), 1U);
}

TEST(Answers, ToolChoiceNoneLeavesWords) {
  const std::string body = R"({"model":"m","tool_choice":"none",)" + std::string(kThreeTools);
  EXPECT_EQ(json::parse(reply(Dialect::openai, body, "sim-tool-call").body())["choices"][0]["finish_reason"], "stop");
  const std::string message = R"({"model":"m","tool_choice":{"type":"none"},)" + std::string(kTwoMessageTools);
  EXPECT_EQ(json::parse(reply(Dialect::anthropic, message, "sim-tool-call").body())["stop_reason"], "end_turn");
}

TEST(OpenAiAnswer, StreamedCallsAreToldApartByTheirIndex) {
  const std::string body = R"({"model":"m","stream":true,)" + std::string(kThreeTools);
  const Reply streamed = reply(Dialect::openai, body, "sim-tool-calls:2");
  std::map<int, std::string> names;
  std::map<int, std::string> arguments;
  for (const Event& event : events_of(streamed.body())) {
    const json data = json::parse(event.data, nullptr, false);
    if (data.is_discarded() || !data["choices"][0]["delta"].contains("tool_calls")) continue;
    const json& call = data["choices"][0]["delta"]["tool_calls"][0];
    const int index = call["index"];
    if (call.contains("id")) names[index] = call["function"]["name"];
    EXPECT_TRUE(names.contains(index)) << "a call begins with its name";
    arguments[index] += call["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(names, (std::map<int, std::string>{{0, "a"}, {1, "b"}}));
  EXPECT_EQ(arguments, (std::map<int, std::string>{{0, R"({"k":"sample"})"}, {1, "{}"}}));
}

TEST(AnthropicAnswer, StreamedCallsAreBlocksOfTheirOwn) {
  const std::string body = R"({"model":"m","stream":true,)" + std::string(kTwoMessageTools);
  std::vector<std::string> steps;
  for (const Event& event : events_of(reply(Dialect::anthropic, body, "sim-tool-calls:2").body())) {
    const json data = json::parse(event.data);
    std::string step = event.name;
    if (data.contains("index")) step += " " + std::to_string(data["index"].get<int>());
    if (data.contains("content_block")) step += " " + data["content_block"]["name"].get<std::string>();
    if (steps.empty() || steps.back() != step) steps.push_back(std::move(step));
  }
  EXPECT_THAT(steps, ElementsAre("message_start", "content_block_start 0 a", "ping", "content_block_delta 0",
                                 "content_block_stop 0", "content_block_start 1 b", "content_block_delta 1",
                                 "content_block_stop 1", "message_delta", "message_stop"));
}

TEST(Answers, ReasoningComesBeforeTheText) {
  const json openai = json::parse(reply(Dialect::openai, kChat, "sim-reasoning:4").body());
  EXPECT_FALSE(openai["choices"][0]["message"]["reasoning_content"].get<std::string>().empty());
  EXPECT_EQ(openai["choices"][0]["message"]["content"],
            json::parse(reply(Dialect::openai, kChat).body())["choices"][0]["message"]["content"]);
  EXPECT_EQ(openai["usage"]["completion_tokens_details"]["reasoning_tokens"], 4);
  const json anthropic = json::parse(reply(Dialect::anthropic, kMessage, "sim-reasoning:4").body());
  EXPECT_EQ(anthropic["content"][0]["type"], "thinking");
  EXPECT_FALSE(anthropic["content"][0]["signature"].get<std::string>().empty());
  EXPECT_EQ(anthropic["content"][1]["type"], "text");
}

TEST(OpenAiAnswer, StreamedReasoningHasDeltasOfItsOwn) {
  std::string reasoning;
  const auto events = events_of(reply(Dialect::openai, kStream, "sim-reasoning:4").body());
  for (const Event& event : events) {
    const json data = json::parse(event.data, nullptr, false);
    if (!data.is_discarded()) reasoning += data["choices"][0]["delta"].value("reasoning_content", "");
  }
  const json plain = json::parse(reply(Dialect::openai, kChat, "sim-reasoning:4").body())["choices"][0]["message"];
  EXPECT_EQ(reasoning, plain["reasoning_content"].get<std::string>());
  EXPECT_EQ(streamed_text(events), plain["content"].get<std::string>());
}

TEST(AnthropicAnswer, StreamedThinkingIsSignedBeforeTheTextBegins) {
  std::vector<std::string> kinds;
  for (const Event& event : events_of(reply(Dialect::anthropic, kMessageStream, "sim-reasoning:4").body())) {
    const json data = json::parse(event.data);
    if (!data.contains("delta") || !data["delta"].contains("type")) continue;
    std::string kind = data["delta"]["type"];
    if (kinds.empty() || kinds.back() != kind) kinds.push_back(std::move(kind));
  }
  EXPECT_THAT(kinds, ElementsAre("thinking_delta", "signature_delta", "text_delta"));
}

TEST(Answers, ImagesAndDocumentsAreTaken) {
  EXPECT_EQ(reply(Dialect::openai, R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
      {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}]}]})")
                .status,
            200);
  EXPECT_EQ(reply(Dialect::anthropic, R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
      {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}},
      {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="}}]}]})")
                .status,
            200);
}

TEST(Answers, ARefusalEndsInTheDialectsWord) {
  EXPECT_EQ(json::parse(reply(Dialect::openai, kChat, "sim-refusal").body())["choices"][0]["finish_reason"],
            "content_filter");
  EXPECT_EQ(json::parse(reply(Dialect::anthropic, kMessage, "sim-refusal").body())["stop_reason"], "refusal");
}

TEST(StreamEndings, ACutStopsAfterTheGivenTokensWithoutATerminalEvent) {
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
    const std::string_view body = dialect == Dialect::openai ? kStream : kMessageStream;
    const Reply cut = reply(dialect, body, "sim-stream-cut:5");
    EXPECT_EQ(cut.ending, Reply::Ending::kCut);
    EXPECT_EQ(cut.steps.size(), 6U) << "the start and five tokens";
    EXPECT_EQ(reply(dialect, body, "sim-stall:5").ending, Reply::Ending::kStall);
    const Reply eof = reply(dialect, body, "sim-stream-eof:5");
    EXPECT_EQ(eof.ending, Reply::Ending::kComplete);
    EXPECT_EQ(eof.body(), cut.body());
    // More tokens than there are: still no finish reason.
    EXPECT_THAT(reply(dialect, body, "sim-stream-cut:100000").body(), ::testing::Not(HasSubstr("\"stop\"")));
  }
}

TEST(StreamEndings, AMalformedEventStandsBetweenGoodOnes) {
  const auto events = events_of(reply(Dialect::openai, kStream, "sim-malformed-event:2").body());
  EXPECT_TRUE(json::parse(events[3].data, nullptr, false).is_discarded());
  EXPECT_FALSE(json::parse(events[4].data, nullptr, false).is_discarded());
  EXPECT_EQ(events.back().data, "[DONE]");
}

TEST(StreamEndings, NoDoneKeepsTheFinishReason) {
  const auto events = events_of(reply(Dialect::openai, kStream, "sim-no-done").body());
  EXPECT_EQ(json::parse(events.back().data)["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(events_of(reply(Dialect::anthropic, kMessageStream, "sim-no-done").body()).back().name, "message_delta");
}

TEST(StreamEndings, AnErrorEventIsTheLast) {
  EXPECT_THAT(events_of(reply(Dialect::openai, kStream, "sim-error-in-stream").body()).back().data,
              HasSubstr("server_error"));
  const auto events = events_of(reply(Dialect::anthropic, kMessageStream, "sim-error-in-stream:0").body());
  EXPECT_EQ(events.back().name, "error");
  EXPECT_EQ(json::parse(events.back().data)["error"]["type"], "api_error");
}

TEST(StreamEndings, SplitEventsKeepTheirBytes) {
  const Reply whole = reply(Dialect::openai, kStream);
  const Reply split = reply(Dialect::openai, kStream, "sim-split-events");
  EXPECT_EQ(split.body(), whole.body());
  EXPECT_EQ(split.steps.size(), 2 * whole.steps.size());
}

TEST(Pace, TheGapComesBetweenTokensAndTheFirstWaitBeforeThem) {
  const Reply usual = reply(Dialect::openai, kStream);
  EXPECT_EQ(usual.steps[1].wait, Duration::zero());
  EXPECT_EQ(usual.steps[2].wait, 5ms);
  const Reply late = reply(Dialect::openai, kStream, "sim-slow-first-token:250ms");
  EXPECT_EQ(late.wait, Duration::zero());
  EXPECT_EQ(late.steps[0].wait, Duration::zero()) << "the role is no content";
  EXPECT_EQ(late.steps[1].wait, 250ms);
  EXPECT_EQ(reply(Dialect::openai, kStream, "sim-slow:1s").steps[1].wait, 1s);
  EXPECT_EQ(reply(Dialect::openai, kChat, "sim-slow-first-token:250ms").wait, 250ms);
}

TEST(Pace, HiddenThinkingShowsThatItHasBegunAndPings) {
  const Reply anthropic = reply(Dialect::anthropic, kMessageStream, "sim-thinking-pings:250ms");
  EXPECT_THAT(anthropic.steps[0].bytes,
              HasSubstr(R"("content_block":{"type":"thinking","thinking":"","signature":""})"));
  const std::string ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  for (std::size_t i = 1; i <= 3; ++i) EXPECT_EQ(anthropic.steps[i].bytes, ping);
  EXPECT_EQ(anthropic.steps[1].wait, 100ms);
  EXPECT_EQ(anthropic.steps[3].wait, 50ms) << "250 ms in all";
  EXPECT_THAT(anthropic.steps[4].bytes, HasSubstr("signature_delta"));
  EXPECT_THAT(anthropic.steps[4].bytes, HasSubstr("text_delta"));

  const Reply openai = reply(Dialect::openai, kStream, "sim-thinking-pings:1h");
  EXPECT_THAT(openai.steps[0].bytes, HasSubstr(R"("content":null,"refusal":null,"reasoning_content":"")"));
  EXPECT_EQ(openai.steps[1].bytes, ": ping\n\n");
  EXPECT_EQ(openai.steps[100].wait, 36s) << "a hundred at most";
  EXPECT_NE(openai.steps[101].bytes, ": ping\n\n");
  EXPECT_EQ(reply(Dialect::openai, kChat, "sim-thinking-pings:250ms").wait, 250ms);
  EXPECT_EQ(json::parse(reply(Dialect::anthropic, kMessage, "sim-thinking-pings").body())["content"][0]["thinking"],
            "");
}

TEST(Labels, AnAnswerMayBeCalledWhatItIsNot) {
  const auto type = [](const Reply& reply) {
    for (const auto& [name, value] : reply.headers) {
      if (name == "content-type") return value;
    }
    return std::string("none");
  };
  const Reply right = reply(Dialect::openai, kStream);
  EXPECT_EQ(type(right), "text/event-stream; charset=utf-8");
  for (const auto& [model, called] : {std::pair("sim-stream-as-json", "application/json"), {"sim-untyped", "none"}}) {
    const Reply odd = reply(Dialect::openai, kStream, model);
    EXPECT_EQ(type(odd), called);
    EXPECT_EQ(odd.body(), right.body());
  }
  const Reply plain = reply(Dialect::openai, kStream, "sim-json-as-stream");
  EXPECT_EQ(type(plain), "text/event-stream; charset=utf-8");
  EXPECT_EQ(plain.body(), reply(Dialect::openai, kChat).body());
}

TEST(PlainEndings, HalfABodyIsSent) {
  const std::string whole = reply(Dialect::openai, kChat).body();
  const Reply cut = reply(Dialect::openai, kChat, "sim-stream-cut");
  EXPECT_EQ(cut.ending, Reply::Ending::kCut);
  EXPECT_EQ(cut.body(), whole.substr(0, whole.size() / 2));
  EXPECT_EQ(reply(Dialect::openai, kChat, "sim-stall").ending, Reply::Ending::kStall);
  EXPECT_TRUE(json::parse(reply(Dialect::openai, kChat, "sim-malformed-event").body(), nullptr, false).is_discarded());
  EXPECT_EQ(reply(Dialect::openai, kChat, "sim-no-done").body(), whole);
  EXPECT_EQ(reply(Dialect::openai, kChat, "sim-error-in-stream").status, 500);
}

TEST(Refusals, SpeakTheirDialect) {
  const PlannedFault context = planned("sim-context-length");
  const json openai = json::parse(refusal_reply(context, {Dialect::openai, "m", "req_1"}).body());
  EXPECT_EQ(openai["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(openai["error"]["type"], "invalid_request_error");
  const json anthropic = json::parse(refusal_reply(context, {Dialect::anthropic, "m", "req_1"}).body());
  EXPECT_EQ(anthropic["type"], "error");
  EXPECT_EQ(anthropic["error"]["type"], "invalid_request_error");
  EXPECT_THAT(anthropic["error"]["message"].get<std::string>(), HasSubstr("prompt is too long"));
  EXPECT_EQ(anthropic["request_id"], "req_1");
  const json quota = json::parse(refusal_reply(planned("sim-quota"), {Dialect::openai, "m", ""}).body());
  EXPECT_EQ(quota["error"]["type"], "insufficient_quota");
  const json missing = json::parse(refusal_reply(planned("sim-404-model"), {Dialect::anthropic, "m-1", ""}).body());
  EXPECT_EQ(missing["error"]["message"], "model: m-1");
}

TEST(Refusals, RetryAfterIsRoundedUpToSeconds) {
  const Reply refused = refusal_reply(planned("sim-429-retry-after:1500ms"), {});
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.headers, ::testing::Contains(::testing::Pair("retry-after", "2")));
  EXPECT_THAT(refused.headers, ::testing::Contains(::testing::Pair("retry-after-ms", "1500")));
}

TEST(Refusals, OddBodiesAreOdd) {
  EXPECT_EQ(refusal_reply(planned("sim-empty"), {}).body(), "");
  EXPECT_EQ(refusal_reply(planned("sim-html-502"), {}).status, 502);
  EXPECT_THAT(refusal_reply(planned("sim-html-502"), {}).body(), HasSubstr("<html>"));
  const Reply fine = refusal_reply(planned("sim-error-in-200"), {});
  EXPECT_EQ(fine.status, 200);
  EXPECT_TRUE(json::parse(fine.body()).contains("error"));
}

TEST(Embeddings, AreUnitVectorsThatDependOnTheText) {
  const auto request = read_embeddings(R"({"model":"e","input":["a","b","a"],"dimensions":8})");
  const json body = json::parse(embeddings_reply(*request, {}, kContext).body());
  ASSERT_EQ(body["data"].size(), 3U);
  EXPECT_EQ(body["data"][0]["embedding"], body["data"][2]["embedding"]);
  EXPECT_NE(body["data"][0]["embedding"], body["data"][1]["embedding"]);
  double squares = 0;
  for (const double x : body["data"][0]["embedding"].get<std::vector<double>>()) squares += x * x;
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_EQ(body["data"][0]["embedding"].size(), 8U);
}

TEST(Embeddings, ComeInBase64WhenAskedFor) {
  const auto request = read_embeddings(R"({"model":"e","input":"a","dimensions":1,"encoding_format":"base64"})");
  const json body = json::parse(embeddings_reply(*request, {}, kContext).body());
  const std::string text = body["data"][0]["embedding"];
  // One float, 1.0 or -1.0, little-endian: 00 00 80 3F or BF.
  EXPECT_THAT(text, ::testing::AnyOf("AACAPw==", "AACAvw=="));
}

TEST(Requests, BadOnesNameTheField) {
  EXPECT_EQ(read_chat(Dialect::openai, "{").error().param, "");
  EXPECT_EQ(read_chat(Dialect::openai, "[]").error().param, "");
  EXPECT_EQ(read_chat(Dialect::openai, R"({"messages":[]})").error().param, "model");
  EXPECT_EQ(read_chat(Dialect::openai, R"({"model":"m","messages":[]})").error().param, "messages");
  EXPECT_EQ(read_chat(Dialect::openai, R"({"model":"m","messages":[7]})").error().param, "messages");
  EXPECT_EQ(read_chat(Dialect::openai, R"({"model":"m","n":2,"messages":[{"role":"user"}]})").error().param, "n");
  EXPECT_EQ(read_chat(Dialect::anthropic, R"({"model":"m","messages":[{"role":"user"}]})").error().param, "max_tokens");
  EXPECT_TRUE(read_token_count(R"({"model":"m","messages":[{"role":"user"}]})").has_value());
  EXPECT_EQ(read_embeddings(R"({"model":"m","input":[]})").error().param, "input");
  EXPECT_EQ(read_embeddings(R"({"model":"m","input":"x","dimensions":4097})").error().param, "dimensions");
}

TEST(Requests, OddShapesNeverThrow) {
  for (const char* body :
       {R"({"model":"m","messages":[{"role":"user","content":{"a":1}}],"tools":{"a":1},"tool_choice":7})",
        R"({"model":"m","messages":[{"role":"user","content":[1,null,{"text":5},{"type":7}]}],
            "tools":[{"type":"function","function":{"name":"f","parameters":{"required":[1,"a"],"properties":7}}}],
            "stream":"yes"})",
        R"({"model":"m","messages":[{"role":"assistant","tool_calls":[7,{"id":5}]},{"role":"user","content":3}],
            "stream_options":[],"max_tokens":18446744073709551615})"}) {
    EXPECT_TRUE(read_chat(Dialect::openai, body).has_value()) << body;
  }
  EXPECT_TRUE(read_chat(Dialect::anthropic, R"({"model":"m","max_tokens":9,"messages":[
      {"role":"assistant","content":[{"type":"tool_use","id":7}]},
      {"role":"user","content":[{"type":"tool_result","content":3},{"type":"tool_result","content":[{"text":"x"},5]}]}]})")
                  .has_value());
  EXPECT_EQ(read_chat(Dialect::openai, R"({"model":"m","messages":[{"role":"user"}],"tools":[1]})").error().param,
            "tools[0].type");
  EXPECT_FALSE(read_chat(Dialect::openai, "{\"model\":\"\xff\",\"messages\":[{\"role\":\"user\"}]}").has_value());
}

}  // namespace
}  // namespace fuseboard::sim
