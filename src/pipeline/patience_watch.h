// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When the patience with an attempt that shows nothing is over [RTY-7, RTY-11]. How long it lasts is retry/patience.h.
#pragma once

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// Looks at an attempt that has shown nothing yet. Returns when to look again.
TimePoint watch_patience(TimePoint now, CallState& call, AttemptState& attempt);

}  // namespace fuseboard::engine
