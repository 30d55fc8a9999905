// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/body_memory.h"

#include <algorithm>

namespace fuseboard::net {

// Lives in the frame of the coroutine that waits. What was granted and not fetched goes back with it.
struct BodyMemory::Waiter {
  Waiter(BodyMemory& owner, Loop& on, std::size_t wanted)
      : memory(owner), loop(on), bytes(wanted), timer(std::make_shared<Timer>(on)) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { memory.leave(*this); }

  BodyMemory& memory;
  Loop& loop;
  const std::size_t bytes;
  const std::shared_ptr<Timer> timer;
  // Under the lock.
  bool queued = false;
  bool granted = false;
};

BodyMemory::Share& BodyMemory::Share::operator=(Share&& other) noexcept {
  if (this != &other) {
    clear();
    memory_ = std::move(other.memory_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void BodyMemory::Share::shrink(std::size_t bytes) noexcept {
  if (bytes >= bytes_) return;
  const std::size_t had = std::exchange(bytes_, bytes);
  if (memory_ != nullptr) memory_->release(had - bytes);
}

bool BodyMemory::Share::try_grow(std::size_t bytes) noexcept {
  if (bytes <= bytes_) return true;
  if (memory_ != nullptr && !memory_->try_take(bytes - bytes_)) return false;
  bytes_ = bytes;
  return true;
}

Task<bool> BodyMemory::Share::grow(Loop& loop, std::size_t bytes, TimePoint by) {
  if (try_grow(bytes)) co_return true;
  BodyMemory& memory = *memory_;
  Waiter waiter(memory, loop, bytes - bytes_);
  {
    const MutexLock lock(memory.mutex_);
    memory.waiters_.push_back(&waiter);
    waiter.queued = true;
    memory.waiting_.store(memory.waiters_.size());
    // Last: whoever sees the count finds the waiter in its place.
    memory.waited_.fetch_add(1, std::memory_order_release);
  }
  memory.serve_waiters();  // what was given back between the two looks
  co_await waiter.timer->wait_until(by);
  const MutexLock lock(memory.mutex_);
  if (waiter.granted) {
    waiter.granted = false;
    bytes_ = bytes;
    co_return true;
  }
  memory.timed_out_.fetch_add(1, std::memory_order_relaxed);
  co_return false;
}

BodyMemory::Counters BodyMemory::counters() const noexcept {
  return {.bytes = held_.load(std::memory_order_relaxed),
          .waited = waited_.load(std::memory_order_acquire),
          .timed_out = timed_out_.load(std::memory_order_relaxed)};
}

bool BodyMemory::try_take(std::size_t bytes) noexcept {
  if (waiting_.load() > 0) return false;
  std::size_t held = held_.load();
  while (held + bytes <= most_) {
    if (held_.compare_exchange_weak(held, held + bytes)) return true;
  }
  return false;
}

void BodyMemory::release(std::size_t bytes) noexcept {
  held_.fetch_sub(bytes);
  if (waiting_.load() > 0) serve_waiters();
}

void BodyMemory::serve_waiters() noexcept {
  const MutexLock lock(mutex_);
  while (!waiters_.empty()) {
    Waiter& first = *waiters_.front();
    std::size_t held = held_.load();
    while (held + first.bytes <= most_ && !held_.compare_exchange_weak(held, held + first.bytes)) {
    }
    if (held + first.bytes > most_) break;
    waiters_.pop_front();
    first.queued = false;
    first.granted = true;
    // Its timer is its loop's. It may have gone by the time the loop looks.
    first.loop.post([timer = std::weak_ptr<Timer>(first.timer)] {
      if (const auto still = timer.lock()) still->cancel();
    });
  }
  waiting_.store(waiters_.size());
}

void BodyMemory::leave(Waiter& waiter) noexcept {
  {
    const MutexLock lock(mutex_);
    if (waiter.queued) waiters_.remove(&waiter);
    waiting_.store(waiters_.size());
    if (waiter.granted) held_.fetch_sub(waiter.bytes);
  }
  // Whoever stood behind it may fit.
  if (waiting_.load() > 0) serve_waiters();
}

}  // namespace fuseboard::net
