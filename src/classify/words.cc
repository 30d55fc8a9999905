// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/words.h"

#include <algorithm>

namespace fuseboard::classify_internal {
namespace {

bool is_word_byte(char c) noexcept {
  return is_alpha(c) || is_digit(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("_-./:@\\+%~#$'").contains(c);
}

// What a word does not begin or end with, though it may stand inside one.
bool is_edge(char c) noexcept { return std::string_view(".:-+%#'/~$\\").contains(c); }
bool is_leading_edge(char c) noexcept { return std::string_view(":-+%#'").contains(c); }

WordKind kind_of(std::string_view word) noexcept {
  bool letters = true;
  bool digits = true;
  for (const char c : word) {
    if (!is_alpha(c) && c != '-' && c != '\'') letters = false;
    if (!is_digit(c) && c != '.' && c != ',') digits = false;
  }
  if (letters) return WordKind::plain;
  return digits ? WordKind::number : WordKind::name;
}

// Where the quoted text that begins at `at` ends: the index of the closing quote, or npos.
std::size_t closing_quote(std::string_view text, std::size_t at, std::size_t end) noexcept {
  const char quote = text[at] == '`' ? '`' : text[at];
  for (std::size_t i = at + 1; i < end; ++i) {
    if (text[i] == '\n') return std::string_view::npos;
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    // GNU programs quote `like this'.
    const bool closes = text[i] == quote || (quote == '`' && text[i] == '\'');
    if (!closes) continue;
    // An apostrophe inside a word closes nothing.
    if (text[i] == '\'' && i + 1 < end && (is_alpha(text[i + 1]) || is_digit(text[i + 1]))) continue;
    return i;
  }
  return std::string_view::npos;
}

// logfmt writes msg="..." around what a program says itself.
bool is_own_words(std::string_view text, std::size_t quote) noexcept {
  if (quote == 0 || text[quote - 1] != '=') return false;
  const std::string_view before = text.substr(0, quote - 1);
  for (const std::string_view name : {"msg", "err", "error", "message", "reason", "desc"}) {
    if (before.ends_with(name)) return true;
  }
  return false;
}

}  // namespace

Words::Words(std::string_view text) noexcept : text_(text) {
  if (text.size() <= kMaxHead + kMaxTail) {
    scan(0, text.size());
  } else {
    scan(0, kMaxHead);
    scan(text.size() - kMaxTail, text.size());
  }
}

void Words::scan(std::size_t begin, std::size_t end) noexcept {
  bool clause = true;
  bool line = true;
  std::size_t at = begin;
  // Room for the tail stays free while the head is read.
  const std::size_t most = end < text_.size() ? kMaxWords / 2 : kMaxWords;
  while (at < end && size_ < most) {
    const char c = text_[at];
    if (c == '\n') {
      clause = line = true;
      ++at;
    } else if (c == '"' || c == '`' || (c == '\'' && (at == begin || !is_alpha(text_[at - 1])))) {
      const std::size_t after = scan_quoted(at, end, clause, line);
      if (after != at + 1) clause = line = false;
      at = after;
    } else if (is_word_byte(c) && !is_leading_edge(c)) {
      at = scan_word(at, end, clause, line);
      line = false;
      // What stands behind the word says whether a clause begins: ": ", ". ".
      clause = at < end && (text_[at] == ':' || text_[at] == '.') && (at + 1 == end || is_space(text_[at + 1]));
    } else {
      if (c == '(' || c == '[' || c == ';' || c == '!' || c == '{' || c == '|' || c == '>' || c == ':' || c == ')' ||
          c == ']') {
        clause = true;
      }
      if (c == '-' && at > 0 && is_space(text_[at - 1]) && at + 1 < end && is_space(text_[at + 1])) clause = true;
      ++at;
    }
  }
}

std::size_t Words::scan_quoted(std::size_t at, std::size_t end, bool begins_clause, bool begins_line) noexcept {
  const std::size_t close = closing_quote(text_, at, end);
  if (close == std::string_view::npos || is_own_words(text_, at)) return at + 1;
  words_[size_++] = {.hash = 0,
                     .begin = static_cast<std::uint32_t>(at + 1),
                     .end = static_cast<std::uint32_t>(close),
                     .kind = WordKind::quoted,
                     .begins_clause = begins_clause,
                     .begins_line = begins_line};
  return close + 1;
}

std::size_t Words::scan_word(std::size_t at, std::size_t end, bool begins_clause, bool begins_line) noexcept {
  std::size_t stop = at;
  while (stop < end && is_word_byte(text_[stop])) ++stop;
  // "30,000" is one number.
  while (stop + 1 < end && text_[stop] == ',' && is_digit(text_[stop - 1]) && is_digit(text_[stop + 1])) {
    ++stop;
    while (stop < end && is_digit(text_[stop])) ++stop;
  }
  while (stop > at + 1 && is_edge(text_[stop - 1])) --stop;
  const std::string_view word = text_.substr(at, stop - at);
  words_[size_++] = {.hash = hash_lower(word),
                     .begin = static_cast<std::uint32_t>(at),
                     .end = static_cast<std::uint32_t>(stop),
                     .kind = kind_of(word),
                     .begins_clause = begins_clause,
                     .begins_line = begins_line};
  return stop;
}

bool Pattern::matches(const Words& words, std::size_t at, std::size_t& after) const noexcept {
  if (at_clause_ && !words[at].begins_clause) return false;
  if (at_line_ && !words[at].begins_line) return false;
  std::size_t steps = 0;
  return words.is(at, tokens_[0]) && match_from(words, 1, at + 1, after, steps);
}

// Gaps are tried from short to long. Recursion is as deep as the pattern has tokens; `steps` bounds the tries.
bool Pattern::match_from(const Words& words, std::size_t token, std::size_t at, std::size_t& after,
                         std::size_t& steps) const noexcept {
  constexpr std::size_t kMaxSteps = 64;
  for (; token < size_; ++token, ++at) {
    if (++steps > kMaxSteps) return false;
    if (tokens_[token] == kGap) {
      for (std::size_t gap = 0; gap <= kMaxGap && at + gap < words.size(); ++gap) {
        if (gap > 0 && words[at + gap - 1].begins_line) return false;
        if (match_from(words, token + 1, at + gap, after, steps)) return true;
      }
      return false;
    }
    if (at >= words.size() || words[at].begins_line) return false;
    const WordKind kind = words[at].kind;
    switch (tokens_[token]) {
      case kAny:
        break;
      case kNumber:
        if (kind != WordKind::number) return false;
        break;
      case kQuoted:
        if (kind != WordKind::quoted && kind != WordKind::name) return false;
        break;
      default:
        if (!words.is(at, tokens_[token])) return false;
    }
  }
  if (to_end_ && !words.ends_clause(at - 1)) return false;
  after = at;
  return true;
}

}  // namespace fuseboard::classify_internal
