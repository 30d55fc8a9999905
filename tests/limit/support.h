// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the limiters' tests share.
#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <string>
#include <thread>
#include <vector>

#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

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

inline std::vector<std::string> fields_of(const Problems& problems) {
  std::vector<std::string> fields;
  for (const Problem& problem : problems) fields.push_back(problem.field);
  return fields;
}

}  // namespace fuseboard
