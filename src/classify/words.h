// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A text as words, and patterns of words.
//
// Quoted text is one word without content, because what is quoted is echoed input or a name. Paths, URLs and
// identifiers are one word each, so nothing inside them matches. Case does not count.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "classify/fold.h"

namespace fuseboard::classify_internal {

enum class WordKind : std::uint8_t {
  plain,   // letters, with hyphens and apostrophes inside
  number,  // digits, with points and commas inside
  name,    // an identifier, path, URL or anything else that mixes characters
  quoted,  // between quotes
};

struct Word {
  std::uint64_t hash;
  std::uint32_t begin;  // offsets in the text
  std::uint32_t end;
  WordKind kind;
  bool begins_clause;  // first of the text, of a line, or behind ": ", ". ", "; ", " - ", "(" or "["
  bool begins_line;
};

// The words of one text. Of a long text, those of its beginning and of its end.
class Words {
 public:
  static constexpr std::size_t kMaxWords = 448;
  static constexpr std::size_t kMaxHead = 3072;  // bytes
  static constexpr std::size_t kMaxTail = 2048;

  explicit Words(std::string_view text) noexcept;

  std::size_t size() const noexcept { return size_; }
  const Word& operator[](std::size_t i) const noexcept { return words_[i]; }
  std::string_view text() const noexcept { return text_; }
  std::string_view text(const Word& word) const noexcept { return text_.substr(word.begin, word.end - word.begin); }
  bool is(std::size_t i, std::uint64_t hash) const noexcept {
    return i < size_ && words_[i].hash == hash && words_[i].kind != WordKind::quoted;
  }
  bool ends_clause(std::size_t i) const noexcept { return i + 1 >= size_ || words_[i + 1].begins_clause; }

 private:
  void scan(std::size_t begin, std::size_t end) noexcept;
  bool begins_word(std::size_t at, std::size_t end) const noexcept;
  bool begins_clause(std::size_t at, std::size_t end) const noexcept;
  std::size_t scan_quoted(std::size_t at, std::size_t end, bool begins_clause, bool begins_line) noexcept;
  std::size_t scan_word(std::size_t at, std::size_t end, bool begins_clause, bool begins_line) noexcept;

  std::string_view text_;
  std::size_t size_ = 0;
  std::array<std::size_t, 3> unclosed_until_{};  // for each sort of quote
  std::array<Word, kMaxWords> words_;
};

// Words to be found one after another. In a pattern:
//   word   that word          *    any one word
//   <n>    a number           <q>  a quoted text or a name
//   ...    up to eight words  ^    (first) only where a clause begins      $  (last) only where one ends
//   ^^     (first) only where the text or a line begins
// The first word must be a word.
class Pattern {
 public:
  static constexpr std::size_t kMaxTokens = 12;

  constexpr Pattern() = default;
  // What is no pattern by the rules above has size 0 and matches nothing.
  explicit constexpr Pattern(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
      std::size_t end = text.find(' ', at);
      if (end == std::string_view::npos) end = text.size();
      if (end > at && !add(text.substr(at, end - at))) {
        size_ = 0;
        return;
      }
      at = end + 1;
    }
    if (size_ > 0 && tokens_[0] < kFirstHash) size_ = 0;
    if (size_ > 0 && tokens_[size_ - 1] == kGap) size_ = 0;
  }

  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr std::uint64_t first() const noexcept { return tokens_[0]; }
  constexpr std::size_t size() const noexcept { return size_; }

  // Whether it matches with its first word at words[at]. `after` becomes the index behind the match.
  bool matches(const Words& words, std::size_t at, std::size_t& after) const noexcept;

 private:
  static constexpr std::uint64_t kAny = 1;
  static constexpr std::uint64_t kNumber = 2;
  static constexpr std::uint64_t kQuoted = 3;
  static constexpr std::uint64_t kGap = 4;
  static constexpr std::uint64_t kFirstHash = 16;
  static constexpr std::size_t kMaxGap = 8;

  constexpr bool add(std::string_view token) noexcept {
    if (token == "^" || token == "^^") {
      if (size_ != 0) return false;
      (token == "^" ? at_clause_ : at_line_) = true;
      return true;
    }
    if (token == "$") {
      to_end_ = true;
      return true;
    }
    if (size_ == kMaxTokens || to_end_) return false;
    tokens_[size_++] = token == "*"     ? kAny
                       : token == "<n>" ? kNumber
                       : token == "<q>" ? kQuoted
                       : token == "..." ? kGap
                                        : hash_lower(token);
    return true;
  }
  bool match_from(const Words& words, std::size_t token, std::size_t at, std::size_t& after,
                  std::size_t& steps) const noexcept;

  std::array<std::uint64_t, kMaxTokens> tokens_{};
  std::uint8_t size_ = 0;
  bool at_clause_ = false;
  bool at_line_ = false;
  bool to_end_ = false;
};

}  // namespace fuseboard::classify_internal
