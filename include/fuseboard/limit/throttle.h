// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server has said of its own limit, to those whom it concerns: the gate that its retry-after closes and, where
// one is configured, the rate that follows what it bears [LIM-4].
#pragma once

#include <expected>
#include <optional>

#include "fuseboard/core/key.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/throttle_gate.h"

namespace fuseboard {

struct ThrottleOptions {
  // A rate that follows what the target throttles and says of its own limits.
  std::optional<AdaptiveLimiterOptions> rate{};
  // Of the gate where there is no rate; 1 ms to 24 h.
  Duration retry_after_max = kRetryAfterMax;
};

// Thread-safe, never allocates.
class Throttle {
 public:
  // Throws InvalidOptions.
  explicit Throttle(const ThrottleOptions& options, KeyView key = "", std::uint64_t seed = Rng::random_seed())
      : gate_(key, options.retry_after_max) {
    if (options.rate) rate_.emplace(*options.rate, key, seed);
  }
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;

  AdaptiveLimiter* rate() noexcept { return rate_ ? &*rate_ : nullptr; }
  // The one gate that the server's word closes.
  ThrottleGate& gate() noexcept { return rate_ ? rate_->gate() : gate_; }

  // What try_acquire() would refuse with, or nullopt. Takes nothing.
  std::optional<Rejection> peek_rejection(TimePoint now, Priority priority) {
    return rate_ ? rate_->peek_rejection(now, 1, priority) : gate_.peek_rejection(now);
  }
  // Without a rate the permit holds nothing.
  [[nodiscard]] std::expected<AdaptivePermit, Rejection> try_acquire(TimePoint now, Priority priority) {
    if (rate_) return rate_->try_acquire(now, 1, priority);
    if (const auto shut = gate_.peek_rejection(now)) return std::unexpected(*shut);
    return AdaptivePermit();
  }
  // The end of a call, and what its answer's headers said.
  void settle(AdaptivePermit&& permit, const Outcome& outcome, TimePoint now,
              const std::optional<ServerWindow>& window) {
    if (!rate_) {
      hear(outcome, now, window);
    } else if (window) {
      std::move(permit).settle(outcome, now, *window);
    } else {
      std::move(permit).settle(outcome, now);
    }
  }

  // Whether there is something for the gate in it.
  static bool is_news(const Outcome& outcome, const std::optional<ServerWindow>& window) noexcept {
    return (window && window->remaining == 0) || (!outcome.ok() && outcome.failure->retry_after.has_value());
  }
  // Whether nothing would be lost if it were made again.
  bool at_rest(TimePoint now) {
    if (gate().closed(now)) return false;
    return !rate_ ||
           (rate_->rate(now) >= rate_->options().rate.rate && rate_->view(now).full_after <= Duration::zero());
  }

 private:
  void hear(const Outcome& outcome, TimePoint now, const std::optional<ServerWindow>& window) noexcept {
    if (!outcome.ok()) gate_.apply_retry_after(*outcome.failure, now);
    if (window && window->remaining == 0) gate_.close(now, window->reset_after);
  }

  ThrottleGate gate_;
  std::optional<AdaptiveLimiter> rate_;
};

}  // namespace fuseboard
