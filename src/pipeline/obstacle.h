// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What keeps a call from being sent, and which of several obstacles explains it best.
#pragma once

#include "fuseboard/core/rejection.h"
#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// Which obstacle explains best why nothing was sent: one that passes by itself (0), then the caller's own budget, then
// what the operator must see to. No wait within a call helps against any but the first.
int rank_of(RejectionReason reason) noexcept;

// Whether `a` explains it better: by rank, then by the shorter wait.
bool passes_sooner(const Obstacle& a, const Obstacle& b) noexcept;

// How a call ends that was never sent on account of it.
Ending ending_for(RejectionReason reason) noexcept;

// How one ends that has nothing left to ask: what the caller should make of it, unless that is decided already.
Ending ending_without_target(const CallState& call) noexcept;

// A circuit that is open or probes.
constexpr bool is_recovery(RejectionReason reason) noexcept {
  return reason == RejectionReason::circuit_open || reason == RejectionReason::half_open_busy;
}

// Too few tokens or places.
constexpr bool is_shortage(RejectionReason reason) noexcept {
  return reason == RejectionReason::rate_limited || reason == RejectionReason::concurrency_limited;
}

}  // namespace fuseboard::engine
