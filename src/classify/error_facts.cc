// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/error_facts.h"

#include <algorithm>
#include <charconv>

#include "classify/fold.h"
#include "fuseboard/classify/hints.h"

namespace fuseboard::classify_internal {
namespace {

constexpr std::size_t kLongestText = 2048;

bool is_code_text(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 96 && text.find(' ') == std::string_view::npos;
}

bool contains_folded(std::string_view text, std::string_view part) noexcept {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (equal_folded(text.substr(i, part.size()), part)) return true;
  }
  return false;
}

std::optional<int> number(std::string_view text) noexcept {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A wait as bodies write it: a number of `unit`, or a text with units.
std::optional<Duration> wait_of(const Node* node, std::chrono::milliseconds unit) noexcept {
  if (node == nullptr || (node->kind != Kind::number && node->kind != Kind::string)) return std::nullopt;
  const std::string_view text = trimmed(node->raw);
  if (const auto wait = parse_decimal_duration(text, unit)) return wait;
  return parse_unit_duration(text);
}

}  // namespace

namespace {

bool is_ok_word(std::string_view text) noexcept {
  text = trimmed(text);
  for (const std::string_view word : {"ok", "success", "succeeded", "successful", "successfully", "成功", "操作成功"}) {
    if (equal_folded(text, word)) return true;
  }
  return text.empty();
}

// A number that stands for a failure: neither none nor one of those that stand for success.
std::optional<int> failure_number(const Node* node) noexcept {
  if (node == nullptr || (node->kind != Kind::number && node->kind != Kind::string)) return std::nullopt;
  const auto value = number(trimmed(node->raw));
  if (!value || *value == 0 || (*value >= 200 && *value <= 299) || *value == 20000) return std::nullopt;
  return value;
}

bool is_false(const Node* node) noexcept {
  return node != nullptr && node->kind == Kind::literal && (node->raw == "false" || node->raw == "False");
}

const Node* prose_of(const ErrorTree& tree, const Node* object) noexcept {
  for (const Key key : {Key::error_message, Key::msg, Key::message}) {
    const Node* const node = tree.find(object, key);
    if (is_string(node) && !is_ok_word(node->raw)) return node;
  }
  return nullptr;
}

bool has_answer(const ErrorTree& tree, const Node* object) noexcept {
  for (const Key key : {Key::choices, Key::candidates, Key::content, Key::output, Key::result, Key::data}) {
    if (has_content(tree.find(object, key))) return true;
  }
  return false;
}

// {"error_code":17,"error_msg":"..."}, {"code":1001,"msg":"...","success":false}, {"code":11202,"message":"..."}: a
// numeric code with prose beside it, and nothing that could be an answer.
bool is_numbered_error(const ErrorTree& tree, const Node* object, Domain domain) noexcept {
  if (!is_object(object) || prose_of(tree, object) == nullptr || has_answer(tree, object)) return false;
  const Node* const success = tree.find(object, Key::success);
  if (is_false(success)) return true;
  if (is_true(success) || is_true(tree.find(object, Key::status))) return false;
  if (failure_number(tree.find(object, Key::error_code))) return true;
  for (const Key key : {Key::code, Key::status_code}) {
    const auto code = failure_number(tree.find(object, key));
    if (code && (domain == Domain::llm || *code >= 400)) return true;
  }
  return false;
}

}  // namespace

bool says_error(const ErrorTree& tree, Domain domain) noexcept {
  const Node* const root = tree.root();
  if (root == nullptr) return false;
  if (is_array(root)) {
    const Node* const first = tree.first(root);
    return is_object(first) && has_content(tree.find(first, Key::error));
  }
  if (has_content(tree.find(root, Key::error))) return true;
  for (const Key key : {Key::object, Key::type, Key::message_type}) {
    const Node* const node = tree.find(root, key);
    if (is_string(node) && (node->raw == "error" || node->raw == "exception" || node->raw == "response.failed")) {
      return true;
    }
  }
  if (has_content(tree.find(root, Key::exception_type))) return true;
  if (has_content(tree.find(root, Key::errors)) && !has_content(tree.find(root, Key::data))) return true;
  if (const Node* const code = tree.find(root, Key::error_code); code != nullptr && code->kind == Kind::number) {
    if (code->raw != "0") return true;
  }
  if (is_numbered_error(tree, root, domain)) return true;
  // iFlytek and Tencent wrap theirs.
  if (is_numbered_error(tree, tree.find(root, Key::header), domain)) return true;
  if (is_object(tree.find(tree.find(root, Key::response), Key::error)) && tree.find(root, Key::type) == nullptr &&
      tree.find(root, Key::choices) == nullptr) {
    return true;
  }
  const Node* const base = tree.find(root, Key::base_resp);
  const Node* const base_code = tree.find(base, Key::status_code);
  if (base_code != nullptr && base_code->raw != "0") return true;
  for (const Node* node = tree.first(root); node != nullptr; node = tree.next(node)) {
    if (node->key == Key::other && node->name.ends_with("Exception") && is_object(node)) return true;
  }
  return false;
}

std::string_view ErrorFacts::text_of(const Node* node) noexcept {
  if (node == nullptr) return {};
  if (node->kind == Kind::number) return node->raw;
  if (node->kind != Kind::string) return {};
  const std::string_view raw = node->raw;
  if (raw.find('\\') == std::string_view::npos) return raw;
  const std::size_t room = std::min(text_.size() - used_, kLongestText);
  const std::string_view text = unescape(raw, std::span(text_.data() + used_, room));
  used_ += text.size();
  return text;
}

void ErrorFacts::add_code(std::string_view code) noexcept {
  code = trimmed(code);
  if (code.empty()) return;
  add_number_status(code);
  if (code_count_ < kMaxCodes) codes_[code_count_++] = code;
}

void ErrorFacts::add_message(std::string_view message) noexcept {
  if (!message.empty() && message_count_ < kMaxMessages) messages_[message_count_++] = message;
}

// OpenRouter, LiteLLM and Google put the status there.
void ErrorFacts::add_number_status(std::string_view digits) noexcept {
  if (status_ || digits.size() != 3) return;
  const auto status = number(digits);
  if (status && *status >= 400 && *status <= 599) status_ = status;
}

void ErrorFacts::read_body(const ErrorTree& tree, std::string_view text) noexcept {
  const Node* const root = tree.root();
  if (root == nullptr) {
    add_message(text);
    return;
  }
  if (is_object(root)) {
    read_outer(tree, root, 0);
    return;
  }
  for (const Node* node = tree.first(root); node != nullptr; node = tree.next(node)) {
    if (is_object(node)) read_outer(tree, node, 0);
  }
}

void ErrorFacts::read_error(const ErrorTree& tree, const Node* error) noexcept {
  has_error_ = true;
  read_value(tree, error, 0);
}

// An error object or what stands in its place.
void ErrorFacts::read_value(const ErrorTree& tree, const Node* value, int nesting) noexcept {
  if (value == nullptr) return;
  if (is_object(value)) {
    // A whole body in place of a message.
    if (nesting < kMaxNesting && has_content(tree.find(value, Key::error))) {
      read_outer(tree, value, nesting + 1);
    } else {
      read_object(tree, value, nesting);
    }
  } else if (is_array(value)) {
    for (const Node* node = tree.first(value); node != nullptr; node = tree.next(node)) {
      read_value(tree, node, nesting);
    }
  } else if (is_string(value)) {
    read_text(text_of(value), nesting);
  }
}

// A message. Proxies put the whole error of their upstream there.
void ErrorFacts::read_text(std::string_view text, int nesting) noexcept {
  const std::string_view inner = trimmed(text);
  if (inner.starts_with('{') || inner.starts_with('[')) {
    read_nested(inner, nesting);
  } else {
    const std::size_t brace = inner.find("{\"");
    const std::string_view before = inner.substr(0, std::min(brace, inner.size()));
    if (brace != std::string_view::npos && before.find('"') == std::string_view::npos &&
        (contains_folded(before, "error") || contains_folded(before, "exception"))) {
      read_nested(inner.substr(brace), nesting);
    }
    if (is_code_text(inner)) add_code(inner);
  }
  add_message(text);
}

void ErrorFacts::read_nested(std::string_view text, int nesting) noexcept {
  if (nesting >= kMaxNesting) return;
  const ErrorTree tree(text);
  const Node* const root = tree.root();
  if (is_object(root)) {
    read_outer(tree, root, nesting + 1);
  } else if (is_array(root)) {
    for (const Node* node = tree.first(root); node != nullptr; node = tree.next(node)) {
      if (is_object(node)) read_outer(tree, node, nesting + 1);
    }
  }
}

void ErrorFacts::read_embedded(std::string_view text) noexcept {
  std::size_t brace = text.find('{');
  while (brace != std::string_view::npos && brace + 1 < text.size() && text[brace + 1] != '"' &&
         text[brace + 1] != '\'') {
    brace = text.find('{', brace + 1);
  }
  if (brace == std::string_view::npos) return;
  const ErrorTree tree(text.substr(brace));
  if (tree.end() == ErrorTree::End::broken || !is_object(tree.root())) return;
  if (!says_error(tree) && tree.find(tree.root(), Key::message) == nullptr) return;
  has_error_ = true;
  read_outer(tree, tree.root(), 1);
}

// An object that has an error in it, or is one.
void ErrorFacts::read_outer(const ErrorTree& tree, const Node* object, int nesting) noexcept {
  if (const Node* const response = tree.find(object, Key::response); is_object(response)) {
    const Node* const error = tree.find(response, Key::error);
    has_error_ = has_error_ || has_content(error);
    read_value(tree, error, nesting);
  }
  const auto read_error_of = [&](const Node* parent) {
    const Node* const error = tree.find(parent, Key::error);
    if (!has_content(error)) return;
    has_error_ = true;
    read_value(tree, error, nesting);
  };
  read_error_of(object);
  // OpenRouter puts the error of an answer that broke while it was written into its choice, Cohere into a delta.
  for (const Node* choice = tree.first(tree.find(object, Key::choices)); choice != nullptr;
       choice = tree.next(choice)) {
    read_error_of(choice);
  }
  if (const Node* const delta = tree.find(object, Key::delta); is_object(delta)) read_error_of(delta);
  if (const Node* const errors = tree.find(object, Key::errors); has_content(errors)) {
    has_error_ = true;
    read_value(tree, errors, nesting);
  }
  for (const Node* node = tree.first(object); node != nullptr; node = tree.next(node)) {
    if (node->key == Key::other && node->name.ends_with("Exception") && is_object(node)) {
      has_error_ = true;
      add_code(node->name);
      read_value(tree, node, nesting);
    }
  }
  if (const Node* const base = tree.find(object, Key::base_resp)) {
    base_status_ = number(text_of(tree.find(base, Key::status_code)));
    add_message(text_of(tree.find(base, Key::status_msg)));
  }
  for (const Key key : {Key::fault, Key::header}) {
    if (const Node* const inner = tree.find(object, key); is_object(inner)) read_object(tree, inner, nesting);
  }
  read_object(tree, object, nesting);
}

void ErrorFacts::read_object(const ErrorTree& tree, const Node* object, int nesting) noexcept {
  if (const Node* const param = tree.find(object, Key::param); is_string(param) && param->raw == "model") {
    about_model_ = true;
  }
  if (!message_code_ && is_string(tree.find(object, Key::error_message))) {
    message_code_ = failure_number(tree.find(object, Key::error_code));
  }
  // The more special a code, the more it tells.
  if (const Node* const details = tree.find(object, Key::details)) read_details(tree, details, nesting);
  if (const Node* const inner = tree.find(object, Key::inner_error); is_object(inner)) {
    add_code(text_of(tree.find(inner, Key::code)));
  }
  if (const Node* const metadata = tree.find(object, Key::metadata); is_object(metadata)) {
    read_metadata(tree, metadata, nesting);
  }
  if (const Node* const errors = tree.find(object, Key::errors); is_array(errors)) {
    for (const Node* node = tree.first(errors); node != nullptr; node = tree.next(node)) {
      add_code(text_of(tree.find(node, Key::reason)));
    }
  }
  for (const Key key : {Key::exception_type, Key::reason, Key::error_code, Key::error_type, Key::code, Key::type,
                        Key::status, Key::status_code, Key::faultcode}) {
    const Node* const node = tree.find(object, key);
    if (is_object(node)) continue;
    // A code that is a sentence is xAI's name of a gRPC status.
    const std::string_view code = text_of(node);
    if (code == "error" || code == "exception") continue;
    add_code(code);
  }
  read_hints(tree, object);
  for (const Key key : {Key::message, Key::msg, Key::detail, Key::error_message, Key::error_description,
                        Key::description, Key::faultstring, Key::original_message, Key::finish_message, Key::title}) {
    const Node* const node = tree.find(object, key);
    if (is_string(node)) {
      read_text(text_of(node), nesting);
    } else if (is_object(node) || is_array(node)) {
      read_value(tree, node, nesting);
    }
  }
}

void ErrorFacts::read_details(const ErrorTree& tree, const Node* details, int nesting) noexcept {
  if (is_object(details)) {
    read_detail(tree, details, nesting);
  } else if (is_array(details)) {
    for (const Node* node = tree.first(details); node != nullptr; node = tree.next(node)) {
      if (is_object(node)) read_detail(tree, node, nesting);
    }
  }
}

void ErrorFacts::read_detail(const ErrorTree& tree, const Node* detail, int nesting) noexcept {
  read_hints(tree, detail);
  read_quota(tree, tree.find(detail, Key::violations));
  if (const Node* const metadata = tree.find(detail, Key::metadata); is_object(metadata)) {
    read_metadata(tree, metadata, nesting);
  }
  for (const Key key : {Key::reason, Key::error_code, Key::code}) add_code(text_of(tree.find(detail, key)));
  if (const Node* const detail_text = tree.find(detail, Key::detail); is_string(detail_text)) {
    add_message(text_of(detail_text));
  }
}

void ErrorFacts::read_quota(const ErrorTree& tree, const Node* violations) noexcept {
  for (const Node* node = tree.first(violations); node != nullptr; node = tree.next(node)) {
    const std::string_view id = text_of(tree.find(node, Key::quota_id));
    for (const std::string_view window : {"PerDay", "PerMonth", "PerWeek", "PerHour"}) {
      long_window_ = long_window_ || contains_folded(id, window);
    }
    for (const std::string_view window : {"PerMinute", "PerSecond"}) {
      short_window_ = short_window_ || contains_folded(id, window);
    }
    per_model_ = per_model_ || contains_folded(id, "PerModel");
    nothing_allowed_ = nothing_allowed_ || text_of(tree.find(node, Key::quota_value)) == "0";
  }
}

void ErrorFacts::read_metadata(const ErrorTree& tree, const Node* metadata, int nesting) noexcept {
  for (const Key key : {Key::reason, Key::limit_source, Key::error_type}) {
    add_code(text_of(tree.find(metadata, key)));
  }
  read_hints(tree, metadata);
  const Node* const headers = tree.find(metadata, Key::headers);
  if (!retry_after_ && text_of(tree.find(headers, Key::x_rate_limit_remaining)) == "0") {
    retry_after_ = parse_reset(now_, text_of(tree.find(headers, Key::x_rate_limit_reset)));
  }
  if (!retry_after_) retry_after_ = wait_of(tree.find(headers, Key::retry_after), std::chrono::seconds(1));
  const Node* const raw = tree.find(metadata, Key::raw);
  if (is_string(raw)) {
    const std::string_view text = trimmed(text_of(raw));
    if (text.starts_with('{') || text.starts_with('[')) {
      read_nested(text, nesting);
    } else {
      add_message(text);
    }
  } else if (is_object(raw)) {
    read_outer(tree, raw, nesting + 1);
  }
}

void ErrorFacts::read_hints(const ErrorTree& tree, const Node* object) noexcept {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  struct Form {
    Key key;
    milliseconds unit;
  };
  constexpr Form kForms[] = {{Key::retry_delay, seconds(1)},       {Key::retry_after_ms, milliseconds(1)},
                             {Key::retry_after, seconds(1)},       {Key::retry_after_seconds, seconds(1)},
                             {Key::resets_in_seconds, seconds(1)}, {Key::estimated_time, seconds(1)}};
  for (const Form& form : kForms) {
    if (retry_after_) return;
    retry_after_ = wait_of(tree.find(object, form.key), form.unit);
  }
  if (!retry_after_) retry_after_ = parse_window_reset(now_, text_of(tree.find(object, Key::resets_at)));
}

}  // namespace fuseboard::classify_internal
