// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Writing JSON with the commas where they belong. Included by sources of this module alone.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>

#include "llm/conversation.h"
#include "llm/json_text.h"

namespace fuseboard::llm {

class JsonWriter {
 public:
  explicit JsonWriter(std::size_t expected_size) { out_.reserve(expected_size); }

  JsonWriter& open(char bracket) {
    before_value();
    out_ += bracket;
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
    return *this;
  }
  // `name` needs no escapes.
  JsonWriter& name(std::string_view name) {
    before_value();
    out_.append("\"").append(name).append("\":");
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& raw(std::string_view json) {
    before_value();
    out_ += json;
    return *this;
  }
  JsonWriter& number(std::uint64_t value) {
    before_value();
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return *this;
  }
  JsonWriter& string(std::string_view characters) {
    before_value();
    append_json_string(out_, characters);
    return *this;
  }
  JsonWriter& text(Text text) { return joined({text}); }
  // One string of several texts.
  JsonWriter& joined(std::initializer_list<Text> texts) {
    begin_string();
    for (const Text text : texts) append(text);
    return end_string();
  }

  void begin_string() {
    before_value();
    out_ += '"';
  }
  void append(Text text) {
    if (text.is_raw) {
      out_ += text.bytes;
      return;
    }
    const std::size_t quote = out_.size();
    append_json_string(out_, text.bytes);
    out_.erase(quote, 1);
    out_.pop_back();
  }
  JsonWriter& end_string() {
    out_ += '"';
    needs_comma_ = true;
    return *this;
  }

  std::string take() && { return std::move(out_); }

 private:
  void before_value() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace fuseboard::llm
