// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The languages that callers and providers speak, and what is asked in them.
#pragma once

#include <cstdint>
#include <string_view>

namespace fuseboard::llm {

enum class Dialect : std::uint8_t { openai, anthropic };
std::string_view name(Dialect dialect) noexcept;

// What a request asks for: the path below /v1/.
enum class Endpoint : std::uint8_t {
  chat_completions,  // openai
  responses,         // openai
  embeddings,        // openai
  messages,          // anthropic
  count_tokens,      // anthropic
  other,             // either: relayed as it is, nothing is known of its answers but their status
};
std::string_view name(Endpoint endpoint) noexcept;

// Whether a request at this endpoint can be said in the other dialect too.
constexpr bool translates(Endpoint endpoint) noexcept {
  return endpoint == Endpoint::chat_completions || endpoint == Endpoint::messages;
}

// Where conversations go in a dialect.
constexpr Endpoint chat_endpoint(Dialect dialect) noexcept {
  return dialect == Dialect::openai ? Endpoint::chat_completions : Endpoint::messages;
}

}  // namespace fuseboard::llm
