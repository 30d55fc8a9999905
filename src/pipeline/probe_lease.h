// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long a probe that a call sends may take before it counts as lost [BRK-8].
#pragma once

#include <cstdint>

#include "fuseboard/pipeline/call_state.h"

namespace fuseboard::engine {

// Of an attempt of this call on target `asked`, were it sent now.
Duration probe_lease(TimePoint now, const CallState& call, std::uint32_t asked) noexcept;

}  // namespace fuseboard::engine
