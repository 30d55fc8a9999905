// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How far a message may change what a status, a code or the name of an exception says.
#include <charconv>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

// Causes that a message names and a class does not: whatever a "ModelError" or an "api_error" is, "flagged as
// sensitive" says what it was.
constexpr CategorySet kCauses = {content_policy,  policy_violation,        quota_exhausted, rate_limit, overloaded,
                                 model_not_found, context_length_exceeded, authentication,  timeout,    cancelled,
                                 circuit_open,    resource_exhausted};

constexpr std::uint64_t word(std::string_view text) { return hash_lower(text); }
constexpr std::uint64_t kPer = word("per");
constexpr std::uint64_t kSlash = word("/");
constexpr std::uint64_t kShortWords[] = {word("minute"), word("min"), word("second"), word("sec")};
constexpr std::uint64_t kShortNames[] = {
    word("rpm"),           word("tpm"),          word("qps"),        word("rps"),
    word("qpm"),           word("per-minute"),   word("ipm"),        word("requests/minute"),
    word("tokens/minute"), word("requests/min"), word("tokens/min"), word("per_minute")};

}  // namespace

const PhraseRow* refining_row(const Words& words, Category known, Certainty certainty) noexcept {
  switch (certainty) {
    case Certainty::firm:
      return phrase_row(words, known);
    case Certainty::generic: {
      if (const PhraseRow* const row = phrase_row(words, known)) return row;
      const PhraseRow* const row = phrase_row(words, std::nullopt);
      return row != nullptr && kCauses.contains(row->conclusion.category) ? row : nullptr;
    }
    case Certainty::none:
      break;
  }
  // An answer came, so what it says of a network is the server's own trouble.
  const PhraseRow* const row = phrase_row(words, std::nullopt);
  return row != nullptr && row->conclusion.category != network ? row : phrase_row(words, known);
}

bool names_short_window(const Words& words) noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    for (const std::uint64_t name : kShortNames) {
      if (words.is(i, name)) return true;
    }
    if (!words.is(i, kPer) && !words.is(i, kSlash)) continue;
    for (const std::uint64_t unit : kShortWords) {
      if (words.is(i + 1, unit)) return true;
    }
  }
  return false;
}

const NumberRow* trailing_minimax_row(std::string_view message) noexcept {
  message = trimmed(message);
  if (message.size() < 8 || message.back() != ')' || message[message.size() - 6] != '(') return nullptr;
  int code = 0;
  const std::string_view digits = message.substr(message.size() - 5, 4);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return error == std::errc() && end == digits.data() + digits.size() ? minimax_row(code) : nullptr;
}

}  // namespace fuseboard::classify_internal
