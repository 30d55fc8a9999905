// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// When evidence of a closed circuit is enough to open it [BRK-2]. Pure decisions.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// The rule that so many failures in a row break [BRK-2.1], or a window with these totals where one is kept [BRK-2.2,
// BRK-2.3].
std::optional<TransitionCause> broken_rule(const BreakerOptions& options, std::uint32_t failures_in_a_row,
                                           const WindowTotals* window) noexcept;

// Whether a call that took so long is slow [BRK-2.3].
bool is_slow(const BreakerOptions& options, Duration latency) noexcept;

// Whether a call in flight that began then is stuck [BRK-2.4].
bool is_stuck(TimePoint now, const BreakerOptions& options, TimePoint began) noexcept;

}  // namespace fuseboard
