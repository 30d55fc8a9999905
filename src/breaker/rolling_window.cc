// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/rolling_window.h"

#include <algorithm>
#include <limits>

namespace fuseboard {

RollingWindow::RollingWindow(const CallWindow& shape)
    : shape_(shape),
      ring_(shape.is_time() ? 0 : shape.calls),
      buckets_(shape.is_time() ? shape.buckets : 0),
      tick_(std::numeric_limits<std::int64_t>::min()) {}

void RollingWindow::add(WindowTotals& totals, Call call) noexcept {
  ++totals.calls;
  totals.failures += call.failed ? 1 : 0;
  totals.slow += call.slow ? 1 : 0;
}

void RollingWindow::subtract(WindowTotals& totals, const WindowTotals& part) noexcept {
  totals.calls -= part.calls;
  totals.failures -= part.failures;
  totals.slow -= part.slow;
}

void RollingWindow::record(TimePoint now, Call call) noexcept {
  if (shape_.is_time()) {
    move_to(now);
    add(bucket_of(tick_), call);
    add(totals_, call);
    return;
  }
  totals_ = totals_after(call);
  ring_[next_] = call;
  if (++next_ == ring_.size()) next_ = 0;
}

WindowTotals RollingWindow::totals_after(Call call) const noexcept {
  WindowTotals after = totals_;
  if (after.calls == ring_.size()) {
    WindowTotals oldest;
    add(oldest, ring_[next_]);
    subtract(after, oldest);
  }
  add(after, call);
  return after;
}

const WindowTotals& RollingWindow::totals(TimePoint now) noexcept {
  if (shape_.is_time()) move_to(now);
  return totals_;
}

void RollingWindow::clear() noexcept {
  totals_ = {};
  next_ = 0;
  std::fill(buckets_.begin(), buckets_.end(), WindowTotals{});
}

std::int64_t RollingWindow::tick_of(TimePoint t) const noexcept {
  // Rounded down, also before the epoch.
  const std::int64_t length = std::max<std::int64_t>(shape_.time.count() / shape_.buckets, 1);
  const std::int64_t count = t.time_since_epoch().count();
  const std::int64_t quotient = count / length;
  return count % length < 0 ? quotient - 1 : quotient;
}

WindowTotals& RollingWindow::bucket_of(std::int64_t tick) noexcept {
  const auto size = static_cast<std::int64_t>(buckets_.size());
  const std::int64_t remainder = tick % size;
  return buckets_[static_cast<std::size_t>(remainder < 0 ? remainder + size : remainder)];
}

void RollingWindow::move_to(TimePoint now) noexcept {
  const std::int64_t tick = tick_of(now);
  if (tick <= tick_) return;
  const auto size = static_cast<std::int64_t>(buckets_.size());
  // Compared without a difference that could overflow: the first tick is the smallest there is.
  if (tick_ < tick - size) {
    clear();
  } else {
    for (std::int64_t left = tick_ + 1; left <= tick; ++left) {
      WindowTotals& bucket = bucket_of(left);
      subtract(totals_, bucket);
      bucket = {};
    }
  }
  tick_ = tick;
}

void RollingWindow::take_over(TimePoint now, RollingWindow& old) noexcept {
  if (shape_.is_time() != old.shape_.is_time()) return;
  if (!shape_.is_time()) {
    const std::size_t held = old.totals_.calls;
    const std::size_t taken = std::min(held, ring_.size());
    for (std::size_t i = held - taken; i < held; ++i) {
      // While it is not full the oldest call is at the beginning, then at the next place to write.
      const std::size_t oldest = held == old.ring_.size() ? old.next_ : 0;
      record(now, old.ring_[(oldest + i) % old.ring_.size()]);
    }
    return;
  }
  old.move_to(now);
  const auto size = static_cast<std::int64_t>(old.buckets_.size());
  const std::int64_t length = std::max<std::int64_t>(old.shape_.time.count() / old.shape_.buckets, 1);
  for (std::int64_t tick = old.tick_ - size + 1; tick <= old.tick_; ++tick) {
    const WindowTotals& part = old.bucket_of(tick);
    if (part.calls == 0) continue;
    // A part counts from its beginning: a call may leave the new window a little early, never late.
    move_to(TimePoint(Duration(tick * length)));
    for (WindowTotals* const into : {&bucket_of(tick_), &totals_}) {
      into->calls += part.calls;
      into->failures += part.failures;
      into->slow += part.slow;
    }
  }
  move_to(now);
}

}  // namespace fuseboard
