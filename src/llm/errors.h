// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the gateway itself says, in each dialect: errors and the list of models.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fuseboard/core/category.h"
#include "llm/dialect.h"
#include "llm/request.h"

namespace fuseboard::llm {

// The gateway's own errors. Their codes are part of its contract; code, status and type stand in one table in
// errors.cc.
enum class GatewayError : std::uint8_t {
  circuit_open,             // 503: every target is open or busy
  rate_limited,             // 429: by our own limits
  queue_full,               // 429: as many calls wait as may wait
  budget_exceeded,          // 429: a cap of the caller's, or of everybody's
  deadline_exceeded,        // 504
  no_target,                // 503: no target is eligible
  retries_exhausted,        // 502: attempts are spent and no upstream gave an answer that could be passed on
  unauthorized,             // 401: the caller's own key
  model_not_found,          // 404
  not_found,                // 404: no such route
  method_not_allowed,       // 405
  request_too_large,        // 413
  invalid_request,          // 400
  upstream_authentication,  // 502: an upstream refuses our credential
  internal_error,           // 500: a fault of the gateway
  overloaded,               // 503: the gateway has no memory for it
  request_timeout,          // 408: the caller's request did not arrive in time
  host_not_allowed,         // 403: asked under a name, or by a page, that the configuration does not know
  unsupported_encoding,     // 415: a body in a content coding that is not read
  upgrade_required,         // 426: a WebSocket was asked for where there is HTTP alone
  loop_detected,            // 508: the request has come round to this gateway again
  shutting_down,            // 503: the gateway ends and the time for its last calls is over
  stream_interrupted,       // inside a stream alone: an answer that had begun broke off
};

struct GatewayErrorInfo {
  GatewayError error;
  std::string_view code;  // also its name
  int status;
  std::string_view type;            // as OpenAI names the class
  std::string_view anthropic_type;  // as Anthropic does
};
const GatewayErrorInfo& info(GatewayError error) noexcept;

// An error in the caller's dialect. Any bytes are safe in any argument: what is no UTF-8 becomes U+FFFD.
//   openai     {"error":{"message","type","param","code"}}; an absent param or code is null
//   anthropic  {"type":"error","error":{"type","message","param","code"},"request_id"}; what is absent is left out.
//              `param` and `code` are ours: this dialect has no place for them.
std::string error_body(Dialect dialect, GatewayError error, std::string_view message, std::string_view param = {},
                       std::string_view request_id = {});
// With the status of GatewayError::invalid_request.
std::string error_body(Dialect dialect, const RequestError& error, std::string_view request_id = {});

// The same inside a stream: one SSE event, as the endpoint has them. No [DONE] follows it: a cut answer must not look
// finished [STR-5]. `sequence_number` is what the responses endpoint counts its events with.
std::string error_event(Endpoint endpoint, GatewayError error, std::string_view message,
                        std::uint64_t sequence_number = 0);

// What an upstream answered with, said in another dialect. `upstream_body` may be anything; of the shapes that
// read_error() (error_details.h) knows the message is kept, and so is the code, or, where there is none, the type in
// its place. The type follows from the status, or, where that is no error's, from the upstream's type. OpenAI's clients
// look for codes that Anthropic does not have: without one in the body, `category`, what the failure was judged to be,
// gives it where OpenAI has a word for that.
std::string translate_error(Dialect to, int status, std::string_view upstream_body, std::string_view request_id = {},
                            std::optional<Category> category = std::nullopt);

// OpenAI's shape from its parts, empty ones as null.
std::string openai_error_body(std::string_view message, std::string_view type,
                              std::optional<std::string_view> param = std::nullopt,
                              std::optional<std::string_view> code = std::nullopt);

// An error in OpenAI's shape, said in a dialect; OpenAI's own is `body` itself.
std::string retold_openai_error(Dialect to, int status, std::string body);

struct ModelEntry {
  std::string_view id;
  std::int64_t created = 0;  // Unix seconds
  std::string_view owned_by{};
};
// GET /v1/models and GET /v1/models/{id}. Anthropic's list is one page that holds all.
std::string models_body(Dialect dialect, std::span<const ModelEntry> models);
std::string model_body(Dialect dialect, const ModelEntry& model);

}  // namespace fuseboard::llm
