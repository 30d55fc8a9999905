// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the breakers of one registry share.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fuseboard/breaker/event.h"
#include "fuseboard/breaker/recycling_memory.h"
#include "fuseboard/core/atomic.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/events.h"

namespace fuseboard {

struct BreakerContext {
  BreakerContext(const Clock& shared_clock, std::uint64_t shared_seed) : clock(shared_clock), seed(shared_seed) {}

  const Clock& clock;
  const std::uint64_t seed;  // of the jitter
  EventOutbox<BreakerEvent> events{};
  Atomic<std::size_t> open_circuits{0};
  // Breakers that may refuse: not closed, overridden, or watching for stuck calls.
  Atomic<std::size_t> may_reject{0};
  Atomic<std::uint64_t> times_opened{0};
  Atomic<std::uint64_t> times_half_opened{0};
  Atomic<std::uint64_t> times_closed{0};
  // Where breakers put their cells. Breakers are made and destroyed under the registry's lock.
  RecyclingMemory memory{};
};

}  // namespace fuseboard
