// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/error_details.h"

#include "fuseboard/classify/http_failure.h"

namespace fuseboard::llm {
namespace {

constexpr std::size_t kMaxErrorBytes = 1024;

// A string, or an integer as its digits: OpenRouter, LiteLLM and Google put the status there.
std::string code_text(const json::Value& value) {
  if (!value.is_number()) return value.cut_text(kMaxErrorBytes);
  const std::string_view number = value.raw();
  return std::string(number.substr(0, number.find_first_not_of("-0123456789")));
}

// FastAPI: a text, or a list of objects with `msg`.
std::string detail_text(const json::Value& value) {
  if (!value.is_array()) return value.cut_text(kMaxErrorBytes);
  std::string first;
  value.each_element([&](const json::Value& element) {
    element.each_member([&](std::string_view name, const json::Value& member) {
      if (first.empty() && name == "msg") first = member.cut_text(kMaxErrorBytes);
    });
  });
  return first;
}

void fill(std::string& field, std::string text) {
  if (field.empty()) field = std::move(text);
}

ErrorDetails read_error_value(const json::Value& error) {
  ErrorDetails details;
  if (!error.is_object()) {
    details.message = error.cut_text(kMaxErrorBytes);
    return details;
  }
  error.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "code") details.code = code_text(value);
    if (name == "type") details.type = value.cut_text(kMaxErrorBytes);
    if (name == "message") details.message = value.cut_text(kMaxErrorBytes);
  });
  return details;
}

// OpenRouter puts the error of an answer that broke while it was written into its choice.
void read_choice_error(const json::Value& choices, ErrorDetails& details) {
  choices.each_element([&](const json::Value& choice) {
    choice.each_member([&](std::string_view name, const json::Value& value) {
      if (name == "error" && details.empty()) details = read_error_value(value);
    });
  });
}

// The Responses API ends a stream that failed with the whole response, the error in it.
void read_response_error(const json::Value& response, ErrorDetails& details) {
  response.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "error" && details.empty()) details = read_error_value(value);
  });
}

// Members of the error object go before those around it.
ErrorDetails read_error_object(const json::Value& object) {
  ErrorDetails inner;
  ErrorDetails outer;
  object.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "error") inner = read_error_value(value);
    if (name == "choices") read_choice_error(value, inner);
    if (name == "response") read_response_error(value, inner);
    if (name == "code") outer.code = code_text(value);
    if (name == "type" || name == "error_type") outer.type = value.cut_text(kMaxErrorBytes);
    if (name == "message") outer.message = value.cut_text(kMaxErrorBytes);
    if (name == "detail") fill(outer.message, detail_text(value));
  });
  fill(inner.code, std::move(outer.code));
  // The "type" around Anthropic's error object, and that of an event, is no type of error.
  if (outer.type != "error" && outer.type != "response.failed") fill(inner.type, std::move(outer.type));
  fill(inner.message, std::move(outer.message));
  return inner;
}

}  // namespace

bool marks_error(std::string_view name, const json::Value& value) {
  if (name == "error") return value.has_content();
  return (name == "object" || name == "type") && value.literal() == R"("error")";
}

ErrorDetails read_error(std::string_view text) {
  json::Document document(text);
  const json::Value root = document.root();
  if (root.is_object()) return read_error_object(root);
  ErrorDetails first;
  root.each_element([&](const json::Value& element) {
    if (first.empty()) first = read_error_object(element);
  });
  return first;
}

Failure classify(int status, const ErrorDetails& error, const RetryHints& hints) {
  return classify_http({.status = status,
                        .error_code = error.code,
                        .error_type = error.type,
                        .error_message = error.message,
                        .hints = hints});
}

}  // namespace fuseboard::llm
