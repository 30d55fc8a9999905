// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How a breaker is set up.
//
//   CircuitBreaker breaker({.failure_threshold = 3, .open_time = OpenTime::exponential(1s, 2.0, 60s)});
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// How long an opened circuit refuses before it lets a probe through [BRK-4].
struct OpenTime {
  // The first open time; 1 ms to 24 h.
  Duration initial = std::chrono::seconds(30);
  // What a failed probe multiplies the open time by; 1 (it stays fixed) to 100.
  double factor = 1.0;
  // Where growth stops; `initial` to 24 h.
  Duration max = std::chrono::hours(1);
  // Each open time is drawn evenly from ± this fraction of itself, so that many processes do not probe in step; 0 to
  // 0.9. Drawn last: an open time may exceed `max` by this fraction.
  double jitter = 0.0;

  static constexpr OpenTime fixed(Duration time, double jitter = 0.0) noexcept {
    return {.initial = time, .factor = 1.0, .max = time, .jitter = jitter};
  }
  static constexpr OpenTime exponential(Duration initial, double factor, Duration max, double jitter = 0.0) noexcept {
    return {.initial = initial, .factor = factor, .max = max, .jitter = jitter};
  }

  // The open time after one that ended in a failed probe, both before jitter.
  Duration grown(Duration base) const noexcept;
  // `base` with jitter; `unit` is uniform in [0, 1).
  Duration jittered(Duration base, double unit) const noexcept;
  // No open time is longer.
  Duration longest() const noexcept;

  Problems validate() const;
  friend bool operator==(const OpenTime&, const OpenTime&) noexcept = default;
};

// The calls that rates are taken over [BRK-2]. Only successes and failures enter it: throttled and neutral outcomes do
// not.
struct CallWindow {
  // A count window: the last so many calls, exactly; 1 to 10 000. 0: a time window.
  std::uint32_t calls = 100;
  // A time window: the calls of about the last so long; 1 s to 24 h. 0: a count window.
  Duration time = Duration::zero();
  // Parts that a time window moves on by: it covers between `time` less one part and `time`. 1 to 100.
  std::uint32_t buckets = 10;

  static constexpr CallWindow last_calls(std::uint32_t calls) noexcept { return {.calls = calls}; }
  static constexpr CallWindow last(Duration time, std::uint32_t buckets = 10) noexcept {
    return {.calls = 0, .time = time, .buckets = buckets};
  }
  constexpr bool is_time() const noexcept { return calls == 0; }

  Problems validate() const;
  friend bool operator==(const CallWindow&, const CallWindow&) noexcept = default;
};

// A trip rule that forgets by time alone: so many failures within so long, whatever succeeded between them [BRK-2.6].
struct FailuresWithin {
  std::uint32_t failures = 10;              // 1 to 10 000; the time of each is kept, 8 bytes
  Duration time = std::chrono::minutes(1);  // from the first of them to the last; 1 ms to 24 h

  Problems validate() const;
  friend bool operator==(const FailuresWithin&, const FailuresWithin&) noexcept = default;
};

// The bounds of a probe's lease: a lost probe is always missed at last [BRK-8].
inline constexpr Duration kMinProbeLease = std::chrono::milliseconds(1);
inline constexpr Duration kMaxProbeLease = std::chrono::hours(24);

// Calls in flight whose start one breaker keeps.
inline constexpr std::uint32_t kMaxTrackedCalls = 65'536;

