// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/errors.h"

#include "json/string.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

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

}  // namespace

std::string openai_error(const ErrorParts& parts, std::string_view) {
  std::string out = R"({"error":{"message":)";
  json::append_string(out, parts.message);
  out += R"(,"type":)";
  json::append_string(out, parts.type);
  out += R"(,"param":)";
  json::append_string_or_null(out, parts.param);
  out += R"(,"code":)";
  json::append_string_or_null(out, parts.code);
  out += "}}";
  return out;
}

std::string openai_error_body(std::string_view message, std::string_view type, std::optional<std::string_view> param,
                              std::optional<std::string_view> code) {
  return openai_error({.message = message, .type = type, .param = param.value_or(""), .code = code.value_or("")}, {});
}

// As in the table of the gateway's own errors (errors.cc).
std::string_view openai_error_type(int status, const ErrorDetails& error) noexcept {
  if (status == 402 || error.type == "billing_error" || error.type == "insufficient_quota") return "insufficient_quota";
  if (status == 429 || (status < 400 && error.type == "rate_limit_error")) return "requests";
  const bool callers_fault = error.type == "invalid_request_error" || error.type == "request_too_large";
  return (status >= 400 && status < 500) || (status < 400 && callers_fault) ? "invalid_request_error" : "server_error";
}

void name_category_for_openai(Category category, ErrorDetails& error) {
  if (error.code.empty()) error.code = openai_code(category);
  if (category == Category::quota_exhausted) error.type = "insufficient_quota";
}

}  // namespace fuseboard::llm
