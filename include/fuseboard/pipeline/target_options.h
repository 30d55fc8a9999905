// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How targets are set up, and what those of one scope share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "fuseboard/breaker/options.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/retry_after_gate.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/pipeline/admission_queue.h"
#include "fuseboard/retry/company_budget.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/route/latency.h"
#include "fuseboard/route/latency_percentile.h"
#include "fuseboard/route/parking.h"

namespace fuseboard {

struct TargetStateOptions {
  // Attempts a second and at once, by priority [LIM-2].
  std::optional<TokenBucketOptions> rate{};
  // Requests a minute, tokens a minute, attempts in flight: each only where it is set.
  JointLimiterOptions limits{};
  // A rate that follows what the target throttles and says of its own limits.
  std::optional<AdaptiveLimiterOptions> adaptive_rate{};
  // A bound on attempts in flight that follows their latency.
  std::optional<AdaptiveBulkheadOptions> adaptive_concurrency{};
  // A server's retry-after is obeyed for no longer than this, limits or no limits; 0 (hints are ignored) to
  // 24 h.
  Duration retry_after_max = kRetryAfterMax;
  RetryBudgetOptions retry_budget{};
  AdmissionQueueOptions queue{};
  // How much company its calls may get.
  CompanyOptions company{};
  // Both stay as they are for as long as the state lives, whatever is applied later.
  LatencyEstimateOptions latency{};
  LatencyPercentileOptions percentile{};

  // Every problem at once, fields named as above.
  Problems validate() const;
};

// One target: its breaker and everything else.
struct TargetOptions {
  BreakerOptions breaker = provider_preset();
  TargetStateOptions state{};

  Problems validate() const;
};

// Whose credential the targets of a scope are asked with.
enum class ScopeCredential : std::uint8_t {
  none,        // nobody's, or it is never parked
  shared,      // one of ours for all of them: what refuses it concerns them all [FBK-6]
  of_callers,  // each caller's own: what the server says of rates is kept for each of them
};

// What the targets of one provider or server share: their keys are pairs with its name first.
struct ScopeOptions {
  // A breaker outside those of the targets [BRK-22]; nullopt: none.
  std::optional<BreakerOptions> breaker{};
  // Of all its targets together, held beside their own.
  JointLimiterOptions limits{};
  ScopeCredential credential = ScopeCredential::none;
  CredentialGateOptions parking{};  // of a shared one

  Problems validate() const;
};

}  // namespace fuseboard
