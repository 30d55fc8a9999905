// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a call brings with it, and what its driver can do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/deadline.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/limit/caller_throttles.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/pipeline/cache_session.h"
#include "fuseboard/pipeline/explanation.h"
#include "fuseboard/retry/attempt_budget.h"

namespace fuseboard {

// Which targets can take this call, beyond what the plan knows: whether the request can be said in their dialect,
// say. Asked on the driver's thread before a target is tried, perhaps often; its answer must not change during a
// call.
class Eligibility {
 public:
  virtual ~Eligibility() = default;
  // `target` is an index into the plan's. A target that cannot is not asked in this call, and its record says so.
  virtual bool can_take(std::uint32_t target) noexcept = 0;
  // Where the target would be asked, see CredentialUse.
  virtual std::uint8_t endpoint_at(std::uint32_t /*target*/) const noexcept { return 0; }
};

// What is referenced must outlive the call.
struct CallOptions {
  CallId id{};             // what the caller knows the call by
  CallOrigin origin{};     // for the record
  bool streaming = false;  // the answer arrives in pieces; the driver calls first_content()
  bool idempotent = true;  // false: retried only when it provably did not run [RTY-7]
  Deadline deadline{};     // the caller's own; the plan's overall_deadline holds beside it
  Priority priority = Priority::normal;
  TokenUsage estimate{};                    // of what one attempt will use [BUD-5]
  BudgetLedger* ledger = nullptr;           // null: nobody counts
  BudgetAccount account{};                  // whom the ledger charges
  JointLimiter* caller_limits = nullptr;    // of the caller's key, held beside those of targets and their scopes
  CallerHash caller{};                      // whose credential travels to targets where each caller brings one
  AttemptBudget* attempt_budget = nullptr;  // attempts that several calls share [RTY-10]
  CacheSession* cache = nullptr;            // null: no cache
  // The provider (of RouteTraits) that keeps state which the request refers to: no other is asked [FBK-7].
  std::optional<std::uint32_t> bound_to_provider{};
  Eligibility* eligibility = nullptr;  // null: every target may be asked
};

// What the driver can do. A driver that cannot be woken waits no longer than it is told, and for a free place not at
// all; one that runs one attempt at a time is given no hedges and no company.
struct DriverAbilities {
  std::shared_ptr<Waker> waker{};  // ends a WaitUntil early, from any thread
  bool hedges = false;             // up to kMaxConcurrentAttempts attempts at once
};

}  // namespace fuseboard
