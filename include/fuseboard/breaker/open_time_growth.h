// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long a circuit stays open [BRK-4]: growth with each failed probe, when that is forgotten, jitter, and what a
// server asked for.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Not thread-safe.
class OpenTimeGrowth {
 public:
  // What the next opening gets.
  struct Next {
    Duration base{};  // before jitter
    TimePoint until{};
  };

  explicit OpenTimeGrowth(const OpenTime& times) noexcept : base_(times.initial) {}

  // For a circuit that is in state `from` and opens for `cause` at `at`; `seed` draws the jitter.
  Next next(const BreakerOptions& options, CircuitState from, TransitionCause cause, TimePoint at,
            std::uint64_t seed) const noexcept;
  // Until when it is open after a throttled probe [BRK-7.7]: as long as the server asked for, else as long as before.
  TimePoint throttled_until(const BreakerOptions& options, std::optional<Duration> retry_after, TimePoint at,
                            std::uint64_t seed) const noexcept;
  void open(const Next& next) noexcept { base_ = next.base; }
  void close(TimePoint at) noexcept { closed_since_ = at; }

  // What a server asked for with a failure is a floor under the open time that it leads to [BRK-4.5].
  void note_hint(TimePoint now, const BreakerOptions& options, std::optional<Duration> retry_after) noexcept;
  void forget_hints() noexcept { not_before_ = TimePoint::min(); }

  void forget_growth(const OpenTime& times) noexcept { base_ = times.initial; }
  // Grown as far as `base`, within bounds: of a saved state, or where the options change.
  void resume(const OpenTime& times, Duration base) noexcept;
  // New options [BRK-14]: an open time that has not grown becomes the new first one.
  void follow(const OpenTime& before, const OpenTime& times) noexcept;

  // The open time that the next one grows from, before jitter.
  Duration base() const noexcept { return base_; }
  // Means something while the circuit is closed.
  TimePoint closed_since() const noexcept { return closed_since_; }

 private:
  Duration base_;
  TimePoint closed_since_{};
  // The latest time that a server asked to wait until, by the failures in a row.
  TimePoint not_before_ = TimePoint::min();
};

}  // namespace fuseboard
