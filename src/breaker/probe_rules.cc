// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/probe_rules.h"

namespace fuseboard {
namespace {

using enum TransitionCause;

}  // namespace

// No more than it takes to decide: with a rate, each that is settled or in flight is one of `half_open_max_probes`.
bool admits_probe(const BreakerOptions& options, const ProbeTally& tally, std::uint32_t in_flight) noexcept {
  const std::uint32_t settled = options.half_open_failure_rate ? tally.settled() : 0;
  return settled + in_flight < options.half_open_max_probes;
}

std::optional<TransitionCause> decision_of(const BreakerOptions& options, const ProbeTally& tally) noexcept {
  if (!options.half_open_failure_rate) {
    if (tally.failed > 0) return tally.last_failure;
    if (tally.succeeded >= options.half_open_successes) return probe_succeeded;
    return std::nullopt;
  }
  // Once as many are settled as decide together. The circuit opens for what the last of those that failed did.
  if (tally.settled() < options.half_open_max_probes) return std::nullopt;
  // Divided, as rates are elsewhere: 7 of 25 are 0.28, but 0.28 * 25 is more than 7.
  const double share = static_cast<double>(tally.failed) / static_cast<double>(tally.settled());
  return share >= *options.half_open_failure_rate ? tally.last_failure : probe_succeeded;
}

OverdueProbes overdue_probes(TimePoint now, const BreakerOptions& options, const ProbeTally& tally,
                             const ProbeLeases& leases) noexcept {
  OverdueProbes overdue{.tally = tally};
  for (TimePoint end = leases.earliest_end(); end <= now && end != kNever; end = leases.earliest_end(end)) {
    for (std::uint32_t at_end = leases.ending_at(end); at_end > 0; --at_end) {
      ++overdue.lost;
      overdue.tally.add_failure(probe_lease_expired);
      overdue.decision = decision_of(options, overdue.tally);
      if (!overdue.decision) continue;
      overdue.decided_at = end;
      return overdue;
    }
  }
  return overdue;
}

}  // namespace fuseboard
