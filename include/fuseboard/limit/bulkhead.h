// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many calls may be in flight: a fixed bulkhead, and one that finds its limit [LIM-8.1, LIM-8.2].
//
//   Bulkhead bulkhead({.limit = 32});
//   auto slot = bulkhead.try_acquire();
//   if (!slot) return slot.error();
//   ...                                  // the slot is free again when it is destroyed
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <utility>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/latency_baseline.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

inline constexpr std::uint32_t kMaxInFlight = 1'000'000;

// Counts what is in flight. One shared word: a place taken is a compare-and-swap, a place freed a subtraction.
class InFlight {
 public:
  // False if `limit` are in flight already. A refusal writes nothing.
  bool try_enter(std::uint32_t limit) noexcept {
    std::uint32_t count = count_.load(std::memory_order_relaxed);
    while (count < limit) {
      // Acquire and release: whoever gets a place sees what its last holder did.
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_acquire, std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  void leave() noexcept { count_.fetch_sub(1, std::memory_order_release); }
  std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  Atomic<std::uint32_t> count_{0};
};

struct BulkheadOptions {
  // Calls in flight at once; 1 to 1 000 000.
  std::uint32_t limit = 32;

  Problems validate() const;
};

// A place in a Bulkhead, free again when it is destroyed or released, once. Not thread-safe, but may end on another
// thread. Its bulkhead must outlive it.
class [[nodiscard]] BulkheadSlot {
 public:
  // Holds nothing.
  BulkheadSlot() noexcept = default;
  BulkheadSlot(BulkheadSlot&&) noexcept = default;
  BulkheadSlot& operator=(BulkheadSlot&& other) noexcept { return replace_permit(*this, other); }
  ~BulkheadSlot() { std::move(*this).release(); }

  void release() && noexcept {
    if (InFlight* const in_flight = in_flight_.take()) in_flight->leave();
  }

 private:
  friend class Bulkhead;
  explicit BulkheadSlot(InFlight& in_flight) noexcept : in_flight_(in_flight) {}

  Issuer<InFlight> in_flight_{};
};

// Thread-safe, lock-free, never allocates.
class Bulkhead {
 public:
  // Throws InvalidOptions. The key is what rejections carry.
  explicit Bulkhead(const BulkheadOptions& options = {}, KeyView key = "");

  // A slot, or `concurrency_limited`, without a wait: when a place is free depends on the calls in flight.
  [[nodiscard]] std::expected<BulkheadSlot, Rejection> try_acquire() noexcept {
    if (!in_flight_.try_enter(limit_)) return std::unexpected(rejection());
    return BulkheadSlot(in_flight_);
  }

  std::uint32_t in_flight() const noexcept { return in_flight_.count(); }
  std::uint32_t limit() const noexcept { return limit_; }

 private:
  Rejection rejection() const noexcept;

  const std::uint32_t limit_;
  const KeyText key_;
  InFlight in_flight_;
};

struct AdaptiveBulkheadOptions {
  // Where it begins; `min_limit` to `max_limit`.
  std::uint32_t initial_limit = 20;
  // 1 to `max_limit`.
  std::uint32_t min_limit = 1;
  // 1 to 1 000 000.
  std::uint32_t max_limit = 200;
  // How much slower than usual a call may be before the limit falls; 1 to 10.
  double tolerance = 1.5;
  // Calls that may queue at the target before that counts as slow: what the limit grows by; 1 to 1000.
  std::uint32_t queue_size = 4;
  // How much of each newly computed limit is taken over; 0.01 to 1.
  double smoothing = 0.2;
  // Over how many calls "usual" is averaged; 10 to 100 000.
  std::uint32_t long_window = 600;
  // The time in which "usual" doubles at most; 1 h to 30 days. What becomes k times slower for good is taken for usual
  // after log2(k / tolerance) times this: of a target that is twice as slow after 2.5 h, of one that is ten times as
  // slow after 16.4 h.
  Duration usual_doubles_in = std::chrono::hours(6);
  // What dropped calls multiply the limit by, once for all that were in flight together; 0.5 to 0.99.
  double drop_backoff = 0.9;

  Problems validate() const;
};

class AdaptiveBulkhead;

// A place in an AdaptiveBulkhead. Settle it with the call's outcome; destroyed unsettled it teaches nothing and frees
// its place, once. Not thread-safe, but may end on another thread. Its bulkhead must outlive it.
class [[nodiscard]] AdaptiveBulkheadSlot {
 public:
  // Holds nothing.
  AdaptiveBulkheadSlot() noexcept = default;
  AdaptiveBulkheadSlot(AdaptiveBulkheadSlot&&) noexcept = default;
  AdaptiveBulkheadSlot& operator=(AdaptiveBulkheadSlot&& other) noexcept { return replace_permit(*this, other); }
  ~AdaptiveBulkheadSlot() {
    if (bulkhead_) [[unlikely]] {
      release();
    }
  }

  // A success's latency is a sample (of a stream: the time to its first content); a timeout, an overload, a rate limit
  // or an unavailable server is a drop; all else teaches nothing.
  void settle(TimePoint now, const Outcome& outcome) &&;

 private:
  friend class AdaptiveBulkhead;
  AdaptiveBulkheadSlot(AdaptiveBulkhead& bulkhead, std::uint64_t round) noexcept : bulkhead_(bulkhead), round_(round) {}
  void release() noexcept;

  Issuer<AdaptiveBulkhead> bulkhead_{};
  std::uint64_t round_ = 0;  // of drops, when it was granted
};

// The limit follows the target: "gradient2" of Netflix concurrency-limits (github.com/Netflix/concurrency-limits,
// Gradient2Limit, 2018), after TCP Vegas (Brakmo, Peterson, 1995) and BBR: while calls take as long as usual the limit
// grows by what may queue; when they slow down it falls in proportion. It grows only where at least half of it is in
// use.
//
// Differently from there "usual" does not follow a target that has become slow (see latency_baseline.h): calls that
// take ten times as long keep the limit down for as long as an incident lasts, to about twice `queue_size`. A change
// that is there to stay, as a slower version of a model, counts as usual after hours (see `usual_doubles_in`), or at
// once with reset(). And a drop is no sample. A target that times out every call does so after the same time each,
// which looks like a steady latency and would make the limit grow; here drops multiply it by `drop_backoff`, AIMD-like,
// once for all calls that were in flight together, down to `min_limit`.
//
// Thread-safe: admission is lock-free, settling takes a mutex for some tens of nanoseconds. Never allocates.
class AdaptiveBulkhead {
 public:
  // Throws InvalidOptions. The key is what rejections carry.
  explicit AdaptiveBulkhead(const AdaptiveBulkheadOptions& options = {}, KeyView key = "");

  // A slot, or `concurrency_limited`. After the limit has fallen nothing is admitted until fewer are in flight.
  [[nodiscard]] std::expected<AdaptiveBulkheadSlot, Rejection> try_acquire() noexcept {
    if (!in_flight_.try_enter(limit_.load(std::memory_order_relaxed))) return std::unexpected(rejection());
    return AdaptiveBulkheadSlot(*this, round_.load(std::memory_order_relaxed));
  }

  std::uint32_t in_flight() const noexcept { return in_flight_.count(); }
  std::uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  AdaptiveBulkheadOptions options() const;

  // New options from here on [LIM-9]. The learned limit stays, within the new bounds, and whoever is in flight stays in
  // flight; one that has learned nothing begins again where they say. Throws InvalidOptions, with nothing changed.
  // The time here and in save() and restore() is for nothing but the likeness of all limits.
  void apply(TimePoint now, const AdaptiveBulkheadOptions& options);

  // What was learned, to outlive the process; nullopt: nothing.
  std::optional<SavedAdaptiveBulkhead> save(TimePoint now) const;
  // As it was, within the bounds of the options. One that has learned something since knows better, and stays.
  void restore(TimePoint now, const SavedAdaptiveBulkhead& saved);

  // Forgets what was learned and begins again at `initial_limit`: for an operator who knows that the target is another
  // one now. Whoever is in flight stays in flight.
  void reset();

 private:
  friend class AdaptiveBulkheadSlot;

  void settle(TimePoint now, std::uint64_t round, const Outcome& outcome);
  void sample_locked(TimePoint now, Duration latency, std::uint32_t in_flight) FUSEBOARD_REQUIRES(mutex_);
  void drop_locked(std::uint64_t round) FUSEBOARD_REQUIRES(mutex_);
  void move_to_locked(double estimate) FUSEBOARD_REQUIRES(mutex_);
  bool has_learned_locked() const FUSEBOARD_REQUIRES(mutex_);
  Rejection rejection() const noexcept;

  const KeyText key_;
  InFlight in_flight_;
  Atomic<std::uint32_t> limit_;     // written under mutex_
  Atomic<std::uint64_t> round_{0};  // written under mutex_
  mutable Mutex mutex_;
  std::uint64_t unlearned_round_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // in which it was made or reset
  AdaptiveBulkheadOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  double estimate_ FUSEBOARD_GUARDED_BY(mutex_);
  LatencyBaseline latency_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
