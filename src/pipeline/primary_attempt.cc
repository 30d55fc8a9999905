// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/primary_attempt.h"

#include "pipeline/fallback_rules.h"

namespace fuseboard::engine {
namespace {

// What broke off an answer that had begun: the last thing that did.
const AttemptRecord* what_broke(const CallRecord& record) noexcept {
  const AttemptRecord* last = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.failure && attempt.first_content && !attempt.unusable) last = &attempt;
  }
  return last;
}

}  // namespace

const AttemptRecord* primary_attempt(const CallRecord& record, const PlanOptions& options) noexcept {
  if (record.ending == Ending::interrupted) {
    if (const AttemptRecord* const attempt = what_broke(record)) return attempt;
  }
  const AttemptRecord* first = nullptr;
  const AttemptRecord* first_answered = nullptr;
  const AttemptRecord* first_cancelled = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (!attempt.failure) continue;
    if (attempt.failure->category == Category::cancelled) {
      if (first_cancelled == nullptr) first_cancelled = &attempt;
      continue;
    }
    if (is_decisive(*attempt.failure, options)) return &attempt;
    if (first == nullptr) first = &attempt;
    if (first_answered == nullptr && attempt.answered) first_answered = &attempt;
  }
  if (first_answered != nullptr) return first_answered;
  return first != nullptr ? first : first_cancelled;
}

}  // namespace fuseboard::engine
