// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a breaker tells its listeners.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/breaker/state.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

enum class BreakerEventKind : std::uint8_t {
  transition,
  override_set,      // imposed, or replaced by another
  override_lifted,   // by the operator
  override_expired,  // its time to live has passed; told when that is noticed
};
std::string_view name(BreakerEventKind kind) noexcept;

// A transition or a change of override as listeners see it. Copying never allocates.
struct BreakerEvent {
  BreakerEventKind kind = BreakerEventKind::transition;
  KeyText key{};
  std::uint64_t sequence = 0;  // of this key: 1, 2, 3... [CORE-4]
  // When it took effect. An expired lease takes effect at the end of the lease, though it is noticed later.
  TimePoint at{};
  CircuitState from = CircuitState::closed;  // of a change of override: the state underneath, as `to`
  CircuitState to = CircuitState::closed;
  TransitionCause cause = TransitionCause::operator_reset;  // of a transition
  std::uint64_t generation = 0;
  std::uint32_t consecutive_failures = 0;
  Duration open_time = Duration::zero();   // how long it will refuse; zero unless a transition to open
  std::optional<Category> last_failure{};  // that the breaker counted
  // Of a transition: the override it happened under. Of a change: the one that came or went.
  std::optional<BreakerOverride> override_in_force{};

  // Whether those who were rejected have reason to ask again: the circuit has closed or is to be probed earlier than
  // they were told, or its override has changed.
  bool admits_again() const noexcept {
    return kind != BreakerEventKind::transition || to == CircuitState::closed ||
           cause == TransitionCause::operator_half_open;
  }
};

}  // namespace fuseboard
