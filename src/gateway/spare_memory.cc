// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/spare_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <new>
#include <ranges>
#include <utility>

#include "net/spare_blocks.h"
#include "net/spare_frames.h"

namespace fuseboard::gateway {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(5);

void trim_allocator() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace

bool TrimDecision::should_trim(std::size_t resident, std::size_t in_use) noexcept {
  base_ = std::min(base_, resident);
  const std::size_t grown = resident - base_;
  const bool quiet = grown >= kWorthwhile && in_use <= grown / 4;
  quiet_ = quiet ? quiet_ + 1 : 0;
  if (quiet_ < kQuietLooks) return false;
  quiet_ = 0;
  return true;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  statm >> all >> resident;
  return statm ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

void renew_thread_cache() noexcept {
  // What glibc keeps, one request of each size that it rounds to.
  constexpr std::size_t kSmallest = 24;
  constexpr std::size_t kLargest = 1032;
  constexpr std::size_t kStep = 16;
  constexpr std::size_t kMaxKept = 16;
  // The first come from what is kept, the others from one place. What is given back first is kept next.
  std::array<void*, 2 * kMaxKept> blocks{};
  for (std::size_t size = kSmallest; size <= kLargest; size += kStep) {
    for (void*& block : blocks) block = ::operator new(size, std::nothrow);
    for (void* const block : std::views::reverse(blocks)) ::operator delete(block);
  }
}

net::Task<void> release_spare_memory(net::Loop& loop, net::ThreadPool& aside, std::function<std::size_t()> in_use) {
  TrimDecision decision(resident_bytes());
  while (co_await loop.sleep_until(saturating_add(loop.now(), kLookEvery))) {
    net::release_spare_blocks();
    net::release_spare_frames();
    renew_thread_cache();
    if (!in_use || !decision.should_trim(resident_bytes(), in_use())) continue;
    decision.trimmed(co_await net::run_aside(loop, aside, [] {
      trim_allocator();
      return resident_bytes();
    }));
  }
}

}  // namespace fuseboard::gateway
