// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/provider_error.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "fuseboard/core/check.h"
#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

struct Wording {
  ErrorKind kind;
  int status;
  const char* openai_type;
  const char* openai_code;   // null: null
  const char* openai_param;  // null: null
  const char* openai_message;
  const char* anthropic_type;
  const char* anthropic_message;
};

// Words and fields as the providers document them (OpenAI "Error codes", Anthropic "Errors") or as their SDKs' issue
// trackers quote them: classification is tested against these, so they must not drift towards our own taste.
constexpr std::array<Wording, 16> kWordings = {{
    {ErrorKind::kBadRequest, 400, "invalid_request_error", nullptr, nullptr, "Invalid request.",
     "invalid_request_error", "Invalid request."},
    {ErrorKind::kUnauthorized, 401, "invalid_request_error", "invalid_api_key", nullptr,
     "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
     "authentication_error", "invalid x-api-key"},
    {ErrorKind::kForbidden, 403, "permission_error", "permission_denied", nullptr,
     "You do not have permission to use the specified resource.", "permission_error",
     "Your API key does not have permission to use the specified resource."},
    {ErrorKind::kNotFound, 404, "invalid_request_error", "unknown_url", nullptr, "Unknown request URL.",
     "not_found_error", "Not found"},
    {ErrorKind::kModelNotFound, 404, "invalid_request_error", "model_not_found", nullptr,
     "The model `{}` does not exist or you do not have access to it.", "not_found_error", "model: {}"},
    {ErrorKind::kTooLarge, 413, "invalid_request_error", "request_too_large", nullptr,
     "Request exceeds the maximum size", "request_too_large", "Request exceeds the maximum size"},
    {ErrorKind::kContextLength, 400, "invalid_request_error", "context_length_exceeded", "messages",
     "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please "
     "reduce "
     "the length of the messages.",
     "invalid_request_error", "prompt is too long: 209001 tokens > 200000 maximum"},
    {ErrorKind::kContentFilter, 400, "invalid_request_error", "content_filter", "prompt",
     "The response was filtered due to the prompt triggering the content management policy. Please modify your prompt "
     "and retry.",
     "invalid_request_error", "Output blocked by content filtering policy"},
    {ErrorKind::kPrefill, 400, "invalid_request_error", nullptr, "messages",
     "This model does not support assistant message prefill. The conversation must end with a user message.",
     "invalid_request_error",
     "This model does not support assistant message prefill. The conversation must end with a user message."},
    {ErrorKind::kPreviousResponse, 400, "invalid_request_error", "previous_response_not_found", "previous_response_id",
     "Previous response not found.", "invalid_request_error", "Previous response not found."},
    {ErrorKind::kRateLimit, 429, "requests", "rate_limit_exceeded", nullptr,
     "Rate limit reached for requests per min (RPM): Limit 60, Used 60, Requested 1.", "rate_limit_error",
     "Number of requests has exceeded your per-minute rate limit."},
    {ErrorKind::kQuota, 429, "insufficient_quota", "insufficient_quota", nullptr,
     "You exceeded your current quota, please check your plan and billing details.", "rate_limit_error",
     "Usage has reached the monthly limit for your tier."},
    {ErrorKind::kInternal, 500, "server_error", nullptr, nullptr,
     "The server had an error while processing your request. Sorry about that!", "api_error", "Internal server error"},
    {ErrorKind::kUnavailable, 503, "server_error", "service_unavailable", nullptr,
     "The service is temporarily unable to process your request.", "api_error",
     "The service is temporarily unavailable"},
    {ErrorKind::kTimeout, 504, "server_error", "timeout", nullptr, "The request timed out while processing.",
     "timeout_error", "The request timed out while processing."},
    {ErrorKind::kOverloaded, 529, "server_error", "overloaded", nullptr,
     "The engine is currently overloaded, please try again later.", "overloaded_error", "Overloaded"},
}};

const Wording& wording(ErrorKind kind) {
  for (const Wording& row : kWordings) {
    if (row.kind == kind) return row;
  }
  invariant_broken("an error kind without words");
}

std::string message_of(const char* usual, const ErrorDetail& detail) {
  if (!detail.message.empty()) return detail.message;
  std::string text = usual;
  if (const std::size_t hole = text.find("{}"); hole != std::string::npos) text.replace(hole, 2, detail.model);
  return text;
}

ordered_json or_null(const char* text) { return text == nullptr ? ordered_json(nullptr) : ordered_json(text); }

ordered_json openai_error(const Wording& row, const ErrorDetail& detail) {
  return {{"error",
           {{"message", message_of(row.openai_message, detail)},
            {"type", row.openai_type},
            {"param", detail.param.empty() ? or_null(row.openai_param) : ordered_json(detail.param)},
            {"code", or_null(row.openai_code)}}}};
}

ordered_json anthropic_error(const Wording& row, const ErrorDetail& detail) {
  ordered_json error = {{"type", row.anthropic_type}, {"message", message_of(row.anthropic_message, detail)}};
  // The one machine-readable trace of a spent budget: its type is that of a throttle.
  if (row.kind == ErrorKind::kQuota) error["details"] = {{"error_code", "enforced_spend_limit_reached"}};
  return {{"type", "error"}, {"error", std::move(error)}, {"request_id", detail.request_id}};
}

}  // namespace

int usual_status(ErrorKind kind) { return wording(kind).status; }

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
      return ErrorKind::kUnauthorized;
    case 403:
      return ErrorKind::kForbidden;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
      return ErrorKind::kTimeout;
    case 413:
      return ErrorKind::kTooLarge;
    case 429:
      return ErrorKind::kRateLimit;
    case 502:
    case 503:
      return ErrorKind::kUnavailable;
    case 504:
      return ErrorKind::kTimeout;
    case 529:
      return ErrorKind::kOverloaded;
    default:
      return status < 500 ? ErrorKind::kBadRequest : ErrorKind::kInternal;
  }
}

std::string error_body(Dialect dialect, ErrorKind kind, const ErrorDetail& detail) {
  const Wording& row = wording(kind);
  switch (dialect) {
    case Dialect::openai:
      return json_text(openai_error(row, detail));
    case Dialect::anthropic:
      return json_text(anthropic_error(row, detail));
  }
  std::unreachable();
}

std::string error_event(Dialect dialect, ErrorKind kind, const ErrorDetail& detail) {
  const std::string body = error_body(dialect, kind, detail);
  switch (dialect) {
    case Dialect::openai:
      return fmt::format("data: {}\n\n", body);
    case Dialect::anthropic:
      return fmt::format("event: error\ndata: {}\n\n", body);
  }
  std::unreachable();
}

}  // namespace fuseboard::sim
