// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The atomics and the mutex that fuseboard/core/atomic.h puts beneath the policies when they are explored: plain
// values, and before each operation on one a step of the scheduler.
//
// Memory orders are ignored: what is explored is every interleaving, each of them sequentially consistent. What weaker
// orders would allow beyond that is ThreadSanitizer's affair. A weak compare-and-swap does not fail for nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace fuseboard::interleave {

enum class Access : std::uint8_t { read, write, lock };

// Where a step begins: the calling thread waits here until the scheduler lets it make this access. Returns at once
// where nothing is explored. `held`: of a mutex, whether it is taken.
void step(Access access, const void* where, const bool* held = nullptr);
void unlocked(const void* where);

// As ThreadSlot::current(); an explored thread has a slot of its own.
std::uint32_t current_slot() noexcept;

}  // namespace fuseboard::interleave

namespace fuseboard {

template <typename T>
class Atomic {
 public:
  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor): as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
    interleave::step(interleave::Access::read, this);
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) noexcept { (void)exchange(value); }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    interleave::step(interleave::Access::write, this);
    return std::exchange(value_, value);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    interleave::step(interleave::Access::write, this);
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = desired;
    return true;
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order = std::memory_order_seq_cst,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired);
  }
  T fetch_add(T difference, std::memory_order = std::memory_order_seq_cst) noexcept {
    interleave::step(interleave::Access::write, this);
    const T before = value_;
    value_ = static_cast<T>(before + difference);
    return before;
  }
  T fetch_sub(T difference, std::memory_order = std::memory_order_seq_cst) noexcept {
    interleave::step(interleave::Access::write, this);
    const T before = value_;
    value_ = static_cast<T>(before - difference);
    return before;
  }

 private:
  T value_{};
};

class PlainMutex {
 public:
  constexpr PlainMutex() noexcept = default;
  PlainMutex(const PlainMutex&) = delete;
  PlainMutex& operator=(const PlainMutex&) = delete;

  void lock() {
    interleave::step(interleave::Access::lock, this, &held_);
    held_ = true;
  }
  // No step of its own: nobody could do anything before it that they could not do after the thread's last step.
  void unlock() {
    held_ = false;
    interleave::unlocked(this);
  }
  bool try_lock() {
    interleave::step(interleave::Access::write, this);
    return !std::exchange(held_, true);
  }

 private:
  bool held_ = false;
};

}  // namespace fuseboard
