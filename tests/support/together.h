// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Threads that begin together, at a barrier: nothing waits for time to pass.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

namespace fuseboard {

// Runs `work(thread)` on `threads` threads at once, numbered from 0; returns when all have ended.
template <typename Work>
void together(int threads, Work work) {
  std::barrier start(threads);
  std::vector<std::jthread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      start.arrive_and_wait();
      work(t);
    });
  }
}

}  // namespace fuseboard
