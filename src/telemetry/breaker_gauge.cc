// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/breaker_gauge.h"

#include <cstdint>

namespace fuseboard::telemetry {

void write_breaker_states(Exposition& out, std::span<const BreakerGauge> breakers) {
  out.family("fuseboard_breaker_state", Exposition::Type::gauge,
             "1 for the state the breaker is in, 0 for the others.");
  for (const BreakerGauge& breaker : breakers) {
    for (const std::string_view state : kCircuitStates) {
      out.sample("fuseboard_breaker_state", {{"key", breaker.key}, {"state", state}},
                 std::uint64_t{breaker.state == state});
    }
  }
}

}  // namespace fuseboard::telemetry
