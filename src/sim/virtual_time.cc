// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/virtual_time.h"

#include <algorithm>
#include <utility>

namespace fuseboard::sim {

void VirtualTime::at(TimePoint time, std::function<void()> action) {
  events_.push_back({.time = std::max(time, now()), .number = next_number_++, .action = std::move(action)});
  std::ranges::push_heap(events_, Later());
}

bool VirtualTime::step() {
  if (events_.empty()) return false;
  std::ranges::pop_heap(events_, Later());
  const Event event = std::move(events_.back());
  events_.pop_back();
  clock_.advance_to(event.time);
  event.action();
  return true;
}

void VirtualTime::run() {
  while (step()) {
  }
}

}  // namespace fuseboard::sim
