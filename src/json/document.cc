// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/document.h"

#include <utility>

#include "fuseboard/core/utf8.h"
#include "json/string_decoder.h"

namespace fuseboard::json {
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

}  // namespace

const char* Value::find_end() const noexcept {
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
      return bare_value_end(begin_, text_end());
  }
}

bool Value::has_content() const noexcept {
  if (is_string()) return begin_[1] != '"';
  return is_object() || (is_array() && *behind_space(begin_ + 1) != ']');
}

std::string_view Value::text() const {
  if (!is_string()) return {};
  const char* const run_end = plain_run_end(begin_ + 1, text_end());
  if (*run_end == '"') {
    end_ = run_end + 1;
    return {begin_ + 1, run_end};
  }
  auto text = unescape(raw());
  if (!text) return {};
  return document_->unescaped_.emplace_front(*std::move(text));
}

std::string Value::cut_text(std::size_t most) const { return std::string(cut_to_characters(text(), most)); }

}  // namespace fuseboard::json
