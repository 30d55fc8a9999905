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
//
// New options [LIM-9.1] change A from a moment on, and the unit. So that nobody reads the word by the wrong terms, it
// says itself which apply: those of the options, or, while apply() writes these, a second copy in another place. A
// compare-and-swap succeeds only on the word that the terms were chosen by, so a call that saw half of new terms fails
// and looks again.
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
#include "fuseboard/limit/reservation.h"
#include "fuseboard/limit/saved_limits.h"

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
  TokenGrant(std::uint64_t units, std::uint64_t full_at_alone, std::uint64_t lacked, std::uint32_t era) noexcept
      : units_(units), full_at_alone_(full_at_alone), lacked_(lacked), era_(era) {}

  std::uint64_t units_;
  std::uint64_t full_at_alone_;  // where the bucket would be full again had it been full before
  std::uint64_t lacked_;         // what it lacked before, plus TokenBucket::released_ at that moment
  std::uint32_t era_;            // TokenBucket::era_ at that moment
};

// In any interval of length t it admits at most burst + rate * t tokens, at every priority and from any number of
// threads; exact to the nanosecond of refill or the 2^-32th of the burst, whichever is more. Thread-safe;
// acquisitions are lock-free; never allocates. Time may come from several threads out of order: an earlier time refills
// nothing. Works for 73 years from the clock's epoch; later it refills no more.
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
    const std::uint32_t era = era_.load(std::memory_order_acquire);
    Units full_at = full_at_.load(std::memory_order_acquire);
    while (true) {
      const Asked asked = terms_of(full_at).ask(now, cost, priority);
      const Units after = std::max(full_at, asked.refilled) + asked.units;
      if (after > asked.most) [[unlikely]] {
        if (const auto refused = peek_rejection(now, cost, priority)) return std::unexpected(*refused);
        full_at = full_at_.load(std::memory_order_acquire);
        continue;
      }
      // Read before the word is written: a release that comes later counts itself later, too.
      const Units lacked = after - asked.units - asked.refilled + released_.load(std::memory_order_relaxed);
      if (full_at_.compare_exchange_weak(full_at, after, std::memory_order_acq_rel, std::memory_order_acquire))
          [[likely]] {
        return TokenGrant(asked.units, asked.refilled + asked.units, lacked, era);
      }
    }
  }

  // What try_acquire() would refuse with, or nullopt. Takes nothing and writes nothing but the jitter's state.
  [[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, std::uint64_t cost = 1,
                                                        Priority priority = Priority::normal) const;

  // Takes the tokens now for a call that may be sent at `valid_at`, at most `max_wait` from now, and no more than a
  // day; else `rate_limited` as above [LIM-9.5]. Of one priority, reservations are valid in the order of asking.
  // They never bring more through than burst and rate allow, if each call is sent when its reservation becomes valid.
  [[nodiscard]] std::expected<Reservation<TokenGrant>, Rejection> reserve(TimePoint now, Duration max_wait,
                                                                          std::uint64_t cost = 1,
                                                                          Priority priority = Priority::normal);

  // Gives back what an acquisition or a reservation took, once, for a call that did not take place: all of it at once,
  // later as much as cannot have come back by itself. Until the latest time that was ever reserved it is less by what
  // was taken since: later reservations keep their times, and would come together with those who get it. Twice, or with
  // a time behind a later call's, it lets too much through [LIM-1].
  void release(TimePoint now, const TokenGrant& grant) noexcept;

  // Whether a full bucket would let such a call pass. To be asked where calls are set up: a call for which it is false
  // would be refused for ever.
  bool can_ever_admit(std::uint64_t cost, Priority priority = Priority::normal) const noexcept;

  // Full again, whatever is reserved. What was taken before it is not given back by a release after it.
  void reset() noexcept;

  // New options from here on [LIM-9.1]. What is missing from full stays missing, but for what is more than the new
  // burst: a larger one gives the difference at once, a smaller one takes it. What is reserved stays reserved, and
  // until the latest time of that a smaller burst forgives nothing. What was taken before it is not given back by a
  // release after it. Throws InvalidOptions, with nothing changed. Acquisitions never wait for it.
  void apply(TimePoint now, const TokenBucketOptions& options);

  // What is missing from full, to outlive the process, without what is reserved; nullopt: nothing.
  std::optional<SavedTokenBucket> save(TimePoint now) const noexcept;
  // At least as much as was saved is missing then, but no more than the burst. What was taken before it is not given
  // back by a release after it.
  void restore(TimePoint now, const SavedTokenBucket& saved) noexcept;

  // Whether nothing is missing: the bucket is then like one that was just made.
  bool full(TimePoint now) const noexcept;

  // Tokens in the bucket; 0 to burst.
  double available(TimePoint now) const noexcept;

  TokenBucketOptions options() const;

 private:
  // Of a token: 2^-scale, chosen so that a unit takes between half a nanosecond and one to refill, but that the
  // capacity stays below 2^60.
  using Units = std::uint64_t;
  __extension__ using Wide = unsigned __int128;

  static constexpr Units kMoreThanAnyBucket = Units{1} << 61;
  // Of what is reserved beyond an empty bucket; a day's refill is less.
  static constexpr Units kMaxDebt = Units{1} << 60;
  static constexpr int kRateShift = 62;
  static constexpr Duration::rep kLastTime = Duration::rep{1} << 61;
  // Set in words, and in A, of the second copy of the terms: above all that the first one comes to.
  static constexpr Units kSecondCopy = Units{1} << 63;

  // A call by the terms.
  struct Asked {
    Units units;     // what it costs
    Units refilled;  // A(now)
    Units most;      // the highest word that it may leave; 0: it costs more than the bucket holds
  };

  // What options come to. The loads acquire: who sees new terms sees the word of before them gone.
  struct Terms {
    Atomic<Units> base{0};           // A(start)
    Atomic<Duration::rep> start{0};  // nanoseconds since the clock's epoch
    Atomic<Units> rate{0};           // units a nanosecond, times 2^62
    Atomic<Units> capacity{0};
    std::array<Atomic<Units>, kPriorityCount> unit_costs{};
    std::array<Atomic<Units>, kPriorityCount> reserves{};
    Atomic<int> scale{0};

    void set(const TokenBucketOptions& options, Units new_base, Duration::rep new_start) noexcept;

    // A(now), below 2^62 of the first copy: the rate is below two units a nanosecond.
    Units refilled_at(TimePoint now) const noexcept {
      const Duration::rep from = start.load(std::memory_order_acquire);
      const auto since = static_cast<Units>(std::clamp(now.time_since_epoch().count(), from, kLastTime) - from);
      const Units units_a_nanosecond = rate.load(std::memory_order_acquire);
      return base.load(std::memory_order_acquire) +
             static_cast<Units>((static_cast<Wide>(since) * units_a_nanosecond) >> kRateShift);
    }
    Units cost_of(std::uint64_t cost, Priority priority) const noexcept {
      const Units of_one = unit_costs[static_cast<std::size_t>(priority)].load(std::memory_order_acquire);
      Units units = 0;
      if (__builtin_mul_overflow(cost, of_one, &units)) return kMoreThanAnyBucket;
      return std::min(units, kMoreThanAnyBucket);
    }
    Asked ask(TimePoint now, std::uint64_t cost, Priority priority) const noexcept {
      const Units units = cost_of(cost, priority);
      const Units refilled = refilled_at(now);
      const Units all = capacity.load(std::memory_order_acquire);
      if (units > all) [[unlikely]]
        return {.units = units, .refilled = refilled, .most = 0};
      const Units reserve = reserves[static_cast<std::size_t>(priority)].load(std::memory_order_acquire);
      return {.units = units, .refilled = refilled, .most = refilled + std::max(all - reserve, units)};
    }
    // When a call that the word does not let pass would pass; rounded up.
    TimePoint passes_at(const Asked& asked, Units full_at) const noexcept;
    // What is missing from full; more than the capacity where more is reserved than there is.
    Units missing(TimePoint now, Units full_at) const noexcept {
      const Units refilled = refilled_at(now);
      return full_at - std::min(full_at, refilled);
    }
  };

  // What a release gives back at most while later reservations wait.
  Units left_by_later(const TokenGrant& grant, Units full_at, Units released) const noexcept;
  // A branch, where an index would make each call wait for the word before it finds the terms.
  const Terms& terms_of(Units full_at) const noexcept {
    if ((full_at & kSecondCopy) != 0) [[unlikely]]
      return terms_[1];
    return terms_[0];
  }
  // What `read` makes of a word and the terms that belong to it.
  template <typename Read>
  auto look(Read read) const noexcept {
    Units full_at = full_at_.load(std::memory_order_acquire);
    while (true) {
      const auto seen = read(terms_of(full_at), full_at);
      const Units since = full_at_.load(std::memory_order_acquire);
      if (since == full_at) return seen;
      full_at = since;
    }
  }

  // Read by every call; only the word is written, and the terms where the options change.
  std::array<Terms, 2> terms_{};
  const KeyText key_;
  // What is written has a line of its own, apart from what every call reads.
  alignas(64) Atomic<Units> full_at_{0};
  // All that releases have given back so far. It only grows; it may wrap, as only differences are used.
  Atomic<Units> released_{0};
  // No reservation becomes valid later, in nanoseconds since the clock's epoch.
  Atomic<Duration::rep> reserved_until_{Duration::min().count()};
  // How often it was reset, restored or given new options: what was taken in another era is not given back.
  Atomic<std::uint32_t> era_{0};
  mutable Rng jitter_;
  mutable Mutex changes_;  // acquisitions never take it. While it is free the first copy of the terms holds
  TokenBucketOptions options_ FUSEBOARD_GUARDED_BY(changes_);
};

}  // namespace fuseboard
