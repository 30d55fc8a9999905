// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The token bucket: so many calls a second, and a burst [LIM-1, LIM-2, LIM-3].
//
//   TokenBucket bucket({.rate = 20, .burst = 40});
//   if (auto granted = bucket.try_acquire(now); !granted) return granted.error();  // says when to come back
//
// How it works: virtual scheduling, as in the Generic Cell Rate Algorithm (ITU-T I.371; Turner, "New directions in
// communications", 1986), but counted in token units instead of time, so that rates which do not divide a second lose
// nothing. Let A(t) be all that has been refilled since the clock's epoch: an integer, computed again from t each time,
// so no error adds up. The level is one atomic word, the value of A at which the bucket will be full again. The
// bucket lacks word - A(now), or nothing where that is negative. Taking a token is one compare-and-swap; refilling is
// no write at all.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/priority.h"

namespace fuseboard {

// The bounds of every rate and burst in this module.
inline constexpr double kMinRate = 1e-6;   // tokens a second: about 30 a year
inline constexpr double kMaxTokens = 1e9;  // a second, or in a burst

struct TokenBucketOptions {
  // Tokens a second; 0.000001 to 1 000 000 000. With weighted costs at most 1 000 000, above which a tenth of a token
  // could not be told from nothing.
  double rate = 20.0;
  // Tokens that a full bucket holds; 1 (with weighted costs the largest weight) to 1 000 000 000.
  double burst = 20.0;
  // Without it all priorities are alike: no reserves, no weights.
  std::optional<PriorityOptions> priorities{};

  Problems validate() const;
  friend bool operator==(const TokenBucketOptions&, const TokenBucketOptions&) noexcept = default;
};

// What one acquisition took, to be given back if its call does not take place.
class TokenGrant {
 private:
  friend class TokenBucket;
  TokenGrant(std::uint64_t units, std::uint64_t full_at_alone, std::uint64_t lacked, std::uint32_t resets) noexcept
      : units_(units), full_at_alone_(full_at_alone), lacked_(lacked), resets_(resets) {}

  std::uint64_t units_;
  std::uint64_t full_at_alone_;  // where the bucket would be full again had it been full before
  std::uint64_t lacked_;         // what it lacked before, plus TokenBucket::released_ at that moment
  std::uint32_t resets_;         // TokenBucket::resets_ at that moment
};

// In any interval of length t it admits at most burst + rate * t tokens, at every priority and from any number of
// threads; exact to the nanosecond of refill or the 2^-32th of the burst, whichever is more. Thread-safe;
// acquisitions are lock-free; never allocates. Time may come from several threads out of order: an earlier time refills
// nothing. Works for 146 years from the clock's epoch; later it refills no more.
//
// Cost of an acquisition: one compare-and-swap (2 ns uncontended); the clock is the caller's.
class TokenBucket {
 public:
  // Begins full. Throws InvalidOptions. The key is what rejections carry; the seed is that of the jitter.
  explicit TokenBucket(const TokenBucketOptions& options, KeyView key = "", std::uint64_t seed = Rng::random_seed());
  TokenBucket(const TokenBucket&) = delete;
  TokenBucket& operator=(const TokenBucket&) = delete;

  // Takes `cost` tokens (times the priority's weight) or says why not: `rate_limited`, with the wait after which the
  // same call would pass if nobody else took anything [LIM-3]; without a wait if it costs more than the bucket holds.
  // A cost of 0 asks whether one is over the reserve, and takes nothing.
  [[nodiscard]] std::expected<TokenGrant, Rejection> try_acquire(TimePoint now, std::uint64_t cost = 1,
                                                                 Priority priority = Priority::normal) {
    const Units units = cost_of(cost, priority);
    const Units most = most_missing(units, priority);
    const Units refilled = refilled_at(now);
    const std::uint32_t resets = resets_.load(std::memory_order_acquire);
    Units full_at = full_at_.load(std::memory_order_acquire);
    while (true) {
      const Units after = std::max(full_at, refilled) + units;
      if (units > capacity_ || after > refilled + most) [[unlikely]] {
        return reject(now, full_at, units, priority);
      }
      // Read before the word is written: a release that comes later counts itself later, too.
      const Units lacked = after - units - refilled + released_.load(std::memory_order_relaxed);
      if (full_at_.compare_exchange_weak(full_at, after, std::memory_order_acq_rel, std::memory_order_acquire))
          [[likely]] {
        return TokenGrant(units, refilled + units, lacked, resets);
      }
    }
  }

