// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reading values where they stand in a text that scan.h has found valid: nothing is parsed ahead or copied, and a
// reader pays for what it looks at and for walking past the rest once.
#pragma once

#include <charconv>
#include <forward_list>
#include <optional>
#include <string>
#include <string_view>

#include "json/number.h"
#include "json/run.h"
#include "json/syntax.h"

namespace fuseboard::json {

class Value;

// An open text. What its values are asked for is valid as long as it is.
class Document {
 public:
  // `valid_json` must have passed validate and stay where it is: it is not checked again.
  explicit Document(std::string_view valid_json) noexcept
      : begin_(valid_json.data()), end_(begin_ + valid_json.size()) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  Value root() noexcept;

 private:
  friend class Value;
  const char* begin_;
  const char* end_;
  std::forward_list<std::string> unescaped_{};  // texts that stand nowhere as they are read
};

// One value. It knows where it begins; its end is found when it is first asked for, or by whoever walks through it.
class Value {
 public:
  bool is_object() const noexcept { return *begin_ == '{'; }
  bool is_array() const noexcept { return *begin_ == '['; }
  bool is_string() const noexcept { return *begin_ == '"'; }
  bool is_null() const noexcept { return *begin_ == 'n'; }
  bool is_number() const noexcept { return begins_number(*begin_); }

  std::string_view raw() const noexcept { return {begin_, end()}; }  // as written

  // Calls visit(name, value) for each member of an object, in order; none for other values. Names are as written
  // between their quotes, escapes not resolved: no provider writes its field names with escapes.
  template <typename Visit>
  void each_member(Visit visit) const {
    if (!is_object()) return;
    const char* at = behind_space(begin_ + 1);
    while (*at != '}') {
      const char* const name_end = string_end(at, text_end());
      const std::string_view name(at + 1, name_end - 1);
      at = behind_space(behind_space(name_end) + 1);  // past the colon
      at = visited(at, [&](const Value& value) { visit(name, value); });
    }
    end_ = at + 1;
  }

  // Calls visit(element) for each element of an array, in order; none for other values.
  template <typename Visit>
  void each_element(Visit visit) const {
    if (!is_array()) return;
    const char* at = behind_space(begin_ + 1);
    while (*at != ']') at = visited(at, visit);
    end_ = at + 1;
  }

  // Whether there is something in it: a string or array that is not empty, an object.
  bool has_content() const noexcept;

  // An integer without fraction and exponent that fits; nullopt for any other value.
  template <typename Integer>
  std::optional<Integer> integer() const noexcept {
    Integer number = 0;
    const auto [stop, error] = std::from_chars(begin_, text_end(), number);
    const bool goes_on = stop != text_end() && (*stop == '.' || *stop == 'e' || *stop == 'E');
    if (error != std::errc() || goes_on) return std::nullopt;
    end_ = stop;
    return number;
  }

  // See whole_number().
  std::optional<std::uint64_t> whole() const noexcept { return is_number() ? whole_number(raw()) : std::nullopt; }

  // A string as it is written, quotes included; empty for any other value.
  std::string_view literal() const noexcept { return is_string() ? raw() : std::string_view(); }

  // The text of a string; empty for any other value and for a string that has no UTF-8 form (half a surrogate pair).
  std::string_view text() const;
  // The same, cut at a UTF-8 boundary to at most `most` bytes.
  std::string cut_text(std::size_t most) const;

 private:
  friend class Document;
  Value(Document& document, const char* begin) noexcept : document_(&document), begin_(begin) {}

  // In a valid text nothing else between values is as low as a space.
  static const char* behind_space(const char* at) noexcept {
    while (static_cast<unsigned char>(*at) <= ' ') ++at;
    return at;
  }
  const char* text_end() const noexcept { return document_->end_; }
  const char* end() const noexcept {
    if (end_ == nullptr) end_ = find_end();
    return end_;
  }
  const char* find_end() const noexcept;

  // Shows the value at `at` inside of a container and goes on to the next or to the container's end.
  template <typename Visit>
  const char* visited(const char* at, Visit visit) const {
    const Value value(*document_, at);
    visit(value);
    at = behind_space(value.end());
    return *at == ',' ? behind_space(at + 1) : at;
  }

  Document* document_;
  const char* begin_;
  mutable const char* end_ = nullptr;
};

inline Value Document::root() noexcept { return {*this, Value::behind_space(begin_)}; }

}  // namespace fuseboard::json
