// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A point in time by which something must have ended, or "never".
#pragma once

#include <algorithm>

#include "fuseboard/core/time.h"

namespace fuseboard {

// Immutable value, two words or less to copy. Zero and negative durations give a deadline that has already passed.
class Deadline {
 public:
  // Never passes.
  constexpr Deadline() noexcept = default;

  static constexpr Deadline never() noexcept { return Deadline(); }
  static constexpr Deadline at(TimePoint t) noexcept { return Deadline(t); }
  static constexpr Deadline after(TimePoint now, Duration d) noexcept {
    return d == kForever ? never() : Deadline(saturating_add(now, d));
  }

  constexpr TimePoint time() const noexcept { return time_; }
  constexpr bool is_never() const noexcept { return time_ == kNever; }
  constexpr bool passed(TimePoint now) const noexcept { return !is_never() && now >= time_; }

  // Time left; zero once passed, kForever for never.
  constexpr Duration remaining(TimePoint now) const noexcept { return is_never() ? kForever : elapsed(now, time_); }

  // Whether a wait of d begun now ends strictly before the deadline [RTY-2].
  constexpr bool fits(TimePoint now, Duration d) const noexcept { return is_never() || saturating_add(now, d) < time_; }

  static constexpr Deadline sooner(Deadline a, Deadline b) noexcept { return Deadline(std::min(a.time_, b.time_)); }

  friend constexpr bool operator==(Deadline, Deadline) noexcept = default;

 private:
  constexpr explicit Deadline(TimePoint t) noexcept : time_(t) {}
  TimePoint time_ = kNever;
};

}  // namespace fuseboard
