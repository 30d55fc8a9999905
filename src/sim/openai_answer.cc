// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Chat completions: https://platform.openai.com/docs/api-reference/chat and its "streaming" page.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/dialect_answer.h"
#include "sim/json_text.h"

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

ordered_json usage(const ChatRequest& request, const Composition& said) {
  return {{"prompt_tokens", request.prompt_tokens},
          {"completion_tokens", said.tokens.size()},
          {"total_tokens", request.prompt_tokens + said.tokens.size()},
          {"prompt_tokens_details", {{"cached_tokens", 0}, {"audio_tokens", 0}}},
          {"completion_tokens_details",
           {{"reasoning_tokens", 0},
            {"audio_tokens", 0},
            {"accepted_prediction_tokens", 0},
            {"rejected_prediction_tokens", 0}}}};
}

std::string event(const ordered_json& data) { return "data: " + json_text(data) + "\n\n"; }

class Chunks {
 public:
  Chunks(const ChatRequest& request, const AnswerContext& context) : request_(request), context_(context) {}

  std::string delta(const ordered_json& delta, const ordered_json& finish) const {
    ordered_json chunk = envelope();
    chunk["choices"] =
        ordered_json::array({{{"index", 0}, {"delta", delta}, {"logprobs", nullptr}, {"finish_reason", finish}}});
    // With include_usage every chunk but the last says that it has none.
    if (request_.include_usage) chunk["usage"] = nullptr;
    return event(chunk);
  }

  std::string usage_chunk(const Composition& said) const {
    ordered_json chunk = envelope();
    chunk["choices"] = ordered_json::array();
    chunk["usage"] = usage(request_, said);
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

std::string call_id(const AnswerContext& context) { return "call_" + context.id(); }

ordered_json message(const Composition& said, const AnswerContext& context) {
  ordered_json message = {{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  if (said.tool.empty()) {
    message["content"] = said.joined();
  } else {
    message["tool_calls"] = ordered_json::array({{{"id", call_id(context)},
                                                  {"type", "function"},
                                                  {"function", {{"name", said.tool}, {"arguments", said.joined()}}}}});
  }
  return message;
}

ordered_json first_delta(const Composition& said, const AnswerContext& context) {
  ordered_json delta = {{"role", "assistant"}, {"content", nullptr}};
  if (said.tool.empty()) {
    delta["content"] = "";
    delta["refusal"] = nullptr;
  } else {
    delta["tool_calls"] = ordered_json::array({{{"index", 0},
                                                {"id", call_id(context)},
                                                {"type", "function"},
                                                {"function", {{"name", said.tool}, {"arguments", ""}}}}});
  }
  return delta;
}

ordered_json token_delta(const Composition& said, const std::string& token) {
  if (said.tool.empty()) return {{"content", token}};
  return {{"tool_calls", ordered_json::array({{{"index", 0}, {"function", {{"arguments", token}}}}})}};
}

}  // namespace

std::string openai_body(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  const ordered_json body = {{"id", "chatcmpl-" + context.id()},
                             {"object", "chat.completion"},
                             {"created", context.created},
                             {"model", request.model},
                             {"choices", ordered_json::array({{{"index", 0},
                                                               {"message", message(said, context)},
                                                               {"logprobs", nullptr},
                                                               {"finish_reason", finish_reason(said.finish)}}})},
                             {"usage", usage(request, said)},
                             {"service_tier", "default"},
                             {"system_fingerprint", "fp_sim"}};
  return json_text(body);
}

StreamEvents openai_events(const ChatRequest& request, const Composition& said, const AnswerContext& context) {
  const Chunks chunks(request, context);
  StreamEvents events;
  events.start = chunks.delta(first_delta(said, context), nullptr);
  for (const std::string& token : said.tokens) {
    events.tokens.push_back(chunks.delta(token_delta(said, token), nullptr));
  }
  events.finish = chunks.delta(ordered_json::object(), finish_reason(said.finish));
  if (request.include_usage) events.finish += chunks.usage_chunk(said);
  events.done = "data: [DONE]\n\n";
  events.malformed = fmt::format(
      "data: {{\"id\":\"chatcmpl-{}\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"in\n\n", context.id());
  return events;
}

}  // namespace fuseboard::sim
