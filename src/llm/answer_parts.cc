// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer_parts.h"

#include <limits>

#include "fuseboard/classify/http.h"

namespace fuseboard::llm {
namespace {

constexpr std::size_t kMostErrorBytes = 1024;

template <typename Count>
void read_count(ondemand::value value, Count& count) {
  std::uint64_t read = 0;
  if (!value.get_uint64().get(read)) count = read;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

void read_detail(ondemand::value details, std::string_view field, std::uint64_t& count) {
  for_each_member(details.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == field) read_count(value, count);
  });
}

// A string, or an integer as its digits: OpenRouter, LiteLLM and Google put the status there.
std::string code_text(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type)) return {};
  if (type != ondemand::json_type::number) return text_of(value, kMostErrorBytes);
  const std::string_view token = value.raw_json_token();
  return std::string(token.substr(0, std::min(token.find_first_not_of("-0123456789"), token.size())));
}

// FastAPI: a text, or a list of objects with `msg`.
std::string detail_text(ondemand::value value) {
  std::string first;
  ondemand::json_type type{};
  if (value.type().get(type)) return {};
  if (type != ondemand::json_type::array) return text_of(value, kMostErrorBytes);
  for_each_element(value.get_array(), [&](ondemand::value element) {
    for_each_member(element.get_object(), [&](ondemand::raw_json_string name, ondemand::value member) {
      if (first.empty() && name == "msg") first = text_of(member, kMostErrorBytes);
    });
  });
  return first;
}

void fill(std::string& field, std::string text) {
  if (field.empty()) field = std::move(text);
}

ErrorDetails read_error_value(ondemand::value error) {
  ErrorDetails details;
  ondemand::json_type type{};
  if (error.type().get(type)) return details;
  if (type != ondemand::json_type::object) {
    details.message = text_of(error, kMostErrorBytes);
    return details;
  }
  for_each_member(error.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "code") details.code = code_text(value);
    if (name == "type") details.type = text_of(value, kMostErrorBytes);
    if (name == "message") details.message = text_of(value, kMostErrorBytes);
  });
  return details;
}

// OpenRouter puts the error of an answer that broke while it was written into its choice.
void read_choice_error(ondemand::value choices, ErrorDetails& details) {
  for_each_element(choices.get_array(), [&](ondemand::value choice) {
    for_each_member(choice.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
      if (name == "error" && details.empty()) details = read_error_value(value);
    });
  });
}

// The Responses API ends a stream that failed with the whole response, the error in it.
void read_response_error(ondemand::value response, ErrorDetails& details) {
  for_each_member(response.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "error" && details.empty()) details = read_error_value(value);
  });
}

// Members of the error object go before those around it.
ErrorDetails read_error_object(simdjson::simdjson_result<ondemand::object> object) {
  ErrorDetails inner;
  ErrorDetails outer;
  for_each_member(object, [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "error") inner = read_error_value(value);
    if (name == "choices") read_choice_error(value, inner);
    if (name == "response") read_response_error(value, inner);
    if (name == "code") outer.code = code_text(value);
    if (name == "type" || name == "error_type") outer.type = text_of(value, kMostErrorBytes);
    if (name == "message") outer.message = text_of(value, kMostErrorBytes);
    if (name == "detail") fill(outer.message, detail_text(value));
  });
  fill(inner.code, std::move(outer.code));
  // The "type" around Anthropic's error object, and that of an event, is no type of error.
  if (outer.type != "error" && outer.type != "response.failed") fill(inner.type, std::move(outer.type));
  fill(inner.message, std::move(outer.message));
  return inner;
}

}  // namespace

bool UsageCounts::update(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type) || type != ondemand::json_type::object) return false;
  known_ = true;
  for_each_member(value.get_object(), [&](ondemand::raw_json_string name, ondemand::value member) {
    if (name == "prompt_tokens") read_count(member, prompt_);
    if (name == "input_tokens") read_count(member, input_);
    if (name == "completion_tokens" || name == "output_tokens") read_count(member, completion_);
    if (name == "total_tokens") read_count(member, total_);
    if (name == "prompt_tokens_details") {
      for_each_member(member.get_object(), [&](ondemand::raw_json_string detail, ondemand::value count) {
        if (detail == "cached_tokens") read_count(count, cached_);
        if (detail == "cache_write_tokens") read_count(count, cache_written_);  // OpenRouter
      });
    }
    if (name == "input_tokens_details") read_detail(member, "cached_tokens", cached_);
    if (name == "prompt_cache_hit_tokens") read_count(member, cached_);  // DeepSeek
    if (name == "completion_tokens_details" || name == "output_tokens_details") {
      read_detail(member, "reasoning_tokens", reasoning_);
    }
    if (name == "cache_read_input_tokens") read_count(member, cache_read_);
    if (name == "cache_creation_input_tokens") read_count(member, cache_creation_);
  });
  return true;
}

Usage UsageCounts::usage() const noexcept {
  Usage usage{.known = known_, .completion = completion_, .total = total_, .reasoning = reasoning_};
  const std::uint64_t read = cache_read_.value_or(0);
  const std::uint64_t written = cache_creation_.value_or(0);
  usage.cached = cache_read_.value_or(cached_);
  usage.cache_written = cache_creation_.value_or(cache_written_);
  // LiteLLM puts Anthropic's cache counts beside a prompt_tokens that includes them.
  usage.prompt = prompt_ ? *prompt_ : sum(input_, sum(read, written));
  if (usage.total == 0) usage.total = sum(usage.prompt, usage.completion);
  return usage;
}

std::optional<Usage> read_usage(ondemand::value value) {
  UsageCounts counts;
  if (!counts.update(value)) return std::nullopt;
  return counts.usage();
}

bool is_content_field(ondemand::raw_json_string name) {
  return name == "content" || name == "tool_calls" || name == "refusal" || name == "function_call" || name == "audio" ||
         // DeepSeek and vLLM say reasoning_content, OpenRouter, Groq and Ollama reasoning; OpenRouter adds details.
         name == "reasoning_content" || name == "reasoning" || name == "reasoning_details";
}

bool marks_error(ondemand::raw_json_string name, ondemand::value value) {
  if (name == "error") return has_content(value);
  return (name == "object" || name == "type") && value.raw_json_token().starts_with(R"("error")");
}

ErrorDetails read_error(std::string_view text) {
  auto document = open_json(text);
  ondemand::json_type type{};
  if (document.type().get(type)) return {};
  if (type == ondemand::json_type::object) return read_error_object(document.get_object());
  if (type != ondemand::json_type::array) return {};
  ErrorDetails first;
  for_each_element(document.get_array(), [&](ondemand::value element) {
    if (first.empty()) first = read_error_object(element.get_object());
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
