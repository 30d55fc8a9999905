// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of routing share.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

inline constexpr int kThreads = 8;

// Where tests begin: not at zero, so that a forgotten time shows.
inline constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

// Runs `work(thread)` on all threads at once.
template <typename Work>
void together(Work work) {
  std::barrier start(kThreads);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      work(t);
    });
  }
}

inline Outcome failed(Category category, Duration latency = Duration::zero()) {
  return Outcome::failed(Failure::of(category), latency);
}

}  // namespace fuseboard
