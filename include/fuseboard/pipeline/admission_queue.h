// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls that wait for one target: for a circuit to recover [RTY-4], for tokens or a place [LIM-7].
//
// Only whose turn it is asks the target again, so that a recovery or a free place is not fought over: it gets in,
// leaves the queue, and with that wakes the next.
#pragma once

#include <atomic>
#include <cstddef>
#include <expected>
#include <map>
#include <memory>

#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/limit/queue.h"

namespace fuseboard {

struct AdmissionQueueOptions {
  // Calls that wait at once, for whatever reason; 1 to 4096.
  std::size_t capacity = 256;
  // How long a call may wait for tokens or a place where no other target is left; 0 (it is refused at once) to 1 h.
  Duration max_wait = Duration::zero();
  // See WaitQueueOptions.
  Duration ageing_step = std::chrono::seconds(5);

  Problems validate() const;
  friend bool operator==(const AdmissionQueueOptions&, const AdmissionQueueOptions&) noexcept = default;
};

// Thread-safe. An empty queue costs one atomic load. Joining allocates.
class AdmissionQueue {
 public:
  // Throws InvalidOptions. The key is what rejections carry. `waiting`, which may be null and must outlive it, counts
  // those who wait in several queues together.
  explicit AdmissionQueue(const AdmissionQueueOptions& options = {}, KeyView key = "",
                          std::atomic<std::size_t>* waiting = nullptr);

  // Those who wait stay, even if they exceed the new capacity, and by the time limits they came with. Another
  // ageing may make it another's turn: wake_next() is the caller's to call. Throws InvalidOptions.
  void apply(const AdmissionQueueOptions& options);

  // A place in the queue, or `queue_full`, or `deadline_exceeded`; see WaitQueue. `waker`, which may be null, is woken
  // when it may be this waiter's turn; perhaps once more after leave().
  [[nodiscard]] std::expected<WaitTicket, Rejection> join(TimePoint now, const WaitRequest& request,
                                                          std::shared_ptr<Waker> waker);

  bool is_turn(TimePoint now, WaitTicket ticket) const;

  // The waiter got in or gave up; the next is woken.
  void leave(TimePoint now, WaitTicket ticket);

  // Something has changed for the better: whose turn it is should look.
  void wake_next(TimePoint now) const {
    if (const auto waker = next_waker(now)) waker->wake();
  }
  // For those who hold a lock of their own: whom to wake after it. Null: nobody.
  std::shared_ptr<Waker> next_waker(TimePoint now) const {
    // What has just become better comes before this fence, in join() the waiter's own size before that one: either this
    // sees the waiter, or the waiter's next look sees what has become better. Weaker orders let both miss.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    return size_.load(std::memory_order_relaxed) == 0 ? nullptr : first_waker(now);
  }

  bool empty() const noexcept { return size_.load(std::memory_order_relaxed) == 0; }
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // AdmissionQueueOptions::max_wait.
  Duration max_wait() const noexcept { return max_wait_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<Waker> first_waker(TimePoint now) const;

  std::atomic<Duration> max_wait_;
  std::atomic<std::size_t>* const waiting_;
  std::atomic<std::size_t> size_{0};
  mutable Mutex mutex_;
  WaitQueue waiters_ FUSEBOARD_GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::shared_ptr<Waker>> wakers_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
