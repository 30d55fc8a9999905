// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Ordered delivery of events outside every lock [CORE-4].
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/mutex.h"

namespace fuseboard {

// Keeps a subscription alive; destroying it unsubscribes. A delivery that is under way on another thread may still end
// after that.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  ~Subscription() { reset(); }
  Subscription(Subscription&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      reset();
      cancel_ = std::exchange(other.cancel_, nullptr);
    }
    return *this;
  }
  void reset() {
    if (auto cancel = std::exchange(cancel_, nullptr)) cancel();
  }

 private:
  std::function<void()> cancel_;
};

// A queue of events between policies and listeners.
//
// A policy calls post() while it holds its lock (so events are queued in the order of its decisions) and deliver()
// after it has released it. One thread delivers at a time; others leave their events to it. So each listener sees one
// order, a listener may call back into the library (its events are delivered after it returns), and what it throws is
// swallowed and counted. A listener that blocks delays other listeners, never a policy. Bounded: with `capacity` events
// waiting, a new one is dropped and counted; the gap shows in the sequence numbers.
//
// Thread-safe. post() costs nothing but an atomic load while nobody listens.
template <typename Event>
class EventOutbox {
 public:
  using Listener = std::function<void(const Event&)>;

  explicit EventOutbox(std::size_t capacity = 4096) : shared_(std::make_shared<Shared>(capacity)) {}

  [[nodiscard]] Subscription subscribe(Listener listener) {
    auto entry = std::make_shared<const Listener>(std::move(listener));
    {
      const MutexLock lock(shared_->mutex);
      shared_->listeners.push_back(entry);
      shared_->listener_count.store(shared_->listeners.size(), std::memory_order_relaxed);
    }
    return Subscription([weak = std::weak_ptr<Shared>(shared_), entry] {
      if (const auto shared = weak.lock()) {
        const MutexLock lock(shared->mutex);
        std::erase(shared->listeners, entry);
        shared->listener_count.store(shared->listeners.size(), std::memory_order_relaxed);
      }
    });
  }

  void post(const Event& event) {
    if (shared_->listener_count.load(std::memory_order_relaxed) == 0) return;
    const MutexLock lock(shared_->mutex);
    if (shared_->waiting.size() >= shared_->capacity) {
      ++shared_->dropped;
      return;
    }
    shared_->waiting.push_back(event);
    shared_->has_waiting.store(true, std::memory_order_release);
  }

  // Call without holding any lock of the policy.
  void deliver() {
    if (!shared_->has_waiting.load(std::memory_order_acquire)) return;
    const auto shared = shared_;  // a listener may destroy the policy that owns this outbox
    {
      const MutexLock lock(shared->mutex);
      if (shared->delivering) return;
      shared->delivering = true;
    }
    while (deliver_next(*shared)) {
    }
  }

  // Events dropped at the bound and exceptions that listeners threw, since construction.
  std::uint64_t dropped() const {
    const MutexLock lock(shared_->mutex);
    return shared_->dropped;
  }
  std::uint64_t listener_errors() const { return shared_->listener_errors.load(std::memory_order_relaxed); }

 private:
  struct Shared {
    explicit Shared(std::size_t most) : capacity(most) {}
    const std::size_t capacity;
    Atomic<std::size_t> listener_count{0};
    Atomic<bool> has_waiting{false};
    Atomic<std::uint64_t> listener_errors{0};
    Mutex mutex;
    std::deque<Event> waiting FUSEBOARD_GUARDED_BY(mutex);
    std::vector<std::shared_ptr<const Listener>> listeners FUSEBOARD_GUARDED_BY(mutex);
    bool delivering FUSEBOARD_GUARDED_BY(mutex) = false;
    std::uint64_t dropped FUSEBOARD_GUARDED_BY(mutex) = 0;
  };

  static bool deliver_next(Shared& shared) {
    std::vector<std::shared_ptr<const Listener>> listeners;
    std::deque<Event> batch;
    {
      const MutexLock lock(shared.mutex);
      if (shared.waiting.empty()) {
        shared.delivering = false;
        shared.has_waiting.store(false, std::memory_order_release);
        return false;
      }
      batch.swap(shared.waiting);
      listeners = shared.listeners;
    }
    for (const Event& event : batch) {
      for (const auto& listener : listeners) {
        try {
          (*listener)(event);
        } catch (...) {
          shared.listener_errors.fetch_add(1, std::memory_order_relaxed);
        }
      }
    }
    return true;
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace fuseboard
