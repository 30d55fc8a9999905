// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a whole (not streamed) answer of a chat-completions provider means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// What an error object says about itself. Texts longer than 1 KiB are cut.
struct ErrorDetails {
  std::string code;  // a number as its digits; empty: none
  std::string type;
  std::string message;

  bool empty() const noexcept { return code.empty() && type.empty() && message.empty(); }
};

struct AnswerJudgement {
  std::optional<Failure> failure{};  // nullopt: an answer to pass on
  ErrorDetails error{};              // of a failure, as far as its body told
  Usage usage{};
  std::string finish_reason{};  // of the first choice
  std::string model{};          // as the provider names it
};

// `content_type` as received, empty if there was none. A 2xx with an error object is judged by it; a 2xx that is empty,
// HTML or has no choice in it is service_unavailable, one whose JSON breaks off is network. A finish reason
// `content_filter` is an answer here; whoever drives the call decides what follows from it. Thread-safe.
AnswerJudgement judge_chat_answer(int status, std::string_view content_type, std::string_view body,
                                  const RetryHints& hints);

}  // namespace fuseboard::llm
