// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A provider's limits, held together: requests a minute, tokens a minute, calls in flight [LIM-5].
//
//   JointLimiter limiter({.requests_per_minute = 500.0, .tokens_per_minute = 200'000.0, .concurrency = 32});
//   auto permit = limiter.try_acquire(now, {.tokens = estimate});
//   if (!permit) return permit.error();
//   ...
//   std::move(*permit).settle(now, usage.total_tokens);   // forgetting is safe: the estimate stays charged
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/limit/refilling_level.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

class JointLimiter;

// Each limit is optional; with none at all everything is admitted.
struct JointLimiterOptions {
  // 0.0001 to 60 000 000 000 a minute.
  std::optional<double> requests_per_minute{};
  // Requests that may go at once; 1 to 1 000 000 000. Default: a tenth of a minute's worth, at least 1.
  std::optional<double> requests_burst{};
  // 0.0001 to 60 000 000 000 a minute.
  std::optional<double> tokens_per_minute{};
  // Tokens that may go at once, and so the largest estimate that is ever admitted; 1 to 1 000 000 000. Default: a
  // minute's worth, which is the largest request that a provider takes.
  std::optional<double> tokens_burst{};
  // Calls in flight; 1 to 1 000 000.
  std::optional<std::uint32_t> concurrency{};
  // Reserves of both buckets. Mode `reserve` only: to an outside limit every call is one call.
  std::optional<PriorityOptions> priorities{};

  // Whether there is anything to hold.
  bool any() const noexcept { return requests_per_minute || tokens_per_minute || concurrency; }
  Problems validate() const;
};

// What a call asks for.
struct JointRequest {
  std::uint64_t tokens = 0;  // estimate of all that the provider will count, input and output
  Priority priority = Priority::normal;
};

// A call's share of all limits. Settle it once. Destroyed unsettled it frees its place and leaves the estimate charged:
// what the call has used is not known then. Not thread-safe, but may be settled on another thread. Its limiter must
// outlive it.
class [[nodiscard]] JointPermit {
 public:
  // Holds nothing.
  JointPermit() noexcept = default;
  JointPermit(JointPermit&&) noexcept = default;
  JointPermit& operator=(JointPermit&& other) noexcept { return replace_permit(*this, other); }
  ~JointPermit() {
    if (limiter_) [[unlikely]] {
      leave();
    }
  }

  // The call has ended and used so many tokens: what was estimated too much comes back, unless the bucket has been full
  // since [LIM-1]; what was used beyond the estimate is owed, and the next calls wait for it.
  void settle(TimePoint now, std::uint64_t tokens_used) &&;
  // The call has ended; what it used is not known, and the estimate stands.
  void settle() && noexcept { leave(); }
  // The call was not sent: everything comes back, likewise.
  void release() && noexcept;

 private:
  friend class JointLimiter;
  struct Taken {
    std::uint64_t tokens = 0;
    std::uint64_t requests_filling = 0;  // see RefillingLevel
    std::uint64_t tokens_filling = 0;
  };
  JointPermit(JointLimiter& limiter, const Taken& taken) noexcept : limiter_(limiter), taken_(taken) {}
  void leave() noexcept;

  Issuer<JointLimiter> limiter_{};
  Taken taken_{};
};

struct JointSnapshot {
  std::optional<double> requests_available{};
  std::optional<double> tokens_available{};  // negative: owed
  std::uint32_t in_flight = 0;
};

// What is left of the limits on rates, each only where it is set.
struct JointView {
  std::optional<LevelView> requests{};
  std::optional<LevelView> tokens{};
};

// Thread-safe: one mutex, under which all limits are looked at and then all are taken from, or none. Never allocates.
class JointLimiter {
 public:
  // Throws InvalidOptions. The key is what rejections carry; the seed is that of the jitter.
  explicit JointLimiter(const JointLimiterOptions& options, KeyView key = "", std::uint64_t seed = Rng::random_seed());

  // A permit, or why not. `rate_limited`: after the wait both buckets would let the same call pass, if nobody else
  // called; without a wait if the call is larger than a bucket. `concurrency_limited`: how long is not known.
  [[nodiscard]] std::expected<JointPermit, Rejection> try_acquire(TimePoint now, const JointRequest& request = {});
  // What try_acquire() would refuse with, or nullopt. Takes nothing.
  [[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, const JointRequest& request = {});

  // New options from here on [LIM-9]. What is missing from full stays missing, but for what is more than the new burst,
  // and calls in flight stay in flight, so a lower concurrency admits nobody until enough have left. A limit on a rate
  // that was not there begins full, and what permits took elsewhere is not put back into it. Throws InvalidOptions,
  // with nothing changed.
  void apply(TimePoint now, const JointLimiterOptions& options);

  // What is missing from full, to outlive the process; nullopt: nothing. Only of what is limited.
  std::optional<SavedJointLimiter> save(TimePoint now) const;
  // At least as much as was saved is missing then. Permits from before it put nothing back.
  void restore(TimePoint now, const SavedJointLimiter& saved);

  JointSnapshot snapshot(TimePoint now);
  // What callers may be told of the limits as of now; a reserve of a priority is not subtracted. Changes nothing.
  JointView view(TimePoint now) const;
  JointLimiterOptions options() const;

 private:
  friend class JointPermit;

  // A bucket with a fixed rate, or none at all.
  struct Bucket {
    // The burst, where it is not given, is so many minutes' worth.
    Bucket(std::optional<double> per_minute, std::optional<double> burst, double default_share) noexcept;
    void apply(TimePoint now, std::optional<double> per_minute, std::optional<double> burst,
               double default_share) noexcept;
    // Tokens missing from full; zero where nothing is limited.
    double missing(TimePoint now) const noexcept;
    void advance(TimePoint now) noexcept { level.advance(now, rate); }
    std::optional<LevelView> view(TimePoint now) const noexcept;
    // Zero if the call passes; kForever if it never will.
    Duration wait(double cost, double reserve_fraction) const noexcept;

    bool limited;
    double rate;  // a second
    RefillingLevel level;
  };

  std::optional<Rejection> peek_locked(TimePoint now, const JointRequest& request) FUSEBOARD_REQUIRES(mutex_);
  void advance_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  void settle(TimePoint now, const JointPermit::Taken& taken, std::uint64_t used);
  void leave() noexcept;
  void release(const JointPermit::Taken& taken) noexcept;

  const KeyText key_;
  Rng jitter_;
  mutable Mutex mutex_;
  JointLimiterOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  Bucket requests_ FUSEBOARD_GUARDED_BY(mutex_);
  Bucket tokens_ FUSEBOARD_GUARDED_BY(mutex_);
  std::uint32_t in_flight_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
