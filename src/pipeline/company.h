// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Company: another attempt where every one in flight has outlasted its patience, so that a silent target is not waited
// for alone [RTY-11].
#pragma once

#include <optional>

#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard::engine {

// Whether its attempts may: where the call may run twice, has somewhere else to go, and the driver can send several.
bool may_get_company(const CallState& call) noexcept;

// The company that is due. It draws on what the target that is waited for may be given, unless that is silent or hangs.
std::optional<Attempt> give_company(TimePoint now, CallState& call);

}  // namespace fuseboard::engine
