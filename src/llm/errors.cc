// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "llm/json_text.h"

namespace fuseboard::llm {
namespace {

using enum GatewayError;

// Types as OpenAI uses them: what the caller must change is an invalid_request_error (a wrong key and an unknown model
// included), a limit that it met is named by what it counts, a spent allowance is insufficient_quota, all else a
// server_error.
constexpr std::array kTable = std::to_array<GatewayErrorInfo>({
    {circuit_open, "circuit_open", 503, "server_error"},
    {rate_limited, "rate_limited", 429, "requests"},
    {queue_full, "queue_full", 429, "requests"},
    {budget_exceeded, "budget_exceeded", 429, "insufficient_quota"},
    {deadline_exceeded, "deadline_exceeded", 504, "server_error"},
    {no_target, "no_target", 503, "server_error"},
    {retries_exhausted, "retries_exhausted", 502, "server_error"},
    {unauthorized, "unauthorized", 401, "invalid_request_error"},
    {model_not_found, "model_not_found", 404, "invalid_request_error"},
    {not_found, "not_found", 404, "invalid_request_error"},
    {method_not_allowed, "method_not_allowed", 405, "invalid_request_error"},
    {request_too_large, "request_too_large", 413, "invalid_request_error"},
    {invalid_request, "invalid_request", 400, "invalid_request_error"},
    {upstream_authentication, "upstream_authentication", 502, "server_error"},
    {internal_error, "internal_error", 500, "server_error"},
    {request_timeout, "request_timeout", 408, "invalid_request_error"},
    {stream_interrupted, "stream_interrupted", 502, "server_error"},
});

consteval bool rows_match_enumerators() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].error) != i) return false;
  }
  return kTable.size() == static_cast<std::size_t>(stream_interrupted) + 1;
}
static_assert(rows_match_enumerators());

void append_or_null(std::string& out, std::optional<std::string_view> text) {
  if (text) {
    append_json_string(out, *text);
  } else {
    out += "null";
  }
}

void append_model(std::string& out, const ModelEntry& model) {
  out += R"({"id":)";
  append_json_string(out, model.id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"model","created":{},"owned_by":)", model.created);
  append_json_string(out, model.owned_by);
  out += '}';
}

}  // namespace

const GatewayErrorInfo& info(GatewayError error) noexcept { return kTable[static_cast<std::size_t>(error)]; }

std::string openai_error_body(std::string_view message, std::string_view type, std::optional<std::string_view> param,
                              std::optional<std::string_view> code) {
  std::string out = R"({"error":{"message":)";
  append_json_string(out, message);
  out += R"(,"type":)";
  append_json_string(out, type);
  out += R"(,"param":)";
  append_or_null(out, param);
  out += R"(,"code":)";
  append_or_null(out, code);
  out += "}}";
  return out;
}

std::string openai_error_body(GatewayError error, std::string_view message, std::optional<std::string_view> param) {
  return openai_error_body(message, info(error).type, param, info(error).code);
}

std::string openai_error_body(const RequestError& error) {
  const auto filled = [](std::string_view text) { return text.empty() ? std::nullopt : std::optional(text); };
  return openai_error_body(error.message, info(invalid_request).type, filled(error.param), filled(error.code));
}

std::string openai_error_event(GatewayError error, std::string_view message) {
  return "data: " + openai_error_body(error, message) + "\n\n";
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

}  // namespace fuseboard::llm
