// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/open_time_growth.h"

#include <algorithm>

#include "fuseboard/core/rng.h"

namespace fuseboard {
namespace {

using enum CircuitState;

Duration next_base(const BreakerOptions& options, CircuitState from, TransitionCause cause, Duration base,
                   Duration closed_for) noexcept {
  // It grows with every probe that failed, but with none that was merely asked to wait [BRK-7.7], and with no operator.
  const bool failed = cause != TransitionCause::probe_throttled && cause != TransitionCause::operator_trip;
  if (from == half_open && failed) return options.open_time.grown(base);
  // It is forgotten after the circuit has stayed closed for long enough [BRK-4.3].
  if (from == closed && closed_for >= options.growth_forgotten_after()) return options.open_time.initial;
  return base;
}

// Within bounds; nullopt if it asked for nothing or is not to be heard.
std::optional<Duration> heard_hint(const BreakerOptions& options, std::optional<Duration> retry_after) noexcept {
  if (!retry_after || options.retry_after_max == Duration::zero()) return std::nullopt;
  return std::clamp(*retry_after, Duration::zero(), options.retry_after_max);
}

}  // namespace

OpenTimeGrowth::Next OpenTimeGrowth::next(const BreakerOptions& options, CircuitState from, TransitionCause cause,
                                          TimePoint at, std::uint64_t seed) const noexcept {
  const Duration base = next_base(options, from, cause, base_, elapsed(closed_since_, at));
  const Duration drawn = options.open_time.jittered(base, Rng(seed).uniform());
  return {.base = base, .until = std::max(saturating_add(at, drawn), not_before_)};
}

TimePoint OpenTimeGrowth::throttled_until(const BreakerOptions& options, std::optional<Duration> retry_after,
                                          TimePoint at, std::uint64_t seed) const noexcept {
  const auto hint = heard_hint(options, retry_after);
  if (!hint) return next(options, half_open, TransitionCause::probe_throttled, at, seed).until;
  // A probe that failed before it in the same period may have been asked to wait for longer.
  return std::max(saturating_add(at, *hint), not_before_);
}

void OpenTimeGrowth::note_hint(TimePoint now, const BreakerOptions& options,
                               std::optional<Duration> retry_after) noexcept {
  if (const auto hint = heard_hint(options, retry_after)) {
    not_before_ = std::max(not_before_, saturating_add(now, *hint));
  }
}

void OpenTimeGrowth::resume(const OpenTime& times, Duration base) noexcept {
  base_ = std::clamp(base, times.initial, std::max(times.initial, times.max));
}

void OpenTimeGrowth::follow(const OpenTime& before, const OpenTime& times) noexcept {
  if (base_ == before.initial) {
    forget_growth(times);
  } else {
    resume(times, base_);
  }
}

}  // namespace fuseboard
