// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Refusals as OpenAI and Anthropic word them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/dialect.h"

namespace fuseboard::sim {

using llm::Dialect;

enum class ErrorKind : std::uint8_t {
  kBadRequest,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kModelNotFound,
  kTooLarge,
  kContextLength,
  kContentFilter,
  kPrefill,           // the model takes no assistant's message at the end
  kPreviousResponse,  // previous_response_id names none that is known
  kRateLimit,
  kQuota,
  kInternal,
  kUnavailable,
  kTimeout,
  kOverloaded,
};

struct ErrorDetail {
  std::string message;     // empty: the provider's usual words
  std::string param;       // OpenAI's `param`; empty: the kind's usual one, or null
  std::string model;       // named in the words of kModelNotFound
  std::string request_id;  // Anthropic's `request_id`
};

// The status that goes with the kind: 400 for kBadRequest, 529 for kOverloaded and so on.
int usual_status(ErrorKind kind);

// The kind whose words suit a status: 503 is kUnavailable, an unknown 4xx kBadRequest, an unknown 5xx kInternal.
ErrorKind kind_of_status(int status);

// {"error":{"message","type","param","code"}} or {"type":"error","error":{"type","message"},"request_id"}.
std::string error_body(Dialect dialect, ErrorKind kind, const ErrorDetail& detail);

// The same as an event in a stream: `data: …` or `event: error` and `data: …`.
std::string error_event(Dialect dialect, ErrorKind kind, const ErrorDetail& detail);

}  // namespace fuseboard::sim
