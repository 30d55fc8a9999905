// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Attempts beside others, at most kMaxConcurrentAttempts together; the first content or answer wins. They go to other
// targets, and draw on the caps of attempts and on the limits of the target that is asked.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/step.h"
#include "pipeline/attempt_start.h"

namespace fuseboard::engine {

// Whether the target may be asked now, beside those in flight. Takes nothing.
bool may_ask_beside(TimePoint now, const CallState& call, std::uint32_t target);

// At the first target that lets it in.
std::optional<Attempt> start_beside(TimePoint now, CallState& call, Beside beside);

}  // namespace fuseboard::engine
