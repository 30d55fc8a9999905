// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Between the library's types and those of the C API.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/c/fuseboard.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"

namespace fuseboard::c_api {

using ClockFunction = std::int64_t (*)(void* user);

// The caller's clock, or the machine's.
class CallersClock final : public Clock {
 public:
  CallersClock(ClockFunction now_ns, void* user) noexcept : now_ns_(now_ns), user_(user) {}
  TimePoint now() const noexcept override {
    return now_ns_ == nullptr ? SteadyClock::instance().now() : TimePoint(Duration(now_ns_(user_)));
  }

  // Whether both tell the same time.
  friend bool operator==(const CallersClock& a, const CallersClock& b) noexcept {
    return a.now_ns_ == b.now_ns_ && (a.now_ns_ == nullptr || a.user_ == b.user_);
  }

 private:
  const ClockFunction now_ns_;
  void* const user_;
};

// Saturates; a negative time stays one, for validate() to complain about.
Duration milliseconds(std::int64_t count) noexcept;
// Of a time that may be missing. Refuses one that is negative and not FUSEBOARD_NONE_MS.
std::optional<Duration> optional_milliseconds(std::int64_t count, const char* name);
// A negative latency is none.
Duration latency(std::int64_t count_ns) noexcept;

// Throw StatusError for what means nothing.
Failure to_failure(const fuseboard_failure& failure);
BreakerOptions to_breaker_options(const fuseboard_breaker_options& options);

fuseboard_category from_category(const std::optional<Category>& category) noexcept;
// FUSEBOARD_NONE_MS where there is none.
std::int64_t optional_ms(const std::optional<Duration>& duration) noexcept;
fuseboard_failure from_failure(const Failure& failure) noexcept;
fuseboard_breaker_options from_breaker_options(const BreakerOptions& options) noexcept;
fuseboard_rejection from_rejection(const Rejection& rejection) noexcept;
fuseboard_circuit from_circuit(const BreakerSnapshot& snapshot) noexcept;

}  // namespace fuseboard::c_api
