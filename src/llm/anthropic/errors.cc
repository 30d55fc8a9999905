// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>

#include "json/string.h"
#include "llm/anthropic/messages.h"

namespace fuseboard::llm {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out.append(",\"").append(name).append("\":");
  json::append_string(out, text);
}

constexpr std::array<std::string_view, 10> kAnthropicTypes = {
    "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
    "request_too_large",     "rate_limit_error",     "api_error",     "timeout_error",    "overloaded_error"};

}  // namespace

std::string anthropic_error(const ErrorParts& parts, std::string_view request_id) {
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

// https://docs.anthropic.com/en/api/errors
std::string_view anthropic_error_type(int status, const ErrorDetails& error) noexcept {
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

}  // namespace fuseboard::llm
