// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Admission of one attempt: leave by all policies of a target, or by none [PIP-2].
//
// The order: a look at the credential and the breaker, so that an open circuit costs no tokens and no budget; the
// budget; the limits; last the breaker's permit, so that no probe is taken for an attempt that is not sent. Whatever
// refuses, what was granted before it goes back. Settling goes the other way round [PIP-3]. What a refused call does:
// it waits (src/pipeline/admission_wait) or ends (src/pipeline/obstacle).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "fuseboard/breaker/scopes.h"
#include "fuseboard/budget/charge.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/caller_throttles.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/pipeline/attempt_report.h"
#include "fuseboard/pipeline/target.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/latency.h"

namespace fuseboard {

// What an attempt asks for.
struct AdmissionRequest {
  Priority priority = Priority::normal;
  TokenUsage estimate{};           // of what it will use
  BudgetLedger* ledger = nullptr;  // null: nobody counts
  BudgetAccount account{};
  Duration probe_lease{};
  JointLimiter* caller_limits = nullptr;  // of the caller's key, wherever it calls
  std::uint8_t endpoint = 0;              // see CredentialUse
  CallerHash caller{};                    // of targets where callers bring a credential of their own
};

// Why not. Copying never allocates.
struct AdmissionRejection {
  Rejection rejection{};
  std::optional<BudgetRejection> budget{};  // of `budget_exceeded`
};

// Permission to send one attempt; empty when default-constructed. Moved, settled once, safe to forget; not thread-safe.
// The target's state and the ledger must outlive it.
class [[nodiscard]] AttemptPermits {
 public:
  bool is_probe() const noexcept { return breaker_.is_probe(); }
  // The target has begun to answer with a success.
  void accepted(TimePoint now) {
    credential_.accepted();
    rate_.accepted(now);
  }
  // See BreakerPermit.
  void first_content(Duration latency) {
    answering_ = true;
    breaker_.first_content(latency);
  }
  // See BreakerPermit.
  void answered() { breaker_.answered(); }
  // The attempt has lost against its company; to be said before it is settled.
  void mark_overtaken() noexcept { overtaken_ = true; }
  // What a stream has used so far.
  void observe(const TokenUsage& usage) noexcept;

  // Tells every policy, once. `outcome` is the report's as the breaker should see it. What was charged comes back,
  // where somebody counts; the limits learn the same figure [LIM-5].
  std::optional<BudgetSettlement> settle(TimePoint now, const AttemptReport& report, const Outcome& outcome) &&;

 private:
  friend std::optional<AdmissionRejection> admit(TimePoint now, const Target& target, const AdmissionRequest& request,
                                                 AttemptPermits& permits);
  bool was_free(const AttemptReport& report) const noexcept;
  std::optional<BudgetSettlement> settle_budget(const AttemptReport& report, const ChargedUsage& charged);
  void settle_limits(TimePoint now, const AttemptReport& report, const ChargedUsage& charged);
  void settle_rate(TimePoint now, const AttemptReport& report, const Outcome& outcome);
  std::optional<Rejection> take_limits(TimePoint now, const AdmissionRequest& request);
  std::optional<Rejection> take_rate(TimePoint now, const AdmissionRequest& request);
  std::optional<Rejection> take_throttle(TimePoint now, const AdmissionRequest& request);
  void release(TimePoint now) noexcept;

  // Those whose limits hold, from the outside in.
  enum Scope : std::size_t { kCaller, kOuter, kOwn, kLimitScopes };

  TargetState* state_ = nullptr;
  // In the order of admission, so that destruction goes the other way round.
  CredentialPass credential_;
  BudgetReservation budget_;
  bool counts_budget_ = false;
  bool overtaken_ = false;
  bool answering_ = false;  // some of the answer is there, and will be billed
  TokenUsage estimate_{};
  TokenUsage observed_{};  // each number the largest so far
  std::array<JointPermit, kLimitScopes> limits_;
  TokenBucket* bucket_ = nullptr;  // that the tokens are of
  std::optional<TokenGrant> tokens_{};
  CallerHash caller_{};
  std::shared_ptr<Throttle> callers_throttle_;  // kept for the permit behind it
  AdaptivePermit rate_;
  AdaptiveBulkheadSlot place_;
  ScopedPermit breaker_;
  LatencySpan latency_;
};

// Why not, or nullopt, and then `permits`, which held nothing, holds all. Never allocates but for a budget's new
// session.
[[nodiscard]] std::optional<AdmissionRejection> admit(TimePoint now, const Target& target,
                                                      const AdmissionRequest& request, AttemptPermits& permits);

// Whether it is only this caller who has to wait, because the target's server has asked it to or because its own limits
// are reached: a line of others would not help, and others must not stand behind it.
[[nodiscard]] bool waits_alone(TimePoint now, const Target& target, const AdmissionRequest& request);

// What admit() would refuse with, or nullopt, the budget apart. Takes nothing.
[[nodiscard]] std::optional<Rejection> peek_rejection(TimePoint now, const Target& target,
                                                      const AdmissionRequest& request);

}  // namespace fuseboard
