// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer.h"

#include <utility>

#include "fuseboard/classify/transport.h"
#include "llm/answer_parts.h"
#include "llm/json_scan.h"

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

struct BodyFacts {
  bool is_error = false;
  bool answers = false;
  bool choice_failed = false;
};

BodyFacts read_body(std::string_view body, AnswerJudgement& judgement) {
  BodyFacts facts;
  bool first_choice = true;
  auto document = open_json(body);
  for_each_member(document.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "choices") {
      for_each_element(value.get_array(), [&](ondemand::value element) {
        ChoiceFacts choice = read_choice(element);
        facts.answers = facts.answers || choice.answers;
        facts.choice_failed = facts.choice_failed || choice.failed;
        if (std::exchange(first_choice, false)) judgement.finish_reason = std::move(choice.finish_reason);
      });
    } else if (name == "usage") {
      if (const auto usage = read_usage(value)) judgement.usage = *usage;
    } else if (name == "model") {
      judgement.model = text_of(value, kMostNameBytes);
    } else if (marks_error(name, value)) {
      facts.is_error = true;
    }
  });
  return facts;
}

void judge_success(std::string_view content_type, int status, std::string_view body, const RetryHints& hints,
                   AnswerJudgement& judgement) {
  if (is_html(content_type)) {
    judgement.failure = classify_transport(TransportFault::malformed);
    return;
  }
  if (const auto error = validate_json(body)) {
    judgement.failure = classify_transport(fault_of(body, *error));
    return;
  }
  const BodyFacts facts = read_body(body, judgement);
  if (!facts.is_error && !facts.choice_failed && facts.answers) return;
  judgement.error = read_error(body);
  judgement.failure = classify(status, judgement.error, hints);
}

}  // namespace

AnswerJudgement judge_chat_answer(int status, std::string_view content_type, std::string_view body,
                                  const RetryHints& hints) {
  AnswerJudgement judgement;
  if (status >= 200 && status <= 299) {
    judge_success(content_type, status, body, hints, judgement);
    return judgement;
  }
  if (!validate_json(body)) judgement.error = read_error(body);
  judgement.failure = classify(status, judgement.error, hints);
  return judgement;
}

}  // namespace fuseboard::llm
