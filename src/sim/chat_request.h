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

struct ChatRequest {
  std::string model;
  bool stream = false;
  bool include_usage = false;             // OpenAI's stream_options
  std::optional<std::size_t> max_tokens;  // max_completion_tokens or max_tokens
  std::string prompt;                     // every text of the conversation, system prompt included
  std::string last_user;                  // the text of the last user message
  std::size_t prompt_tokens = 0;
  std::string tool;                // the tool that a call would name; empty: none is offered
  std::string tool_arguments;      // a JSON object that fits the tool's schema as far as its required fields go
  bool tool_forced = false;        // tool_choice leaves no way but a call
  bool after_tool_result = false;  // the conversation ends with a tool's result
};

struct EmbeddingsRequest {
  std::string model;
  std::vector<std::string> inputs;  // a text each; a list of token ids stands as its JSON
  std::size_t dimensions = 16;
  bool base64 = false;
};

// Why a body cannot be answered; becomes a 400 in the dialect's shape.
struct BadRequest {
  std::string message;
  std::string param;
};

std::expected<ChatRequest, BadRequest> read_chat(Dialect dialect, std::string_view body);
// The body of /v1/messages/count_tokens: a message request without max_tokens.
std::expected<ChatRequest, BadRequest> read_token_count(std::string_view body);
std::expected<EmbeddingsRequest, BadRequest> read_embeddings(std::string_view body);

// The body's `model`, also of a body that would be refused for something else; empty when there is none.
std::string model_of(std::string_view body);

// About four bytes a token, as the providers' own rules of thumb have it; at least 1.
std::size_t count_tokens(std::string_view text);

}  // namespace fuseboard::sim
