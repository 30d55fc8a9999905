// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When a target that shows nothing counts as silent, which opens its circuit [RTY-14]. The rule is retry/silence.h.
#pragma once

#include "fuseboard/pipeline/attempt_report.h"
#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// Of an attempt that has shown nothing. One that has waited for longer than the target ever takes counts once; that the
// silence has lasted long enough may show later.
void judge_silence(TimePoint now, CallState& call, AttemptState& attempt);

// Of an attempt that has outlasted its patience, whether it still waits or not; counts once.
void count_for_silence(TimePoint now, CallState& call, AttemptState& attempt);

// Whether an attempt that ended by a silence hung while its target answered others: no evidence against the target.
bool hung_alone(const CallState& call, const AttemptState& attempt, const AttemptReport& report);

}  // namespace fuseboard::engine
