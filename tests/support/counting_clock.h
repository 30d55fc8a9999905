// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A clock that counts how often it is read.
#pragma once

#include <atomic>

#include "fuseboard/core/clock.h"

namespace fuseboard {

class CountingClock final : public Clock {
 public:
  TimePoint now() const noexcept override {
    ++reads;
    return clock.now();
  }
  ManualClock clock;
  mutable std::atomic<int> reads{0};
};

}  // namespace fuseboard
