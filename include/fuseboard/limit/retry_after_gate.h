// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The gate that a server's retry-after closes, with or without limits of our own [LIM-4].
//
// All places that obey such a hint, and for how long at most:
// - here: nobody is sent to the target; `retry_after_max` of the target, or of its adaptive rate
// - limit/adaptive: the rate follows the server's window; `retry_after_max` of AdaptiveLimiterOptions
// - breaker/open_time_growth: a floor under the open time; `retry_after_max` of BreakerOptions
// - retry/backoff: the wait before another try; not waited for where it is longer than longest_wait()
// - pipeline/after_failure: from `retry_after_stay` of PlanOptions on another target is asked first
// - route/parking: how long a refused credential is parked; `park_max` of CredentialGateOptions
#pragma once

#include <algorithm>
#include <optional>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

// No hint closes the gate for longer, whatever a server says; 0 (hints are ignored) to 24 h where it is
// an option.
inline constexpr Duration kRetryAfterMax = std::chrono::minutes(5);

// Thread-safe, lock-free; an open gate costs a load.
class RetryAfterGate {
 public:
  explicit RetryAfterGate(KeyView key = "", Duration retry_after_max = kRetryAfterMax) noexcept
      : most_(retry_after_max), key_(to_key_text(key)) {}

  // Closed until now + retry_after, unless it is closed for longer already. A wait of zero or less does nothing.
  void close(TimePoint now, Duration retry_after) noexcept {
    const Duration wait = std::min(retry_after, most_.load(std::memory_order_relaxed));
    if (wait <= Duration::zero()) return;
    const TimePoint until = saturating_add(now, wait);
    TimePoint known = until_.load(std::memory_order_relaxed);
    while (known < until && !until_.compare_exchange_weak(known, until, std::memory_order_relaxed)) {
    }
  }

  // As a failure asks. A server that asks for time is obeyed, whether it is one caller's rate that is too high or
  // everybody's; what other failures hint at is no throttle, nor is what concerns one caller or one request.
  void apply_retry_after(TimePoint now, const Failure& failure) noexcept {
    if (failure.scope == FailureScope::caller || failure.scope == FailureScope::request) return;
    const bool throttled = failure.category == Category::rate_limit || failure.category == Category::overloaded ||
                           failure.category == Category::service_unavailable;
    if (throttled && failure.retry_after) close(now, *failure.retry_after);
  }

  // Another bound from here on [LIM-9.3]. A gate that is shut stays shut, but for no longer than that.
  void apply(TimePoint now, Duration retry_after_max) noexcept {
    most_.store(retry_after_max, std::memory_order_relaxed);
    const TimePoint latest = saturating_add(now, retry_after_max);
    TimePoint known = until_.load(std::memory_order_relaxed);
    while (known > latest && !until_.compare_exchange_weak(known, latest, std::memory_order_relaxed)) {
    }
  }

  // For how long it is shut, to outlive the process; nullopt: it is open.
  std::optional<SavedRetryAfterGate> save(TimePoint now) const noexcept {
    const Duration remaining = elapsed(now, until_.load(std::memory_order_relaxed));
    if (remaining <= Duration::zero()) return std::nullopt;
    return SavedRetryAfterGate{.remaining = remaining};
  }
  // As a retry-after of that length.
  void restore(TimePoint now, const SavedRetryAfterGate& saved) noexcept { close(now, saved.remaining); }

  // An operator's reset.
  void open() noexcept { until_.store(TimePoint::min(), std::memory_order_relaxed); }

  // Whether it was closed since it was made or opened by hand. While it was not, it can be asked without a clock.
  bool touched() const noexcept { return until_.load(std::memory_order_relaxed) != TimePoint::min(); }

  bool closed(TimePoint now) const noexcept { return now < until_.load(std::memory_order_relaxed); }

  // `rate_limited` with the time left, or nullopt while it is open.
  std::optional<Rejection> peek_rejection(TimePoint now) const noexcept {
    const TimePoint until = until_.load(std::memory_order_relaxed);
    if (now >= until) return std::nullopt;
    return Rejection{.reason = RejectionReason::rate_limited, .key = key_, .retry_after = elapsed(now, until)};
  }

 private:
  Atomic<TimePoint> until_{TimePoint::min()};
  Atomic<Duration> most_;
  const KeyText key_;
};

}  // namespace fuseboard
