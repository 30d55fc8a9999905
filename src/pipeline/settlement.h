// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How an attempt ends: every policy is told, once [PIP-3].
#pragma once

#include <cstdint>

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

enum class Ended : std::uint8_t { succeeded, failed, cancelled };
// Settles what a driver reports of an attempt in flight and enters it into the record, last.
Ended settle_report(TimePoint now, CallState& call, AttemptState& attempt, const AttemptReport& report);

// Attempts that nobody needs any more end neutral. Where another has answered, those that had outlasted their patience
// were overtaken [RTY-14].
enum class Overtaken : std::uint8_t { no, yes };
void drop_attempts(TimePoint now, CallState& call, Overtaken overtaken);

// A first sign of work, and the first content: then the others in flight are over.
void note_sign(TimePoint now, CallState& call, AttemptState& attempt);
void note_first_content(TimePoint now, CallState& call, AttemptState& attempt);

}  // namespace fuseboard::engine
