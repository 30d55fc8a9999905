// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Responses: https://platform.openai.com/docs/api-reference/responses and its "streaming events" page.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/dialect_answer.h"
#include "sim/json_text.h"
#include "sim/usage_form.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

// Where an answer stands when its object is shown.
enum class Stage : std::uint8_t { kBegun, kEnded };

const char* status_of(const Composition& said, Stage stage) {
  if (stage == Stage::kBegun) return "in_progress";
  return said.finish == Finish::kLength || said.finish == Finish::kRefusal ? "incomplete" : "completed";
}

const char* item_status(Stage stage) { return stage == Stage::kBegun ? "in_progress" : "completed"; }

ordered_json usage(const ChatRequest& request, const Composition& said, UsageForm form) {
  return told({{"input_tokens", request.prompt_tokens},
               {"input_tokens_details", {{"cached_tokens", 0}}},
               {"output_tokens", said.length()},
               {"output_tokens_details", {{"reasoning_tokens", said.reasoning.size()}}},
               {"total_tokens", request.prompt_tokens + said.length()}},
              form);
}

ordered_json text_part(std::string text) {
  return {{"type", "output_text"},
          {"annotations", ordered_json::array()},
          {"logprobs", ordered_json::array()},
          {"text", std::move(text)}};
}

ordered_json summary_part(std::string text) { return {{"type", "summary_text"}, {"text", std::move(text)}}; }

std::string reasoning_id(const AnswerContext& context) { return "rs_" + context.id(); }
std::string message_id(const AnswerContext& context) { return "msg_" + context.id(); }
std::string item_id(const AnswerContext& context, std::size_t call) {
  return fmt::format("fc_{}{:02}", context.id(), call);
}
std::string call_id(const AnswerContext& context, std::size_t call) {
  return fmt::format("call_{}{:02}", context.id(), call);
}

ordered_json reasoning_item(const Composition& said, const AnswerContext& context, Stage stage) {
  ordered_json summary = ordered_json::array();
  if (stage == Stage::kEnded && !said.reasoning.empty()) summary.push_back(summary_part(joined(said.reasoning)));
  return {{"id", reasoning_id(context)}, {"type", "reasoning"}, {"summary", std::move(summary)}};
}

ordered_json message_item(const Composition& said, const AnswerContext& context, Stage stage) {
  ordered_json content = ordered_json::array();
  if (stage == Stage::kEnded) content.push_back(text_part(said.text()));
  return {{"id", message_id(context)},
          {"type", "message"},
          {"status", item_status(stage)},
          {"content", std::move(content)},
          {"role", "assistant"}};
}

ordered_json call_item(const Composition& said, std::size_t index, const AnswerContext& context, Stage stage) {
  const ToolCall& call = said.calls[index];
  return {{"id", item_id(context, index)},      {"type", "function_call"},
          {"status", item_status(stage)},       {"arguments", stage == Stage::kEnded ? joined(call.arguments) : ""},
          {"call_id", call_id(context, index)}, {"name", call.name}};
}

ordered_json output(const Composition& said, const AnswerContext& context) {
  ordered_json items = ordered_json::array();
  if (!said.reasoning.empty() || said.thinks_unseen) items.push_back(reasoning_item(said, context, Stage::kEnded));
  if (!said.tokens.empty()) items.push_back(message_item(said, context, Stage::kEnded));
  for (std::size_t i = 0; i < said.calls.size(); ++i) items.push_back(call_item(said, i, context, Stage::kEnded));
  return items;
}

ordered_json incomplete_details(const Composition& said, Stage stage) {
  if (stage == Stage::kEnded && said.finish == Finish::kLength) return {{"reason", "max_output_tokens"}};
  if (stage == Stage::kEnded && said.finish == Finish::kRefusal) return {{"reason", "content_filter"}};
  return nullptr;
}

