// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether a circuit is open because its target answered nobody [RTY-14]: an answer to a call that was in flight by then
// shows that this was wrong.
#pragma once

#include <cstdint>

#include "fuseboard/breaker/state.h"

namespace fuseboard {

// Not thread-safe.
class SilentPeriod {
 public:
  // The circuit moves to `to`, which begins `generation`.
  void move(TransitionCause cause, CircuitState to, std::uint64_t generation) noexcept;
  // Whether a permit of this generation was in flight when the circuit fell silent, which it still is.
  bool began_after(std::uint64_t generation) const noexcept { return generation < first_generation_; }

 private:
  std::uint64_t first_generation_ = 0;  // 0: it has closed since, or opened for another cause
};

}  // namespace fuseboard
