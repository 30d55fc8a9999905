// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an attempt is charged, by the budget and by limits that count tokens alike [BUD-4, BUD-10, LIM-5]: what its
// answer says it used (budget/charge.h), nothing for an error, what was observed of an answer that broke off.

#include <algorithm>
#include <optional>
#include <utility>

#include "fuseboard/pipeline/admission.h"

namespace fuseboard {

void AttemptPermits::observe(const TokenUsage& usage) noexcept {
  answering_ = true;
  observed_.input = std::max(observed_.input, usage.input);
  observed_.cached_input = std::max(observed_.cached_input, usage.cached_input);
  observed_.output = std::max(observed_.output, usage.output);
  budget_.observe(usage);
}

// An error that a target told is not billed, nor what never arrived.
bool AttemptPermits::was_free(const AttemptReport& report) const noexcept {
  return !report.usage && !report.outcome.ok() && !answering_ && (report.answered || !report.may_have_run);
}

void AttemptPermits::settle_limits(TimePoint now, const AttemptReport& report, const ChargedUsage& charged) {
  // It was a request nevertheless [LIM-1].
  const std::uint64_t tokens = was_free(report) || !report.connected ? 0 : charged.usage.total();
  for (std::size_t scope = limits_.size(); scope-- > 0;) std::move(limits_[scope]).settle(now, tokens);
}

// What broke off, and whole answers that do not say what they used, are charged as observed, at least their input
// [BUD-4, BUD-10].
std::optional<BudgetSettlement> AttemptPermits::settle_budget(const AttemptReport& report,
                                                              const ChargedUsage& charged) {
  if (was_free(report)) return std::move(budget_).settle(TokenUsage{});
  if (!report.usage) return std::move(budget_).release();
  BudgetSettlement settlement = std::move(budget_).settle(charged.usage);
  settlement.understated = charged.understated;
  return settlement;
}

}  // namespace fuseboard
