// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <limits>

#include "fuseboard/budget/charge.h"
#include "fuseboard/budget/ledger.h"

namespace fuseboard {

void BudgetReservation::observe(const TokenUsage& usage) noexcept {
  sent_ = true;
  observed_.input = std::max(observed_.input, usage.input);
  observed_.cached_input = std::max(observed_.cached_input, usage.cached_input);
  observed_.output = std::max(observed_.output, usage.output);
}

BudgetSettlement BudgetReservation::settle(const TokenUsage& actual) && {
  const bool priced = estimate_.price.has_value();
  return close({.tokens = actual.total(), .cost = priced ? estimate_.price->cost(actual) : Money(), .rounds = 1},
               priced);
}

BudgetSettlement BudgetReservation::settle(const TokenUsage& actual, Money cost) && {
  return close({.tokens = actual.total(), .cost = cost, .rounds = 1}, true);
}

BudgetSettlement BudgetReservation::release() && { return abandon(); }

BudgetSettlement BudgetReservation::abandon() noexcept {
  const bool priced = estimate_.price.has_value();
  if (!sent_) return close({}, priced);
  // Input is billed once it is read, whether or not anybody stays for the answer; providers say how much it was at the
  // end of the answer only, or not to somebody who left.
  const TokenUsage input = {.input = estimate_.usage.input, .cached_input = estimate_.usage.cached_input};
  const TokenUsage usage = charged_usage(std::nullopt, estimate_.usage, observed_).usage;
  BudgetSpend charge = {.tokens = usage.total(), .rounds = 1};
  if (priced) charge.cost = std::max(estimate_.price->cost(usage), estimate_.price->cost(input));
  return close(charge, priced);
}

BudgetSettlement BudgetReservation::close(const BudgetSpend& charge, bool priced) noexcept {
  BudgetLedger* const ledger = ledger_.take();
  if (ledger == nullptr) return {};
  return ledger->close(chain_, draw_, charge, priced);
}

}  // namespace fuseboard
