// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the simulated provider reads out of a request's body: no more than its answers depend on.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/provider_error.h"

namespace fuseboard::sim {

// A tool that a call may name.
struct Tool {
  std::string name;
  std::string arguments;  // a JSON object that fits the tool's schema as far as its required fields go
};

// What only /v1/responses has. The texts are JSON, as they came: the answer repeats them.
struct ResponseFields {
  std::string previous_id;  // previous_response_id; empty: none
  bool store = true;        // false: the answer's id is no previous_response_id
  std::string instructions = "null";
  std::string tools = "[]";
  std::string tool_choice = "\"auto\"";
  std::string metadata = "{}";
};

struct ChatRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;  // OpenAI's stream_options
  bool has_stream_options = false;
  std::optional<std::size_t> max_tokens;  // max_completion_tokens, max_output_tokens or max_tokens
  std::string prompt;                     // every text of the conversation, system prompt included, without `prefill`
  std::string last_user;                  // the text of the last user message
  std::size_t prompt_tokens = 0;
  std::optional<std::string>
      prefill;               // the text of the assistant's message that the conversation ends with, if it does
  std::vector<Tool> tools;   // those that a call may name, at most kMaxTools
  bool tool_forced = false;  // tool_choice leaves no way but a call
  bool tool_barred = false;  // tool_choice leaves no call
  bool parallel_calls = true;
  bool after_tool_result = false;          // the conversation ends with a tool's result
  std::optional<ResponseFields> response;  // set: asked of /v1/responses
};

struct EmbeddingsRequest {
  std::string model;
  std::vector<std::string> inputs;  // a text each; a list of token ids stands as its JSON
  std::size_t dimensions = 16;
  bool base64 = false;
};

// Why a body cannot be answered; becomes an error in the dialect's shape.
struct BadRequest {
  std::string message;
  std::string param;
  ErrorKind kind = ErrorKind::kBadRequest;
};

// The body of /v1/chat/completions or /v1/messages.
std::expected<ChatRequest, BadRequest> read_chat(Dialect dialect, std::string_view body);
// The body of /v1/responses.
std::expected<ChatRequest, BadRequest> read_response(std::string_view body);
// The body of /v1/messages/count_tokens: a message request without max_tokens.
std::expected<ChatRequest, BadRequest> read_token_count(std::string_view body);
std::expected<EmbeddingsRequest, BadRequest> read_embeddings(std::string_view body);

// The body's `model`, also of a body that would be refused for something else; empty when there is none.
std::string model_of(std::string_view body);

// About four bytes a token, as the providers' own rules of thumb have it; at least 1.
std::size_t count_tokens(std::string_view text);

}  // namespace fuseboard::sim
