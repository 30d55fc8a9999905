// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting where no target is left that lets the call in [RTY-4, LIM-7]: for a circuit's recovery, for tokens or a
// place, for the call's own backoff.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard::engine {

// All candidates have been passed: what to do next. nullopt: nothing is worth waiting for.
std::optional<Step> wait_for_admission(TimePoint now, CallState& call);

// In phase `queued`. nullopt: it was in vain.
std::optional<Step> next_in_queue(TimePoint now, CallState& call);

// Notes how long it took.
void leave_queue(TimePoint now, CallState& call);

// Whether others stand in line for tokens or a place there: they go first.
bool others_wait_for(const CallState& call, std::uint32_t target) noexcept;

}  // namespace fuseboard::engine
