// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Blocks the calling thread until a limit lets its call pass [LIM-9.7]. For one limit by itself; calls that the
// pipeline runs wait in its AdmissionQueue.
//
//   auto tokens = wait_for(bucket, {.deadline = deadline, .stop = stop});
//
//   WaitingBulkhead places(bulkhead);
//   auto place = places.wait_for({.deadline = deadline}, Priority::high);
//
// Each returns what try_acquire() returns, at once where there is room, whatever the deadline. Who cannot be served
// before its deadline, as far as that is known, is refused at once, as try_acquire() refuses. `deadline_exceeded` where
// the deadline passed or `stop` was requested while it waited.
#pragma once

#include <algorithm>
#include <cstddef>
#include <expected>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/deadline.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/waiter.h"
#include "fuseboard/core/wake_flag.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/limit/queue.h"

namespace fuseboard {

// For how long, and by what. The referenced objects must outlive the wait.
struct Wait {
  Deadline deadline{};
  std::stop_token stop{};
  const Clock& clock = SteadyClock::instance();
  Waiter& waiter = ThreadWaiter::instance();
};

namespace limit_internal {

// Whether `time` was reached and nobody asked to stop.
inline bool sleep_until(TimePoint time, const Wait& wait) {
  if (wait.clock.now() >= time) return true;
  WakeFlag nobody;
  while (!wait.stop.stop_requested()) {
    wait.waiter.wait_until(time, wait.stop, nobody);
    if (wait.clock.now() >= time) return true;
  }
  return false;
}

// Calls `act` where the scope is left, by an exception of the waiter too, unless it was dismissed.
template <typename Act>
class OnExit {
 public:
  explicit OnExit(Act act) : act_(std::move(act)) {}
  ~OnExit() {
    if (armed_) act_();
  }
  OnExit(const OnExit&) = delete;
  OnExit& operator=(const OnExit&) = delete;
  void dismiss() noexcept { armed_ = false; }

 private:
  Act act_;
  bool armed_ = true;
};

template <typename Limiter, typename... Call>
concept Reserves =
    requires(Limiter& limiter, const Call&... call) { limiter.reserve(TimePoint(), Duration(), call...); };

}  // namespace limit_internal

// For limits by time; `call` is what try_acquire() takes after the time. Where the limit reserves, in the order of
// asking: what was reserved is given back where the wait ends early. Otherwise it asks again after each retry_after,
// and returns a refusal that has none or whose wait would not end before the deadline.
template <typename Limiter, typename... Call>
auto wait_for(Limiter& limiter, const Wait& wait, const Call&... call) {
  using Result = decltype(limiter.try_acquire(TimePoint(), call...));
  const auto stopped = [] { return Result(std::unexpected(Rejection{.reason = RejectionReason::deadline_exceeded})); };
  if constexpr (limit_internal::Reserves<Limiter, Call...>) {
    const TimePoint now = wait.clock.now();
    auto reserved = limiter.reserve(now, wait.deadline.remaining(now), call...);
    if (!reserved) return Result(std::unexpected(reserved.error()));
    limit_internal::OnExit release([&] { limiter.release(wait.clock.now(), reserved->grant); });
    if (!limit_internal::sleep_until(reserved->valid_at, wait)) return stopped();
    release.dismiss();
    return Result(std::move(reserved->grant));
  } else {
    while (true) {
      const TimePoint now = wait.clock.now();
      Result result = limiter.try_acquire(now, call...);
      if (result || !result.error().retry_after || !wait.deadline.fits(now, *result.error().retry_after)) return result;
      if (!limit_internal::sleep_until(saturating_add(now, *result.error().retry_after), wait)) return stopped();
    }
  }
}

template <typename AnyBulkhead>
class WaitingBulkhead;

// A place that somebody may wait for. Ends as the bulkhead's own slot does, and wakes whose turn it is then. Not
// thread-safe, but may end on another thread.
template <typename AnyBulkhead>
class [[nodiscard]] WaitedSlot {
 public:
  using Slot = typename decltype(std::declval<AnyBulkhead&>().try_acquire())::value_type;

  // Holds nothing.
  WaitedSlot() noexcept = default;
  WaitedSlot(WaitedSlot&&) noexcept = default;
  WaitedSlot& operator=(WaitedSlot&& other) noexcept { return replace_permit(*this, other); }
  ~WaitedSlot() { std::move(*this).release(); }

  void release() && noexcept {
    slot_ = Slot();
    wake();
  }
  // As the slot's own settle().
  void settle(TimePoint now, const Outcome& outcome) &&
    requires requires(Slot slot) { std::move(slot).settle(now, outcome); }
  {
    std::move(slot_).settle(now, outcome);
    wake();
  }

 private:
  friend class WaitingBulkhead<AnyBulkhead>;
  WaitedSlot(WaitingBulkhead<AnyBulkhead>& places, Slot&& slot) noexcept : places_(places), slot_(std::move(slot)) {}
  void wake() noexcept {
    if (auto* const places = places_.take()) places->wake_next();
  }

