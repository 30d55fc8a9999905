// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Messages: https://docs.claude.com/en/api/messages and its "streaming" page.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/dialect_answer.h"
#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

const char* stop_reason(Finish finish) {
  switch (finish) {
    case Finish::kStop:
      return "end_turn";
    case Finish::kLength:
      return "max_tokens";
    case Finish::kToolCall:
      return "tool_use";
    case Finish::kRefusal:
      return "refusal";
  }
  return "end_turn";
}

ordered_json usage(std::size_t input, std::size_t output) {
  return {{"input_tokens", input},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", 0},
          {"output_tokens", output},
          {"service_tier", "standard"}};
}

std::string event(const char* name, const ordered_json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
}

std::string tool_use_id(const AnswerContext& context) { return "toolu_" + context.id(); }

ordered_json message(const ChatRequest& request, const AnswerContext& context) {
  return {
      {"id", "msg_" + context.id()},      {"type", "message"},      {"role", "assistant"},     {"model", request.model},
      {"content", ordered_json::array()}, {"stop_reason", nullptr}, {"stop_sequence", nullptr}};
}

ordered_json content(const Composition& said, const AnswerContext& context) {
  if (said.finish == Finish::kRefusal) return ordered_json::array();
  if (said.tool.empty()) return ordered_json::array({{{"type", "text"}, {"text", said.joined()}}});
  // Arguments that max_tokens cut are no object any more; a provider sends what it has, which is nothing.
  ordered_json input = ordered_json::parse(said.joined(), nullptr, false);
  if (!input.is_object()) input = ordered_json::object();
  return ordered_json::array(
      {{{"type", "tool_use"}, {"id", tool_use_id(context)}, {"name", said.tool}, {"input", std::move(input)}}});
}

ordered_json empty_block(const Composition& said, const AnswerContext& context) {
  if (said.tool.empty()) return {{"type", "text"}, {"text", ""}};
  return {{"type", "tool_use"}, {"id", tool_use_id(context)}, {"name", said.tool}, {"input", ordered_json::object()}};
}

ordered_json token_delta(const Composition& said, const std::string& token) {
  if (said.tool.empty()) return {{"type", "text_delta"}, {"text", token}};
  return {{"type", "input_json_delta"}, {"partial_json", token}};
}

}  // namespace

std::string anthropic_body(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  ordered_json body = message(request, context);
  body["content"] = content(said, context);
  body["stop_reason"] = stop_reason(said.finish);
  body["usage"] = usage(request.prompt_tokens, said.tokens.size());
  return json_text(body);
}

StreamEvents anthropic_events(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  StreamEvents events;
  ordered_json begun = message(request, context);
  begun["usage"] = usage(request.prompt_tokens, 1);
  const bool has_block = said.finish != Finish::kRefusal;
  events.start = event("message_start", {{"type", "message_start"}, {"message", std::move(begun)}});
  if (has_block) {
    events.start +=
        event("content_block_start",
              {{"type", "content_block_start"}, {"index", 0}, {"content_block", empty_block(said, context)}});
  }
  events.start += event("ping", {{"type", "ping"}});
  for (const std::string& token : said.tokens) {
    events.tokens.push_back(event(
        "content_block_delta", {{"type", "content_block_delta"}, {"index", 0}, {"delta", token_delta(said, token)}}));
  }
  if (has_block) events.finish = event("content_block_stop", {{"type", "content_block_stop"}, {"index", 0}});
  events.finish +=
      event("message_delta", {{"type", "message_delta"},
                              {"delta", {{"stop_reason", stop_reason(said.finish)}, {"stop_sequence", nullptr}}},
                              {"usage", usage(request.prompt_tokens, said.tokens.size())}});
  events.done = event("message_stop", {{"type", "message_stop"}});
  events.malformed = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n";
  return events;
}

}  // namespace fuseboard::sim
