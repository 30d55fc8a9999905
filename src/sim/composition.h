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
#include "sim/fate.h"

namespace fuseboard::sim {

enum class Finish : std::uint8_t { kStop, kLength, kToolCall, kRefusal };

struct Composition {
  std::vector<std::string> tokens;  // of the text, or of the arguments of the tool call
  std::string tool;                 // empty: the answer is a text
  Finish finish = Finish::kStop;

  std::string joined() const;
};

struct CompositionInput {
  std::uint64_t seed = 0;
  std::size_t max_tokens = 4096;  // the provider's own bound
  std::string_view inspected;     // the request as it came, for Content::kInspect
};

// Depends on its arguments alone: the same prompt, seed and fate give the same text.
Composition compose(const ChatRequest& request, const Fate& fate, const CompositionInput& input);

// Cuts a text into tokens: words with the space before them, 12 bytes at most, never inside a UTF-8 character.
std::vector<std::string> split_tokens(std::string_view text);

}  // namespace fuseboard::sim
