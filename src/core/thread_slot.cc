// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/thread_slot.h"

#include <algorithm>
#include <bitset>
#include <thread>

#include "fuseboard/core/mutex.h"

namespace fuseboard {
namespace {

constexpr std::uint32_t kMostExclusive = 32;

}  // namespace

class ThreadSlot::Pool {
 public:
  // Never destroyed: detached threads may exit after static destruction.
  static Pool& instance() noexcept {
    static Pool* const pool = new Pool;
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

  void give_back(std::uint32_t slot) noexcept {
    const MutexLock lock(mutex_);
    taken_.reset(slot);
  }

 private:
  Mutex mutex_;
  std::bitset<kMostExclusive + 1> taken_ FUSEBOARD_GUARDED_BY(mutex_);
};

// Lives as long as its thread.
struct ThreadSlot::Tenancy {
  Tenancy() noexcept : slot(Pool::instance().take()) {}
  ~Tenancy() {
    // Destructors of other thread-locals may still count: they share from here on.
    slot_ = kShared;
    if (slot != kShared) Pool::instance().give_back(slot);
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
  static const std::uint32_t slots = std::clamp(2 * std::thread::hardware_concurrency(), 4U, kMostExclusive) + 1;
  return slots;
}

}  // namespace fuseboard
