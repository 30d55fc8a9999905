// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whole answers: taken apart into deltas, put together, and so carried from one dialect to another. Of a chat
// completion the first choice alone. What the other dialect has no word for is left out: signatures and the provider's
// own tools towards OpenAI. All functions are thread-safe.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/delta.h"
#include "llm/dialect.h"
#include "llm/stream_origin.h"

namespace fuseboard::llm {

// The answer in `body`, which must be one that judge_answer() lets pass. Thoughts come first, then text, refusal and
// calls where the dialect keeps no order. The error says what `body` is not.
std::expected<std::vector<Delta>, std::string> answer_deltas(Dialect dialect, std::string_view body);

// Arguments that are no JSON object, which Anthropic cannot say, become {"raw_arguments":"..."}, so that whoever offers
// the tool sees what the model wrote. More than 128 calls are cut off.
std::string answer_body(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin);

std::expected<std::string, std::string> translate_answer(Dialect from, Dialect to, std::string_view body,
                                                         const StreamOrigin& origin = {});

// A whole answer as a stream, for a provider that answers a stream's request with JSON.
std::string answer_events(Dialect dialect, std::span<const Delta> deltas, const StreamOrigin& origin);

}  // namespace fuseboard::llm
