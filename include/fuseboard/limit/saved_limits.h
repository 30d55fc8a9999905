// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of the limits outlives their process [LIM-10].
//
// Levels are kept as what is missing from full, which is what was spent; times as spans from the moment of saving,
// since a monotonic clock means nothing to another process. Calls in flight are no part of it. Restoring never throws:
// what is negative, NaN or beyond what the options allow is taken for the nearest value that they do allow, and a limit
// never admits more than it would have when it was saved.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fuseboard/core/time.h"

namespace fuseboard {

// Of a TokenBucket.
struct SavedTokenBucket {
  double missing = 0.0;  // tokens; up to the burst
};

// Of a SlidingWindowLimiter.
struct SavedSlidingWindow {
  struct Use {
    Duration ago = Duration::zero();  // up to the window
    std::uint32_t cost = 1;           // 1 to the limit
  };
  std::vector<Use> uses{};  // the latest last; as many as the limit
};

// Of a ClientThrottle.
struct SavedClientThrottle {
  std::uint64_t requests = 0;  // up to 2^40
  std::uint64_t accepts = 0;   // up to the requests
};

// Of a JointLimiter.
struct SavedJointLimiter {
  double requests_missing = 0.0;  // up to the burst
  double tokens_missing = 0.0;    // beyond the burst: owed, at most 1 000 000 000 tokens
};

// Of a RetryAfterGate that is shut.
struct SavedRetryAfterGate {
  Duration remaining = Duration::zero();  // up to the gate's retry_after_max
};

// Of an AdaptiveRate that is below the configured one.
struct SavedAdaptiveRate {
  double low = 0.0;      // tokens a second after the last decrease; the least to the configured rate
  double ceiling = 0.0;  // tokens a second, the rate last throttled; likewise
  // How long it has been returning; nullopt: no call has succeeded since.
  std::optional<Duration> returning_for{};
};

// What a server said of its own limit.
struct SavedServerWindow {
  double rate = 0.0;                      // tokens a second that it leaves; 0.000001 to the configured rate
  Duration remaining = Duration::zero();  // until its reset, up to retry_after_max
};

// Of an AdaptiveLimiter, the gate included.
struct SavedAdaptiveLimiter {
  std::optional<SavedRetryAfterGate> gate{};
  double missing = 0.0;  // tokens; up to the burst
  std::optional<SavedAdaptiveRate> learned{};
  std::optional<SavedServerWindow> window{};
};

// Of a Throttle; without a rate there is nothing but the gate.
using SavedThrottle = SavedAdaptiveLimiter;

// Of a LatencyBaseline.
struct SavedLatency {
  Duration usual = Duration::zero();     // how long a call took of late; zero: not known
  Duration long_run = Duration::zero();  // and in the long run; zero: the same
  std::uint32_t samples = 0;             // calls it is averaged over, up to kLongRunSamples
};

// Of an AdaptiveBulkhead that has learned something.
struct SavedAdaptiveBulkhead {
  double limit = 0.0;  // calls in flight; min_limit to max_limit
  SavedLatency latency{};
};

}  // namespace fuseboard
