// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// JSON of trusted fixtures, for tests of a module that may use nothing but the standard library. Throws on anything
// wrong.
#pragma once

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace fuseboard::fixture_json {

struct Value {
  using Object = std::map<std::string, Value, std::less<>>;
  // Of an array nothing is kept: no fixture's meaning hangs on one.
  std::variant<std::nullptr_t, bool, double, std::string, Object> it = nullptr;

  const Value* find(std::string_view key) const {
    const auto* const object = std::get_if<Object>(&it);
    if (object == nullptr) return nullptr;
    const auto found = object->find(key);
    return found == object->end() ? nullptr : &found->second;
  }
  std::string_view text(std::string_view key) const {
    const Value* const value = find(key);
    const auto* const text = value == nullptr ? nullptr : std::get_if<std::string>(&value->it);
    return text == nullptr ? std::string_view() : std::string_view(*text);
  }
  const double* number(std::string_view key) const {
    const Value* const value = find(key);
    return value == nullptr ? nullptr : std::get_if<double>(&value->it);
  }
  bool flag(std::string_view key) const { return std::get<bool>(find(key)->it); }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Value read() {
    skip_spaces();
    switch (peek()) {
      case '{':
        return {read_object()};
      case '[':
        return read_array();
      case '"':
        return {read_string()};
      case 't':
        return take("true"), Value{true};
      case 'f':
        return take("false"), Value{false};
      case 'n':
        return take("null"), Value{nullptr};
      default:
        return read_number();
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : throw std::runtime_error("a fixture breaks off"); }
  void take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) {
      throw std::runtime_error("a fixture is no JSON at byte " + std::to_string(at_));
    }
    at_ += expected.size();
  }
  bool took(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  Value::Object read_object() {
    Value::Object object;
    take("{");
    while (!took('}')) {
      std::string key = read_string();
      skip_spaces();
      take(":");
      object.emplace(std::move(key), read());
      took(',');
    }
    return object;
  }

  Value read_array() {
    take("[");
    while (!took(']')) {
      read();
      took(',');
    }
    return {};
  }

  Value read_number() {
    const std::size_t end = std::min(text_.find_first_not_of("-+.eE0123456789", at_), text_.size());
    const std::string digits(text_.substr(at_, end - at_));
    if (digits.empty()) take("a number");
    at_ = end;
    return {std::strtod(digits.c_str(), nullptr)};
  }

  std::string read_string() {
    take("\"");
    std::string out;
    for (; peek() != '"'; ++at_) {
      if (text_[at_] != '\\') {
        out += text_[at_];
        continue;
      }
      ++at_;
      append_escape(out);
    }
    ++at_;
    return out;
  }

  void append_escape(std::string& out) {
    constexpr std::string_view kNames = "nrtbf";
    constexpr std::string_view kMeanings = "\n\r\t\b\f";
    const char c = peek();
    if (const auto found = kNames.find(c); found != std::string_view::npos) {
      out += kMeanings[found];
    } else if (c != 'u') {
      out += c;
    } else {
      const auto unit = std::strtoul(std::string(text_.substr(at_ + 1, 4)).c_str(), nullptr, 16);
      at_ += 4;
      if (unit < 0x80) {
        out += static_cast<char>(unit);
      } else if (unit < 0x800) {
        out += static_cast<char>(0xC0 | (unit >> 6));
        out += static_cast<char>(0x80 | (unit & 0x3F));
      } else {
        out += static_cast<char>(0xE0 | (unit >> 12));
        out += static_cast<char>(0x80 | ((unit >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (unit & 0x3F));
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace fuseboard::fixture_json
