// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What follows from a failed attempt: the same target again after a wait, another target, or the end of the call.
#pragma once

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// No other attempt is in flight.
void decide_after_failure(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report);

// Others go on, and what follows is decided when the last of them has ended, unless this one says something about the
// request itself. Company ends by itself alone, whatever it says [RTY-11].
void decide_beside_others(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report);

}  // namespace fuseboard::engine
