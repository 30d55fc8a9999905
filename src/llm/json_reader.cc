// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_reader.h"

#include <utility>

#include "llm/canonical_json.h"

namespace fuseboard::llm {
namespace {

const char* container_end(const char* at, const char* text_end) noexcept {
  std::size_t depth = 0;
  while (true) {
    switch (*at) {
      case '"':
        at = string_end(at, text_end);
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default:
        break;
    }
    ++at;
  }
}

const char* number_end(const char* at, const char* text_end) noexcept {
  const auto ends = [](char c) { return c == ',' || c == '}' || c == ']' || static_cast<unsigned char>(c) <= ' '; };
  while (at != text_end && !ends(*at)) ++at;
  return at;
}

}  // namespace

const char* JsonValue::find_end() const noexcept {
  switch (*begin_) {
    case '"':
      return string_end(begin_, text_end());
    case '{':
    case '[':
      return container_end(begin_, text_end());
    case 't':
    case 'n':
      return begin_ + 4;
    case 'f':
      return begin_ + 5;
    default:
      return number_end(begin_, text_end());
  }
}

bool JsonValue::has_content() const noexcept {
  if (is_string()) return begin_[1] != '"';
  return is_object() || (is_array() && *behind_space(begin_ + 1) != ']');
}

std::string_view JsonValue::text() const {
  if (!is_string()) return {};
  const char* const run_end = plain_run_end(begin_ + 1, text_end());
  if (*run_end == '"') {
    end_ = run_end + 1;
    return {begin_ + 1, run_end};
  }
  auto text = unescape_json(raw());
  if (!text) return {};
  return document_->unescaped_.emplace_front(*std::move(text));
}

std::string JsonValue::cut_text(std::size_t most) const {
  std::string_view text = this->text();
  if (text.size() > most) {
    std::size_t cut = most;
    while (cut > 0 && is_continuation(text[cut])) --cut;
    text = text.substr(0, cut);
  }
  return std::string(text);
}

}  // namespace fuseboard::llm
