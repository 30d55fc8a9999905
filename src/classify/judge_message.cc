// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

// Runtimes wrap everything that went wrong on the wire in one class; the text may say which of it.
bool is_wrapper(std::string_view typed_code) noexcept {
  if (equal_folded(typed_code, "errno:ECONNABORTED")) return true;  // axios: also its own timeouts
  return !starts_folded(typed_code, "curl:") && !starts_folded(typed_code, "errno:") &&
         !starts_folded(typed_code, "gai:");
}

// A typed error that has no row of its own: "py:TimeoutError" is one by its name.
std::optional<Match> by_typed_code(std::string_view code) noexcept {
  if (code.empty()) return std::nullopt;
  if (const TypedRow* const row = typed_row(code)) return found(*row);
  if (const CodeRow* const row = code_row(code.substr(code.find(':') + 1))) return found(*row);
  return std::nullopt;
}

std::string_view text_of(const CallEvidence& evidence) noexcept {
  return evidence.message.empty() ? evidence.body : evidence.message;
}

// Descriptors, ports and memory that a client runs out of are its own.
void blame_ourselves(Match& found) noexcept {
  if (found.conclusion.category == resource_exhausted) found.conclusion.modifier = Modifier::own_exhaustion;
}

Classification judge(const CallEvidence& evidence, const Match& otherwise, bool is_client) noexcept {
  const HeaderFacts headers = read_headers(evidence);
  Waits waits{.headers = headers.hints};
  std::optional<Match> known = by_typed_code(evidence.typed_code);
  if (!known) {
    known = judge_text(evidence.now, text_of(evidence), waits);
    if (known && is_client) blame_ourselves(*known);
  } else if (is_wrapper(evidence.typed_code)) {
    const Words words(text_of(evidence));
    waits.body = wait_in(words);
    if (const PhraseRow* const row = phrase_row(words, known->conclusion.category)) known = found(*row);
  }
  return settle(evidence, known.value_or(otherwise), waits);
}

}  // namespace

Classification judge_transport(const CallEvidence& evidence) noexcept {
  return judge(evidence, found(network, "transport", "no complete answer", "the channel itself says so"), true);
}

Classification judge_message(const CallEvidence& evidence) noexcept {
  return judge(evidence, by_default(), evidence.domain == Domain::llm);
}

}  // namespace fuseboard::classify_internal
