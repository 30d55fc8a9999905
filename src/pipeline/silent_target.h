// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A target that shows nothing: when an attempt's patience is over, and when the target counts as silent
// [RTY-7, RTY-11, RTY-14].
#pragma once

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// Looks at an attempt that has shown nothing yet. Returns when to look again.
TimePoint watch_patience(TimePoint now, CallState& call, AttemptState& attempt);

// Of an attempt that has outlasted its patience, whether it still waits or not; counts once.
void count_for_silence(TimePoint now, CallState& call, AttemptState& attempt);

}  // namespace fuseboard::engine
