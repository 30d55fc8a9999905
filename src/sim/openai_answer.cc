// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Chat completions: https://platform.openai.com/docs/api-reference/chat and its "streaming" page.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/dialect_answer.h"
#include "sim/json_text.h"
#include "sim/usage_form.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

const char* finish_reason(Finish finish) {
  switch (finish) {
    case Finish::kStop:
      return "stop";
    case Finish::kLength:
      return "length";
    case Finish::kToolCall:
      return "tool_calls";
    case Finish::kRefusal:
      return "content_filter";
  }
  return "stop";
}

ordered_json usage(const ChatRequest& request, const Composition& said, UsageForm form) {
  return told({{"prompt_tokens", request.prompt_tokens},
               {"completion_tokens", said.length()},
               {"total_tokens", request.prompt_tokens + said.length()},
               {"prompt_tokens_details", {{"cached_tokens", 0}, {"audio_tokens", 0}}},
               {"completion_tokens_details",
                {{"reasoning_tokens", said.reasoning.size()},
                 {"audio_tokens", 0},
                 {"accepted_prediction_tokens", 0},
                 {"rejected_prediction_tokens", 0}}}},
              form);
}

std::string event(const ordered_json& data) { return "data: " + json_text(data) + "\n\n"; }

std::string call_id(const AnswerContext& context, std::size_t call) {
  return fmt::format("call_{}{:02}", context.id(), call);
}

class Chunks {
 public:
  Chunks(const ChatRequest& request, const AnswerContext& context) : request_(request), context_(context) {}

  std::string delta(const ordered_json& delta, const ordered_json& finish) const {
    ordered_json chunk = envelope();
    chunk["choices"] =
        ordered_json::array({{{"index", 0}, {"delta", delta}, {"logprobs", nullptr}, {"finish_reason", finish}}});
    // With include_usage every chunk but the last says that it has none.
    if (request_.include_usage && context_.usage != UsageForm::kNone) chunk["usage"] = nullptr;
    return event(chunk);
  }

  std::string usage_chunk(const Composition& said) const {
    ordered_json chunk = envelope();
    chunk["choices"] = ordered_json::array();
    chunk["usage"] = usage(request_, said, context_.usage);
    return event(chunk);
  }

 private:
  ordered_json envelope() const {
    return {{"id", "chatcmpl-" + context_.id()}, {"object", "chat.completion.chunk"}, {"created", context_.created},
            {"model", request_.model},           {"service_tier", "default"},         {"system_fingerprint", "fp_sim"}};
  }
  const ChatRequest& request_;
  const AnswerContext& context_;
};

ordered_json message(const Composition& said, const AnswerContext& context) {
  ordered_json message = {{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  if (!said.reasoning.empty()) message["reasoning_content"] = joined(said.reasoning);
  if (said.calls.empty() || !said.tokens.empty()) message["content"] = said.text();
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    const ToolCall& call = said.calls[i];
    message["tool_calls"].push_back({{"id", call_id(context, i)},
                                     {"type", "function"},
                                     {"function", {{"name", call.name}, {"arguments", joined(call.arguments)}}}});
  }
  return message;
}

ordered_json call_begun(const ToolCall& call, std::size_t index, const AnswerContext& context) {
  return {{"index", index},
          {"id", call_id(context, index)},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", ""}}}};
}

ordered_json call_delta(ordered_json call) { return {{"tool_calls", ordered_json::array({std::move(call)})}}; }

bool begins_with_call(const Composition& said) {
  return !said.thinks_unseen && said.reasoning.empty() && said.tokens.empty() && !said.calls.empty();
}

ordered_json first_delta(const Composition& said, const AnswerContext& context) {
  ordered_json delta = {{"role", "assistant"}, {"content", nullptr}};
  if (begins_with_call(said)) {
    delta["tool_calls"] = ordered_json::array({call_begun(said.calls.front(), 0, context)});
  } else {
    delta["content"] = said.thinks_unseen ? ordered_json(nullptr) : ordered_json("");
    delta["refusal"] = nullptr;
    if (said.thinks_unseen) delta["reasoning_content"] = "";
  }
  return delta;
}

// One entry a token. A call begins with a chunk of its own, which leaves with its first token; the one that begins the
// answer is in the first delta already.
void add_tokens(const Chunks& chunks, const Composition& said, const AnswerContext& context, Tokens& events) {
  for (const auto& token : said.reasoning) events.push_back(chunks.delta({{"reasoning_content", token}}, nullptr));
  for (const auto& text : said.text_events()) events.push_back(chunks.delta({{"content", text}}, nullptr));
  for (std::size_t i = 0; i < said.calls.size(); ++i) {
    const ToolCall& call = said.calls[i];
    std::string begun;
    if (i > 0 || !begins_with_call(said)) begun = chunks.delta(call_delta(call_begun(call, i, context)), nullptr);
    for (const auto& token : call.arguments) {
      const ordered_json part = {{"index", i}, {"function", {{"arguments", token}}}};
      events.push_back(std::exchange(begun, {}) + chunks.delta(call_delta(part), nullptr));
    }
  }
}

}  // namespace

std::string openai_body(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  ordered_json body = {{"id", "chatcmpl-" + context.id()},
                       {"object", "chat.completion"},
                       {"created", context.created},
                       {"model", request.model},
                       {"choices", ordered_json::array({{{"index", 0},
                                                         {"message", message(said, context)},
                                                         {"logprobs", nullptr},
                                                         {"finish_reason", finish_reason(said.finish)}}})},
                       {"usage", usage(request, said, context.usage)},
                       {"service_tier", "default"},
                       {"system_fingerprint", "fp_sim"}};
  if (context.usage == UsageForm::kNone) body.erase("usage");
  return json_text(body);
}

StreamEvents openai_events(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  const Chunks chunks(request, context);
  StreamEvents events;
  events.start = chunks.delta(first_delta(said, context), nullptr);
  events.ping = ": ping\n\n";
  add_tokens(chunks, said, context, events.tokens);
  events.finish = chunks.delta(ordered_json::object(), finish_reason(said.finish));
  if (request.include_usage && context.usage != UsageForm::kNone) events.finish += chunks.usage_chunk(said);
  events.done = "data: [DONE]\n\n";
  events.malformed = fmt::format(
      "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"in\n\n", context.id());
  return events;
}

}  // namespace fuseboard::sim
