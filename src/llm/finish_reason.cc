// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/finish_reason.h"

#include "llm/codec.h"

namespace fuseboard::llm {
FinishReason finish_reason(Dialect dialect, std::string_view word) noexcept {
  for (const FinishWord& known : codec(dialect).finish_words) {
    if (known.word == word) return known.reason;
  }
  return FinishReason::other;
}

std::string_view finish_word(Dialect dialect, FinishReason reason, bool has_tool_calls) noexcept {
  if (reason == FinishReason::other) reason = FinishReason::stop;
  if (reason == FinishReason::stop && has_tool_calls) reason = FinishReason::tool_calls;
  for (const FinishWord& known : codec(dialect).finish_words) {
    if (known.reason == reason) return known.word;
  }
  return {};
}

bool says_filtered(std::string_view word) noexcept { return word == "content_filter" || word == "refusal"; }

}  // namespace fuseboard::llm
