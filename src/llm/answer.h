// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a whole (not streamed) answer of a provider means.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"
#include "llm/dialect.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// Model names and finish reasons are short; what is longer is cut.
inline constexpr std::size_t kMaxNameBytes = 256;

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
  SeenOutput seen{};
  // In the provider's word: of the first choice, the stop reason, or for a response `completed` or why it is
  // incomplete.
  std::string finish_reason{};
  std::string response_id{};  // of an answer at Endpoint::responses
  bool filtered = false;      // the provider's safety system withheld it; whoever drives the call decides what follows
};

// `content_type` as received, empty if there was none. A 2xx with an error object is judged by it; a 2xx that is empty,
// HTML or has not in it what the endpoint answers with is service_unavailable, one whose JSON breaks off is network. Of
// `other` endpoints only an error object is known: what is no JSON passes. Thread-safe.
AnswerJudgement judge_answer(Endpoint endpoint, int status, std::string_view content_type, std::string_view body,
                             const RetryHints& hints);

}  // namespace fuseboard::llm
