// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The calls that a breaker's rates are taken over.
#pragma once

#include <cstdint>
#include <vector>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Counts are exact: of a count window over its last `calls` calls, of a time window over its current part and the whole
// ones before it. Not thread-safe. Allocates when it is made, never after.
class RollingWindow {
 public:
  struct Call {
    bool failed = false;
    bool slow = false;
  };

  explicit RollingWindow(const CallWindow& shape);

  // A time before one seen already counts as the latest one. A count window does not look at the time.
  void record(TimePoint now, Call call) noexcept;
  const WindowTotals& totals(TimePoint now) noexcept;
  // Of a count window: the totals that record() would leave.
  WindowTotals totals_after(Call call) const noexcept;
  // Of a count window: whether another good call would leave it as it is.
  bool is_full_of_good_calls() const noexcept {
    return !shape_.is_time() && totals_ == WindowTotals{.calls = shape_.calls};
  }
  void clear() noexcept;

  // Takes over what fits of an older window, newest calls first. Calls and times cannot be told from each other, so a
  // window of the other kind begins empty.
  void take_over(TimePoint now, RollingWindow& old) noexcept;

  const CallWindow& shape() const noexcept { return shape_; }

 private:
  static void add(WindowTotals& totals, Call call) noexcept;
  static void subtract(WindowTotals& totals, const WindowTotals& part) noexcept;
  std::int64_t tick_of(TimePoint t) const noexcept;
  WindowTotals& bucket_of(std::int64_t tick) noexcept;
  // Drops the parts that a time window has left behind.
  void move_to(TimePoint now) noexcept;

  const CallWindow shape_;
  WindowTotals totals_{};
  std::vector<Call> ring_;             // of a count window
  std::size_t next_ = 0;               // place in the ring: of the oldest call once it is full
  std::vector<WindowTotals> buckets_;  // of a time window; the part of a tick lies at its remainder
  std::int64_t tick_;                  // of the current part, counted from the clock's epoch
};

}  // namespace fuseboard
