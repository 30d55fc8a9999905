// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/answer.h"

#include <utility>

#include "fuseboard/classify/transport.h"
#include "json/scan.h"
#include "llm/anthropic/block.h"
#include "llm/error_details.h"
#include "llm/finish_reason.h"
#include "llm/openai_chat/message.h"
#include "llm/openai_responses/response.h"
#include "llm/seen_text.h"
#include "llm/usage_counts.h"

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
TransportFault fault_of(std::string_view body, const json::Error& error) noexcept {
  const std::size_t begin = body.find_first_not_of(" \t\r\n");
  const bool begins_as_json = begin != std::string_view::npos && (body[begin] == '{' || body[begin] == '[');
  return begins_as_json && error.breaks_off ? TransportFault::truncated : TransportFault::malformed;
}

// Whether a choice answers anything: a message with something in it, or at least a reason why there is nothing in it.
struct ChoiceFacts {
  bool answers = false;
  bool failed = false;  // OpenRouter: finish_reason "error" and an error object in the choice
  std::string finish_reason{};
  std::uint64_t bytes = 0;  // that it says
};

ChoiceFacts read_choice(const json::Value& choice) {
  ChoiceFacts facts;
  choice.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "message") {
      const MessageFacts message = look_at_message(value, MessageForm::whole);
      facts.answers = facts.answers || message.content;
      facts.bytes += message.bytes;
    } else if (name == "text") {
      facts.bytes += text_bytes(value.literal());  // of a completion that is no chat
    } else if (name == "finish_reason") {
      facts.finish_reason = value.cut_text(kMaxNameBytes);
    } else if (name == "error" && value.has_content()) {
      facts.failed = true;
    }
  });
  facts.failed = facts.failed || facts.finish_reason == "error";
  facts.answers = facts.answers || !facts.finish_reason.empty();
  return facts;
}

// Walks over the body of a 2xx.
class Body {
 public:
  Body(Endpoint endpoint, AnswerJudgement& judgement) noexcept : endpoint_(endpoint), judgement_(judgement) {}

  void walk(std::string_view body);

  bool is_error() const noexcept { return is_error_; }
  // Not an error, and what the endpoint answers with is there.
  bool is_answer() const noexcept { return !is_error_ && (answers_ || endpoint_ == Endpoint::other); }

 private:
  void take_own(std::string_view name, const json::Value& value);
  void take_blocks(const json::Value& blocks);
  void take_choices(const json::Value& choices);
  void take_response(ResponseObject response);

  Endpoint endpoint_;
  AnswerJudgement& judgement_;
  bool is_error_ = false;
  bool answers_ = false;
};

void Body::walk(std::string_view body) {
  json::Document document(body);
  document.root().each_member([&](std::string_view name, const json::Value& value) {
    if (marks_error(name, value)) {
      is_error_ = true;
    } else if (name == "usage") {
      judgement_.usage = read_usage(value).value_or(judgement_.usage);
    } else {
      take_own(name, value);
    }
  });
  if (endpoint_ == Endpoint::responses) take_response(read_response(document.root()));
  judgement_.filtered = says_filtered(judgement_.finish_reason);
}

void Body::take_own(std::string_view name, const json::Value& value) {
  switch (endpoint_) {
    case Endpoint::chat_completions:
      if (name == "choices") take_choices(value);
      break;
    case Endpoint::messages:
      if (name == "content") take_blocks(value);
      if (name == "stop_reason") judgement_.finish_reason = value.cut_text(kMaxNameBytes);
      break;
    case Endpoint::embeddings:
      if (name == "data") answers_ = value.is_array();
      break;
    case Endpoint::count_tokens:
      if (name == "input_tokens") answers_ = value.whole().has_value();
      break;
    case Endpoint::other:
      if (name == "choices") take_choices(value);
      break;
    case Endpoint::responses:
      break;
  }
}

void Body::take_blocks(const json::Value& blocks) {
  answers_ = blocks.is_array();
  blocks.each_element([&](const json::Value& element) {
    const BlockPart part = read_block_part(element);
    ++judgement_.seen.pieces;
    judgement_.seen.bytes += text_bytes(part.text) + text_bytes(part.thinking) + part.input.size();
  });
}

void Body::take_choices(const json::Value& choices) {
  bool first = true;
  choices.each_element([&](const json::Value& element) {
    ChoiceFacts choice = read_choice(element);
    answers_ = answers_ || choice.answers;
    judgement_.seen.bytes += choice.bytes;
    if (choice.bytes > 0) ++judgement_.seen.pieces;
    is_error_ = is_error_ || choice.failed;
    if (std::exchange(first, false)) judgement_.finish_reason = std::move(choice.finish_reason);
  });
}

void Body::take_response(ResponseObject response) {
  answers_ = response.has_output;
  judgement_.seen = response.seen;
  is_error_ = is_error_ || response.failed;
  judgement_.finish_reason = std::move(response.finish_reason);
  judgement_.response_id = std::move(response.id);
}

void judge_success(Endpoint endpoint, std::string_view content_type, int status, std::string_view body,
                   const RetryHints& hints, AnswerJudgement& judgement) {
  const bool passes_anything = endpoint == Endpoint::other;
  if (is_html(content_type) && !passes_anything) {
    judgement.failure = classify_transport(TransportFault::malformed);
    return;
  }
  if (const auto error = json::validate(body)) {
    if (!passes_anything) judgement.failure = classify_transport(fault_of(body, *error));
    return;
  }
  Body read(endpoint, judgement);
  read.walk(body);
  if (read.is_answer()) return;
  judgement.error = read_error(body);
  // The type of another kind of answer ("message", "list") is no error's.
  if (!read.is_error()) judgement.error.type.clear();
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
  if (!json::validate(body)) judgement.error = read_error(body);
  judgement.failure = classify(status, judgement.error, hints);
  return judgement;
}

}  // namespace fuseboard::llm
