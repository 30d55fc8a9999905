// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A place that can answer a call, and what all calls to it share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "fuseboard/breaker/scopes.h"
#include "fuseboard/budget/price.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/caller_throttles.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/throttle.h"
#include "fuseboard/pipeline/admission_queue.h"
#include "fuseboard/pipeline/target_patience.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/eligibility.h"
#include "fuseboard/route/latency.h"

namespace fuseboard {

// Limits of one attempt, measured from its start (idle: from the last event); each 1 ms to 24 h.
struct AttemptTimeouts {
  Duration connect = std::chrono::seconds(5);
  Duration headers = std::chrono::seconds(30);  // streams: until the response head; a plain call has `total` for it
  // Streams: until the first text, reasoning or tool delta. A sign of work starts it afresh.
  Duration first_content = std::chrono::seconds(60);
  Duration idle = std::chrono::seconds(30);  // streams: between events after that
  // The whole attempt; of a plain one, where another target is left, at most half of what remains of the deadline.
  Duration total = std::chrono::minutes(10);

  Problems validate() const;
};

struct TargetStateOptions {
  // Requests a minute, tokens a minute, attempts in flight: each only where it is set.
  JointLimiterOptions limits{};
  // A rate that follows what the target throttles and says of its own limits.
  std::optional<AdaptiveLimiterOptions> adaptive_rate{};
  // A bound on attempts in flight that follows their latency.
  std::optional<AdaptiveBulkheadOptions> adaptive_concurrency{};
  // A server's retry-after is obeyed for no longer than this, limits or no limits; 1 ms to 24 h.
  Duration retry_after_max = kRetryAfterMax;
  RetryBudgetOptions retry_budget{};
  AdmissionQueueOptions queue{};
  LatencyEstimateOptions latency{};
  LatencyPercentileOptions percentile{};
  // How much company its calls may get.
  CompanyOptions company{};

  // Every problem at once, fields named as above.
  Problems validate() const;
};

// What every plan that names the target shares, so that its state outlives a swap of plans. Thread-safe. The registry
// of the breakers must outlive it.
class TargetState {
 public:
  // Throws InvalidOptions. `credential` is shared by the targets that use the same one; null: nobody parks it. The key
  // is what rejections carry; the seed is that of the jitter. `callers`: every caller brings a credential of its own,
  // so what the server says of rates is kept for each of them, there.
  explicit TargetState(BreakerScopes breakers, const TargetStateOptions& options = {}, KeyView key = "",
                       std::shared_ptr<CredentialGate> credential = nullptr, std::uint64_t seed = Rng::random_seed(),
                       std::shared_ptr<CallerThrottles> callers = nullptr);

  const BreakerScopes& breakers() const noexcept { return breakers_; }
  JointLimiter* limits() noexcept { return limits_ ? &*limits_ : nullptr; }
  // What the server said to all; of targets with `callers`, who said nothing to all, it is always open.
  Throttle& throttle() noexcept { return throttle_; }
  AdaptiveLimiter* adaptive_rate() noexcept { return throttle_.rate(); }
  ThrottleGate& gate() noexcept { return throttle_.gate(); }
  CallerThrottles* callers() noexcept { return callers_.get(); }
  // Of one of those callers.
  const ThrottleOptions& throttle_options() const noexcept { return throttle_options_; }
  AdaptiveBulkhead* adaptive_concurrency() noexcept {
    return adaptive_concurrency_ ? &*adaptive_concurrency_ : nullptr;
  }
  CredentialGate* credential() noexcept { return credential_.get(); }
  // Of the credential with this target's model; null where there is no credential.
  ParkingGate* parked_model() noexcept { return parked_model_ ? &*parked_model_ : nullptr; }
  RetryBudget& retry_budget() noexcept { return retry_budget_; }
  AdmissionQueue& queue() noexcept { return queue_; }
  LatencyEstimate& latency() noexcept { return latency_; }
  TargetPatience& patience() noexcept { return patience_; }
  const TargetPatience& patience() const noexcept { return patience_; }
  KeyText key() const noexcept { return key_; }

  // Whether an attempt was ever answered well here.
  bool has_served() const noexcept { return has_served_.load(std::memory_order_relaxed); }
  void note_served() noexcept {
    if (!has_served()) has_served_.store(true, std::memory_order_relaxed);
  }
  // Whether it is in use by nobody and has nothing in mind that limits anybody: limits are full, gates open, nothing is
  // parked. Its breakers aside, which have a place of their own. For owners that let go of it.
  bool at_rest(TimePoint now);

 private:
  const KeyText key_;
  const BreakerScopes breakers_;
  std::optional<JointLimiter> limits_;
  const ThrottleOptions throttle_options_;
  const std::shared_ptr<CallerThrottles> callers_;
  Throttle throttle_;
  std::optional<AdaptiveBulkhead> adaptive_concurrency_;
  const std::shared_ptr<CredentialGate> credential_;
  std::optional<ParkingGate> parked_model_;
  RetryBudget retry_budget_;
  AdmissionQueue queue_;
  LatencyEstimate latency_;
  TargetPatience patience_;
  std::atomic<bool> has_served_{false};
};

// One target of one plan.
struct Target {
  std::string name;  // "provider/model" or "server__tool": for records and people
  std::shared_ptr<TargetState> state;
  AttemptTimeouts timeouts{};
  RouteTraits traits{};  // what decides whether it can take over from another
  std::optional<ModelPrice> price{};
  bool needs_price = false;  // refuse calls that are charged for in money while there is no price [BUD-8]
};

}  // namespace fuseboard
