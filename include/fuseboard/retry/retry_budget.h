// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many retries a target may get, so that retrying cannot multiply the load on one that is failing [RTY-5].
//
//   budget.count_call(now);              // on the first attempt of a call on this target, a fallback's too
//   if (!budget.try_retry(now)) ...      // before each further one: no retry, fall back or end
//
// Ask where the retry is decided, before its backoff: a call that may not retry then moves on at once.
//
// In the last ten seconds there may be `ratio` retries a call and `min_per_second` more a second. Over any time t, with
// every call failing, the target so gets at most (1 + ratio) * calls + min_per_second * (t + 10 s) attempts. The rule
// and its numbers are those of Finagle's RetryBudget (twitter.github.io/finagle/guide/Glossary.html).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/thread_slot.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct RetryBudgetOptions {
  double ratio = 0.2;                 // retries a call; 0 to 10
  std::uint32_t min_per_second = 10;  // retries that need no calls; 0 to 1 000 000

  Problems validate() const;
  friend bool operator==(const RetryBudgetOptions&, const RetryBudgetOptions&) noexcept = default;
};

// What of a retry budget outlives its process [RTY-15]: the seconds of its window, those without calls and retries
// left out.
struct SavedRetryBudget {
  struct Second {
    Duration age = Duration::zero();  // since it began; below 10 s
    std::uint64_t calls = 0;
    std::uint64_t retries = 0;
  };
  std::vector<Second> seconds{};
};

// Thread-safe. A call costs a load and a store on a line of its own thread, 3 ns. A retry takes a mutex and adds up the
// lines of all threads. Memory: 128 bytes a thread slot, about 1 KiB on 2 cores.
class RetryBudget {
 public:
  // Calls and retries count for this long, to a whole second: for more than nine, at most ten seconds.
  static constexpr Duration kWindow = std::chrono::seconds(10);

  // Throws InvalidOptions.
  explicit RetryBudget(const RetryBudgetOptions& options = {});
  RetryBudget(const RetryBudget&) = delete;
  RetryBudget& operator=(const RetryBudget&) = delete;

  void count_call(TimePoint now) noexcept;

  // Whether one more retry is within the budget; takes it if so.
  [[nodiscard]] bool try_retry(TimePoint now);

  // A retry that was granted at `granted_at` was not sent: refused locally, or its wait did not fit.
  void release(TimePoint granted_at);

  // New options from here on [RTY-15], at any time. What was counted stays counted. Throws InvalidOptions, with nothing
  // changed.
  void apply(TimePoint now, const RetryBudgetOptions& options);

  // What counts, to outlive the process; nullopt: nothing. May throw std::bad_alloc.
  std::optional<SavedRetryBudget> save(TimePoint now) const;
  // Adds what was saved. Where seconds now begin at another moment, a retry counts up to a second longer and a call up
  // to a second less. Ages below 0 count as 0, what is older than the window not at all; a second has no more calls or
  // retries than 16 777 215.
  void restore(TimePoint now, const SavedRetryBudget& saved) noexcept;

  struct Snapshot {
    std::uint64_t calls = 0;     // in the window
    std::uint64_t retries = 0;   // in the window
    std::uint64_t left = 0;      // retries that would be granted now
    std::uint64_t granted = 0;   // ever, what was given back apart
    std::uint64_t rejected = 0;  // ever
  };
  Snapshot snapshot(TimePoint now) const;

  RetryBudgetOptions options() const;

 private:
  static constexpr Duration kBucket = std::chrono::seconds(1);
  static constexpr std::int64_t kBuckets = kWindow / kBucket;
  // A power of two above the window, so that a thread whose clock reading is a little old meets no bucket in use.
  static constexpr std::size_t kRing = 16;
  static_assert(kRing > static_cast<std::size_t>(kBuckets));

  // One second's calls of one thread: its number and the count in one word, so that both change at once.
  struct alignas(64) Cell {
    std::array<Atomic<std::uint64_t>, kRing> buckets{};
  };
  struct Retries {
    std::int64_t bucket = -1;
    std::uint64_t count = 0;
  };

  static std::int64_t bucket_of(TimePoint t) noexcept;
  std::uint64_t calls_in_window(std::int64_t bucket) const noexcept;
  std::uint64_t retries_in_window_locked(std::int64_t bucket) const FUSEBOARD_REQUIRES(mutex_);
  std::uint64_t allowed_locked(std::uint64_t calls) const noexcept FUSEBOARD_REQUIRES(mutex_);

  ThreadCells<Cell> cells_;
  mutable Mutex mutex_;
  RetryBudgetOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  std::array<Retries, kRing> retries_ FUSEBOARD_GUARDED_BY(mutex_){};
  std::uint64_t granted_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t refused_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
