// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/canonical.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "json/run.h"
#include "json/string.h"
#include "json/string_decoder.h"
#include "json/syntax.h"

namespace fuseboard::json {
namespace {

// Number::toString of ECMAScript 2023, 6.1.6.1.20: `digits` are the shortest that give the number back, it is
// 0.digits times ten to the power of `point`.
void append_digits(std::string& out, std::string_view digits, int point) {
  const auto count = static_cast<int>(digits.size());
  if (count <= point && point <= 21) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out.append(digits.substr(0, static_cast<std::size_t>(point))).append(".");
    out.append(digits.substr(static_cast<std::size_t>(point)));
  } else if (-6 < point && point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    out.append(digits.substr(0, 1));
    if (count > 1) out.append(".").append(digits.substr(1));
    out.append(point > 0 ? "e+" : "e-").append(std::to_string(std::abs(point - 1)));
  }
}

void append_double(std::string& out, double value) {
  if (value == 0.0) {  // -0 too
    out += '0';
    return;
  }
  if (value < 0.0) out += '-';
  std::array<char, 32> buffer{};
  const std::to_chars_result end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value),
                                                 std::chars_format::scientific);  // d.ddde+XX
  const std::string_view text(buffer.data(), end.ptr);
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, 1));
  if (mark > 2) digits += text.substr(2, mark - 2);
  int exponent = 0;
  const std::size_t sign = text[mark + 1] == '+' ? 1U : 0U;
  std::from_chars(text.data() + mark + 1 + sign, text.data() + text.size(), exponent);
  append_digits(out, digits, exponent + 1);
}

// Written without fraction and exponent, and beyond what a double holds to the last digit.
bool is_large_integer(std::string_view number, double value) noexcept {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  return std::abs(value) >= kLargest && number.find_first_of(".eE") == std::string_view::npos;
}

// Reads a text that is valid JSON, so nothing is checked that a grammar can check.
class Canonicalizer {
 public:
  Canonicalizer(std::string_view text, std::string& out) : text_(text), out_(out) {}

