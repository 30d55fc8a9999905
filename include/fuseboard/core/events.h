// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Ordered delivery of events outside every lock [CORE-4].
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/mutex.h"

namespace fuseboard {

// Keeps a subscription alive; destroying it, or reset(), ends it. Its listener has then been called for the last time:
// a call that is under way on another thread is waited for, and none comes later, so whatever the listener uses may be
// destroyed next. The listener itself is gone too, with what it holds.
//
// Never end one under a lock that its listener takes: the end would wait for the listener, and the listener for the
// lock. From inside any listener an end does not wait, or two that end each other would wait for ever: there, a call
// under way on another thread may outlast it. That concerns subscriptions to other registries alone, for listeners of
// the same one are called by one thread at a time.
class Subscription {
 public:
  // What the end of a subscription tells.
  class Link {
   public:
    virtual ~Link() = default;
    virtual void end() noexcept = 0;
  };

  Subscription() = default;
  explicit Subscription(std::shared_ptr<Link> link) noexcept : link_(std::move(link)) {}
  ~Subscription() { reset(); }
  Subscription(Subscription&& other) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      reset();
      link_ = std::move(other.link_);
    }
    return *this;
  }
  void reset() noexcept {
    if (const auto link = std::exchange(link_, nullptr)) link->end();
  }

 private:
  std::shared_ptr<Link> link_;
};

namespace events_internal {

// Deliveries that the calling thread is inside of.
inline constinit thread_local int deliveries = 0;

}  // namespace events_internal

// A queue of events between policies and listeners.
//
// A policy calls post() while it holds its lock (so events are queued in the order of its decisions) and deliver()
// after it has released it. One thread delivers at a time; others leave their events to it. So each listener sees one
// order, a listener may call back into the library (its events are delivered after it returns), and what it throws is
// swallowed and counted. A listener that blocks delays other listeners, never a policy. Bounded: with `capacity` events
// waiting, or no memory for one more, a new one is dropped and counted; the gap shows in the sequence numbers.
//
// Thread-safe. post() costs nothing but an atomic load while nobody listens. Neither it nor deliver() ever throws.
template <typename Event>
class EventOutbox {
 public:
  using Listener = std::function<void(const Event&)>;

  explicit EventOutbox(std::size_t capacity = 4096) : shared_(std::make_shared<Shared>(capacity)) {}

  // The listener hears of events whose turn comes after this. Strong exception guarantee.
  [[nodiscard]] Subscription subscribe(Listener listener) {
    auto entry = std::make_shared<Entry>(shared_, std::move(listener));
    const MutexLock lock(shared_->mutex);
    shared_->entries.push_back(entry);
    shared_->listener_count.store(shared_->listener_count.load(std::memory_order_relaxed) + 1,
                                  std::memory_order_relaxed);
    return Subscription(std::move(entry));
  }

  void post(const Event& event) noexcept {
    if (shared_->listener_count.load(std::memory_order_relaxed) == 0) return;
    const MutexLock lock(shared_->mutex);
    if (shared_->waiting.size() >= shared_->capacity || !try_push_locked(*shared_, event)) {
      ++shared_->dropped;
      return;
    }
    shared_->has_waiting.store(true, std::memory_order_release);
  }

  // Call without holding any lock of the policy.
  void deliver() noexcept {
    if (!shared_->has_waiting.load(std::memory_order_acquire)) return;
    const auto shared = shared_;  // a listener may destroy the policy that owns this outbox
    {
      const MutexLock lock(shared->mutex);
      if (shared->delivering) return;
      shared->delivering = true;
    }
    ++events_internal::deliveries;
    while (deliver_next(*shared)) {
    }
    --events_internal::deliveries;
  }

  // Events dropped at the bound and exceptions that listeners threw, since construction.
  std::uint64_t dropped() const {
    const MutexLock lock(shared_->mutex);
    return shared_->dropped;
  }
  std::uint64_t listener_errors() const { return shared_->listener_errors.load(std::memory_order_relaxed); }

