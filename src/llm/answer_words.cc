// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "json/string.h"
#include "llm/finish_reason.h"

namespace fuseboard::llm {

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

void append_anthropic_usage(std::string& out, const Usage& usage) {
  const std::uint64_t cached = std::min(usage.cached, usage.prompt);
  const std::uint64_t written = std::min(usage.cache_written, usage.prompt - cached);
  fmt::format_to(std::back_inserter(out),
                 R"({{"input_tokens":{},"cache_creation_input_tokens":{},"cache_read_input_tokens":{},)"
                 R"("output_tokens":{}}})",
                 usage.prompt - cached - written, written, cached, usage.completion);
}

void append_stop_members(std::string& out, FinishReason reason, std::string_view stop_sequence, bool has_calls) {
  fmt::format_to(std::back_inserter(out), R"("stop_reason":"{}","stop_sequence":)",
                 finish_word(Dialect::anthropic, reason, has_calls));
  if (reason == FinishReason::stop_sequence && !stop_sequence.empty()) {
    json::append_string(out, stop_sequence);
  } else {
    out += "null";
  }
}

std::string call_id(std::string_view id, const StreamOrigin& origin, std::size_t place) {
  if (!id.empty()) return std::string(id);
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  std::string made = "call_";
  std::ranges::copy_if(origin.id, std::back_inserter(made), is_allowed);
  fmt::format_to(std::back_inserter(made), "_{}", place);
  return made;
}

}  // namespace fuseboard::llm
