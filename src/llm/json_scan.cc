// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_scan.h"

#include <simdjson.h>

#include <bitset>
#include <cstring>

#include "llm/json_run.h"
#include "llm/json_text.h"

namespace fuseboard::llm {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  // Each of these moves behind what it names, or notes an error and returns false.
  bool value() noexcept;
  bool object(const std::function<void(const JsonMember&)>& member);
  bool end() noexcept {
    skip_space();
    return at_ == end_ || fail("unexpected text after the value");
  }
  const JsonError& error() const noexcept { return error_; }

 private:
  char peek() const noexcept { return at_ != end_ ? *at_ : '\0'; }
  bool accept(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  [[gnu::noinline]] bool fail(std::string_view what) noexcept {
    const bool breaks_off = at_ == end_;
    error_ = {static_cast<std::size_t>(at_ - begin_), breaks_off ? "unexpected end" : what, breaks_off};
    return false;
  }
  void skip_space() noexcept {
    // Most of the time there is none, which one comparison tells.
    while (static_cast<unsigned char>(peek()) <= ' ' && is_space(peek())) ++at_;
  }

  bool open(bool is_object) noexcept;
  bool close_finished(std::size_t outer_depth, bool& more) noexcept;
  bool name() noexcept;
  bool scalar() noexcept;
  bool string() noexcept;
  [[gnu::noinline]] bool rest_of_string() noexcept;  // rare, and would cost every string its registers
  bool escape() noexcept;
  bool number() noexcept;
  bool digits() noexcept;
  bool literal(std::string_view word) noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t depth_ = 0;
  std::bitset<kMaxJsonDepth> is_object_;  // of each open container, the outermost first
  JsonError error_{};
};

// A loop with a stack of bits instead of recursion, so that no input exhausts the stack.
bool Scanner::value() noexcept {
  const std::size_t outer_depth = depth_;
  while (true) {
    skip_space();
    const char c = peek();
    if (c == '{' || c == '[') {
      if (!open(c == '{')) return false;
      skip_space();
      if (peek() != (c == '{' ? '}' : ']')) {
        if (c == '{' && !name()) return false;
        continue;  // with the first value inside
      }
    } else if (!scalar()) {
      return false;
    }
    bool more = false;
    if (!close_finished(outer_depth, more)) return false;
    if (!more) return true;
  }
}

bool Scanner::open(bool is_object) noexcept {
  if (depth_ == kMaxJsonDepth) return fail("nested too deeply");
  is_object_[depth_++] = is_object;
  ++at_;
  return true;
}

// Behind a value, or at the end of an empty container: leaves every container that ends here. `more`: another value
// follows.
bool Scanner::close_finished(std::size_t outer_depth, bool& more) noexcept {
  for (; depth_ > outer_depth; --depth_) {
    skip_space();
    const bool in_object = is_object_[depth_ - 1];
    if (accept(',')) {
      more = true;
      return !in_object || name();
    }
    if (!accept(in_object ? '}' : ']')) return fail(in_object ? "expected ',' or '}'" : "expected ',' or ']'");
  }
  more = false;
  return true;
}

bool Scanner::object(const std::function<void(const JsonMember&)>& member) {
  skip_space();
  if (peek() != '{') return fail("expected an object");
  open(true);
  skip_space();
  if (accept('}')) {
    --depth_;
    return true;
  }
  while (true) {
    skip_space();
    const char* const name_begin = at_;
    if (!string()) return false;
    const std::string_view name(name_begin, at_);
    skip_space();
    if (!accept(':')) return fail("expected ':'");
    skip_space();
    const char* const value_begin = at_;
    if (!value()) return false;
    member({name, std::string_view(value_begin, at_)});
    skip_space();
    if (accept('}')) {
      --depth_;
      return true;
    }
    if (!accept(',')) return fail("expected ',' or '}'");
  }
}

// The name of a member and its colon.
bool Scanner::name() noexcept {
  skip_space();
  if (!string()) return false;
  skip_space();
  return accept(':') || fail("expected ':'");
}

bool Scanner::scalar() noexcept {
  switch (peek()) {
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return peek() == '-' || is_digit(peek()) ? number() : fail("expected a value");
  }
}

bool Scanner::string() noexcept {
  if (!accept('"')) return fail("expected '\"'");
  at_ = plain_run_end(at_, end_);
  return accept('"') || rest_of_string();
}

// From where the first run of plain bytes ended.
bool Scanner::rest_of_string() noexcept {
  while (!accept('"')) {
    if (peek() != '\\') return fail("a control character inside a string");
    if (!escape()) return false;
    at_ = plain_run_end(at_, end_);
  }
  return true;
}

bool Scanner::escape() noexcept {
  ++at_;  // the backslash
  if (peek() == '\0' || std::strchr("\"\\/bfnrtu", peek()) == nullptr) return fail("an unknown escape");
  if (*at_++ != 'u') return true;
  for (int i = 0; i < 4; ++i, ++at_) {
    if (!is_hex(peek())) return fail("expected four hexadecimal digits");
  }
  return true;
}

bool Scanner::digits() noexcept {
  if (!is_digit(peek())) return fail("expected a digit");
  while (is_digit(peek())) ++at_;
  return true;
}

bool Scanner::number() noexcept {
  accept('-');
  if (!accept('0') && !digits()) return false;
  if (accept('.') && !digits()) return false;
  if (accept('e') || accept('E')) {
    if (!accept('+')) accept('-');
    return digits();
  }
  return true;
}

bool Scanner::literal(std::string_view word) noexcept {
  for (const char c : word) {
    if (!accept(c)) return fail("expected a value");
  }
  return true;
}

std::optional<JsonError> invalid_utf8(std::string_view text) noexcept {
  if (simdjson::validate_utf8(text.data(), text.size())) return std::nullopt;
  const std::size_t at = first_invalid_utf8(text);
  return JsonError{at, "invalid UTF-8", is_cut_character(text.substr(at))};
}

}  // namespace

std::optional<JsonError> validate_json(std::string_view text) noexcept {
  if (auto error = invalid_utf8(text)) return error;
  Scanner scanner(text);
  if (scanner.value() && scanner.end()) return std::nullopt;
  return scanner.error();
}

std::optional<JsonError> validate_json_object(std::string_view text,
                                              const std::function<void(const JsonMember&)>& member) {
  if (auto error = invalid_utf8(text)) return error;
  Scanner scanner(text);
  if (scanner.object(member) && scanner.end()) return std::nullopt;
  return scanner.error();
}

}  // namespace fuseboard::llm