  // What try_acquire() would refuse with, or nullopt. Takes nothing and writes nothing but the jitter's state.
  [[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, std::uint64_t cost = 1,
                                                        Priority priority = Priority::normal) const;

  // Gives back what an acquisition took, once, for a call that did not take place: all of it at once, later as much as
  // cannot have come back by itself. Twice, or with a time behind a later call's, it lets too much through [LIM-1].
  void release(TimePoint now, const TokenGrant& grant) noexcept;

  // Whether a full bucket would let such a call pass. To be asked where calls are set up: a call for which it is false
  // would be refused for ever.
  bool can_ever_admit(std::uint64_t cost, Priority priority = Priority::normal) const noexcept {
    return cost_of(cost, priority) <= capacity_;
  }

  // Full again. What was taken before it is not given back by a release after it.
  void reset() noexcept;

  // Whether nothing is missing: the bucket is then like one that was just made.
  bool full(TimePoint now) const noexcept { return full_at_.load(std::memory_order_relaxed) <= refilled_at(now); }

  // Tokens in the bucket; 0 to burst.
  double available(TimePoint now) const noexcept;

  const TokenBucketOptions& options() const noexcept { return options_; }

 private:
  // Of a token: 2^-scale_, chosen so that a unit takes between half a nanosecond and one to refill, but that the
  // capacity stays below 2^62.
  using Units = std::uint64_t;
  __extension__ using Wide = unsigned __int128;

  static constexpr Units kMaxUnits = Units{1} << 62;
  static constexpr int kRateShift = 62;

  // A(now), below 2^63: the rate is below two units a nanosecond and the time below 2^62 ns.
  Units refilled_at(TimePoint now) const noexcept {
    const Duration::rep since = std::clamp<Duration::rep>(now.time_since_epoch().count(), 0, Duration::rep{1} << 62);
    return static_cast<Units>((static_cast<Wide>(since) * rate_) >> kRateShift);
  }
  // Saturates above the capacity.
  Units cost_of(std::uint64_t cost, Priority priority) const noexcept {
    Units units = 0;
    if (__builtin_mul_overflow(cost, unit_costs_[static_cast<std::size_t>(priority)], &units)) return kMaxUnits;
    return std::min(units, kMaxUnits);
  }
  // How much the bucket may lack after a call of this cost and priority.
  Units most_missing(Units cost, Priority priority) const noexcept {
    return std::max(capacity_ - reserves_[static_cast<std::size_t>(priority)], cost);
  }
  Rejection rejection(TimePoint now, Units full_at, Units cost, Priority priority) const noexcept;
  [[gnu::noinline]] std::expected<TokenGrant, Rejection> reject(TimePoint now, Units full_at, Units cost,
                                                                Priority priority) const noexcept;

  // Read by every call; only the word is written.
  Units rate_ = 0;  // units a nanosecond, times 2^62
  Units capacity_ = 0;
  std::array<Units, kPriorityCount> unit_costs_{};
  std::array<Units, kPriorityCount> reserves_{};
  int scale_ = 0;
  const KeyText key_;
  const TokenBucketOptions options_;
  // What is written has a line of its own, apart from what every call reads.
  alignas(64) Atomic<Units> full_at_{0};
  // All that releases have given back so far. It only grows; it may wrap, as only differences are used.
  Atomic<Units> released_{0};
  Atomic<std::uint32_t> resets_{0};
  mutable Rng jitter_;
  Mutex releases_;  // held by release() and reset() alone: acquisitions never wait
};

}  // namespace fuseboard
