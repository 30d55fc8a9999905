// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting for admission: who goes next, and who should not wait at all [LIM-7].
//
//   auto ticket =
//       queue.enqueue(now, {.priority = Priority::high, .deadline = deadline, .soonest = *refused.retry_after});
//   ...
//   if (queue.next(now) == ticket && try_acquire()) queue.cancel(*ticket);
//
// A bounded order and nothing else: no threads, no clock, no waiting. The pipeline's AdmissionQueue puts a mutex around
// it, and wakes whoever is next.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "fuseboard/core/deadline.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/priority.h"

namespace fuseboard {

struct WaitQueueOptions {
  // Waiters at once; 1 to 4096. At the bound a new one is refused with `queue_full`, whatever its priority: nobody who
  // waits is sent away for another.
  std::size_t capacity = 256;
  // Waiting this long lifts a waiter by one priority, and on beyond critical, so that nobody waits for ever behind
  // those who come later; 1 ms to 1 h.
  Duration ageing_step = std::chrono::seconds(5);

  Problems validate() const;
};

struct WaitRequest {
  Priority priority = Priority::normal;
  Deadline deadline{};
  // What the limiter said: an admission sooner than this is out of the question.
  Duration soonest = Duration::zero();
};

// Names one waiter of one queue, never another.
struct WaitTicket {
  std::uint64_t number = 0;
  friend bool operator==(WaitTicket, WaitTicket) noexcept = default;
};

// Not thread-safe. Allocates when it is made and never again. Each operation is one pass over the waiters.
class WaitQueue {
 public:
  // Throws InvalidOptions. The key is what rejections carry.
  explicit WaitQueue(const WaitQueueOptions& options = {}, KeyView key = "");

  // Those who wait stay, though they be more than the new capacity. Throws InvalidOptions. May allocate.
  void apply(const WaitQueueOptions& options);

  // A ticket; or `queue_full`, without a wait; or `deadline_exceeded`, if the deadline would have passed at `soonest`.
  [[nodiscard]] std::expected<WaitTicket, Rejection> enqueue(TimePoint now, const WaitRequest& request);

  // Whose turn it is: of those whose deadline has not passed the highest priority (ageing included), then the earliest
  // deadline, then who came first. It goes on waiting until cancel() removes it.
  std::optional<WaitTicket> next(TimePoint now) const;

  // Removes a waiter. False if it does not wait (any more).
  bool cancel(WaitTicket ticket);

  std::size_t size() const noexcept { return waiters_.size(); }

 private:
  struct Waiter {
    std::uint64_t number;
    std::int64_t priority;
    TimePoint since;
    TimePoint deadline;
  };

  // Priority, ageing included.
  std::int64_t level_of(TimePoint now, const Waiter& waiter) const noexcept;
  bool goes_before(TimePoint now, const Waiter& a, const Waiter& b) const noexcept;
  Rejection rejection(RejectionReason reason) const noexcept;

  WaitQueueOptions options_;
  const KeyText key_;
  std::vector<Waiter> waiters_;  // in no order
  std::uint64_t last_number_ = 0;
};

}  // namespace fuseboard