 private:
  struct Shared;

  struct Entry final : Subscription::Link {
    Entry(std::weak_ptr<Shared> its_outbox, Listener its_listener)
        : outbox(std::move(its_outbox)), listener(std::move(its_listener)) {}
    // Without an outbox nobody delivers.
    void end() noexcept override {
      if (const auto shared = outbox.lock()) end_subscription(*shared, *this);
    }

    const std::weak_ptr<Shared> outbox;
    Listener listener;  // not to be touched while it is being called
    // Both under the outbox's mutex. The second: it has ended within a call, so whoever made that lets go of it.
    bool ended = false;
    bool left_to_caller = false;
  };

  struct Shared {
    explicit Shared(std::size_t most) : capacity(most) {}
    const std::size_t capacity;
    Atomic<std::size_t> listener_count{0};
    Atomic<bool> has_waiting{false};
    Atomic<std::uint64_t> listener_errors{0};
    Mutex mutex;
    std::condition_variable_any call_ended;
    std::deque<Event> waiting FUSEBOARD_GUARDED_BY(mutex);
    // While somebody delivers, those that have ended stay in their places.
    std::vector<std::shared_ptr<Entry>> entries FUSEBOARD_GUARDED_BY(mutex);
    const Entry* called FUSEBOARD_GUARDED_BY(mutex) = nullptr;
    bool delivering FUSEBOARD_GUARDED_BY(mutex) = false;
    std::uint64_t dropped FUSEBOARD_GUARDED_BY(mutex) = 0;
  };

  static bool try_push_locked(Shared& shared, const Event& event) noexcept FUSEBOARD_REQUIRES(shared.mutex) {
    try {
      shared.waiting.push_back(event);
    } catch (...) {
      return false;
    }
    return true;
  }

  static void end_subscription(Shared& shared, Entry& entry) noexcept {
    Listener unused;  // destroyed after the lock: what it holds may have a destructor that calls back
    const MutexLock lock(shared.mutex);
    entry.ended = true;
    shared.listener_count.store(shared.listener_count.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    while (shared.called == &entry && events_internal::deliveries == 0) shared.call_ended.wait(shared.mutex);
    entry.left_to_caller = shared.called == &entry;
    if (!entry.left_to_caller) unused.swap(entry.listener);
    if (!shared.delivering) erase_ended_locked(shared);
  }

  static void erase_ended_locked(Shared& shared) noexcept FUSEBOARD_REQUIRES(shared.mutex) {
    std::erase_if(shared.entries, [](const auto& entry) { return entry->ended; });
  }

  // Calls everybody with the first event that waits. Whether there was one.
  static bool deliver_next(Shared& shared) noexcept {
    std::size_t listeners = 0;
    {
      const MutexLock lock(shared.mutex);
      erase_ended_locked(shared);
      if (shared.waiting.empty()) {
        shared.delivering = false;
        shared.has_waiting.store(false, std::memory_order_release);
        return false;
      }
      listeners = shared.entries.size();
    }
    for (std::size_t i = 0; i < listeners; ++i) call(shared, i);
    const MutexLock lock(shared.mutex);
    shared.waiting.pop_front();
    return true;
  }

  static void call(Shared& shared, std::size_t i) noexcept {
    Entry* entry = nullptr;
    const Event* event = nullptr;  // stays in its place, whatever is posted behind it
    {
      const MutexLock lock(shared.mutex);
      entry = shared.entries[i].get();
      if (entry->ended) return;
      shared.called = entry;
      event = &shared.waiting.front();
    }
    try {
      entry->listener(*event);
    } catch (...) {
      shared.listener_errors.fetch_add(1, std::memory_order_relaxed);
    }
    Listener unused;
    {
      const MutexLock lock(shared.mutex);
      shared.called = nullptr;
      if (entry->left_to_caller) unused.swap(entry->listener);
    }
    shared.call_ended.notify_all();
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace fuseboard
