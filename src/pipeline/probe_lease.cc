// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/probe_lease.h"

#include <algorithm>

namespace fuseboard::engine {
namespace {

// How long after its own timeout an attempt may take to report before its probe counts as lost, and how long a silent
// one is waited for at least.
constexpr Duration kLeaseGrace = std::chrono::seconds(5);
constexpr Duration kMinProbePatience = std::chrono::minutes(2);

}  // namespace

Duration probe_lease(TimePoint now, const CallState& call, std::uint32_t asked) noexcept {
  const AttemptTimeouts& timeouts = call.target(asked).timeouts;
  const bool streaming = call.options.streaming;
  Duration limit = streaming ? timeouts.first_content : timeouts.total;
  // Asked for only where there may be a probe: a patience costs more than the rest of an admission.
  if (!streaming && call.state(asked).breaker().state() != CircuitState::closed) {
    const Duration waits = call.patience(asked).patience(now, call.plan_options().patience, call.kind());
    limit = std::min(limit, std::max(waits, kMinProbePatience));
  }
  return saturating_add(std::min(limit, call.deadline.remaining(now)), kLeaseGrace);
}

}  // namespace fuseboard::engine