ordered_json object(const ChatRequest& request, const Composition& said, const AnswerContext& context, Stage stage) {
  const ResponseFields& fields = *request.response;
  const bool ended = stage == Stage::kEnded;
  return {
      {"id", response_id(context)},
      {"object", "response"},
      {"created_at", context.created},
      {"status", status_of(said, stage)},
      {"background", false},
      {"error", nullptr},
      {"incomplete_details", incomplete_details(said, stage)},
      {"instructions", ordered_json::parse(fields.instructions)},
      {"max_output_tokens", request.max_tokens ? ordered_json(*request.max_tokens) : ordered_json(nullptr)},
      {"max_tool_calls", nullptr},
      {"model", request.model},
      {"output", ended ? output(said, context) : ordered_json::array()},
      {"parallel_tool_calls", request.parallel_calls},
      {"previous_response_id", fields.previous_id.empty() ? ordered_json(nullptr) : ordered_json(fields.previous_id)},
      {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
      {"service_tier", "default"},
      {"store", fields.store},
      {"temperature", 1.0},
      {"text", {{"format", {{"type", "text"}}}}},
      {"tool_choice", ordered_json::parse(fields.tool_choice)},
      {"tools", ordered_json::parse(fields.tools)},
      {"top_logprobs", 0},
      {"top_p", 1.0},
      {"truncation", "disabled"},
      {"usage", ended ? usage(request, said, context.usage) : ordered_json(nullptr)},
      {"user", nullptr},
      {"metadata", ordered_json::parse(fields.metadata)}};
}

std::string event(std::string_view type, std::size_t sequence, const ordered_json& fields) {
  ordered_json data = {{"type", type}, {"sequence_number", sequence}};
  data.update(fields);
  return fmt::format("event: {}\ndata: {}\n\n", type, json_text(data));
}

// The events of an answer's items, numbered in their order. What stands between two tokens leaves with the second, so
// that every token stays one step of the stream.
class Items {
 public:
  Items(const Composition& said, const AnswerContext& context, StreamEvents& events)
      : said_(said), context_(context), events_(events) {}

  void add(std::string_view type, const ordered_json& fields) { pending_ += event(type, sequence_++, fields); }
  std::string take() { return std::exchange(pending_, {}); }

  void add_reasoning() {
    const ordered_json at = {{"item_id", reasoning_id(context_)}, {"output_index", index_}, {"summary_index", 0}};
    const std::string whole = joined(said_.reasoning);
    begin_item(reasoning_item(said_, context_, Stage::kBegun));
    add("response.reasoning_summary_part.added", with(at, {{"part", summary_part("")}}));
    add_tokens("response.reasoning_summary_text.delta", said_.reasoning, at);
    add("response.reasoning_summary_text.done", with(at, {{"text", whole}}));
    add("response.reasoning_summary_part.done", with(at, {{"part", summary_part(whole)}}));
    end_item(reasoning_item(said_, context_, Stage::kEnded));
  }

  // Without a summary.
  void add_hidden_reasoning() {
    begin_item(reasoning_item(said_, context_, Stage::kBegun));
    events_.start = take();
    end_item(reasoning_item(said_, context_, Stage::kEnded));
  }

  void add_text() {
    const ordered_json at = {{"item_id", message_id(context_)}, {"output_index", index_}, {"content_index", 0}};
    const ordered_json no_logprobs = {{"logprobs", ordered_json::array()}};
    begin_item(message_item(said_, context_, Stage::kBegun));
    add("response.content_part.added", with(at, {{"part", text_part("")}}));
    add_tokens("response.output_text.delta", said_.text_events(), with(at, no_logprobs));
    add("response.output_text.done", with(with(at, no_logprobs), {{"text", said_.text()}}));
    add("response.content_part.done", with(at, {{"part", text_part(said_.text())}}));
    end_item(message_item(said_, context_, Stage::kEnded));
  }

  void add_call(std::size_t call) {
    const ordered_json at = {{"item_id", item_id(context_, call)}, {"output_index", index_}};
    begin_item(call_item(said_, call, context_, Stage::kBegun));
    add_tokens("response.function_call_arguments.delta", said_.calls[call].arguments, at);
    add("response.function_call_arguments.done", with(at, {{"arguments", joined(said_.calls[call].arguments)}}));
    end_item(call_item(said_, call, context_, Stage::kEnded));
  }

 private:
  static ordered_json with(ordered_json fields, const ordered_json& more) {
    fields.update(more);
    return fields;
  }
  void begin_item(const ordered_json& item) {
    add("response.output_item.added", {{"output_index", index_}, {"item", item}});
  }
  void end_item(const ordered_json& item) {
    add("response.output_item.done", {{"output_index", index_++}, {"item", item}});
  }
  void add_tokens(std::string_view type, const Tokens& tokens, const ordered_json& at) {
    // All that comes before the first content of the whole answer goes out at once.
    if (events_.start.empty()) events_.start = take();
    for (const std::string& token : tokens) {
      add(type, with(at, {{"delta", token}}));
      events_.tokens.push_back(take());
    }
  }

  const Composition& said_;
  const AnswerContext& context_;
  StreamEvents& events_;
  std::string pending_;
  std::size_t sequence_ = 0;
  std::size_t index_ = 0;
};

// Every event ends with an empty line, and nothing else holds one.
std::size_t events_in(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("\n\n"); at != text.npos; at = text.find("\n\n", at + 2)) ++count;
  return count;
}

}  // namespace

std::string response_id(const AnswerContext& context) { return "resp_" + context.id(); }

std::string response_body(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  return json_text(object(request, said, context, Stage::kEnded));
}

StreamEvents response_events(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  StreamEvents events;
  Items items(said, context, events);
  const ordered_json begun = {{"response", object(request, said, context, Stage::kBegun)}};
  items.add("response.created", begun);
  items.add("response.in_progress", begun);
  if (!said.reasoning.empty()) items.add_reasoning();
  if (said.thinks_unseen) items.add_hidden_reasoning();
  events.ping = ": keep-alive\n\n";
  if (!said.tokens.empty()) items.add_text();
  for (std::size_t i = 0; i < said.calls.size(); ++i) items.add_call(i);
  events.finish = items.take();
  if (events.start.empty()) std::swap(events.start, events.finish);
  items.add(fmt::format("response.{}", status_of(said, Stage::kEnded)),
            {{"response", object(request, said, context, Stage::kEnded)}});
  events.done = items.take();
  events.malformed = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"del\n\n";
  return events;
}

std::string response_error_events(const ChatRequest& request, const AnswerContext& context, const StreamEvents& events,
                                  std::size_t after_tokens, std::string_view error_body) {
  std::size_t sequence = events_in(events.start);
  for (std::size_t i = 0; i < std::min(after_tokens, events.tokens.size()); ++i) {
    sequence += events_in(events.tokens[i]);
  }
  const ordered_json error = ordered_json::parse(error_body)["error"];
  ordered_json failed = object(request, {}, context, Stage::kBegun);
  failed["status"] = "failed";
  failed["error"] = {{"code", "server_error"}, {"message", error["message"]}};
  return event("error", sequence, {{"error", error}}) +
         event("response.failed", sequence + 1, {{"response", std::move(failed)}});
}

}  // namespace fuseboard::sim
