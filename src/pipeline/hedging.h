// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A hedge: a second attempt beside one that takes longer than most, once a call [RTY-9].
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard::engine {

// When an attempt that starts now at the target is hedged; nullopt: never.
std::optional<TimePoint> hedge_time(TimePoint now, const CallState& call, std::uint32_t target);

// The hedge that is due.
std::optional<Attempt> start_hedge(TimePoint now, CallState& call);

}  // namespace fuseboard::engine
