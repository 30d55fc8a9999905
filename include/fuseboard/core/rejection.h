// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A refusal with its reason and a time after which it is worth asking again.
#pragma once

#include <optional>
#include <string_view>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

enum class RejectionReason : std::uint8_t {
  circuit_open,         // the breaker is open
  half_open_busy,       // the breaker is half-open and all its probes are in flight
  deadline_exceeded,    // the caller's deadline has passed or cannot be met
  rate_limited,         // too many calls or tokens for now, by our own count or by the server's word
  concurrency_limited,  // as many calls are in flight as may be
  queue_full,           // as many calls are waiting as may wait
  budget_exceeded,      // a cap on tokens, money or rounds would be passed
  price_missing,        // money is counted, and the model has no price to count by
  credential_parked,    // the target's credential was recently rejected
  not_eligible,         // what has failed before in this call, what it is bound to or what it asks rules the target out
};
std::string_view name(RejectionReason reason) noexcept;

// Copying never allocates. Policies fill in what they know; what does not apply is zero or nullopt.
struct Rejection {
  RejectionReason reason = RejectionReason::circuit_open;
  KeyText key{};
  // Waiting this long makes asking again worthwhile; nullopt where no wait is known to help.
  std::optional<Duration> retry_after{};
  std::uint32_t consecutive_failures = 0;  // of the breaker that refused
  std::optional<TimePoint> opened_at{};    // when that breaker opened
  std::optional<Category> last_failure{};  // category of the last failure it counted
};

}  // namespace fuseboard
