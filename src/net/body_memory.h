// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A bound on the memory of all bodies in flight, shared by every loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::net {

// Counts bytes; who holds the memory says how many. At the bound whoever wants more waits, first come first served.
// Any thread.
class BodyMemory {
 public:
  explicit BodyMemory(std::size_t most) noexcept : most_(most) {}
  BodyMemory(const BodyMemory&) = delete;
  BodyMemory& operator=(const BodyMemory&) = delete;

  // What one holder has of it; goes back when it goes. Without a memory (the default) there is no bound.
  class Share {
   public:
    Share() noexcept = default;
    explicit Share(std::shared_ptr<BodyMemory> memory) noexcept : memory_(std::move(memory)) {}
    Share(Share&& other) noexcept : memory_(std::move(other.memory_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept;
    ~Share() { clear(); }

    std::size_t bytes() const noexcept { return bytes_; }
    // Makes it at least `bytes` in all. False: there is no room, or others have waited longer.
    bool try_grow(std::size_t bytes) noexcept;
    // The same, waiting for room until `by`. The share must stay where it is meanwhile. False: there was none in time,
    // or the loop is stopping.
    Task<bool> grow(Loop& loop, std::size_t bytes, TimePoint by);
    // Gives back what it has above that.
    void shrink(std::size_t bytes) noexcept;
    void clear() noexcept { shrink(0); }

   private:
    std::shared_ptr<BodyMemory> memory_;
    std::size_t bytes_ = 0;
  };

  struct Counters {
    std::size_t bytes = 0;        // held now
    std::uint64_t waited = 0;     // had to wait, ever
    std::uint64_t timed_out = 0;  // of these, in vain
  };
  Counters counters() const noexcept;

 private:
  struct Waiter;

  bool try_take(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept;
  void serve_waiters() noexcept;
  void leave(Waiter& waiter) noexcept;

  const std::size_t most_;
  std::atomic<std::size_t> held_{0};
  std::atomic<std::size_t> waiting_{0};  // how many waiters there are; written under the lock
  std::atomic<std::uint64_t> waited_{0};
  std::atomic<std::uint64_t> timed_out_{0};
  Mutex mutex_;
  std::list<Waiter*> waiters_ FUSEBOARD_GUARDED_BY(mutex_);  // the longest first
};

}  // namespace fuseboard::net
