// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Spares an overloaded target the calls that it would refuse [LIM-9.6].
//
//   ClientThrottle throttle({.k = 2.0});
//   auto permit = throttle.try_acquire(now);
//   if (!permit) return permit.error();
//   ...
//   std::move(*permit).settle(now, outcome);   // forgetting is safe
//
// Client-side throttling of Google's "Site Reliability Engineering" (2016), chapter 21, "Handling Overload". Of the
// calls of the last two minutes, `requests` were wanted, those that were rejected here included, and the target took
// `accepts` of them. The next is rejected with the probability
//
//   max(0, (requests - k * accepts) / (requests + 1))
//
// so that a target is asked for k times what it takes: enough to see that it takes more. No number has to be known of
// the target. One that takes nothing is asked about once a window, however many calls are wanted; by the defaults one
// that recovers under r calls a second is back to all of them after about a minute * ln(r * 120 s).
//
// Differently from the book a call counts when it ends, not when it begins: calls to a model take minutes, and in the
// first of them the target would seem to accept nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

struct ClientThrottleOptions {
  // How many calls are wanted for each that is accepted before any is rejected; 1.1 to 100. Lower spares the target
  // more and sees later that it has recovered.
  double k = 2.0;
  // 1 s to 1 h; it slides by a 24th of itself.
  Duration window = std::chrono::minutes(2);
  // With fewer requests in the window nothing is rejected; 0 to 1 000 000.
  std::uint32_t min_requests = 10;

  Problems validate() const;
  friend bool operator==(const ClientThrottleOptions&, const ClientThrottleOptions&) noexcept = default;
};

class ClientThrottle;

// Permission for one call. Settle it once; destroyed unsettled it counts for nothing. Not thread-safe, but may be
// settled on another thread. Its throttle must outlive it.
class [[nodiscard]] ClientThrottlePermit {
 public:
  // Holds nothing.
  ClientThrottlePermit() noexcept = default;
  ClientThrottlePermit(ClientThrottlePermit&&) noexcept = default;
  ClientThrottlePermit& operator=(ClientThrottlePermit&& other) noexcept { return replace_permit(*this, other); }
  ~ClientThrottlePermit() = default;

  // A timeout, an overload, a rate limit, an unavailable server or a failed connection is a request that was not
  // accepted; a cancelled call is none; all else, failures included, was accepted.
  void settle(TimePoint now, const Outcome& outcome) &&;

 private:
  friend class ClientThrottle;
  explicit ClientThrottlePermit(ClientThrottle& throttle) noexcept : throttle_(throttle) {}

  Issuer<ClientThrottle> throttle_{};
};

// What a ClientThrottle has counted in its window.
struct ClientThrottleCounts {
  std::uint64_t requests = 0;
  std::uint64_t accepts = 0;
  friend bool operator==(const ClientThrottleCounts&, const ClientThrottleCounts&) noexcept = default;
};

// Thread-safe: one mutex, held for some tens of nanoseconds. Never allocates. An earlier time than the latest counts as
// that one.
class ClientThrottle {
 public:
  // Throws InvalidOptions. The key is what rejections carry; the seed decides which calls are rejected.
  explicit ClientThrottle(const ClientThrottleOptions& options = {}, KeyView key = "",
                          std::uint64_t seed = Rng::random_seed());

  // A permit; or `rate_limited`, without a wait: the next call may be the one that passes.
  [[nodiscard]] std::expected<ClientThrottlePermit, Rejection> try_acquire(TimePoint now);

  // With which probability try_acquire() rejects now; 0 to below 1.
  double rejection_probability(TimePoint now) const;
  ClientThrottleCounts counts(TimePoint now) const;

  // New options from here on [LIM-9.3]. What is in the window stays, for the new one from now. Throws InvalidOptions,
  // with nothing changed.
  void apply(TimePoint now, const ClientThrottleOptions& options);

  // What is in the window, to outlive the process; nullopt: nothing.
  std::optional<SavedClientThrottle> save(TimePoint now) const;
  // Counts beside what is known already, for a window from now.
  void restore(TimePoint now, const SavedClientThrottle& saved);

  // Forgets what was counted.
  void reset() noexcept;
  ClientThrottleOptions options() const;

 private:
  friend class ClientThrottlePermit;

  static constexpr std::size_t kSlices = 24;

  struct Slice {
    std::int64_t number = 0;  // counted from the clock's epoch
    ClientThrottleCounts counts{};
  };

  void settle(TimePoint now, const Outcome& outcome);
  std::int64_t slice_at(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void count_locked(TimePoint now, const ClientThrottleCounts& more) FUSEBOARD_REQUIRES(mutex_);
  ClientThrottleCounts counts_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  double probability_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);

  const KeyText key_;
  Rng rng_;
  mutable Mutex mutex_;
  ClientThrottleOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  std::array<Slice, kSlices> slices_ FUSEBOARD_GUARDED_BY(mutex_){};
  TimePoint latest_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();  // that anything was counted at
};

}  // namespace fuseboard
