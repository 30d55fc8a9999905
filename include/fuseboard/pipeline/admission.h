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
#include <string_view>

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
#include "fuseboard/pipeline/target.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/latency.h"

namespace fuseboard {

// How a streamed answer that broke off after its first content may be gone on with [STR-5].
struct StreamRecovery {
  // Bit i: target i (an index into the plan's) goes on where the answer stopped. These are asked before those that
  // would start again; 0: all are alike.
  std::uint64_t prefer = 0;
};

// How an attempt ended, as its driver saw it.
struct AttemptReport {
  Outcome outcome{};
  bool answered = false;              // an answer of the target was read, good or bad
  bool connected = true;              // false: DNS, connect or TLS failed, so the model was never reached [BRK-22]
  bool may_have_run = true;           // false: refused connection, rejected before it was handled
  bool silent = false;                // it ended by a silence: no head, no first content, or idle
  bool resent = false;                // a kept connection died at once, and it was sent again over a fresh one
  std::uint16_t status = 0;           // of the answer, where it has one; for the record
  std::uint32_t skipped_events = 0;   // of a stream, which were malformed and left out; for the record
  std::optional<TokenUsage> usage{};  // as the answer says, in numbers that can be read
  // Tokens of output that were seen, about: what is charged where the answer does not say, or says far less [BUD-10].
  std::uint64_t seen_output = 0;
  std::optional<ServerWindow> window{};  // what the answer's headers say of the server's own limit
  // Of a failure once content has reached the caller: set, another attempt may mend the answer; else the call ends as
  // interrupted. Before that it says nothing.
  std::optional<StreamRecovery> recovery{};
  // Of an attempt that was to mend an answer: nothing of its own has reached the caller, because it does not go on as
  // the answer began. Where its outcome is a success, that is nobody's fault: no evidence, charged as observed, and
  // with `recovery` the next target is tried. Of any other attempt it says nothing.
  bool unusable = false;
  // For the record, in the driver's words; they need hold no longer than the report is being told. No secret, no
  // content.
  std::string_view cause{};                // of a failure: "connecting to api.example.com: Connection refused"
  std::string_view upstream_request_id{};  // what the target calls the request
};

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
