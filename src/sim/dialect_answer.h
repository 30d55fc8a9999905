// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The two shapes of an answer; see answer.h for the rest of it.
#pragma once

#include <string>

#include "sim/answer.h"

namespace fuseboard::sim {

std::string openai_body(const ChatRequest& request, const Composition& said, const AnswerContext& context);
StreamEvents openai_events(const ChatRequest& request, const Composition& said, const AnswerContext& context);

std::string anthropic_body(const ChatRequest& request, const Composition& said, const AnswerContext& context);
StreamEvents anthropic_events(const ChatRequest& request, const Composition& said, const AnswerContext& context);

}  // namespace fuseboard::sim
