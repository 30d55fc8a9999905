// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

Match of_callee(Match found) noexcept {
  if (found.conclusion.modifier == Modifier::own_exhaustion) found.conclusion.modifier = Modifier::none;
  return found;
}

// A signal says who, the text may say why: the kernel ran out of memory, timeout(1) ran out of patience.
Match by_signal(const SignalRow& row, const std::optional<Match>& text) noexcept {
  const bool telling =
      text && (text->conclusion.category == resource_exhausted || text->conclusion.category == timeout);
  return telling ? *text : found(row);
}

Match by_exit(int code, const std::optional<Match>& text) noexcept {
  if (const NumberRow* const row = exit_row(code)) {
    if (!row->weak) return found(*row, "exit code");
    return text ? *text : found(*row, "exit code");
  }
  if (code > 128 && code < 128 + 65) {
    if (const SignalRow* const row = signal_row(code - 128)) return by_signal(*row, text);
  }
  return text.value_or(by_default());
}

}  // namespace

Classification judge_process(const CallEvidence& evidence) noexcept {
  if (evidence.exit_code == 0 && evidence.signal.empty()) return kNothingFailed;
  Waits waits;
  const std::string_view text = evidence.body;
  std::optional<Match> judged;
  if (!trimmed(text).empty()) judged = judge_text(evidence.now, text, waits);
  if (judged) judged = of_callee(*judged);
  if (!evidence.typed_code.empty()) {
    if (const TypedRow* const row = typed_row(evidence.typed_code))
      return settle(evidence, of_callee(found(*row)), waits);
  }
  if (!evidence.signal.empty()) {
    const SignalRow* const row = signal_row(evidence.signal);
    return settle(evidence, row == nullptr ? judged.value_or(by_default()) : by_signal(*row, judged), waits);
  }
  if (evidence.exit_code) return settle(evidence, by_exit(*evidence.exit_code, judged), waits);
  if (!judged && !evidence.message.empty()) judged = judge_text(evidence.now, evidence.message, waits);
  return settle(evidence, judged.value_or(by_default()), waits);
}

}  // namespace fuseboard::classify_internal
