// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an answer says, before it takes a dialect's shape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/chat_request.h"
#include "sim/planned_fault.h"

namespace fuseboard::sim {

enum class Finish : std::uint8_t { kStop, kLength, kToolCall, kRefusal };

using Tokens = std::vector<std::string>;
std::string joined(const Tokens& tokens);

struct ToolCall {
  std::string name;
  Tokens arguments;
};

struct Composition {
  bool thinks_unseen = false;   // before the rest: that is told, but no word of it
  Tokens reasoning;             // said before the rest
  Tokens tokens;                // of the text
  std::vector<ToolCall> calls;  // after the text
  Finish finish = Finish::kStop;
  std::size_t event_tokens = 1;  // of the text, in each event of a stream

  std::string text() const { return joined(tokens); }
  Tokens text_events() const;  // what each event of a stream has of the text
  std::size_t length() const;  // all tokens
};

struct CompositionInput {
  std::uint64_t seed = 0;
  std::size_t max_tokens = 4096;  // the provider's own bound
  std::string_view inspected;     // the request as it came, for Content::kInspect
};

// Depends on its arguments alone: the same prompt, seed and planned fault give the same text.
Composition compose(const ChatRequest& request, const PlannedFault& planned, const CompositionInput& input);

// Cuts a text into tokens: words with the space before them, 12 bytes at most, never inside a UTF-8 character.
Tokens split_tokens(std::string_view text);

}  // namespace fuseboard::sim
