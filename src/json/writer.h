// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Writing JSON with the commas where they belong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "json/string.h"
#include "json/text.h"

namespace fuseboard::json {

class Writer {
 public:
  explicit Writer(std::size_t expected_size) { out_.reserve(expected_size); }

  Writer& open(char bracket) {
    before_value();
    out_ += bracket;
    needs_comma_ = false;
    return *this;
  }
  Writer& close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
    return *this;
  }
  // `name` needs no escapes.
  Writer& name(std::string_view name) {
    before_value();
    out_.append("\"").append(name).append("\":");
    needs_comma_ = false;
    return *this;
  }
  Writer& raw(std::string_view json) {
    before_value();
    out_ += json;
    return *this;
  }
  Writer& number(std::uint64_t value) {
    before_value();
    out_ += std::to_string(value);
    return *this;
  }
  Writer& string(std::string_view characters) {
    before_value();
    append_string(out_, characters);
    return *this;
  }
  Writer& text(Text text) { return joined({text}); }
  // One string of several texts.
  Writer& joined(std::initializer_list<Text> texts) {
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
    append_inside(out_, text.bytes);
  }
  Writer& end_string() {
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

}  // namespace fuseboard::json
