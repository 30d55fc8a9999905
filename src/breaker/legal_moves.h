// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The only moves there are [BRK-1]: a cause names its move, so an illegal one cannot be written down.
#pragma once

#include <array>
#include <cstddef>

#include "fuseboard/breaker/state.h"

namespace fuseboard {

struct Move {
  TransitionCause cause;
  CircuitState from;  // of operator_reset: any; of answered and operator_trip: half_open, too
  CircuitState to;
};

inline constexpr std::array<Move, 18> kMoves = [] {
  using enum CircuitState;
  using enum TransitionCause;
  return std::array<Move, 18>{{
      {consecutive_failures, closed, open},
      {open_time_elapsed, open, half_open},
      {probe_succeeded, half_open, closed},
      {probe_failed, half_open, open},
      {probe_lease_expired, half_open, open},
      {operator_reset, closed, closed},
      {failure_rate, closed, open},
      {slow_call_rate, closed, open},
      {stuck_call, closed, open},
      {probe_throttled, half_open, open},
      {restored, closed, open},
      {silent, closed, open},
      {probe_silent, half_open, open},
      {answered, open, closed},
      {probe_slow, half_open, open},
      {failures_within, closed, open},
      {operator_trip, closed, open},
      {operator_half_open, open, half_open},
  }};
}();
static_assert([] {
  for (std::size_t i = 0; i < kMoves.size(); ++i) {
    if (static_cast<std::size_t>(kMoves[i].cause) != i) return false;
  }
  return true;
}());

constexpr const Move& move_for(TransitionCause cause) noexcept { return kMoves[static_cast<std::size_t>(cause)]; }

constexpr bool is_legal(TransitionCause cause, CircuitState from) noexcept {
  if (cause == TransitionCause::operator_reset) return true;
  if (cause == TransitionCause::answered) return from != CircuitState::closed;
  if (cause == TransitionCause::operator_trip) return from != CircuitState::open;
  return from == move_for(cause).from;
}

}  // namespace fuseboard
