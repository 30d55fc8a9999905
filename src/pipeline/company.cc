// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/company.h"

#include <algorithm>

#include "pipeline/attempt_beside.h"

namespace fuseboard::engine {
namespace {

// The latest attempt in flight, where all have outlasted their patience; nullptr: there is no reason for another.
const AttemptState* waited_for_long_enough(const CallState& call) noexcept {
  const AttemptState* latest = nullptr;
  for (const auto& attempt : call.in_flight.slots()) {
    if (!attempt) continue;
    if (!attempt->outlasted || attempt->has_shown_something()) return nullptr;
    if (latest == nullptr || attempt->record.number > latest->record.number) latest = &*attempt;
  }
  return latest;
}

}  // namespace

bool may_get_company(const CallState& call) noexcept {
  return call.plan_options().patience.enabled && call.abilities.hedges && call.options.idempotent &&
         call.candidates.order().size() > 1;
}

std::optional<Attempt> give_company(TimePoint now, CallState& call) {
  const AttemptState* const alone = waited_for_long_enough(call);
  if (alone == nullptr) return std::nullopt;
  const auto may_ask = [&](std::uint32_t candidate) { return may_ask_beside(now, call, candidate); };
  if (std::ranges::none_of(call.record.candidates, may_ask)) return std::nullopt;
  TargetPatience& patience = call.patience(alone->record.target);
  // What is silent or hangs will hardly answer: do not queue calls behind it.
  const bool unbounded =
      patience.silence().silent() || patience.hangs(now, call.kind(), elapsed(alone->record.started, now));
  std::optional<CompanyBudget::Grant> grant;
  if (!unbounded) {
    grant = patience.company().try_take(now);
    if (!grant) return std::nullopt;
  }
  auto attempt = start_beside(now, call, Beside::company);
  if (!attempt && grant) patience.company().release(*grant);
  return attempt;
}

}  // namespace fuseboard::engine
