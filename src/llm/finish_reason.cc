// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/finish_reason.h"

#include <span>

namespace fuseboard::llm {
namespace {

struct Word {
  std::string_view word;
  FinishReason reason;
};

// The first word of a reason is the one that is written.
constexpr Word kOpenAi[] = {
    {"stop", FinishReason::stop},
    {"stop", FinishReason::stop_sequence},
    {"length", FinishReason::length},
    {"tool_calls", FinishReason::tool_calls},
    {"function_call", FinishReason::tool_calls},
    {"content_filter", FinishReason::content_filter},
};
constexpr Word kAnthropic[] = {
    {"end_turn", FinishReason::stop},       {"stop_sequence", FinishReason::stop_sequence},
    {"max_tokens", FinishReason::length},   {"model_context_window_exceeded", FinishReason::length},
    {"tool_use", FinishReason::tool_calls}, {"refusal", FinishReason::content_filter},
};

std::span<const Word> words(Dialect dialect) noexcept {
  return dialect == Dialect::openai ? std::span<const Word>(kOpenAi) : std::span<const Word>(kAnthropic);
}

}  // namespace

FinishReason finish_reason(Dialect dialect, std::string_view word) noexcept {
  for (const Word& known : words(dialect)) {
    if (known.word == word) return known.reason;
  }
  return FinishReason::other;
}

std::string_view finish_word(Dialect dialect, FinishReason reason, bool has_tool_calls) noexcept {
  if (reason == FinishReason::other) reason = FinishReason::stop;
  if (reason == FinishReason::stop && has_tool_calls) reason = FinishReason::tool_calls;
  for (const Word& known : words(dialect)) {
    if (known.reason == reason) return known.word;
  }
  return {};
}

bool says_filtered(std::string_view word) noexcept { return word == "content_filter" || word == "refusal"; }

}  // namespace fuseboard::llm
