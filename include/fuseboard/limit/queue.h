// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting for admission: who goes next, and who should not wait at all [LIM-7].
//
//   auto ticket = queue.enqueue(now, {.priority = Priority::high, .deadline = deadline, .soonest =
//   *refused.retry_after});
//   ...
//   while (auto next = queue.pop_ready(now)) admit(*next);        // then: acquire; if refused, see hold_until()
//   while (auto late = queue.pop_expired(now)) refuse(*late);
//   wake_at(queue.next_wakeup());
//
// A bounded queue and nothing else: no threads, no clock, no waiting. A blocking driver holds it under its own mutex
// and waits on a condition variable; an event loop owns it and sets a timer.
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
  // Between two admissions, at the limiter's rate; zero if it is not known (a bulkhead).
  Duration interval = Duration::zero();
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

  // A ticket; or `queue_full`, without a wait; or `deadline_exceeded`, if the deadline would have passed before the
  // waiter's turn: `soonest`, and `interval` for each waiter who would go first as things are.
  [[nodiscard]] std::expected<WaitTicket, Rejection> enqueue(TimePoint now, const WaitRequest& request);

  // Who is next, removed: of those whose deadline has not passed the highest priority (ageing included), then the
  // earliest deadline, then who came first. Nobody before the time that hold_until() named.
  std::optional<WaitTicket> pop_ready(TimePoint now);
  // The same, still waiting: for drivers that acquire before they remove, by cancel().
  std::optional<WaitTicket> peek_ready(TimePoint now) const;

  // A waiter whose deadline has passed, removed; to be told `deadline_exceeded`. Those with the earliest deadline
  // first.
  std::optional<WaitTicket> pop_expired(TimePoint now);

  // The limiter refused: nobody is ready before then. The last word counts.
  void hold_until(TimePoint time) noexcept { held_until_ = time; }

  // Removes a waiter. False if it does not wait (any more).
  bool cancel(WaitTicket ticket);

  // When to look again: as soon as somebody may be ready or has run out of time; kNever if nobody waits. A time in the
  // past means now.
  TimePoint next_wakeup() const noexcept;

  std::size_t size() const noexcept { return waiters_.size(); }
  bool empty() const noexcept { return waiters_.empty(); }

 private:
  struct Waiter {
    std::uint64_t number;
    std::int64_t priority;
    TimePoint since;
    TimePoint deadline;
  };

  // Priority, ageing included.
  std::int64_t level_of(const Waiter& waiter, TimePoint now) const noexcept;
  bool goes_before(const Waiter& a, const Waiter& b, TimePoint now) const noexcept;
  std::vector<Waiter>::const_iterator next(TimePoint now) const;
  Rejection rejection(RejectionReason reason) const noexcept;
  WaitTicket remove(std::vector<Waiter>::const_iterator waiter);

  const WaitQueueOptions options_;
  const KeyText key_;
  std::vector<Waiter> waiters_;  // in no order
  std::uint64_t last_number_ = 0;
  TimePoint held_until_ = TimePoint::min();
};

}  // namespace fuseboard
