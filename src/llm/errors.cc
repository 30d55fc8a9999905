// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "json/scan.h"
#include "llm/codec.h"
#include "llm/error_details.h"
#include "llm/openai_responses/responses.h"

namespace fuseboard::llm {
namespace {

using enum GatewayError;

// Types as OpenAI uses them: what the caller must change is an invalid_request_error (a wrong key and an unknown model
// included), a limit that it met is named by what it counts, a spent allowance is insufficient_quota, all else a
// server_error.
constexpr std::array kTable = std::to_array<GatewayErrorInfo>({
    {circuit_open, "circuit_open", 503, "server_error", "overloaded_error"},
    {rate_limited, "rate_limited", 429, "requests", "rate_limit_error"},
    {queue_full, "queue_full", 429, "requests", "rate_limit_error"},
    {budget_exceeded, "budget_exceeded", 429, "insufficient_quota", "rate_limit_error"},
    {deadline_exceeded, "deadline_exceeded", 504, "server_error", "timeout_error"},
    {no_target, "no_target", 503, "server_error", "overloaded_error"},
    {retries_exhausted, "retries_exhausted", 502, "server_error", "api_error"},
    {unauthorized, "unauthorized", 401, "invalid_request_error", "authentication_error"},
    {model_not_found, "model_not_found", 404, "invalid_request_error", "not_found_error"},
    {not_found, "not_found", 404, "invalid_request_error", "not_found_error"},
    {method_not_allowed, "method_not_allowed", 405, "invalid_request_error", "invalid_request_error"},
    {request_too_large, "request_too_large", 413, "invalid_request_error", "request_too_large"},
    {invalid_request, "invalid_request", 400, "invalid_request_error", "invalid_request_error"},
    {upstream_authentication, "upstream_authentication", 502, "server_error", "api_error"},
    {internal_error, "internal_error", 500, "server_error", "api_error"},
    {overloaded, "overloaded", 503, "server_error", "overloaded_error"},
    {request_timeout, "request_timeout", 408, "invalid_request_error", "invalid_request_error"},
    {host_not_allowed, "host_not_allowed", 403, "invalid_request_error", "permission_error"},
    {unsupported_encoding, "unsupported_encoding", 415, "invalid_request_error", "invalid_request_error"},
    {upgrade_required, "upgrade_required", 426, "invalid_request_error", "invalid_request_error"},
    {loop_detected, "loop_detected", 508, "server_error", "api_error"},
    {shutting_down, "shutting_down", 503, "server_error", "overloaded_error"},
    {stream_interrupted, "stream_interrupted", 502, "server_error", "api_error"},
});

consteval bool rows_match_enumerators() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].error) != i) return false;
  }
  return kTable.size() == static_cast<std::size_t>(stream_interrupted) + 1;
}
static_assert(rows_match_enumerators());

}  // namespace

const GatewayErrorInfo& info(GatewayError error) noexcept { return kTable[static_cast<std::size_t>(error)]; }

std::string error_body(Dialect dialect, GatewayError error, std::string_view message, std::string_view param,
                       std::string_view request_id) {
  const Codec& said = codec(dialect);
  const GatewayErrorInfo& row = info(error);
  return said.error_body({.message = message, .type = row.*said.own_error_type, .param = param, .code = row.code},
                         request_id);
}

std::string error_body(Dialect dialect, const RequestError& error, std::string_view request_id) {
  const Codec& said = codec(dialect);
  const std::string_view type = info(invalid_request).*said.own_error_type;
  return said.error_body({.message = error.message, .type = type, .param = error.param, .code = error.code},
                         request_id);
}

std::string error_event(Endpoint endpoint, GatewayError error, std::string_view message,
                        std::uint64_t sequence_number) {
  if (endpoint == Endpoint::responses) return responses_error_event(info(error).code, message, sequence_number);
  const Dialect dialect = dialect_of(endpoint).value_or(Dialect::openai);
  return std::string(codec(dialect).error_event_head) + "data: " + error_body(dialect, error, message) + "\n\n";
}

std::string translate_error(Dialect to, int status, std::string_view upstream_body, std::string_view request_id,
                            std::optional<Category> category) {
  const Codec& said = codec(to);
  ErrorDetails error;
  if (!json::validate(upstream_body)) error = read_error(upstream_body);
  if (category) said.name_category(*category, error);
  if (error.message.empty()) error.message = fmt::format("The provider answered with status {}.", status);
  const std::string_view type = said.error_type(status, error);
  // The upstream's type stands in for a code, unless the answer has it already.
  const std::string_view type_for_code = error.type == type ? std::string_view() : std::string_view(error.type);
  const std::string_view code = error.code.empty() ? type_for_code : std::string_view(error.code);
  return said.error_body({.message = error.message, .type = type, .code = code}, request_id);
}

std::string retold_openai_error(Dialect to, int status, std::string body) {
  switch (to) {
    case Dialect::openai:
      return body;
    case Dialect::anthropic:
      return translate_error(to, status, body);
  }
  std::unreachable();
}

std::string models_body(Dialect dialect, std::span<const ModelEntry> models) {
  return codec(dialect).models_body(models);
}

std::string model_body(Dialect dialect, const ModelEntry& model) { return codec(dialect).model_body(model); }

}  // namespace fuseboard::llm
