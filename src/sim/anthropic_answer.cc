// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Messages: https://docs.claude.com/en/api/messages and its "streaming" page.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/dialect_answer.h"
#include "sim/json_text.h"
#include "sim/usage_form.h"

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

void add_usage(ordered_json& object, std::size_t input, std::size_t output, UsageForm form) {
  ordered_json usage = told({{"input_tokens", input},
                             {"cache_creation_input_tokens", 0},
                             {"cache_read_input_tokens", 0},
                             {"output_tokens", output},
                             {"service_tier", "standard"}},
                            form);
  if (!usage.is_null()) object["usage"] = std::move(usage);
}

std::string event(const char* name, const ordered_json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, json_text(data));
}

std::string tool_use_id(const AnswerContext& context, std::size_t call) {
  return fmt::format("toolu_{}{:02}", context.id(), call);
}

ordered_json message(const ChatRequest& request, const AnswerContext& context) {
  return {
      {"id", "msg_" + context.id()},      {"type", "message"},      {"role", "assistant"},     {"model", request.model},
      {"content", ordered_json::array()}, {"stop_reason", nullptr}, {"stop_sequence", nullptr}};
}

// A block as the stream opens it, and the kinds of deltas that fill it.
ordered_json empty_text() { return {{"type", "text"}, {"text", ""}}; }
ordered_json empty_thinking() { return {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}; }
ordered_json empty_call(const ToolCall& call, const std::string& id) {
  return {{"type", "tool_use"}, {"id", id}, {"name", call.name}, {"input", ordered_json::object()}};
}

std::string signature(const AnswerContext& context) { return "sig_" + context.id(); }

ordered_json input_of(const ToolCall& call) {
  // Arguments that max_tokens cut are no object any more; a provider sends what it has, which is nothing.
  ordered_json input = ordered_json::parse(joined(call.arguments), nullptr, false);
  return input.is_object() ? input : ordered_json::object();
}

ordered_json content(const Composition& said, const AnswerContext& context) {
  ordered_json blocks = ordered_json::array();
  if (!said.reasoning.empty() || said.thinks_unseen) {
    ordered_json block = empty_thinking();
    block["thinking"] = joined(said.reasoning);
    block["signature"] = signature(context);
    blocks.push_back(std::move(block));
  }
  if (!said.tokens.empty()) blocks.push_back({{"type", "text"}, {"text", said.text()}});
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    ordered_json block = empty_call(said.calls[i], tool_use_id(context, i));
    block["input"] = input_of(said.calls[i]);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

// The events of a message's blocks. What opens and closes a block leaves with the token that comes next, so that
// every token stays one step of the stream.
class Blocks {
 public:
  explicit Blocks(StreamEvents& events) : events_(events) {}

  void open(const ordered_json& block) {
    close();
    pending_ +=
        event("content_block_start", {{"type", "content_block_start"}, {"index", index_}, {"content_block", block}});
    open_ = true;
    // All that comes before the first content goes out at once.
    if (index_ == 0) events_.start += std::exchange(pending_, {});
  }

  void token(const ordered_json& delta) { events_.tokens.push_back(std::exchange(pending_, {}) + delta_event(delta)); }

  // A delta that is no token; it leaves with what follows.
  void aside(const ordered_json& delta) { pending_ += delta_event(delta); }

  // What is left to send when all blocks are told.
  std::string end() {
    close();
    return std::exchange(pending_, {});
  }

 private:
  void close() {
    if (!open_) return;
    pending_ += event("content_block_stop", {{"type", "content_block_stop"}, {"index", index_++}});
    open_ = false;
  }
  std::string delta_event(const ordered_json& delta) const {
    return event("content_block_delta", {{"type", "content_block_delta"}, {"index", index_}, {"delta", delta}});
  }

  StreamEvents& events_;
  std::string pending_;
  std::size_t index_ = 0;
  bool open_ = false;
};

void add_blocks(const Composition& said, const AnswerContext& context, Blocks& blocks) {
  if (!said.reasoning.empty()) {
    blocks.open(empty_thinking());
    for (const auto& token : said.reasoning) blocks.token({{"type", "thinking_delta"}, {"thinking", token}});
    blocks.aside({{"type", "signature_delta"}, {"signature", signature(context)}});
  }
  if (said.thinks_unseen) {
    blocks.open(empty_thinking());
    blocks.aside({{"type", "signature_delta"}, {"signature", signature(context)}});
  }
  if (!said.tokens.empty()) blocks.open(empty_text());
  for (const auto& text : said.text_events()) blocks.token({{"type", "text_delta"}, {"text", text}});
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    blocks.open(empty_call(said.calls[i], tool_use_id(context, i)));
    for (const auto& token : said.calls[i].arguments)
      blocks.token({{"type", "input_json_delta"}, {"partial_json", token}});
  }
}

}  // namespace

std::string anthropic_body(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  ordered_json body = message(request, context);
  body["content"] = content(said, context);
  body["stop_reason"] = stop_reason(said.finish);
  add_usage(body, request.prompt_tokens, said.length(), context.usage);
  return json_text(body);
}

StreamEvents anthropic_events(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  StreamEvents events;
  ordered_json begun = message(request, context);
  add_usage(begun, request.prompt_tokens, 1, context.usage);
  events.start = event("message_start", {{"type", "message_start"}, {"message", std::move(begun)}});
  Blocks blocks(events);
  add_blocks(said, context, blocks);
  events.ping = event("ping", {{"type", "ping"}});
  events.start += events.ping;
  events.finish = blocks.end();
  ordered_json ended = {{"type", "message_delta"},
                        {"delta", {{"stop_reason", stop_reason(said.finish)}, {"stop_sequence", nullptr}}}};
  add_usage(ended, request.prompt_tokens, said.length(), context.usage);
  events.finish += event("message_delta", ended);
  events.done = event("message_stop", {{"type", "message_stop"}});
  events.malformed = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"del\n\n";
  return events;
}

}  // namespace fuseboard::sim
