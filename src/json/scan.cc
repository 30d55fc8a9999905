// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/scan.h"

#include <simdjson.h>

#include <array>
#include <bit>
#include <bitset>
#include <cstdint>

#include "fuseboard/core/json_escape.h"
#include "fuseboard/core/utf8.h"
#include "json/run.h"
#include "json/syntax.h"

namespace fuseboard::json {
namespace {

// What may stand behind a backslash by itself.
consteval std::array<bool, 256> short_escapes() {
  std::array<bool, 256> table{};
  for (const JsonShortEscape& escape : kJsonShortEscapes) table[static_cast<unsigned char>(escape.letter)] = true;
  return table;
}
constexpr std::array<bool, 256> kShortEscape = short_escapes();

// Without a way out, so that it is done for many characters at once.
bool is_ascii(std::string_view text) noexcept {
  unsigned char any = 0;
  for (const char c : text) any |= static_cast<unsigned char>(c);
  return any < 0x80;
}

bool is_utf8(std::string_view text) noexcept {
  // Much of what passes is ASCII, and simdjson's way to the best code for the machine is long for a short text.
  constexpr std::size_t kShort = 4096;
  return (text.size() <= kShort && is_ascii(text)) || simdjson::validate_utf8(text.data(), text.size());
}

// Goes over a text. Each step takes the place where something should begin and returns where it ends, or notes an error
// and returns nullptr.
class Scanner {
 public:
  using Look = std::function<void(std::size_t end)>;

  // `look` may be empty.
  Scanner(std::string_view text, const Look& look) noexcept
      : begin_(text.data()), end_(begin_ + text.size()), characters_end_(begin_), look_(look) {}

  const char* begin() const noexcept { return begin_; }
  const char* value(const char* at);
  const char* object(const char* at, const std::function<void(const Member&)>& member);

  // The error, if there is one. `end`: where the value ends, nullptr where there is an error.
  std::optional<Error> finish(const char* end) {
    if (end != nullptr) end = end_of_text(end);
    if (end != nullptr && characters(end)) return std::nullopt;
    characters(begin_ + error_.offset);  // if they are wrong before it, that is the error
    return error_;
  }

 private:
  char peek(const char* at) const noexcept { return at != end_ ? *at : '\0'; }
  bool is(const char* at, char c) const noexcept { return at != end_ && *at == c; }
  bool closes(const char* at) const noexcept { return is(at, in_object_ ? '}' : ']'); }
  const char* behind_space(const char* at) const noexcept {
    while (at != end_ && is_space(*at)) ++at;
    return at;
  }
  const char* end_of_text(const char* at) noexcept {
    at = behind_space(at);
    return at == end_ ? at : fail(at, "unexpected text after the value");
  }

  // Whether all is valid UTF-8 up to `at` and, as far as the text goes, behind it.
  bool characters(const char* at) { return at < characters_end_ || check_characters(at); }
  bool check_characters(const char* at);

  [[gnu::noinline]] const char* fail(const char* at, std::string_view what) noexcept {
    const bool breaks_off = at == end_;
    error_ = {static_cast<std::size_t>(at - begin_), breaks_off ? "unexpected end" : what, breaks_off};
    return nullptr;
  }

  const char* open(const char* at) noexcept;
  const char* close(const char* at) noexcept;
  const char* close_finished(const char* at, std::size_t outer_depth) noexcept;
  const char* comma(const char* at) noexcept;
  const char* colon(const char* at) noexcept;
  const char* name(const char* at) noexcept;
  const char* number_or_literal(const char* at) noexcept;
  const char* string(const char* at) noexcept;
  [[gnu::noinline]] const char* rest_of_string(const char* at) noexcept;
  const char* special(const char* at) noexcept;
  const char* escape(const char* at) noexcept;
  const char* number(const char* at) noexcept;
  const char* digits(const char* at) noexcept;
  const char* literal(const char* at, std::string_view word) noexcept;

