// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <iterator>

#include "json/string.h"
#include "llm/call_id.h"
#include "llm/finish_reason.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

using Kind = AnswerBlock::Kind;

// All text of one kind; a completion does not say what came between.
std::string text_of_kind(const WholeAnswer& answer, Kind kind) {
  std::string text;
  for (const AnswerBlock& block : answer.blocks.all()) {
    if (block.kind == kind) text += block.text;
  }
  return text;
}

void append_openai_calls(std::string& out, const WholeAnswer& answer) {
  std::size_t place = 0;
  for (const AnswerBlock& block : answer.blocks.all()) {
    if (block.kind != Kind::tool) continue;
    out += place == 0 ? R"(,"tool_calls":[{"id":)" : R"(,{"id":)";
    json::append_string(out, call_id(block.id, answer.origin, place++));
    out += R"(,"type":"function","function":{"name":)";
    json::append_string(out, block.name);
    out += R"(,"arguments":)";
    json::append_string(out, block.text.empty() ? std::string_view("{}") : std::string_view(block.text));
    out += "}}";
  }
  if (place > 0) out += ']';
}

}  // namespace

void append_openai_usage(std::string& out, const Usage& usage) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                 R"("prompt_tokens_details":{{"cached_tokens":{})",
                 usage.prompt, usage.completion, usage.total, usage.cached);
  if (usage.cache_written > 0) {  // OpenAI has no word for it; this is OpenRouter's
    fmt::format_to(std::back_inserter(out), R"(,"cache_write_tokens":{})", usage.cache_written);
  }
  fmt::format_to(std::back_inserter(out), R"(}},"completion_tokens_details":{{"reasoning_tokens":{}}}}})",
                 usage.reasoning);
}

std::string completion_body(const WholeAnswer& answer) {
  std::string out = R"({"id":)";
  json::append_string(out, answer.origin.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"chat.completion","created":{},"model":)",
                 answer.origin.created);
  json::append_string(out, answer.origin.model);
  out += R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)";
  json::append_string_or_null(out, text_of_kind(answer, Kind::text));
  out += R"(,"refusal":)";
  json::append_string_or_null(out, text_of_kind(answer, Kind::refusal));
  if (const std::string thoughts = text_of_kind(answer, Kind::reasoning); !thoughts.empty()) {
    out += R"(,"reasoning_content":)";
    json::append_string(out, thoughts);
  }
  append_openai_calls(out, answer);
  fmt::format_to(std::back_inserter(out), R"(}},"logprobs":null,"finish_reason":"{}"}}])",
                 finish_word(Dialect::openai, answer.reason, answer.blocks.has_calls()));
  if (answer.usage.known) {
    out += R"(,"usage":)";
    append_openai_usage(out, answer.usage);
  }
  out += '}';
  return out;
}

}  // namespace fuseboard::llm
