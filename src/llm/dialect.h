// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The languages that callers and providers speak, and what is asked in them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace fuseboard::llm {

enum class Dialect : std::uint8_t { openai, anthropic };
inline constexpr std::array kDialects = {Dialect::openai, Dialect::anthropic};

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

// What tells a dialect from the others, for whoever sends its requests and answers them. How it says things stands in
// codec.h, which is this module's own.
struct DialectTraits {
  std::string_view name;
  Endpoint chat;  // where conversations go
  std::string_view chat_path;
  bool version_in_base_url;            // a provider's base URL has the "/v1" of its paths
  std::string_view key_header;         // where a key stands
  std::string_view key_scheme;         // before the key, a space included; empty: nothing
  std::string_view version_header;     // that every request must have; empty: none
  std::string_view version;            // whose requests and answers are written and read here
  std::string_view request_id_header;  // where its SDKs look for it, beside x-request-id; empty: nowhere else
  std::string_view stream_end;         // the event that ends the stream of a conversation
  bool usage_is_asked_for;             // else every stream of a conversation tells it
};

inline constexpr DialectTraits kOpenAiTraits = {
    .name = "openai",
    .chat = Endpoint::chat_completions,
    .chat_path = "/v1/chat/completions",
    .version_in_base_url = true,
    .key_header = "authorization",
    .key_scheme = "Bearer ",
    .version_header = "",
    .version = "",
    .request_id_header = "",
    .stream_end = "data: [DONE]\n\n",
    .usage_is_asked_for = true,
};
inline constexpr DialectTraits kAnthropicTraits = {
    .name = "anthropic",
    .chat = Endpoint::messages,
    .chat_path = "/v1/messages",
    .version_in_base_url = false,
    .key_header = "x-api-key",
    .key_scheme = "",
    .version_header = "anthropic-version",
    .version = "2023-06-01",
    .request_id_header = "request-id",
    .stream_end = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    .usage_is_asked_for = false,
};

constexpr const DialectTraits& traits(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::openai:
      return kOpenAiTraits;
    case Dialect::anthropic:
      return kAnthropicTraits;
  }
  std::unreachable();
}

constexpr std::string_view name(Dialect dialect) noexcept { return traits(dialect).name; }

// Where conversations go in a dialect.
constexpr Endpoint chat_endpoint(Dialect dialect) noexcept { return traits(dialect).chat; }

// Whose an endpoint is; nullopt: anybody's.
constexpr std::optional<Dialect> dialect_of(Endpoint endpoint) noexcept {
  switch (endpoint) {
    case Endpoint::chat_completions:
    case Endpoint::responses:
    case Endpoint::embeddings:
      return Dialect::openai;
    case Endpoint::messages:
    case Endpoint::count_tokens:
      return Dialect::anthropic;
    case Endpoint::other:
      return std::nullopt;
  }
  std::unreachable();
}

// Whether a request at this endpoint can be translated to the other dialects.
constexpr bool translates(Endpoint endpoint) noexcept {
  const std::optional<Dialect> dialect = dialect_of(endpoint);
  return dialect && chat_endpoint(*dialect) == endpoint;
}

}  // namespace fuseboard::llm
