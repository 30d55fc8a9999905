// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A limiter that finds out what its target bears [LIM-4].
//
//   AdaptiveLimiter limiter({.rate = {.rate = 50}});
//   auto permit = limiter.try_acquire(now);
//   if (!permit) return permit.error();
//   ...
//   std::move(*permit).settle(now, outcome);   // a throttled outcome lowers the rate; forgetting is safe
//
// Where no rate is configured, RetryAfterGate alone obeys a server's retry-after.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive_rate.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/limit/refilling_level.h"
#include "fuseboard/limit/retry_after_gate.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

class AdaptiveLimiter;

struct AdaptiveLimiterOptions {
  AdaptiveRateOptions rate{};
  // Tokens that a full bucket holds; 1 to 1 000 000 000. Default: a quarter of a second's worth of `rate.rate`, at
  // least 1: what a target of unknown strength is sent at once. Empty after a throttling.
  std::optional<double> burst{};
  // Mode `reserve` only: to an outside limit every call is one call.
  std::optional<PriorityOptions> priorities{};
  // A server's retry-after or reset counts for no longer than this; 0 (they are ignored) to
  // 24 h.
  Duration retry_after_max = kRetryAfterMax;

  double full() const noexcept { return burst.value_or(rate.rate > 4.0 ? rate.rate / 4.0 : 1.0); }
  Problems validate() const;
};

// What a server said about its own limit in an answer's headers.
struct ServerWindow {
  std::uint64_t remaining = 0;              // calls that it will still take
  Duration reset_after = Duration::zero();  // until it takes more
};

// Permission for one call. Settle it once; destroyed unsettled it is neutral: the token stays spent. Not thread-safe,
// but may be settled on another thread. Its limiter must outlive it.
class [[nodiscard]] AdaptivePermit {
 public:
  // Holds nothing.
  AdaptivePermit() noexcept = default;
  AdaptivePermit(AdaptivePermit&&) noexcept = default;
  AdaptivePermit& operator=(AdaptivePermit&& other) noexcept { return replace_permit(*this, other); }
  ~AdaptivePermit() {
    if (limiter_) [[unlikely]] {
      leave();
    }
  }

  // Whether there is a call to settle.
  bool holds() const noexcept { return static_cast<bool>(limiter_); }

  // The server has begun to answer with a success, so the call is within its limit: the rate may return from here on
  // and need not wait for the end of a long call.
  void accepted(TimePoint now);

  // A rate limit lowers the rate; its retry-after, and that of an overloaded or unavailable server, closes the gate; a
  // success lets the rate return; all else is neutral.
  void settle(TimePoint now, const Outcome& outcome) &&;
  // As above, with what the answer's headers said.
  void settle(TimePoint now, const Outcome& outcome, const ServerWindow& window) &&;
  // The call was not sent: its tokens come back, unless the bucket has been full since.
  void release() && noexcept;

 private:
  friend class AdaptiveLimiter;
  AdaptivePermit(AdaptiveLimiter& limiter, TimePoint granted, double cost, std::uint64_t filling) noexcept
      : limiter_(limiter), granted_(granted), cost_(cost), filling_(filling) {}
  void leave() noexcept;

  Issuer<AdaptiveLimiter> limiter_{};
  TimePoint granted_{};
  double cost_ = 0.0;
  std::uint64_t filling_ = 0;  // see RefillingLevel
};

// Admits at most burst + rate * t in any interval t, with the configured rate at all times and the learned one while it
// lasts. Thread-safe: one mutex, held for some tens of nanoseconds. Never allocates.
class AdaptiveLimiter {
 public:
  // Throws InvalidOptions. The key is what rejections carry; the seed is that of the jitter.
  explicit AdaptiveLimiter(const AdaptiveLimiterOptions& options, KeyView key = "",
                           std::uint64_t seed = Rng::random_seed());

  // A permit, or `rate_limited` with the wait after which the same call would pass if nobody else called and the server
  // said nothing new; without a wait if it costs more than the bucket holds.
  [[nodiscard]] std::expected<AdaptivePermit, Rejection> try_acquire(TimePoint now, std::uint64_t cost = 1,
                                                                     Priority priority = Priority::normal);
  // What try_acquire() would refuse with, or nullopt. Takes nothing.
  [[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, std::uint64_t cost = 1,
                                                        Priority priority = Priority::normal);

  // Headers of an answer whose permit is settled elsewhere. Until the reset, no more is admitted than remains, evenly
  // spread; with nothing left the gate closes until then. The last word counts.
  void observe(TimePoint now, const ServerWindow& window);

  // New options from here on [LIM-9]. What is missing from full stays missing, but for what is more than the new burst;
  // the learned rate and what the server said stay, within the new bounds; the gate stays shut. Throws InvalidOptions,
  // with nothing changed.
  void apply(TimePoint now, const AdaptiveLimiterOptions& options);

  // What was spent and learned, to outlive the process; nullopt: nothing.
  std::optional<SavedAdaptiveLimiter> save(TimePoint now) const;
  // At least as much is missing then, and the gate is shut for at least as long. A rate that was throttled since, and
  // what the server said since, are newer and stay. Permits from before it put nothing back.
  void restore(TimePoint now, const SavedAdaptiveLimiter& saved);

  // Tokens a second as of now, everything considered but the gate.
  double rate(TimePoint now) const;
  // What callers may be told of the limit as of now, the gate and the reserves of priorities aside. The rate only rises
  // by itself, so the bucket is full no later than the view says. Changes nothing.
  LevelView view(TimePoint now) const;
  RetryAfterGate& gate() noexcept { return gate_; }
  const RetryAfterGate& gate() const noexcept { return gate_; }
  AdaptiveLimiterOptions options() const;

 private:
  friend class AdaptivePermit;

  void settle(TimePoint now, const AdaptivePermit& permit, const Outcome& outcome, const ServerWindow* window);
  void accepted(TimePoint now, TimePoint granted);
  void release(double returned, std::uint64_t filling) noexcept;
  double rate_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void refill(TimePoint now, RefillingLevel& level) const FUSEBOARD_REQUIRES(mutex_);
  void advance_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_) { refill(now, level_); }
  void observe_locked(TimePoint now, const ServerWindow& window) FUSEBOARD_REQUIRES(mutex_);
  std::optional<Rejection> peek_locked(TimePoint now, double cost, Priority priority) FUSEBOARD_REQUIRES(mutex_);

  const KeyText key_;
  RetryAfterGate gate_;
  Rng jitter_;
  mutable Mutex mutex_;
  AdaptiveLimiterOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  AdaptiveRate learned_ FUSEBOARD_GUARDED_BY(mutex_);
  RefillingLevel level_ FUSEBOARD_GUARDED_BY(mutex_);
  double server_rate_ FUSEBOARD_GUARDED_BY(mutex_) = 0.0;  // counts until server_until_
  TimePoint server_until_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();
  std::uint64_t in_flight_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
