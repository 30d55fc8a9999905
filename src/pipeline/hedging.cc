// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/hedging.h"

#include "pipeline/attempt_beside.h"

namespace fuseboard::engine {

std::optional<TimePoint> hedge_time(TimePoint now, const CallState& call, std::uint32_t target) {
  const auto& hedge = call.plan_options().hedge;
  if (!hedge || !call.abilities.hedges || !call.options.idempotent || call.record.hedged) return std::nullopt;
  const auto after =
      hedge->after ? hedge->after : call.patience(target).latencies(call.kind()).at(now, hedge->percentile);
  if (!after || !call.deadline.fits(now, *after)) return std::nullopt;
  return saturating_add(now, *after);
}

std::optional<Attempt> start_hedge(TimePoint now, CallState& call) {
  if (!call.hedge_at || now < *call.hedge_at) return std::nullopt;
  call.hedge_at.reset();
  auto attempt = start_beside(now, call, Beside::hedge);
  if (attempt) call.record.hedged = true;
  return attempt;
}

}  // namespace fuseboard::engine
