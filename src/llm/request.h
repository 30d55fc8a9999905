// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A chat-completions request, as far as the gateway decides by it. Every other byte is the caller's and passes
// untouched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::llm {

struct ChatRequest {
  std::string model;  // unescaped, not empty
  bool stream = false;
  bool include_usage = false;  // `stream_options.include_usage`
  std::size_t choices = 1;     // `n`; what the upstream would refuse counts as 1
  // `max_completion_tokens`, else `max_tokens`; nullopt: absent, or what the upstream would refuse.
  std::optional<std::uint64_t> output_cap{};
  // Where the value of `model` stands in the body, quotes included: [model_begin, model_end).
  std::size_t model_begin = 0;
  std::size_t model_end = 0;
};

// Why a request is refused, ready for openai_error_body(): always 400 `invalid_request_error`.
struct RequestError {
  std::string message;
  std::string param;  // empty: no single parameter is at fault
  std::string code;   // empty: none

  friend bool operator==(const RequestError&, const RequestError&) = default;
};

// The whole body must be one JSON object in valid UTF-8, nested at most kMaxJsonDepth deep, with a non-empty string
// `model` and an array `messages`. A second `model`, `messages`, `stream`, `stream_options`, `n` or cap on output at
// the top level is refused, also when its name is spelled with escapes: parsers differ in which one they take, so the
// upstream might run what was not checked here. Thread-safe. About 1 µs for 2 KB; needs no memory that grows with the
// body.
std::expected<ChatRequest, RequestError> parse_chat_request(std::string_view body);

// The body with another model name, JSON-escaped; every other byte stays. `request` must be what parse_chat_request
// made of this very body.
std::string with_model(std::string_view body, const ChatRequest& request, std::string_view model);

}  // namespace fuseboard::llm
