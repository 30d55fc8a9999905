// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// At most n in any window of t, exactly [LIM-9.4]: for quotas that are told that way, where a bucket's burst on top of
// its rate would be too many.
//
//   SlidingWindowLimiter limiter({.limit = 100, .window = 1min});
//   if (auto granted = limiter.try_acquire(now); !granted) return granted.error();  // says when to come back
//
// A log of what was granted in the last window, in a ring: no counter that is weighted by the clock, which lets through
// more than n, and no fixed windows, which let through twice n around their edges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/reservation.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

inline constexpr std::uint32_t kMaxWindowLimit = 100'000;

struct SlidingWindowOptions {
  // What calls may cost together in any window; 1 to 100 000. A limiter holds 32 bytes for each of them.
  std::uint32_t limit = 60;
  // 1 ms to 31 days. A call counts for exactly so long: at its end the next may pass.
  Duration window = std::chrono::minutes(1);
  // Calls that hold a permit for later at once; 0 to 100 000, 32 bytes each. At the bound `queue_full`.
  std::uint32_t max_reserved = 256;

  Problems validate() const;
  friend bool operator==(const SlidingWindowOptions&, const SlidingWindowOptions&) noexcept = default;
};

// What one call took, to be given back if it does not take place.
class WindowGrant {
 private:
  friend class SlidingWindowLimiter;
  explicit WindowGrant(std::uint64_t number) noexcept : number_(number) {}

  std::uint64_t number_;  // 0: nothing
};

// Thread-safe: one mutex. Never allocates but when it is made, given new options or restored. Times from several
// threads may come out of order: an earlier one counts as the latest at which anything was granted. Acquiring and
// asking is a binary search in the log; releasing moves what was granted later.
class SlidingWindowLimiter {
 public:
  // Throws InvalidOptions. The key is what rejections carry; the seed is that of the jitter.
  explicit SlidingWindowLimiter(const SlidingWindowOptions& options, KeyView key = "",
                                std::uint64_t seed = Rng::random_seed());

  // A grant, or `rate_limited` with the wait after which the same call would pass if nobody else called, plus up to
  // 10 % [LIM-3]; without a wait if it costs more than the limit. Who asks now does not pass before those who have
  // reserved. A cost of 0 asks whether one may pass, and takes nothing.
  [[nodiscard]] std::expected<WindowGrant, Rejection> try_acquire(TimePoint now, std::uint32_t cost = 1);
  // What try_acquire() would refuse with, or nullopt. Takes nothing.
  [[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, std::uint32_t cost = 1) const;

  // The next permit in the order of asking, valid at most `max_wait` from now; else `rate_limited` as above, or
  // `queue_full` where too many have reserved.
  [[nodiscard]] std::expected<Reservation<WindowGrant>, Rejection> reserve(TimePoint now, Duration max_wait,
                                                                           std::uint32_t cost = 1);

  // The call does not take place: it counts no more. Those who have reserved since keep their times; what is free
  // before the last of them goes to nobody. Nothing for what is over, or was taken before a reset() or restore().
  void release(TimePoint now, const WindowGrant& grant) noexcept;

  // New options from here on [LIM-9.1]: what was granted counts by them, but for what the old window had forgotten
  // already. Those who have reserved keep their times. Throws InvalidOptions, with nothing changed. May allocate.
  void apply(TimePoint now, const SlidingWindowOptions& options);

  // What counts at present, to outlive the process, without what is reserved; nullopt: nothing. Allocates.
  std::optional<SavedSlidingWindow> save(TimePoint now) const;
  // It counts beside what was granted since. Allocates.
  void restore(TimePoint now, const SavedSlidingWindow& saved);

  // Forgets what was granted and reserved.
  void reset() noexcept;

  // What counts in the window that ends now; what is reserved for later does not.
  std::uint32_t used(TimePoint now) const;
  SlidingWindowOptions options() const;

 private:
  struct Entry {
    TimePoint time{};
    std::uint64_t number = 0;   // grows from one to the next
    std::uint64_t through = 0;  // what all up to and including this one have cost
    std::uint32_t cost = 0;
  };

  Entry& at(std::size_t index) FUSEBOARD_REQUIRES(mutex_) { return log_[(first_ + index) % log_.size()]; }
  const Entry& at(std::size_t index) const FUSEBOARD_REQUIRES(mutex_) { return log_[(first_ + index) % log_.size()]; }
  // How many entries `is_before` holds for: a first part of the log.
  template <typename IsBefore>
  std::size_t count_while(IsBefore is_before) const FUSEBOARD_REQUIRES(mutex_);
  // What the first `count` entries and those that are over have cost.
  std::uint64_t cost_through(std::size_t count) const FUSEBOARD_REQUIRES(mutex_);
  TimePoint earliest_locked(TimePoint now, std::uint32_t cost) const FUSEBOARD_REQUIRES(mutex_);
  // Why such a call does not pass now; nullopt: it does.
  std::optional<Rejection> rejection_locked(TimePoint now, std::uint32_t cost) const FUSEBOARD_REQUIRES(mutex_);
  void forget_locked() FUSEBOARD_REQUIRES(mutex_);
  WindowGrant grant_locked(TimePoint when, std::uint32_t cost) FUSEBOARD_REQUIRES(mutex_);

  const KeyText key_;
  mutable Rng jitter_;
  mutable Mutex mutex_;
  SlidingWindowOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  // A ring, by time: first what was granted, the latest last, then what is reserved.
  std::vector<Entry> log_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t first_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::size_t size_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  TimePoint latest_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();  // that anything was granted at
  std::uint64_t last_number_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t forgotten_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // what those before the first entry have cost
};

}  // namespace fuseboard
