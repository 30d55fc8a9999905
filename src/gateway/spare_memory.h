// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Memory that load has taken goes back to the system when the load is gone: an allocator keeps it for as long as the
// process lives.
#pragma once

#include <cstddef>
#include <functional>

#include "net/loop.h"
#include "net/thread_pool.h"

namespace fuseboard::gateway {

// When the allocator is asked to give back what nobody uses: that takes milliseconds, in which others may wait for it,
// so it is done in quiet and only where there is something to gain.
class TrimDecision {
 public:
  // What is resident before there is load.
  explicit TrimDecision(std::size_t resident) noexcept : base_(resident) {}

  // What is worth it: resident memory above what it was after the last trim.
  static constexpr std::size_t kWorthwhile = std::size_t{2} << 20;
  // Looks in a row that must find it quiet. In the first of them the loops give back their own spare memory.
  static constexpr int kQuietLooks = 3;

  // `resident` and `in_use` in bytes: all that the process has, and what calls in flight account for.
  bool should_trim(std::size_t resident, std::size_t in_use) noexcept;
  // What is resident afterwards.
  void trimmed(std::size_t resident) noexcept { base_ = resident; }

 private:
  std::size_t base_;
  int quiet_ = 0;
};

// Bytes of this process in memory; 0 where the system does not tell.
std::size_t resident_bytes();

// The C library keeps some freed blocks of each small size for each thread, glibc seven, wherever they happen to lie.
// After a rush they are scattered over all that it needed, and each of them keeps the pages around it. Has those of
// this thread lie together. Some 0.1 ms.
void renew_thread_cache() noexcept;

// Runs on a loop until that stops. Every loop gives back its spare blocks and frames and renews its thread's cache; the
// one that is given `in_use` also trims.
net::Task<void> release_spare_memory(net::Loop& loop, net::ThreadPool& aside, std::function<std::size_t()> in_use);

}  // namespace fuseboard::gateway
