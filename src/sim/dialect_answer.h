// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The three shapes of an answer; see answer.h for the rest of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sim/provider_answer.h"

namespace fuseboard::sim {

std::string openai_body(const ChatRequest& request, const Composition& said, const AnswerContext& context);
StreamEvents openai_events(const ChatRequest& request, const Composition& said, const AnswerContext& context);

std::string anthropic_body(const ChatRequest& request, const Composition& said, const AnswerContext& context);
StreamEvents anthropic_events(const ChatRequest& request, const Composition& said, const AnswerContext& context);

// For requests with `response`.
std::string response_body(const ChatRequest& request, const Composition& said, const AnswerContext& context);
StreamEvents response_events(const ChatRequest& request, const Composition& said, const AnswerContext& context);
// What ends `events` after that many tokens with the error of `error_body`, in OpenAI's shape.
std::string response_error_events(const ChatRequest& request, const AnswerContext& context, const StreamEvents& events,
                                  std::size_t after_tokens, std::string_view error_body);

}  // namespace fuseboard::sim