  bool value() {
    skip_blanks();
    switch (text_[at_]) {
      case '{':
        return nested(&Canonicalizer::object);
      case '[':
        return nested(&Canonicalizer::array);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        append_valid_string(out_, text);
        return true;
      }
      case 't':
      case 'f':
      case 'n':
        out_ += take_token();
        return true;
      default:
        return number();
    }
  }

  // An array as a set; the cursor is before it.
  bool set() {
    skip_blanks();
    if (text_[at_] != '[') return value();
    ++at_;
    std::vector<std::string> elements;
    std::string& whole = out_;
    for (skip_blanks(); text_[at_] != ']'; skip_separator()) {
      Canonicalizer element(text_, elements.emplace_back());
      element.at_ = at_;
      element.depth_ = depth_ + 1;
      if (!element.value()) {
        error_ = element.error_;
        return false;
      }
      at_ = element.at_;
    }
    ++at_;
    std::sort(elements.begin(), elements.end());
    whole += '[';
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) whole += ',';
      whole += elements[i];
    }
    whole += ']';
    return true;
  }

  // The text of the string at the cursor, which moves behind it.
  bool string(std::string& text) {
    const char* const end = string_end(text_.data() + at_, text_.data() + text_.size());
    const std::string_view literal(text_.data() + at_, end);
    std::optional<std::string> unescaped = unescape(literal);
    if (!unescaped) return fail("half a surrogate pair");
    text = *std::move(unescaped);
    at_ += literal.size();
    return true;
  }

  const Error& error() const noexcept { return error_; }

 private:
  struct Member {
    std::string name;
    std::size_t begin = 0;  // in out_, name and value with nothing around
    std::size_t end = 0;
  };

  bool fail(std::string_view what) {
    error_ = {.offset = at_, .what = what};
    return false;
  }

  void skip_blanks() {
    while (is_space(text_[at_])) ++at_;
  }
  // To the next element, or to the closing bracket.
  void skip_separator() {
    skip_blanks();
    if (text_[at_] != ',') return;
    ++at_;
    skip_blanks();
  }
  std::string_view take_token() {
    const char* const begin = text_.data() + at_;
    const std::string_view token(begin, bare_value_end(begin, text_.data() + text_.size()));
    at_ += token.size();
    return token;
  }

  bool nested(bool (Canonicalizer::*read)()) {
    if (depth_ == kMaxCanonicalDepth) return fail("nested too deep for a canonical form");
    ++depth_;
    const bool done = (this->*read)();
    --depth_;
    return done;
  }

  bool array() {
    out_ += '[';
    bool first = true;
    ++at_;
    for (skip_blanks(); text_[at_] != ']'; skip_separator()) {
      if (!std::exchange(first, false)) out_ += ',';
      if (!value()) return false;
    }
    ++at_;
    out_ += ']';
    return true;
  }

  bool object() {
    std::vector<Member> members;
    out_ += '{';
    const std::size_t begin = out_.size();
    ++at_;
    for (skip_blanks(); text_[at_] != '}'; skip_separator()) {
      if (!members.empty()) out_ += ',';
      Member& member = members.emplace_back();
      member.begin = out_.size();
      if (!string(member.name)) return false;
      append_valid_string(out_, member.name);
      skip_blanks();
      ++at_;  // the colon
      out_ += ':';
      if (!value()) return false;
      member.end = out_.size();
    }
    if (!put_in_order(members, begin)) return false;
    ++at_;
    out_ += '}';
    return true;
  }

  // The members stand in out_ from `begin` on, in the order of the text.
  bool put_in_order(std::vector<Member>& members, std::size_t begin) {
    const auto before = [](const Member& a, const Member& b) { return before_in_utf16(a.name, b.name); };
    const bool was_in_order = std::is_sorted(members.begin(), members.end(), before);
    if (!was_in_order) std::sort(members.begin(), members.end(), before);
    const auto twice = std::adjacent_find(members.begin(), members.end(),
                                          [](const Member& a, const Member& b) { return a.name == b.name; });
    if (twice != members.end()) return fail("two members of one name");
    if (was_in_order) return true;
    std::string ordered;
    ordered.reserve(out_.size() - begin);
    for (const Member& member : members) {
      if (!ordered.empty()) ordered += ',';
      ordered.append(out_, member.begin, member.end - member.begin);
    }
    out_.replace(begin, std::string::npos, ordered);
    return true;
  }

  bool number() {
    const std::string_view token = take_token();
    double value = 0.0;
    const std::from_chars_result read = std::from_chars(token.data(), token.data() + token.size(), value);
    if (read.ec != std::errc()) return fail("a number that fits no double");
    if (is_large_integer(token, value)) {
      out_ += token;
    } else {
      append_double(out_, value);
    }
    return true;
  }

  std::string_view text_;
  std::string& out_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  Error error_{};
};

template <typename Read>
std::expected<void, Error> run(std::string_view text, std::string& out, Read read) {
  Canonicalizer canonicalizer(text, out);
  if (!read(canonicalizer)) return std::unexpected(canonicalizer.error());
  return {};
}

}  // namespace

// The order of UTF-8 bytes is that of code points. UTF-16 puts what is beyond U+FFFF, beginning with a surrogate,
// before U+E000 to U+FFFF; their first bytes are F0 to F4, and EE and EF.
bool before_in_utf16(std::string_view a, std::string_view b) noexcept {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end() || in_b == b.end()) return in_a == a.end() && in_b != b.end();
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte + 0;
  };
  return rank(*in_a) < rank(*in_b);
}

std::expected<std::string, Error> canonical_form(std::string_view text) {
  if (const std::optional<Error> error = validate(text)) return std::unexpected(*error);
  std::string out;
  out.reserve(text.size());
  if (const auto done = append_canonical(out, text); !done) return std::unexpected(done.error());
  return out;
}

std::expected<void, Error> append_canonical(std::string& out, std::string_view valid_json) {
  return run(valid_json, out, [](Canonicalizer& canonicalizer) { return canonicalizer.value(); });
}

std::expected<void, Error> append_canonical_set(std::string& out, std::string_view valid_json) {
  return run(valid_json, out, [](Canonicalizer& canonicalizer) { return canonicalizer.set(); });
}

}  // namespace fuseboard::json
