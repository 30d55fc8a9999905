// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/words.h"

#include <algorithm>
#include <array>
#include <bit>

namespace fuseboard::classify_internal {
namespace {

// What a byte can be in a word.
enum ByteClass : std::uint8_t {
  kAlpha = 1,
  kDigit = 2,
  kJoin = 4,     // hyphens and apostrophes
  kPoint = 8,    // of a number
  kOther = 16,   // what only names hold
  kEdge = 32,    // does not end a word, though it may stand inside one
  kLead = 64,    // does not begin one
  kPlain = 128,  // begins, ends and fills one
};

consteval std::array<std::uint8_t, 256> byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const char c = static_cast<char>(i);
    if (is_alpha(c)) classes[i] = kAlpha | kPlain;
    if (is_digit(c)) classes[i] = kDigit | kPlain;
    if (i >= 0x80 || c == '_' || c == '@') classes[i] = kOther | kPlain;
    if (c == '.') classes[i] = kPoint | kEdge;
    if (c == '-' || c == '\'') classes[i] = kJoin | kEdge | kLead;
    if (c == ':' || c == '+' || c == '%' || c == '#') classes[i] = kOther | kEdge | kLead;
    if (c == '/' || c == '~' || c == '$' || c == '\\') classes[i] = kOther | kEdge;
  }
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = byte_classes();
constexpr std::uint8_t class_of(char c) noexcept { return kClasses[static_cast<unsigned char>(c)]; }

// What hash_step() adds for a byte, its case aside.
consteval std::array<std::uint64_t, 256> hash_terms() {
  std::array<std::uint64_t, 256> terms{};
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] = hash_step(0, lower(static_cast<char>(i)));
  return terms;
}
constexpr std::array<std::uint64_t, 256> kTerms = hash_terms();

WordKind kind_of(std::uint8_t seen) noexcept {
  if ((seen & ~(kAlpha | kPlain | kJoin | kEdge | kLead)) == 0) return WordKind::plain;
  return (seen & ~(kDigit | kPlain | kPoint | kEdge)) == 0 ? WordKind::number : WordKind::name;
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
    const std::uint8_t kind = class_of(c);
    if (c == ' ') {
      ++at;
    } else if ((kind & (kAlpha | kDigit)) != 0 || begins_word(at, end)) {
      at = scan_word(at, end, clause, line);
      line = false;
      // What stands behind the word says whether a clause begins: ": ", ". ".
      clause = at < end && (text_[at] == ':' || text_[at] == '.') && (at + 1 == end || is_space(text_[at + 1]));
    } else if (c == '"' || c == '`' || (c == '\'' && (at == begin || !is_alpha(text_[at - 1])))) {
      const std::size_t after = scan_quoted(at, end, clause, line);
      if (after != at + 1) clause = line = false;
      at = after;
    } else {
      line = line || c == '\n';
      clause = clause || line || begins_clause(at, end);
      ++at;
    }
  }
}

// Of a byte that is no letter and no digit.
bool Words::begins_word(std::size_t at, std::size_t end) const noexcept {
  const std::uint8_t kind = class_of(text_[at]);
  if (kind == 0 || (kind & kLead) != 0) return false;
  return text_[at] != '.' || (at + 1 < end && !is_space(text_[at + 1]));
}

// Whether what follows punctuation is a clause of its own.
bool Words::begins_clause(std::size_t at, std::size_t end) const noexcept {
  const char c = text_[at];
  if (c == '-') return at > 0 && is_space(text_[at - 1]) && at + 1 < end && is_space(text_[at + 1]);
  return std::string_view(".:;!|>()[]{").contains(c);
}

std::size_t Words::scan_quoted(std::size_t at, std::size_t end, bool begins_clause, bool begins_line) noexcept {
  // Once no quote closes one on this line, none closes a later one.
  std::size_t& unclosed_until = unclosed_until_[text_[at] == '"' ? 0 : text_[at] == '`' ? 1 : 2];
  if (at < unclosed_until) return at + 1;
  const std::size_t close = closing_quote(text_, at, end);
  if (close == std::string_view::npos) unclosed_until = std::min(text_.find('\n', at), end);
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
  const char* const text = text_.data();
  std::uint64_t hash = kHashSeed;
  std::uint8_t seen = 0;
  const auto take = [&](char c, std::uint8_t kind) {
    hash = std::rotl(hash, 7) + kTerms[static_cast<unsigned char>(c)];
    seen |= kind;
  };
  take(text[at], class_of(text[at]));
  // Hash, kinds and end as they were behind the last byte that may end the word.
  std::uint64_t hash_at_end = 0;
  std::uint8_t seen_at_end = 0;
  std::size_t stop = at + 1;
  for (std::size_t i = at + 1;;) {
    for (; i < end && (class_of(text[i]) & kPlain) != 0; ++i) take(text[i], class_of(text[i]));
    hash_at_end = hash;
    seen_at_end = seen;
    stop = i;
    // Dots, hyphens and their like belong to the word only if it goes on behind them.
    for (; i < end; ++i) {
      std::uint8_t kind = class_of(text[i]);
      // "30,000" is one number.
      if (text[i] == ',' && i + 1 < end && is_digit(text[i - 1]) && is_digit(text[i + 1])) kind = kPoint | kEdge;
      if ((kind & kEdge) == 0) break;
      take(text[i], kind);
    }
    if (i == stop || i == end || (class_of(text[i]) & kPlain) == 0) break;
  }
  // Dots alone are no word; a lone slash stands for "per".
  if ((seen_at_end & ~(kPoint | kEdge)) == 0 && stop == at + 1) return stop;
  words_[size_++] = {.hash = hash_at_end,
                     .begin = static_cast<std::uint32_t>(at),
                     .end = static_cast<std::uint32_t>(stop),
                     .kind = kind_of(seen_at_end),
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
