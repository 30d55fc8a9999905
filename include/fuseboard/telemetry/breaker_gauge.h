// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The state of every breaker as a gauge [TEL-2].
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "fuseboard/telemetry/exposition.h"

namespace fuseboard::telemetry {

// As the breaker names them.
inline constexpr std::array<std::string_view, 3> kCircuitStates = {"closed", "open", "half_open"};

struct BreakerGauge {
  std::string_view key;    // bounded: of the configuration, not of callers [TEL-3]
  std::string_view state;  // one of kCircuitStates
};

// fuseboard_breaker_state{key,state}: for each key a series for every state, so that none is missing while it is 0; 1
// for the state the breaker is in. Borrows its input for the call.
void write_breaker_states(Exposition& out, std::span<const BreakerGauge> breakers);

}  // namespace fuseboard::telemetry
