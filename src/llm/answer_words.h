// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Pieces of JSON that whole and streamed answers share. Included by sources of this module alone.
#pragma once

#include <string>
#include <string_view>

#include "llm/delta.h"
#include "llm/stream_origin.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// {"prompt_tokens":...}
void append_openai_usage(std::string& out, const Usage& usage);
// {"input_tokens":...}; Anthropic's input_tokens are those that no cache had to do with.
void append_anthropic_usage(std::string& out, const Usage& usage);

// "stop_reason":...,"stop_sequence":...
void append_stop_members(std::string& out, FinishReason reason, std::string_view stop_sequence, bool has_calls);

// The id of a call, made up where the provider gave none: results are told by it. Of the characters that Anthropic
// allows in ids.
std::string call_id(std::string_view id, const StreamOrigin& origin, std::size_t place);

}  // namespace fuseboard::llm
