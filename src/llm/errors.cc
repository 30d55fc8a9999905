// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

#include "json/scan.h"
#include "json/string.h"
#include "llm/answer_parts.h"

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

void append_or_null(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    json::append_string(out, text);
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  json::append_string(out, text);
}

struct Parts {
  std::string_view message;
  std::string_view type;
  std::string_view param{};
  std::string_view code{};
};

std::string openai_body(const Parts& parts) {
  std::string out = R"({"error":{"message":)";
  json::append_string(out, parts.message);
  out += R"(,"type":)";
  json::append_string(out, parts.type);
  out += R"(,"param":)";
  append_or_null(out, parts.param);
  out += R"(,"code":)";
  append_or_null(out, parts.code);
  out += "}}";
  return out;
}

std::string anthropic_body(const Parts& parts, std::string_view request_id) {
  std::string out = R"({"type":"error","error":{"type":)";
  json::append_string(out, parts.type);
  out += R"(,"message":)";
  json::append_string(out, parts.message);
  append_member(out, "param", parts.param);
  append_member(out, "code", parts.code);
  out += '}';
  append_member(out, "request_id", request_id);
  out += '}';
  return out;
}

std::string body_of(Dialect dialect, const Parts& parts, std::string_view request_id) {
  return dialect == Dialect::openai ? openai_body(parts) : anthropic_body(parts, request_id);
}

std::string_view type_of(Dialect dialect, GatewayError error) noexcept {
  return dialect == Dialect::openai ? info(error).type : info(error).anthropic_type;
}

std::string responses_event(const Parts& parts, std::uint64_t sequence_number) {
  std::string out = "event: error\ndata: {\"type\":\"error\",\"code\":";
  append_or_null(out, parts.code);
  out += R"(,"message":)";
  json::append_string(out, parts.message);
  fmt::format_to(std::back_inserter(out), ",\"param\":null,\"sequence_number\":{}}}\n\n", sequence_number);
  return out;
}

constexpr std::array<std::string_view, 10> kAnthropicTypes = {
    "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
    "request_too_large",     "rate_limit_error",     "api_error",     "timeout_error",    "overloaded_error"};

// https://docs.anthropic.com/en/api/errors
std::string_view anthropic_type(int status, const ErrorDetails& error) noexcept {
  if (status < 400) {
    const auto known = std::ranges::find(kAnthropicTypes, error.type);
    return known == kAnthropicTypes.end() ? "api_error" : *known;
  }
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 503:
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

// As in the table above.
std::string_view openai_type(int status, const ErrorDetails& error) noexcept {
  if (status == 402 || error.type == "billing_error" || error.type == "insufficient_quota") return "insufficient_quota";
  if (status == 429 || (status < 400 && error.type == "rate_limit_error")) return "requests";
  const bool callers_fault = error.type == "invalid_request_error" || error.type == "request_too_large";
  return (status >= 400 && status < 500) || (status < 400 && callers_fault) ? "invalid_request_error" : "server_error";
}

// The code by which OpenAI's clients know a failure; empty where its category has none of its own.
std::string_view openai_code(Category category) noexcept {
  switch (category) {
    case Category::context_length_exceeded:
      return "context_length_exceeded";
    case Category::content_policy:
      return "content_filter";
    case Category::quota_exhausted:
      return "insufficient_quota";
    case Category::rate_limit:
      return "rate_limit_exceeded";
    case Category::model_not_found:
      return "model_not_found";
    default:
      return {};
  }
}

void append_model(std::string& out, const ModelEntry& model) {
  out += R"({"id":)";
  json::append_string(out, model.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"model","created":{},"owned_by":)", model.created);
  json::append_string(out, model.owned_by);
  out += '}';
}

// RFC 3339, in UTC.
std::string timestamp(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds{unix_seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

void append_anthropic_model(std::string& out, const ModelEntry& model) {
  out += R"({"type":"model","id":)";
  json::append_string(out, model.id);
  out += R"(,"display_name":)";
  json::append_string(out, model.id);
  out.append(R"(,"created_at":")").append(timestamp(model.created)).append("\"}");
}

}  // namespace

const GatewayErrorInfo& info(GatewayError error) noexcept { return kTable[static_cast<std::size_t>(error)]; }

std::string openai_error_body(std::string_view message, std::string_view type, std::optional<std::string_view> param,
                              std::optional<std::string_view> code) {
  return openai_body({.message = message, .type = type, .param = param.value_or(""), .code = code.value_or("")});
}

std::string error_body(Dialect dialect, GatewayError error, std::string_view message, std::string_view param,
                       std::string_view request_id) {
  return body_of(dialect,
                 {.message = message, .type = type_of(dialect, error), .param = param, .code = info(error).code},
                 request_id);
}

std::string error_body(Dialect dialect, const RequestError& error, std::string_view request_id) {
  return body_of(
      dialect,
      {.message = error.message, .type = type_of(dialect, invalid_request), .param = error.param, .code = error.code},
      request_id);
}

std::string error_event(Endpoint endpoint, GatewayError error, std::string_view message,
                        std::uint64_t sequence_number) {
  const bool is_anthropic = endpoint == Endpoint::messages || endpoint == Endpoint::count_tokens;
  if (is_anthropic) return "event: error\ndata: " + error_body(Dialect::anthropic, error, message) + "\n\n";
  if (endpoint == Endpoint::responses) {
    return responses_event({.message = message, .type = {}, .code = info(error).code}, sequence_number);
  }
  return "data: " + error_body(Dialect::openai, error, message) + "\n\n";
}

std::string translate_error(Dialect to, int status, std::string_view upstream_body, std::string_view request_id,
                            std::optional<Category> category) {
  ErrorDetails error;
  if (!json::validate(upstream_body)) error = read_error(upstream_body);
  if (to == Dialect::openai && error.code.empty() && category) error.code = openai_code(*category);
  if (to == Dialect::openai && category == Category::quota_exhausted) error.type = "insufficient_quota";
  if (error.message.empty()) error.message = fmt::format("The provider answered with status {}.", status);
  const std::string_view type = to == Dialect::openai ? openai_type(status, error) : anthropic_type(status, error);
  // The upstream's type stands in for a code, unless the answer has it already.
  const std::string_view type_for_code = error.type == type ? std::string_view() : std::string_view(error.type);
  const std::string_view code = error.code.empty() ? type_for_code : std::string_view(error.code);
  return body_of(to, {.message = error.message, .type = type, .code = code}, request_id);
}

std::string openai_models_body(std::span<const ModelEntry> models) {
  std::string out = R"({"object":"list","data":[)";
  for (const ModelEntry& model : models) {
    if (&model != models.data()) out += ',';
    append_model(out, model);
  }
  out += "]}";
  return out;
}

std::string openai_model_body(const ModelEntry& model) {
  std::string out;
  append_model(out, model);
  return out;
}

std::string anthropic_models_body(std::span<const ModelEntry> models) {
  std::string out = R"({"data":[)";
  for (const ModelEntry& model : models) {
    if (&model != models.data()) out += ',';
    append_anthropic_model(out, model);
  }
  out += R"(],"has_more":false,"first_id":)";
  append_or_null(out, models.empty() ? "" : models.front().id);
  out += R"(,"last_id":)";
  append_or_null(out, models.empty() ? "" : models.back().id);
  out += '}';
  return out;
}

std::string anthropic_model_body(const ModelEntry& model) {
  std::string out;
  append_anthropic_model(out, model);
  return out;
}

}  // namespace fuseboard::llm
