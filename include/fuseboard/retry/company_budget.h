// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How much company the calls of one target may get [RTY-11]: a share of its recent calls, and a little besides, so
// that giving company cannot multiply the load where every target is slow.
//
//   budget.count_call(now);                // on the first attempt of a call on this target
//   if (const auto grant = budget.try_take(now)) ...   // before company is sent; release(*grant) if it was not
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct CompanyOptions {
  double ratio = 0.05;          // of the target's calls of the last 10 min; 0 to 1
  double min_per_second = 0.1;  // besides: one every 10 s; 0 to 1000

  Problems validate() const;
  friend bool operator==(const CompanyOptions&, const CompanyOptions&) noexcept = default;
};

// Thread-safe. A call costs one compare-and-swap on a shared line, a grant a mutex.
class CompanyBudget {
 public:
  // Calls and grants count for this long, to a whole minute: for more than nine, at most ten.
  static constexpr Duration kWindow = std::chrono::minutes(10);

  // Throws InvalidOptions.
  explicit CompanyBudget(const CompanyOptions& options = {});
  CompanyBudget(const CompanyBudget&) = delete;
  CompanyBudget& operator=(const CompanyBudget&) = delete;

  void count_call(TimePoint now) noexcept;

  // Leave to give one call company.
  struct Grant {
    TimePoint at{};
    bool of_share = false;  // else it is of what is granted besides
  };
  [[nodiscard]] std::optional<Grant> try_take(TimePoint now);
  // It was not used.
  void release(const Grant& grant);

  // What was granted counts against the new share too. Throws InvalidOptions.
  void apply(const CompanyOptions& options);

 private:
  static constexpr Duration kBucket = std::chrono::minutes(1);
  static constexpr std::int64_t kBuckets = kWindow / kBucket;
  // A power of two above the window, so that a clock reading a little old meets no bucket in use.
  static constexpr std::size_t kRing = 16;

  struct Granted {
    std::int64_t bucket = -1;
    std::uint64_t count = 0;
  };

  static std::int64_t bucket_of(TimePoint t) noexcept;
  std::uint64_t calls_in_window(std::int64_t bucket) const noexcept;
  std::uint64_t granted_in_window_locked(std::int64_t bucket) const FUSEBOARD_REQUIRES(mutex_);

  std::array<Atomic<std::uint64_t>, kRing> calls_{};
  Mutex mutex_;
  CompanyOptions options_ FUSEBOARD_GUARDED_BY(mutex_);
  std::array<Granted, kRing> granted_ FUSEBOARD_GUARDED_BY(mutex_){};
  TimePoint next_besides_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();
};

}  // namespace fuseboard
