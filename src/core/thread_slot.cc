// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/thread_slot.h"

#include <pthread.h>

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <new>
#include <thread>

#include "fuseboard/core/mutex.h"

namespace fuseboard {
namespace {

constexpr std::uint32_t kMaxExclusive = 32;

}  // namespace

class ThreadSlot::Pool {
 public:
  // Never destroyed: detached threads may exit after static destruction. In place: there may be no memory.
  static Pool& instance() noexcept {
    alignas(Pool) static std::byte place[sizeof(Pool)];
    static Pool* const pool = [] {
      // Of a child of fork() only the thread that forked is there: the slots of the others are free again.
      (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
      return ::new (place) Pool;
    }();
    return *pool;
  }

  std::uint32_t take() noexcept {
    const MutexLock lock(mutex_);
    for (std::uint32_t slot = 1; slot < count(); ++slot) {
      if (!taken_.test(slot)) {
        taken_.set(slot);
        return slot;
      }
    }
    return kShared;
  }

  void release(std::uint32_t slot) noexcept {
    const MutexLock lock(mutex_);
    taken_.reset(slot);
  }

 private:
  static void before_fork() noexcept FUSEBOARD_NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.lock(); }
  static void after_fork() noexcept FUSEBOARD_NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.unlock(); }
  static void after_fork_in_child() noexcept FUSEBOARD_NO_THREAD_SAFETY_ANALYSIS {
    Pool& pool = instance();
    pool.taken_.reset();
    if (slot_ != kUnassigned && slot_ != kShared) pool.taken_.set(slot_);
    pool.mutex_.unlock();
  }

  Mutex mutex_;
  std::bitset<kMaxExclusive + 1> taken_ FUSEBOARD_GUARDED_BY(mutex_);
};

// Lives as long as its thread.
struct ThreadSlot::Tenancy {
  Tenancy() noexcept : slot(Pool::instance().take()) {}
  ~Tenancy() {
    // Destructors of other thread-locals may still count: they share from here on.
    slot_ = kShared;
    if (slot != kShared) Pool::instance().release(slot);
  }
  Tenancy(const Tenancy&) = delete;
  Tenancy& operator=(const Tenancy&) = delete;

  const std::uint32_t slot;
};

std::uint32_t ThreadSlot::assign() noexcept {
  thread_local const Tenancy tenancy;
  slot_ = tenancy.slot;
  return slot_;
}

std::uint32_t ThreadSlot::count() noexcept {
  static const std::uint32_t slots = std::clamp(2 * std::thread::hardware_concurrency(), 4U, kMaxExclusive) + 1;
  return slots;
}

}  // namespace fuseboard
