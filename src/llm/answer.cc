// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer.h"

#include <utility>

#include "fuseboard/classify/transport.h"
#include "llm/answer_parts.h"
#include "llm/finish_reason.h"
#include "llm/json_scan.h"
#include "llm/response_object.h"

namespace fuseboard::llm {
namespace {

// A media type has no case; parameters may follow.
bool is_html(std::string_view content_type) noexcept {
  constexpr std::string_view kHtml = "text/html";
  if (content_type.size() < kHtml.size()) return false;
  for (std::size_t i = 0; i < kHtml.size(); ++i) {
    const char c = content_type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != kHtml[i]) return false;
  }
  return true;
}

// What there is to say about a body that is no JSON: one that breaks off where more JSON should follow was cut on its
// way.
TransportFault fault_of(std::string_view body, const JsonError& error) noexcept {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const bool begins_as_json = begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
  return begins_as_json && error.breaks_off ? TransportFault::truncated : TransportFault::malformed;
}

// Whether a choice answers anything: a message with something in it, or at least a reason why there is nothing in it.
struct ChoiceFacts {
  bool answers = false;
  bool failed = false;  // OpenRouter: finish_reason "error" and an error object in the choice
  std::string finish_reason{};
};

ChoiceFacts read_choice(ondemand::value choice) {
  ChoiceFacts facts;
  for_each_member(choice.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "message") {
      for_each_member(value.get_object(), [&](ondemand::raw_json_string field, ondemand::value content) {
        if (is_content_field(field) && has_content(content)) facts.answers = true;
      });
    } else if (name == "finish_reason") {
      facts.finish_reason = text_of(value, kMostNameBytes);
    } else if (name == "error" && has_content(value)) {
      facts.failed = true;
    }
  });
  facts.failed = facts.failed || facts.finish_reason == "error";
  facts.answers = facts.answers || !facts.finish_reason.empty();
  return facts;
}

bool is_array(ondemand::value value) {
  ondemand::json_type type{};
  return !value.type().get(type) && type == ondemand::json_type::array;
}

// Walks over the body of a 2xx.
class Body {
 public:
  Body(Endpoint endpoint, AnswerJudgement& judgement) noexcept : endpoint_(endpoint), judgement_(judgement) {}

  void walk(std::string_view body);

  // Not an error, and what the endpoint answers with is there.
  bool is_answer() const noexcept { return !is_error_ && (answers_ || endpoint_ == Endpoint::other); }

 private:
  void take_common(ondemand::raw_json_string name, ondemand::value value);
  void take_own(ondemand::raw_json_string name, ondemand::value value);
  void take_choices(ondemand::value choices);
  void walk_response(std::string_view body);

  Endpoint endpoint_;
  AnswerJudgement& judgement_;
  bool is_error_ = false;
  bool answers_ = false;
};

void Body::walk(std::string_view body) {
  auto document = open_json(body);
  for_each_member(document.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (marks_error(name, value)) {
      is_error_ = true;
    } else {
      take_common(name, value);
    }
  });
  if (endpoint_ == Endpoint::responses) walk_response(body);
  judgement_.filtered = says_filtered(judgement_.finish_reason);
}

void Body::take_common(ondemand::raw_json_string name, ondemand::value value) {
  if (name == "id") {
    judgement_.id = text_of(value, kMostNameBytes);
  } else if (name == "model") {
    judgement_.model = text_of(value, kMostNameBytes);
  } else if (name == "usage") {
    if (const auto usage = read_usage(value)) judgement_.usage = *usage;
  } else {
    take_own(name, value);
  }
}

void Body::take_own(ondemand::raw_json_string name, ondemand::value value) {
  switch (endpoint_) {
    case Endpoint::chat_completions:
      if (name == "choices") take_choices(value);
      break;
    case Endpoint::messages:
      if (name == "content") answers_ = is_array(value);
      if (name == "stop_reason") judgement_.finish_reason = text_of(value, kMostNameBytes);
      break;
    case Endpoint::embeddings:
      if (name == "data") answers_ = is_array(value);
      break;
    case Endpoint::count_tokens: {
      std::uint64_t count = 0;
      if (name == "input_tokens") answers_ = !value.get_uint64().get(count);
      break;
    }
    case Endpoint::responses:
    case Endpoint::other:
      break;
  }
}

void Body::take_choices(ondemand::value choices) {
  bool first = true;
  for_each_element(choices.get_array(), [&](ondemand::value element) {
    ChoiceFacts choice = read_choice(element);
    answers_ = answers_ || choice.answers;
    is_error_ = is_error_ || choice.failed;
    if (std::exchange(first, false)) judgement_.finish_reason = std::move(choice.finish_reason);
  });
}

void Body::walk_response(std::string_view body) {
  auto document = open_json(body);
  ResponseObject response = read_response(document.get_object());
  answers_ = response.has_output;
  is_error_ = is_error_ || response.failed;
  judgement_.finish_reason = std::move(response.finish_reason);
}

void judge_success(Endpoint endpoint, std::string_view content_type, int status, std::string_view body,
                   const RetryHints& hints, AnswerJudgement& judgement) {
  const bool passes_anything = endpoint == Endpoint::other;
  if (is_html(content_type) && !passes_anything) {
    judgement.failure = classify_transport(TransportFault::malformed);
    return;
  }
  if (const auto error = validate_json(body)) {
    if (!passes_anything) judgement.failure = classify_transport(fault_of(body, *error));
    return;
  }
  Body read(endpoint, judgement);
  read.walk(body);
  if (read.is_answer()) return;
  judgement.error = read_error(body);
  judgement.failure = classify(status, judgement.error, hints);
}

}  // namespace

AnswerJudgement judge_answer(Endpoint endpoint, int status, std::string_view content_type, std::string_view body,
                             const RetryHints& hints) {
  AnswerJudgement judgement;
  if (status >= 200 && status <= 299) {
    judge_success(endpoint, content_type, status, body, hints, judgement);
    return judgement;
  }
  if (!validate_json(body)) judgement.error = read_error(body);
  judgement.failure = classify(status, judgement.error, hints);
  return judgement;
}

}  // namespace fuseboard::llm
