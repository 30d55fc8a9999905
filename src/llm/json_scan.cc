// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_scan.h"

#include <simdjson.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <cstring>

#include "llm/json_text.h"

namespace fuseboard::llm {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Whether one of eight bytes ends a run of plain string bytes: a quote, a backslash or a control character. The known
// "byte less than n" trick (Anderson, "Bit Twiddling Hacks"); bytes >= 0x80 are plain, as UTF-8 is checked beforehand.
constexpr bool has_special(std::uint64_t word) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  const std::uint64_t found =
      ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((word - kOnes * 0x20) & ~word);
  return (found & kHighs) != 0;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}

  // Each of these moves behind what it names, or notes an error and returns false.
  bool value() noexcept;
  bool object(const std::function<void(const JsonMember&)>& member);
  bool end() noexcept {
    skip_space();
    return at_ == text_.size() || fail("unexpected text after the value");
  }
  const JsonError& error() const noexcept { return error_; }

 private:
  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool accept(char c) noexcept {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool fail(std::string_view what) noexcept {
    const bool breaks_off = at_ == text_.size();
    error_ = {at_, breaks_off ? "unexpected end" : what, breaks_off};
    return false;
  }
  void skip_space() noexcept {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool open(bool is_object) noexcept;
  bool close_finished(std::size_t outer_depth, bool& more) noexcept;
  bool name() noexcept;
  bool scalar() noexcept;
  bool string() noexcept;
  bool escape() noexcept;
  bool number() noexcept;
  bool digits() noexcept;
  bool literal(std::string_view word) noexcept;

  std::string_view text_;
  std::size_t at_ = 0;
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
  while (depth_ > outer_depth) {
    skip_space();
    const bool in_object = is_object_[depth_ - 1];
    if (accept(in_object ? '}' : ']')) {
      --depth_;
      continue;
    }
    if (!accept(',')) return fail(in_object ? "expected ',' or '}'" : "expected ',' or ']'");
    more = true;
    return !in_object || name();
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
    const std::size_t name_begin = at_;
    if (!string()) return false;
    const std::string_view name = text_.substr(name_begin, at_ - name_begin);
    skip_space();
    if (!accept(':')) return fail("expected ':'");
    skip_space();
    const std::size_t value_begin = at_;
    if (!value()) return false;
    member({name, text_.substr(value_begin, at_ - value_begin)});
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
  while (true) {
    std::uint64_t word = 0;
    while (text_.size() - at_ >= sizeof word) {
      std::memcpy(&word, text_.data() + at_, sizeof word);
      if (has_special(word)) break;
      at_ += sizeof word;
    }
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
           static_cast<unsigned char>(text_[at_]) >= 0x20) {
      ++at_;
    }
    if (accept('"')) return true;
    if (peek() != '\\') return fail("a control character inside a string");
    if (!escape()) return false;
  }
}

bool Scanner::escape() noexcept {
  ++at_;  // the backslash
  if (at_ >= text_.size() || std::strchr("\"\\/bfnrtu", text_[at_]) == nullptr || text_[at_] == '\0') {
    return fail("an unknown escape");
  }
  if (text_[at_++] != 'u') return true;
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
