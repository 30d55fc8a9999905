// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

// A reason why an answer ended: a failure, or simply its end.
// Of reasons that no table names, those of a safety system or of a guardrail can be told by their words.
bool withholds(const CodeRow& row) noexcept {
  constexpr CategorySet kRefusals = {Category::content_policy, Category::policy_violation};
  return row.weight == Weight::decides && kRefusals.contains(row.conclusion.category);
}

void read_reason(const Node* reason, Ending& ending) noexcept {
  if (!is_string(reason) || reason->raw.empty()) return;
  if (const FinishRow* const row = finish_row(reason->raw)) {
    if (!ending.failure) ending.failure = found(*row);
  } else if (const CodeRow* const family = family_row(reason->raw); family != nullptr && withholds(*family)) {
    if (!ending.failure) ending.failure = found(*family);
  } else {
    ending.finished = true;
  }
}

bool has_answer(const ErrorTree& tree, const Node* message) noexcept {
  if (!is_object(message)) return has_content(message);
  for (const Node* node = tree.first(message); node != nullptr; node = tree.next(node)) {
    if ((node->key == Key::content || node->key == Key::tool_calls) && has_content(node)) return true;
  }
  // Reasoning, audio, refusals: more than a role is something.
  return message->members > 2;
}

// OpenAI's dialect, and those that follow it.
void read_choices(const ErrorTree& tree, const Node* choices, Ending& ending) noexcept {
  if (!is_array(choices)) return;
  ending.has_choices = true;
  for (const Node* choice = tree.first(choices); choice != nullptr; choice = tree.next(choice)) {
    read_reason(tree.find(choice, Key::finish_reason), ending);
    if (has_content(tree.find(choice, Key::error))) ending.is_error = true;
    const Node* const refusal = tree.find(tree.find(choice, Key::message), Key::refusal);
    if (is_string(refusal) && has_content(refusal)) ending.refused = true;
    for (const Key key : {Key::message, Key::delta, Key::text}) {
      if (has_answer(tree, tree.find(choice, key))) ending.answers = true;
    }
  }
}

// Gemini's.
void read_candidates(const ErrorTree& tree, const Node* root, Ending& ending) noexcept {
  const Node* const candidates = tree.find(root, Key::candidates);
  if (is_array(candidates)) {
    ending.has_choices = true;
    for (const Node* node = tree.first(candidates); node != nullptr; node = tree.next(node)) {
      read_reason(tree.find(node, Key::finish_reason), ending);
      if (has_content(tree.find(node, Key::content))) ending.answers = true;
    }
  }
  const Node* const block = tree.find(tree.find(root, Key::prompt_feedback), Key::block_reason);
  if (has_content(block) && !ending.failure) {
    ending.failure = found(Category::content_policy, "finish reason", "blockReason", "Gemini promptFeedback");
  }
}

// The Responses API, as a whole or as the last event of a stream.
void read_response(const ErrorTree& tree, const Node* response, Ending& ending) noexcept {
  const Node* const status = tree.find(response, Key::status);
  if (!is_string(status)) return;
  if (status->raw == "failed") {
    ending.is_error = true;
  } else if (status->raw == "cancelled") {
    ending.failure = found(Category::cancelled, "finish reason", "cancelled", "OpenAI Responses API");
  } else if (status->raw == "completed") {
    ending.finished = true;
  } else if (status->raw == "incomplete") {
    read_reason(tree.find(tree.find(response, Key::incomplete_details), Key::reason), ending);
    if (!ending.failure) ending.finished = true;
  }
}

bool is_one_of(const Node* node, std::initializer_list<std::string_view> texts) noexcept {
  if (!is_string(node)) return false;
  for (const std::string_view text : texts) {
    if (node->raw == text) return true;
  }
  return false;
}

// Events that end a stream, by their type.
void read_event(const ErrorTree& tree, const Node* root, Ending& ending) noexcept {
  const Node* const type = tree.find(root, Key::type);
  const Node* const event = tree.find(root, Key::event);
  if (is_one_of(type, {"message_stop", "message-end", "response.completed", "response.incomplete"})) {
    ending.finished = true;
  }
  if (is_one_of(event, {"stream-end", "message_end"})) ending.finished = true;
  if (is_one_of(type, {"response.failed"})) ending.is_error = true;
  const Node* const delta = tree.find(root, Key::delta);
  if (is_object(delta)) {
    // Anthropic's message_delta carries the reason, message_stop ends the stream.
    Ending reason;
    read_reason(tree.find(delta, Key::stop_reason), reason);
    read_reason(tree.find(delta, Key::finish_reason), reason);
    if (reason.failure && !ending.failure) ending.failure = reason.failure;
    if (has_content(tree.find(delta, Key::error))) ending.is_error = true;
  }
  if (const Node* const response = tree.find(root, Key::response); is_object(response)) {
    const bool is_end = type == nullptr || type->raw.starts_with("response.");
    if (is_end && !is_one_of(tree.find(response, Key::status), {"in_progress", "queued"})) {
      read_response(tree, response, ending);
    }
    read_reason(tree.find(response, Key::finish_reason), ending);
    read_candidates(tree, response, ending);  // as Google's Code Assist wraps them
  }
  // Bedrock's ConverseStream.
  read_reason(tree.find(tree.find(root, Key::message_stop), Key::stop_reason), ending);
}

}  // namespace

Ending ending_of(const ErrorTree& tree, Domain domain) noexcept {
  Ending ending;
  ending.is_error = says_error(tree, domain);
  const Node* root = tree.root();
  if (is_array(root)) root = tree.first(root);
  if (!is_object(root)) return ending;
  read_choices(tree, tree.find(root, Key::choices), ending);
  read_candidates(tree, root, ending);
  read_event(tree, root, ending);
  const Node* const object = tree.find(root, Key::object);
  if (is_one_of(object, {"response"})) read_response(tree, root, ending);
  for (const Key key : {Key::stop_reason, Key::finish_reason, Key::done_reason}) {
    read_reason(tree.find(root, key), ending);
  }
  if (is_true(tree.find(root, Key::done)) || is_true(tree.find(root, Key::is_finished)) ||
      tree.find(root, Key::message_stop) != nullptr || is_string(tree.find(root, Key::generated_text))) {
    ending.finished = true;
  }
  return ending;
}

}  // namespace fuseboard::classify_internal