  const char* begin_;
  const char* end_;
  const char* characters_end_;  // before it is valid UTF-8
  const Look& look_;
  std::size_t depth_ = 0;
  bool in_object_ = false;         // what the innermost open container is
  std::bitset<kMaxDepth> around_;  // the same of what is around each open container, the outermost first
  Error error_{};
};

bool Scanner::check_characters(const char* at) {
  // What a core's second cache holds together with what else is at hand.
  constexpr std::ptrdiff_t kPiece = 32 * 1024;
  while (characters_end_ <= at && characters_end_ != end_) {
    const char* const from = characters_end_;
    const char* to = end_ - from <= kPiece ? end_ : from + kPiece;
    // A character that would be cut belongs to the next piece. More than three such bytes in a row are none.
    for (int bytes = 0; to != end_ && bytes < 3 && is_continuation(*to); ++bytes) --to;
    if (!is_utf8({from, to})) {
      const char* const wrong = from + first_invalid_utf8({from, end_});
      error_ = {static_cast<std::size_t>(wrong - begin_), "invalid UTF-8", is_cut_character({wrong, end_})};
      return false;
    }
    characters_end_ = to;
    if (look_) look_(static_cast<std::size_t>(to - begin_));
  }
  return true;
}

// A loop with a stack of bits instead of recursion, so that no input exhausts the stack.
const char* Scanner::value(const char* at) {
  const std::size_t outer_depth = depth_;
  while (true) {
    at = behind_space(at);
    if (!characters(at)) return nullptr;
    const char c = peek(at);
    if (c == '{' || c == '[') {
      at = open(at);
      if (at == nullptr) return nullptr;
      at = behind_space(at);
      if (!closes(at)) {
        if (in_object_) at = name(at);
        if (at == nullptr) return nullptr;
        continue;  // with the first value inside
      }
    } else {
      at = c == '"' ? string(at) : number_or_literal(at);
      if (at == nullptr) return nullptr;
    }
    at = close_finished(at, outer_depth);
    if (depth_ == outer_depth) return at;
    at = comma(at);
    if (at != nullptr && in_object_) at = name(at);
    if (at == nullptr) return nullptr;
  }
}

const char* Scanner::open(const char* at) noexcept {
  if (depth_ == kMaxDepth) return fail(at, "nested too deeply");
  around_[depth_++] = in_object_;
  in_object_ = *at == '{';
  return at + 1;
}

const char* Scanner::close(const char* at) noexcept {
  in_object_ = around_[--depth_];
  return at + 1;
}

// Behind a value, or at the end of an empty container: leaves every container that ends here.
const char* Scanner::close_finished(const char* at, std::size_t outer_depth) noexcept {
  while (depth_ > outer_depth) {
    at = behind_space(at);
    if (!closes(at)) return at;
    at = close(at);
  }
  return at;
}

const char* Scanner::object(const char* at, const std::function<void(const Member&)>& member) {
  at = behind_space(at);
  if (!is(at, '{')) return fail(at, "expected an object");
  at = behind_space(open(at));
  if (closes(at)) return close(at);
  while (true) {
    const char* const name_begin = behind_space(at);
    const char* const name_end = string(name_begin);
    if (name_end == nullptr) return nullptr;
    at = colon(name_end);
    if (at == nullptr) return nullptr;
    const char* const value_begin = behind_space(at);
    at = value(value_begin);
    if (at == nullptr) return nullptr;
    if (!characters(at)) return nullptr;
    member({std::string_view(name_begin, name_end), std::string_view(value_begin, at)});
    at = behind_space(at);
    if (closes(at)) return close(at);
    at = comma(at);
    if (at == nullptr) return nullptr;
  }
}

// Behind a value that another one must follow.
const char* Scanner::comma(const char* at) noexcept {
  if (is(at, ',')) return at + 1;
  return fail(at, in_object_ ? "expected ',' or '}'" : "expected ',' or ']'");
}

const char* Scanner::colon(const char* at) noexcept {
  at = behind_space(at);
  return is(at, ':') ? at + 1 : fail(at, "expected ':'");
}

// The name of a member and its colon.
const char* Scanner::name(const char* at) noexcept {
  at = string(behind_space(at));
  return at == nullptr ? nullptr : colon(at);
}

const char* Scanner::number_or_literal(const char* at) noexcept {
  switch (peek(at)) {
    case 't':
      return literal(at, "true");
    case 'f':
      return literal(at, "false");
    case 'n':
      return literal(at, "null");
    default:
      return begins_number(peek(at)) ? number(at) : fail(at, "expected a value");
  }
}

const char* Scanner::string(const char* at) noexcept {
  if (!is(at, '"')) return fail(at, "expected '\"'");
  at = plain_run_end(at + 1, end_);
  return is(at, '"') ? at + 1 : rest_of_string(at);
}

// From where the first run of plain bytes ends. Most strings have no more than one, and should not pay for this.
const char* Scanner::rest_of_string(const char* at) noexcept {
  constexpr std::ptrdiff_t kBlock = 64;
  while (end_ - at >= kBlock) {
    const char* const block = at;
    std::uint64_t ends = run_ends_of_64(block);
    for (at = block + kBlock; ends != 0;) {
      const char* const run_end = block + std::countr_zero(ends);
      if (*run_end == '"') return run_end + 1;
      const char* const behind = special(run_end);
      if (behind == nullptr) return nullptr;
      if (behind - block >= kBlock) {
        at = behind;
        break;
      }
      ends &= ~std::uint64_t{0} << (behind - block);  // what the escape consists of ends nothing
    }
  }
  for (at = plain_run_end(at, end_); !is(at, '"'); at = plain_run_end(at, end_)) {
    at = special(at);
    if (at == nullptr) return nullptr;
  }
  return at + 1;
}

// What ends a run and is no quote.
const char* Scanner::special(const char* at) noexcept {
  return is(at, '\\') ? escape(at + 1) : fail(at, "a control character inside a string");
}

// Behind the backslash. A table: code has an escape every thirty bytes or so.
const char* Scanner::escape(const char* at) noexcept {
  const char c = peek(at);
  if (kShortEscape[static_cast<unsigned char>(c)]) return at + 1;
  if (c != 'u') return fail(at, "an unknown escape");
  ++at;
  for (int digits = 4; digits > 0; --digits, ++at) {
    if (hex_digit(peek(at)) < 0) return fail(at, "expected four hexadecimal digits");
  }
  return at;
}

const char* Scanner::digits(const char* at) noexcept {
  if (!is_digit(peek(at))) return fail(at, "expected a digit");
  while (is_digit(peek(at))) ++at;
  return at;
}

const char* Scanner::number(const char* at) noexcept {
  if (is(at, '-')) ++at;
  at = is(at, '0') ? at + 1 : digits(at);
  if (at != nullptr && is(at, '.')) at = digits(at + 1);
  if (at == nullptr || !(is(at, 'e') || is(at, 'E'))) return at;
  ++at;
  return digits(is(at, '+') || is(at, '-') ? at + 1 : at);
}

const char* Scanner::literal(const char* at, std::string_view word) noexcept {
  for (const char c : word) {
    if (!is(at, c)) return fail(at, "expected a value");
    ++at;
  }
  return at;
}

}  // namespace

std::optional<Error> validate(std::string_view text) noexcept {
  const Scanner::Look none;
  Scanner scanner(text, none);
  return scanner.finish(scanner.value(scanner.begin()));
}

std::optional<Error> validate_object(std::string_view text, const std::function<void(const Member&)>& member,
                                     const std::function<void(std::size_t end)>& look) {
  Scanner scanner(text, look);
  return scanner.finish(scanner.object(scanner.begin(), member));
}

}  // namespace fuseboard::json
