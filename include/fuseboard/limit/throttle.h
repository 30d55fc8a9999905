// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server has said of its own limit, to those whom it concerns: the gate that its retry-after closes and, where
// one is configured, the rate that follows what it bears [LIM-4].
#pragma once

#include <expected>
#include <optional>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/retry_after_gate.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

struct ThrottleOptions {
  // A rate that follows what the target throttles and says of its own limits.
  std::optional<AdaptiveLimiterOptions> rate{};
  // Of the gate where there is no rate; 0 (hints are ignored) to 24 h.
  Duration retry_after_max = kRetryAfterMax;

  // Of the limiter, which without a rate is asked for its gate alone.
  AdaptiveLimiterOptions limiter_options() const {
    return rate ? *rate : AdaptiveLimiterOptions{.retry_after_max = retry_after_max};
  }
};

// Thread-safe, never allocates. It always has a limiter, so that permits outlive the rate that they were taken by;
// whether that limits is a matter of its options.
class Throttle {
 public:
  // Throws InvalidOptions.
  explicit Throttle(const ThrottleOptions& options, KeyView key = "", std::uint64_t seed = Rng::random_seed())
      : limiter_(options.limiter_options(), key, seed), has_rate_(options.rate.has_value()) {}
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;

  // Null without a rate; what it points to stays.
  AdaptiveLimiter* rate() noexcept { return has_rate() ? &limiter_ : nullptr; }
  // The one gate that the server's word closes.
  RetryAfterGate& gate() noexcept { return limiter_.gate(); }

  // New options from here on [LIM-9], as AdaptiveLimiter's. A rate that goes leaves behind what it has learned, for one
  // that comes. Throws InvalidOptions, with nothing changed.
  void apply(TimePoint now, const ThrottleOptions& options) {
    const AdaptiveLimiterOptions before = limiter_.options();
    AdaptiveLimiterOptions next = options.rate.value_or(before);
    if (!options.rate) next.retry_after_max = options.retry_after_max;
    limiter_.apply(now, next);
    has_rate_.store(options.rate.has_value(), std::memory_order_relaxed);
  }

  // What the server has said and what was spent, to outlive the process; nullopt: nothing.
  std::optional<SavedThrottle> save(TimePoint now) const {
    if (has_rate()) return limiter_.save(now);
    if (const auto shut = limiter_.gate().save(now)) return SavedThrottle{.gate = shut};
    return std::nullopt;
  }
  void restore(TimePoint now, const SavedThrottle& saved) { limiter_.restore(now, saved); }

  // What try_acquire() would refuse with, or nullopt. Takes nothing.
  std::optional<Rejection> peek_rejection(TimePoint now, Priority priority) {
    return has_rate() ? limiter_.peek_rejection(now, 1, priority) : gate().peek_rejection(now);
  }
  // Without a rate the permit holds nothing.
  [[nodiscard]] std::expected<AdaptivePermit, Rejection> try_acquire(TimePoint now, Priority priority) {
    if (has_rate()) return limiter_.try_acquire(now, 1, priority);
    if (const auto shut = gate().peek_rejection(now)) return std::unexpected(*shut);
    return AdaptivePermit();
  }
  // The end of a call, and what its answer's headers said.
  void settle(TimePoint now, AdaptivePermit&& permit, const Outcome& outcome,
              const std::optional<ServerWindow>& window) {
    if (!permit.holds()) {
      hear(now, outcome, window);
    } else if (window) {
      std::move(permit).settle(now, outcome, *window);
    } else {
      std::move(permit).settle(now, outcome);
    }
  }

  // Whether there is something for the gate in it.
  static bool is_news(const Outcome& outcome, const std::optional<ServerWindow>& window) noexcept {
    return (window && window->remaining == 0) || (!outcome.ok() && outcome.failure->retry_after.has_value());
  }
  // Whether nothing would be lost if it were made again.
  bool at_rest(TimePoint now) const { return !save(now); }

 private:
  void hear(TimePoint now, const Outcome& outcome, const std::optional<ServerWindow>& window) noexcept {
    if (!outcome.ok()) gate().apply_retry_after(now, *outcome.failure);
    if (window && window->remaining == 0) gate().close(now, window->reset_after);
  }

  bool has_rate() const noexcept { return has_rate_.load(std::memory_order_relaxed); }

  AdaptiveLimiter limiter_;
  Atomic<bool> has_rate_;
};

}  // namespace fuseboard
