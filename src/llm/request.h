// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A request, as far as the gateway decides by it. Every other byte is the caller's and passes untouched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "llm/dialect.h"
#include "llm/inline_data.h"

namespace fuseboard::llm {

struct RequestFacts {
  std::string model;  // unescaped, not empty
  bool stream = false;
  // Whether a stream tells its usage: chat completions do where `stream_options.include_usage` asks, the others always.
  bool include_usage = false;
  std::size_t choices = 1;  // `n`; what the upstream would refuse counts as 1
  // `max_completion_tokens`, else `max_tokens`; responses: `max_output_tokens`. nullopt: absent, or what the upstream
  // would refuse.
  std::optional<std::uint64_t> output_cap{};
  // Whether plain text that was delivered in part could be recovered by with_prefill(): a conversation that asks for
  // one answer, without a format, probabilities, audio or search, and, in messages, without thinking.
  bool continuable = false;
  // What ties the request to the provider that keeps it, empty: nothing. The name of the member or item: "file_id",
  // "file_ids", "item_reference", "previous_response_id", "conversation", "prompt", "vector_store_ids", "container",
  // "audio".
  std::string_view bound_by{};
  bool bound() const noexcept { return !bound_by.empty(); }
  std::string previous_response_id{};  // responses; empty: none
  // Where the value of `model` stands in the body, quotes included: [model_begin, model_end).
  std::size_t model_begin = 0;
  std::size_t model_end = 0;
  // Of a streamed chat completion: whether its usage may be asked for without the caller's having asked, in
  // `stream_options` or, as OpenRouter has it, in `usage`.
  bool may_ask_usage = false;
  // Where the value of `stream_options` stands, likewise; both 0: nowhere.
  std::size_t options_begin = 0;
  std::size_t options_end = 0;
  InlineData inline_data{};  // of the whole body
};

// Why a request is refused, ready for error_body(): always 400 `invalid_request_error`.
struct RequestError {
  std::string message;
  std::string param;  // empty: no single parameter is at fault
  std::string code;   // empty: none

  friend bool operator==(const RequestError&, const RequestError&) = default;
};

// The whole body must be one JSON object in valid UTF-8, nested at most json::kMaxDepth deep, with a non-empty string
// `model`; conversations need an array `messages`, embeddings an `input`. A second member of a name that decides
// anything here (`model`, `messages`, `input`, `stream`, a cap on output, ...) is refused at the top level, also when
// it is spelled with escapes: parsers differ in which one they take, so the upstream might run what was not checked
// here. At Endpoint::other only `model` is looked at, and `stream` where it is a boolean.
//
// References to files and items inside of messages are found where their names are spelled without escapes.
//
// Thread-safe. About 2 µs for 2 KB; needs no memory that grows with the body.
std::expected<RequestFacts, RequestError> parse_request(Endpoint endpoint, std::string_view body);

}  // namespace fuseboard::llm
