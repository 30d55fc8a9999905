// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/transition_history.h"

#include <algorithm>
#include <cstddef>

#include "breaker/legal_moves.h"

namespace fuseboard {

void TransitionHistory::add(TimePoint at, CircuitState from, TransitionCause cause) noexcept {
  const std::size_t place = count_++ % kTransitionsKept;
  at_[place] = at;
  from_[place] = from;
  cause_[place] = cause;
}

std::vector<Transition> TransitionHistory::list(std::uint64_t generation) const {
  const std::uint64_t kept = std::min<std::uint64_t>(count_, kTransitionsKept);
  std::vector<Transition> transitions;
  transitions.reserve(kept);
  for (std::uint64_t later = kept; later-- > 0;) {
    const std::size_t place = (count_ - 1 - later) % kTransitionsKept;
    transitions.push_back({.at = at_[place],
                           .from = from_[place],
                           .to = move_for(cause_[place]).to,
                           .cause = cause_[place],
                           .generation = generation - later});
  }
  return transitions;
}

}  // namespace fuseboard
