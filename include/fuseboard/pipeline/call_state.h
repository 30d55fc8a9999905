// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where one call stands. Execution owns it; the rules of src/pipeline, a file each, read and change it:
//
//   asking_cache -> choosing -> in_flight -> choosing | backing_off | queued | decided -> ended
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "fuseboard/core/deadline.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/admission.h"
#include "fuseboard/pipeline/admission_queue.h"
#include "fuseboard/pipeline/attempts_in_flight.h"
#include "fuseboard/pipeline/call_options.h"
#include "fuseboard/pipeline/candidates.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/route/eligibility.h"

namespace fuseboard::engine {

enum class Phase : std::uint8_t {
  asking_cache,
  choosing,     // the next target to ask
  backing_off,  // before another try on the current target
  queued,       // for a target that lets nobody in now
  in_flight,    // at least one attempt is
  decided,      // how it ends is known, but next() has not said so yet
  ended,
};

// A place in a target's queue.
struct QueuePlace {
  std::uint32_t target;
  WaitTicket ticket;
  WaitReason reason;
  TimePoint since;
  TimePoint until;  // when it gives up
};

// Why nothing was sent, and for how long that will be so.
struct Obstacle {
  std::uint32_t target = 0;
  RejectionReason reason = RejectionReason::not_eligible;
  std::optional<Duration> retry_after{};
  bool none = false;     // the target would let the call in
  bool backoff = false;  // the call itself waits before it asks this target again
};

// Leave by a target's retry budget.
struct RetryGrant {
  std::uint32_t target;
  TimePoint at;
};

struct Backoff {
  TimePoint since{};
  TimePoint until{};
  Duration previous = Duration::zero();  // the last one on this target, for decorrelated jitter
};

struct CallState {
  CallState(TimePoint now, std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng,
            DriverAbilities abilities);

  const std::shared_ptr<const Plan> plan;
  const CallOptions options;
  const DriverAbilities abilities;
  Rng& rng;
  Deadline plan_deadline;
  Deadline deadline;  // the sooner one of the caller's and the plan's

  Phase phase = Phase::asking_cache;
  Candidates candidates;
  AttemptsInFlight in_flight;
  TimePoint store_until{};                  // when the cache's store is given up
  std::optional<RetryGrant> retry_grant{};  // for the coming attempt
  Backoff backoff{};
  Duration pending_wait = Duration::zero();  // before the coming attempt
  std::optional<QueuePlace> queued{};        // in phase `queued`
  std::optional<TimePoint> hedge_at{};
  std::optional<Obstacle> obstacle{};  // the one that passes soonest
  std::optional<Ending> ending{};      // from phase `decided` on

  bool committed = false;             // content has reached the caller
  bool wait_did_not_fit = false;      // the deadline is what kept a target from another try
  bool asked_unknown_window = false;  // after a context that was too long elsewhere
  CallRecord record{};

  const PlanOptions& plan_options() const noexcept { return plan->options(); }
  const Target& target(std::uint32_t target) const noexcept { return plan->targets()[target]; }
  TargetState& state(std::uint32_t target) const noexcept { return *this->target(target).state; }
  TargetPatience& patience(std::uint32_t target) const noexcept { return state(target).patience(); }
  AnswerKind kind() const noexcept { return options.streaming ? AnswerKind::stream : AnswerKind::plain; }

  bool over() const noexcept { return phase >= Phase::decided; }
  void decide(Ending how) noexcept {
    ending = how;
    phase = Phase::decided;
  }

  bool attempts_left() const noexcept;
  bool can_take(std::uint32_t target) const noexcept;
  // Whether the call could go elsewhere at all.
  bool another_is_eligible(std::uint32_t target) const noexcept;
  // Whether one of these others could be asked now, after `failed` has failed. Takes nothing, no probe either.
  bool another_target_left(TimePoint now, TargetSet among, const Failure& failure, std::uint32_t failed) const;
  EligibilityOptions eligibility_options() const noexcept;
  AdmissionRequest admission_request(TimePoint now, std::uint32_t target) const noexcept;

  void note_rejection(std::uint32_t target, const AdmissionRejection& why);
  void note_wait(TimePoint now, std::uint32_t target, WaitReason reason, TimePoint began);
  // By the target's retry budget; whether it may.
  bool take_retry(TimePoint now, std::uint32_t target);
  // A retry that was granted is not sent after all.
  void return_retry();
  void begin_backoff(TimePoint now, std::uint32_t target, Duration delay);
  // On to the next candidate.
  void leave_target() noexcept;
};

}  // namespace fuseboard::engine
