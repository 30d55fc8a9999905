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

// What a closed circuit knows after one more call.
struct TripEvidence {
  std::uint32_t failures_in_a_row = 0;
  // From the first to the last of as many failures as `failures_within` asks for, where this call is the last of them.
  std::optional<Duration> failures_took{};
  const WindowTotals* window = nullptr;  // where one is kept
};

// The rule that this breaks [BRK-2.1, BRK-2.2, BRK-2.3, BRK-2.6].
std::optional<TransitionCause> broken_rule(const BreakerOptions& options, const TripEvidence& evidence) noexcept;

// Whether a run of failures that began then is over, so that one more begins another [BRK-2.7].
bool has_run_expired(TimePoint now, const BreakerOptions& options, TimePoint began) noexcept;

// Whether a call that took so long is slow [BRK-2.3].
bool is_slow(const BreakerOptions& options, Duration latency) noexcept;

// Whether a call in flight that began then is stuck [BRK-2.4].
bool is_stuck(TimePoint now, const BreakerOptions& options, TimePoint began) noexcept;

}  // namespace fuseboard
