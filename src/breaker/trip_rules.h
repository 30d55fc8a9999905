// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When evidence is enough [BRK-2].
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/state.h"

namespace fuseboard {

// The rate rule that a window with these totals breaks.
std::optional<TransitionCause> broken_rate_rule(const BreakerOptions& options, const WindowTotals& window) noexcept;

}  // namespace fuseboard
