// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Monotonic time and saturating arithmetic on it; the name of civil time.
//
// All of the library counts in signed 64-bit nanoseconds (about 292 years each way). Every sum and product here
// saturates instead of overflowing, so no configuration can make a wait negative or wrap a deadline [CORE-7].
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace fuseboard {

using Duration = std::chrono::nanoseconds;

// A duration longer than any that can pass: "no limit".
inline constexpr Duration kForever = Duration::max();

// The clock type of the library's time points. It has no now(): time is an argument [CORE-1].
struct MonotonicTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTime, Duration>;
  static constexpr bool is_steady = true;
};

// A point on an injected monotonic clock. Points of different clocks must not be compared.
using TimePoint = MonotonicTime::time_point;

// Later than any reachable point: "never".
inline constexpr TimePoint kNever = TimePoint::max();

// A point in civil time, as a WallClock tells it: it may jump in both directions and serves dates alone [CORE-1].
using WallTime = std::chrono::system_clock::time_point;

// a + b, clamped to the representable range.
constexpr Duration saturating_add(Duration a, Duration b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Duration(sum);
  return b > Duration::zero() ? Duration::max() : Duration::min();
}

// t + d, clamped; kNever stays kNever whatever is added.
constexpr TimePoint saturating_add(TimePoint t, Duration d) noexcept {
  if (t == kNever) return kNever;
  return TimePoint(saturating_add(t.time_since_epoch(), d));
}

// later - earlier, clamped; zero when `later` is not later.
constexpr Duration elapsed(TimePoint earlier, TimePoint later) noexcept {
  if (later <= earlier) return Duration::zero();
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(later.time_since_epoch().count(), earlier.time_since_epoch().count(), &difference)) {
    return Duration::max();
  }
  return Duration(difference);
}

// d * factor for a non-negative d and factor, clamped; NaN or a negative factor gives zero.
constexpr Duration saturating_scale(Duration d, double factor) noexcept {
  if (!(factor > 0.0) || d <= Duration::zero()) return Duration::zero();
  const double scaled = static_cast<double>(d.count()) * factor;
  // 2^63 is exact as a double; int64 max is not, so compare below it.
  if (!(scaled < 9223372036854775808.0)) return Duration::max();
  return Duration(static_cast<std::int64_t>(scaled));
}

// Whole milliseconds, rounded up: what is told to a caller as a wait must never be too short [LIM-3, BRK-6].
constexpr std::int64_t ceil_milliseconds(Duration d) noexcept {
  if (d <= Duration::zero()) return 0;
  return (d.count() - 1) / 1'000'000 + 1;
}

}  // namespace fuseboard
