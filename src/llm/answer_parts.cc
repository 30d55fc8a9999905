// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer_parts.h"

#include "fuseboard/classify/http.h"

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

void UsageCounts::Count::read(const json::Value& value) noexcept {
  if (value.is_null()) return;
  const auto count = value.whole();
  unreadable = !count || *count > kMaxTokens;
  if (unreadable) return;
  tokens = *count;
  told = true;
}

bool UsageCounts::update(const json::Value& value) {
  if (!value.is_object()) return false;
  total_ = {};  // of this object's numbers
  const auto read_detail = [](const json::Value& details, std::string_view field, Count& count) {
    details.each_member([&](std::string_view name, const json::Value& member) {
      if (name == field) count.read(member);
    });
  };
  value.each_member([&](std::string_view name, const json::Value& member) {
    if (name == "prompt_tokens") prompt_.read(member);
    if (name == "input_tokens") input_.read(member);
    if (name == "completion_tokens" || name == "output_tokens") completion_.read(member);
    if (name == "total_tokens") total_.read(member);
    if (name == "prompt_tokens_details") {
      read_detail(member, "cached_tokens", cached_);
      read_detail(member, "cache_write_tokens", cache_written_);  // OpenRouter
    }
    if (name == "input_tokens_details") read_detail(member, "cached_tokens", cached_);
    if (name == "prompt_cache_hit_tokens") cached_.read(member);  // DeepSeek
    if (name == "completion_tokens_details" || name == "output_tokens_details") {
      read_detail(member, "reasoning_tokens", reasoning_);
    }
    if (name == "cache_read_input_tokens") cache_read_.read(member);
    if (name == "cache_creation_input_tokens") cache_creation_.read(member);
  });
  return true;
}

// What decides about the charge must be readable, all of it; a detail that is not, is not there.
Usage UsageCounts::usage() const noexcept {
  const bool told = prompt_.told || input_.told || completion_.told || total_.told;
  const bool unreadable = prompt_.unreadable || input_.unreadable || completion_.unreadable || total_.unreadable ||
                          cache_read_.unreadable || cache_creation_.unreadable;
  if (!told || unreadable) return {};
  Usage usage{.known = true,
              .completion = completion_.tokens,
              .total = total_.tokens,
              .cached = cache_read_.told ? cache_read_.tokens : cached_.tokens,
              .reasoning = reasoning_.tokens,
              .cache_written = cache_creation_.told ? cache_creation_.tokens : cache_written_.tokens};
  // LiteLLM puts Anthropic's cache counts beside a prompt_tokens that includes them.
  usage.prompt =
      prompt_.told ? prompt_.tokens : input_.tokens + cache_read_.tokens + cache_creation_.tokens;  // each is bounded
  if (usage.total == 0) usage.total = usage.prompt + usage.completion;
  return usage;
}

std::optional<Usage> read_usage(const json::Value& value) {
  UsageCounts counts;
  if (!counts.update(value)) return std::nullopt;
  return counts.usage();
}

bool is_content_field(std::string_view name) {
  return name == "content" || name == "tool_calls" || name == "refusal" || name == "function_call" || name == "audio" ||
         // DeepSeek and vLLM say reasoning_content, OpenRouter, Groq and Ollama reasoning; OpenRouter adds details.
         name == "reasoning_content" || name == "reasoning" || name == "reasoning_details";
}

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
