// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a TargetRegistry outlives its process [OPS-3]: plain values, for whoever writes them somewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/breaker/saved_breaker.h"
#include "fuseboard/core/key.h"
#include "fuseboard/limit/saved_limits.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/parking.h"

namespace fuseboard {

// One target, its breaker apart. Each part only where there is something to keep: what is full, open or at its
// configured value is not.
struct SavedTarget {
  Key key;
  std::optional<SavedTokenBucket> rate{};
  std::optional<SavedThrottle> throttle{};
  std::optional<SavedJointLimiter> limits{};
  std::optional<SavedAdaptiveBulkhead> concurrency{};
  std::optional<SavedParkingGate> parked_model{};
  std::optional<SavedRetryBudget> retry_budget{};
  bool has_served = false;

  // Whether there is anything in it.
  bool any() const noexcept {
    return rate || throttle || limits || concurrency || parked_model || retry_budget || has_served;
  }
};

// What the targets of a scope share, its breaker apart.
struct SavedScope {
  std::string name;
  std::optional<SavedJointLimiter> limits{};
  std::optional<SavedCredentialGate> credential{};
};

// All times are spans from the moment of saving, since a monotonic clock means nothing to another process. Whoever
// restores later takes off what has passed, or lets things rest that much longer.
struct SavedTargets {
  static constexpr std::uint32_t kVersion = 1;

  std::uint32_t version = kVersion;  // of this shape: of one that is not known nothing is restored
  std::vector<SavedBreaker> breakers{};
  std::vector<SavedBreaker> scope_breakers{};
  std::vector<SavedTarget> targets{};
  std::vector<SavedScope> scopes{};
};

}  // namespace fuseboard