// Any of the trip rules opens the circuit [BRK-2]: failures in a row, and, where they are set, failures within a time,
// rates and stuck calls. There is at least one: a breaker that nothing trips would show its mistake in an outage alone.
// A rate needs the breaker's lock at each settlement, but for good calls while a count window holds nothing else; a
// time window, stuck_call_age and track_in_flight need a clock too.
struct BreakerOptions {
  // Consecutive failures that open the circuit; 1 to 1 000 000. Beside another trip rule (silence included, where its
  // threshold is given) also 0: no such rule.
  std::uint32_t failure_threshold = 5;
  // A run of consecutive failures that began longer ago than this begins again with the next failure, which is when
  // that is judged; 1 ms to 24 h. Default: it lasts until a success.
  std::optional<Duration> failure_run_expires_after{};
  // Default: no such rule.
  std::optional<FailuresWithin> failures_within{};
  // Attempts that must have outlasted their patience before a target that answers nobody counts as silent, which opens
  // the circuit [RTY-14]; 0 (it never does) to 1000. Default: the failure threshold, at least 3, or 5 where that is 0.
  // Judged by the calls of a plan with several targets, see pipeline/execution.h.
  std::optional<std::uint32_t> silence_threshold{};
  // The fraction of the window's calls that failed at which the circuit opens; 0.000001 to 1. Default: no such rule.
  std::optional<double> failure_rate{};
  // The fraction of the window's calls that took longer than `slow_call_duration`, failed or not, at which the circuit
  // opens; 0.000001 to 1. Default: no such rule.
  std::optional<double> slow_call_rate{};
  // 1 ns to 24 h; the latency of a stream is its time to first content.
  Duration slow_call_duration = std::chrono::seconds(60);
  // Calls that must be in the window before a rate means anything; 1 to 1 000 000, in a count window at most its size.
  std::uint32_t minimum_calls = 20;
  CallWindow window{};
  // The circuit opens when a call that began since it closed has been in flight for longer than this; 1 ms to 24 h.
  // Judged by the next admission or snapshot. Default: no such rule.
  std::optional<Duration> stuck_call_age{};
  // Whether to keep the start of each call in flight, to show the age of the oldest; `stuck_call_age` implies it. At
  // most kMaxTrackedCalls are kept, calls beyond that go unwatched. Allocates when more are in flight than ever before.
  bool track_in_flight = false;
  // Probes that a half-open circuit lets be in flight together; 1 to 1000.
  std::uint32_t half_open_max_probes = 1;
  // Successful probes that close a half-open circuit; 1 to 1000. One that fails opens it again.
  std::uint32_t half_open_successes = 1;
  // In place of `half_open_successes`: `half_open_max_probes` probes are let through in all, and once each is settled
  // as a success or a failure the circuit opens where at least this fraction of them failed, else closes. 0.000001
  // to 1. Default: no such rule.
  std::optional<double> half_open_failure_rate{};
  OpenTime open_time{};
  // How long a server's retry-after can keep the circuit open [BRK-4]; 0 (hints are ignored) to 24 h. A failure's hint
  // is a floor under the open time of the trip it leads to; a throttled probe's hint is the open time [BRK-7].
  Duration retry_after_max = std::chrono::minutes(5);
  // A probe that is unsettled for this long counts as a failure; 1 ms to 24 h. For callers that do not name a lease for
  // the attempt: the attempt's timeout + 5 s is a good one.
  Duration probe_lease = std::chrono::seconds(60);
  // A grown open time is forgotten after the circuit has stayed closed for this long; 0 to 7 days.
  // Default: the longest open time.
  std::optional<Duration> streak_reset_after{};
  // The categories of failure that count [BRK-19]. Others are neutral, a rate limit is `throttled`.
  CategorySet trips_on = kTrippingCategories;
  // Whether a permit destroyed unsettled counts as a failure; by default it is neutral.
  bool abandoned_is_failure = false;

  std::uint32_t silent_after() const noexcept {
    return silence_threshold.value_or(failure_threshold == 0 ? 5U : std::max(failure_threshold, 3U));
  }
  bool has_rate_rule() const noexcept { return failure_rate || slow_call_rate; }
  bool tracks_calls() const noexcept { return track_in_flight || stuck_call_age; }
  // Besides failures in a row.
  bool has_other_trip_rule() const noexcept {
    return failures_within || has_rate_rule() || stuck_call_age || silence_threshold.value_or(0) > 0;
  }
  Duration growth_forgotten_after() const noexcept { return streak_reset_after.value_or(open_time.longest()); }

  // Every problem at once, fields named as above.
  Problems validate() const;
  friend bool operator==(const BreakerOptions&, const BreakerOptions&) noexcept = default;
};

// The presets [BRK-20] are starting points: copy one and change what differs.
//
// For model providers: 5 failures, 30 s open, one probe.
BreakerOptions provider_preset();
// For tools: 7 failures, 5 s open, doubling with each failed probe up to 120 s, one probe.
BreakerOptions tool_preset();
// provider_preset() that counts every error whatever its category, rate limits included, so nothing needs to be
// classified. Cancelling is no error.
BreakerOptions strict_provider_preset();

}  // namespace fuseboard
