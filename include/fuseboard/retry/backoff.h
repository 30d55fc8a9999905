// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long to wait before the next try on the same target: pure decisions, no clock, no sleeping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// How a backoff is spread, so that callers that failed together do not return together. The range that a wait is drawn
// from ends at the longest backoff, so waits do not pile up there.
enum class Jitter : std::uint8_t {
  none,          // the backoff itself
  proportional,  // uniform in backoff ± `jitter_width` of it
  full,          // uniform in [0, backoff]
  decorrelated,  // uniform in [base, 3 × the previous wait]
};
// "full" and "decorrelated" are the names of Marc Brooker's "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015.
std::string_view name(Jitter jitter) noexcept;
std::optional<Jitter> jitter_from_name(std::string_view name) noexcept;

// The kinds of backoff.
struct ExponentialBackoff {};  // `base`, and `factor` times as much with each further retry
struct LinearBackoff {};       // `base`, and `step` more with each further retry
// Before the first retry, the second...; the last holds for all after it. 1 to 100 waits, each 0 to `max`.
using BackoffList = std::vector<Duration>;
// What the user says, held between 0 and `max`; `retry` is 1 for the first, `failure` is what it would mend. It may be
// called by several threads at once, with no lock held. Where it throws the backoff is `max`.
using BackoffFunction = std::function<Duration(std::uint32_t retry, const Failure& failure)>;
using BackoffKind = std::variant<ExponentialBackoff, LinearBackoff, BackoffList, BackoffFunction>;

inline constexpr std::size_t kMaxListedBackoffs = 100;

// Plain value; safe to share while nobody changes it. Copying allocates for a list, and may for a function.
//
//   {.base = 1s, .step = 1s, .backoff = LinearBackoff{}}
//   {.jitter = Jitter::none, .backoff = BackoffList{100ms, 1s, 10s}}
//   {.backoff = [](std::uint32_t retry, const Failure& failure) { return failure.retryable ? retry * 1s : 5s; }}
struct RetryOptions {
  std::uint32_t max_attempts = 4;                  // per target and call, the first included; 1 to 100
  Duration base = std::chrono::milliseconds(500);  // backoff before the first retry; 0 to 1 h
  double factor = 2.0;                             // growth of an exponential one from retry to retry; 1 to 10
  Duration step = std::chrono::milliseconds(500);  // growth of a linear one; 0 to 1 h
  Duration max = std::chrono::seconds(30);         // longest backoff; base to 24 h
  // Decorrelated jitter grows by itself, and goes with the exponential kind alone. The others spread every kind.
  BackoffKind backoff{};
  Jitter jitter = Jitter::full;
  double jitter_width = 0.2;      // of proportional jitter, to either side; 0 to 1
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

// The wait before retry number `retry` (1 is the first), after `failure`. `previous` is the wait before the last retry,
// zero if there was none. The result is never negative, and at most `max` unless the failure's retry-after asks for
// more. Saturates for any retry number. Draws once from `rng` unless there is nothing to spread.
Duration next_delay(const RetryOptions& options, std::uint32_t retry, Duration previous, const Failure& failure,
                    Rng& rng);

}  // namespace fuseboard
