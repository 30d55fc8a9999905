// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many probes a half-open circuit lets through [BRK-6], what they decide [BRK-7], and what becomes of those that
// are lost [BRK-8.3]. Pure decisions.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/probe_leases.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Probes of one half-open period that have succeeded or failed.
struct ProbeTally {
  std::uint32_t succeeded = 0;
  std::uint32_t failed = 0;
  TransitionCause last_failure = TransitionCause::probe_failed;

  std::uint32_t settled() const noexcept { return succeeded + failed; }
  void add_failure(TransitionCause cause) noexcept {
    ++failed;
    last_failure = cause;
  }
};

// Whether one more is let through beside so many.
bool admits_probe(const BreakerOptions& options, const ProbeTally& tally, std::uint32_t in_flight) noexcept;

// The move that they decide on; nullopt: none yet.
std::optional<TransitionCause> decision_of(const BreakerOptions& options, const ProbeTally& tally) noexcept;

// Probes whose lease is over, though nobody has taken notice.
struct OverdueProbes {
  std::uint32_t lost = 0;
  ProbeTally tally{};  // they included
  // What that decides, and the end of the lease that did. A circuit that nobody asked for hours does not begin a new
  // open time on the first question.
  std::optional<TransitionCause> decision{};
  TimePoint decided_at{};
};

// None that ends after the one which decides: the half-open period is over then.
OverdueProbes overdue_probes(TimePoint now, const BreakerOptions& options, const ProbeTally& tally,
                             const ProbeLeases& leases) noexcept;

}  // namespace fuseboard
