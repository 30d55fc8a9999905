// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long to wait before the next try on the same target: pure decisions, no clock, no sleeping.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// How a backoff is spread, so that callers that failed together do not return together.
enum class Jitter : std::uint8_t {
  none,          // the backoff itself
  proportional,  // uniform in backoff ± 20 %
  full,          // uniform in [0, backoff]
  decorrelated,  // uniform in [base, 3 × the previous wait]
};
// "full" and "decorrelated" are the names of Marc Brooker's "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015.
std::string_view name(Jitter jitter) noexcept;
std::optional<Jitter> jitter_from_name(std::string_view name) noexcept;

// Plain value; safe to share while nobody changes it.
struct RetryOptions {
  std::uint32_t max_attempts = 4;                  // per target and call, the first included; 1 to 100
  Duration base = std::chrono::milliseconds(500);  // backoff before the first retry; 0 to 1 h
  double factor = 2.0;                             // growth from retry to retry; 1 to 10
  Duration max = std::chrono::seconds(30);         // longest backoff; base to 24 h
  Jitter jitter = Jitter::full;
  bool honor_retry_after = true;  // a server's hint replaces a shorter backoff, see also kLongestHintedWait

  // One attempt, no retries.
  static RetryOptions none() noexcept { return {.max_attempts = 1}; }

  Problems validate() const;
};

// A server that asks for more is not waited for within a call: its caller is told so instead. Common SDKs wait no
// longer either.
inline constexpr Duration kLongestHintedWait = std::chrono::minutes(1);
// The longest wait before a retry: that, or `max` where it is more.
Duration longest_wait(const RetryOptions& options) noexcept;

// The wait before retry number `retry` (1 is the first). `previous` is the wait before the last retry, zero if there
// was none; `hint` is the server's retry-after. The result is never negative, and below `max` unless a hint asks for
// more. Saturates for any retry number. Draws once from `rng` unless the jitter is `none`.
Duration next_delay(const RetryOptions& options, std::uint32_t retry, Duration previous, std::optional<Duration> hint,
                    Rng& rng);

}  // namespace fuseboard
