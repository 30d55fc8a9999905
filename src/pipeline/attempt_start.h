// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// From a candidate to an attempt in flight: its permits, its record, its limits in time.
#pragma once

#include <cstdint>

#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard::engine {

// Why an attempt starts beside others.
enum class Beside : std::uint8_t { none, hedge, company };

// Takes everything that an attempt at the target needs [PIP-2]. nullptr: it was rejected and that was noted; the call
// is decided where no attempt may be sent at all.
AttemptState* try_admit(TimePoint now, CallState& call, std::uint32_t target);

// The same for an attempt beside others. What rejects it ends that alone: nothing is noted, and the target may still be
// asked when its turn comes.
AttemptState* admit_beside(TimePoint now, CallState& call, std::uint32_t target);

struct Start {
  std::uint32_t target = 0;
  Beside beside = Beside::none;
};
// Of what was admitted there.
Attempt start_attempt(TimePoint now, CallState& call, AttemptState& attempt, const Start& start);

}  // namespace fuseboard::engine