  Issuer<WaitingBulkhead<AnyBulkhead>> places_{};
  Slot slot_{};
};

// Those who wait for a place in a Bulkhead or an AdaptiveBulkhead: by priority with ageing, then by deadline, then
// first come, first served (see WaitQueue). Places that are taken past it, from the bulkhead itself, wake nobody when
// they are free. Thread-safe; the bulkhead must outlive it, and it its slots. Where nobody waits it costs an atomic
// load more than the bulkhead, and a mutex at the end of a slot. Allocates where somebody begins to wait, and nowhere
// else once it is made.
template <typename AnyBulkhead>
class WaitingBulkhead {
 public:
  using Slot = WaitedSlot<AnyBulkhead>;

  // Throws InvalidOptions. The clock judges turns and deadlines. The key is what its own rejections carry.
  explicit WaitingBulkhead(AnyBulkhead& bulkhead, const WaitQueueOptions& options = {}, KeyView key = "",
                           const Clock& clock = SteadyClock::instance())
      : bulkhead_(bulkhead), clock_(clock), key_(to_key_text(key)), queue_(options, key) {
    flags_.reserve(options.capacity);
  }
  WaitingBulkhead(const WaitingBulkhead&) = delete;
  WaitingBulkhead& operator=(const WaitingBulkhead&) = delete;

  // A slot; or the bulkhead's refusal, where others wait or all places are taken. Never blocks.
  [[nodiscard]] std::expected<Slot, Rejection> try_acquire() {
    if (waiting() != 0) {
      return std::unexpected(Rejection{.reason = RejectionReason::concurrency_limited, .key = key_});
    }
    return taken();
  }

  // Blocks until it is this caller's turn and there is a place; `queue_full` where too many wait. `wait.clock` is not
  // asked: the time is that of the bulkhead's waiters.
  [[nodiscard]] std::expected<Slot, Rejection> wait_for(const Wait& wait, Priority priority = Priority::normal) {
    if (auto slot = try_acquire()) return slot;
    WakeFlag woken;
    const auto ticket = join(wait, priority, woken);
    if (!ticket) return std::unexpected(ticket.error());
    const limit_internal::OnExit leaving([&] { leave(*ticket); });
    for (bool has_waited = false;; has_waited = true) {
      const TimePoint now = clock_.now();
      const bool ends = wait.stop.stop_requested() || wait.deadline.passed(now);
      auto slot = ends ? std::nullopt : taken_if_turn(now, *ticket, has_waited);
      if (ends || slot) {
        if (slot) return std::move(*slot);
        return std::unexpected(Rejection{.reason = RejectionReason::deadline_exceeded, .key = key_});
      }
      wait.waiter.wait_until(wait.deadline.time(), wait.stop, woken);
    }
  }

  // There may be room: for who has raised the bulkhead's limit, or freed a place that was taken past this.
  void wake_next() noexcept {
    // Under the lock even where nobody seems to wait: either this sees who has joined, or its first look sees the
    // place.
    const MutexLock lock(mutex_);
    wake_next_locked(clock_.now());
  }

  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Flag {
    WaitTicket ticket;
    WakeFlag* woken;
  };

  std::expected<Slot, Rejection> taken() {
    auto slot = bulkhead_.try_acquire();
    if (!slot) return std::unexpected(slot.error());
    return Slot(*this, std::move(*slot));
  }

  std::expected<WaitTicket, Rejection> join(const Wait& wait, Priority priority, WakeFlag& woken) {
    const MutexLock lock(mutex_);
    const auto ticket = queue_.enqueue(clock_.now(), {.priority = priority, .deadline = wait.deadline});
    if (!ticket) return ticket;
    flags_.push_back({.ticket = *ticket, .woken = &woken});
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    return ticket;
  }

  std::optional<Slot> taken_if_turn(TimePoint now, WaitTicket ticket, bool was_woken) {
    const MutexLock lock(mutex_);
    if (queue_.next(now) != ticket) {
      // With age turns change: it was woken in place of one whose turn it is by now.
      if (was_woken) wake_next_locked(now);
      return std::nullopt;
    }
    auto slot = bulkhead_.try_acquire();
    if (!slot) return std::nullopt;
    return Slot(*this, std::move(*slot));
  }

  // And the next looks, for there may be more than one place.
  void leave(WaitTicket ticket) {
    const MutexLock lock(mutex_);
    queue_.cancel(ticket);
    std::erase_if(flags_, [ticket](const Flag& flag) { return flag.ticket == ticket; });
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    wake_next_locked(clock_.now());
  }

  // Under the lock, for a waiter that leaves takes its flag with it.
  void wake_next_locked(TimePoint now) noexcept FUSEBOARD_REQUIRES(mutex_) {
    const auto next = queue_.next(now);
    const auto flag = std::ranges::find_if(flags_, [&](const Flag& each) { return each.ticket == next; });
    if (flag != flags_.end()) flag->woken->wake();
  }

  AnyBulkhead& bulkhead_;
  const Clock& clock_;
  const KeyText key_;
  Atomic<std::size_t> waiting_{0};
  Mutex mutex_;
  WaitQueue queue_ FUSEBOARD_GUARDED_BY(mutex_);
  std::vector<Flag> flags_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
