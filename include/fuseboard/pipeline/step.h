// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the decision engine tells its driver to do next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard {

// Attempts of one call in flight at the same time.
inline constexpr std::size_t kMaxConcurrentAttempts = 3;

// Look into the cache: CacheSession::look_up() of the call's. Comes again where the store answers later.
struct Lookup {};

// Send one attempt. The points in time are absolute, already cut to the call's deadline.
struct Attempt {
  std::uint32_t number = 0;  // 1 is the first of the call
  std::uint32_t target = 0;  // index into plan().targets()
  bool probe = false;        // it probes a half-open circuit
  bool recovery = false;     // it goes on with an answer that has begun and broken off [STR-5]
  TimePoint connect_by{};
  TimePoint headers_by{};  // plain calls: the same as total_by
  TimePoint first_content_by{};
  TimePoint total_by{};  // plain calls: cut to the deadline; streams: once content flows, only this and idle hold
  Duration idle{};       // longest silence between events after the first content
};

// Nothing to do before that time, or before the driver is woken, or an attempt in flight reports. While attempts that
// may get company are silent the engine wants to look every second: the circuit may open meanwhile.
struct WaitUntil {
  TimePoint time{};
};

// Nothing to do before an attempt in flight reports. Drivers that run one attempt at a time never see it.
struct Await {};

// Attempts that are still in flight then are not the execution's any more: cancel them.
struct Finished {
  Ending ending = Ending::success;
};

using Step = std::variant<Lookup, Attempt, WaitUntil, Await, Finished>;

}  // namespace fuseboard
