// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer that has reached the caller in part and broken off is gone on with [STR-5].
#pragma once

#include <cstdint>

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// By the rules of any other failure, but from the start: whoever was passed by may be asked again.
void decide_after_break(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report);

// Whether a broken answer goes to a target that this call has not asked yet: the caller is in the middle of it, and
// waiting for the one that broke it off costs more than asking another. One that restarts the answer is no match for
// one that continues it, though.
bool leave_to_fresh_target(TimePoint now, const CallState& call, const Failure& failure, std::uint32_t target);

// A good answer that does not go on as the broken one began: no evidence, no whole answer to charge for, and no reason
// why another target should not be asked.
AttemptReport as_unusable(AttemptReport report) noexcept;

}  // namespace fuseboard::engine
