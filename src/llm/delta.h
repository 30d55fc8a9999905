// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer in words of no dialect: a list of deltas, whether it came whole or in a stream.
#pragma once

#include <cstdint>
#include <string>

#include "llm/usage.h"

namespace fuseboard::llm {

// Why an answer ended.
enum class FinishReason : std::uint8_t {
  stop,            // the model had said all; Anthropic: end_turn
  stop_sequence,   // one of the request's; OpenAI: stop
  length,          // the cap on output; Anthropic: max_tokens
  tool_calls,      // Anthropic: tool_use
  content_filter,  // withheld by the provider's safety system; Anthropic: refusal
  other,           // a word that nobody here knows
};

struct Delta {
  enum class Kind : std::uint8_t {
    begin,           // `id` and `model` of the answer
    text,            // more text
    reasoning,       // more of the model's thoughts
    signature,       // what vouches for the thoughts before it (Anthropic)
    refusal,         // more of the text that says why not (OpenAI)
    tool_begin,      // a call of `tool` begins: `id`, `name`
    tool_arguments,  // more of the JSON text of the arguments of call `tool`
    finish,          // `reason`; `text` is the stop sequence that was met, if the provider says
    usage,           // `usage`: of the whole answer so far
  };
  Kind kind = Kind::text;
  std::uint32_t tool = 0;  // which call: 0 is the answer's first
  FinishReason reason = FinishReason::stop;
  std::string text{};
  std::string id{};
  std::string name{};
  std::string model{};
  Usage usage{};

  friend bool operator==(const Delta&, const Delta&) = default;
};

}  // namespace fuseboard::llm
