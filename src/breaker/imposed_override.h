// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What operators impose, and what each kind makes of the automatic state [BRK-13].
#pragma once

#include <optional>

#include "fuseboard/breaker/state.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

struct ImposedOverride {
  OverrideKind kind = OverrideKind::force_open;
  BoundedText<95> reason{};
  TimePoint until{};  // kNever: until it is lifted

  bool is_over(TimePoint now) const noexcept { return now >= until; }
  // nullopt: when it is lifted.
  std::optional<TimePoint> end() const noexcept { return until == kNever ? std::nullopt : std::optional(until); }
  BreakerOverride shown(TimePoint now) const noexcept {
    BreakerOverride shown{.kind = kind, .reason = reason};
    if (until != kNever) shown.remaining = elapsed(now, until);
    return shown;
  }
};

}  // namespace fuseboard
