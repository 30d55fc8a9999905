// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The decision engine: what a call does next. No I/O, no threads, no sleeping [PIP-4].
//
// A driver asks next() and does as it is told: send an Attempt and report() its end, wait until a time, or stop. The
// engine holds the permits and settles each exactly once; destroying it at any point gives back what it holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/deadline.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard {

struct CallOptions {
  bool streaming = false;  // the answer arrives in pieces; the driver calls first_content()
  bool idempotent = true;  // false: retried only when it provably did not run [RTY-7]
  Deadline deadline{};     // the caller's own; the plan's overall_deadline holds beside it
};

// Send one attempt. The points in time are absolute, already cut to the call's deadline.
struct Attempt {
  std::uint32_t number = 0;  // 1 is the first of the call
  std::uint32_t target = 0;  // index into plan().targets()
  TimePoint connect_by{};
  TimePoint headers_by{};  // plain calls: the same as total_by
  TimePoint first_content_by{};
  TimePoint total_by{};  // plain calls: cut to the deadline; streams: once content flows, only this and idle hold
  Duration idle{};       // longest silence between events after the first content
};

struct WaitUntil {
  TimePoint time{};
};

struct Finished {
  Ending ending = Ending::success;
};

using Step = std::variant<Attempt, WaitUntil, Finished>;

// How an attempt ended, as its driver saw it.
struct AttemptReport {
  Outcome outcome{};
  bool answered = false;     // an answer of the target was read, good or bad
  bool may_have_run = true;  // false: refused connection, rejected before it was handled
  bool silent = false;       // it ended by a silence: no head, no first content, or idle
};

// Not thread-safe: one driver at a time. About 3 KiB; allocates nothing. Times passed to one Execution must not go
// backwards.
class Execution {
 public:
  Execution(std::shared_ptr<const Plan> plan, CallOptions options, Rng& rng, TimePoint now);
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // The next step. Not while an attempt is in flight. A WaitUntil may be asked about again early; it stands until its
  // time.
  Step next(TimePoint now);

  // The attempt in flight has produced its first content: the answer is committed to this target, and a half-open probe
  // succeeds here [BRK-8]. Does nothing the second time.
  void first_content(TimePoint now);

  // Ends the attempt in flight.
  void report(const AttemptReport& report, TimePoint now);

  // The caller is gone. An attempt in flight ends neutral; next() says Finished from now on [STR-6].
  void cancel(TimePoint now);

  bool attempt_in_flight() const noexcept { return permit_.has_value(); }
  bool committed() const noexcept { return committed_; }
  Deadline deadline() const noexcept { return deadline_; }
  const Plan& plan() const noexcept { return *plan_; }

  // Complete once next() has said Finished.
  const CallRecord& record() const noexcept { return record_; }

 private:
  Step finish(Ending ending, TimePoint now);
  Step finish_without_target(TimePoint now);
  Step start_attempt(BreakerPermit permit, TimePoint now);
  bool was_hurried(const AttemptRecord& attempt, TimePoint now) const noexcept;
  void decide_after_failure(const AttemptReport& report, TimePoint now);
  bool retry_same_target(const Failure& failure, bool silent, TimePoint now);
  void move_to_next_target() noexcept;
  bool another_target_left() const noexcept { return target_ + 1 < plan_->targets().size(); }
  bool attempts_left() const noexcept;
  Duration probe_lease(TimePoint now) const noexcept;
  const Target& current() const noexcept { return plan_->targets()[target_]; }

  std::shared_ptr<const Plan> plan_;
  CallOptions options_;
  Rng& rng_;
  Deadline deadline_;

  std::size_t target_ = 0;
  std::uint32_t attempts_on_target_ = 0;
  Duration pending_wait_ = Duration::zero();   // before the coming attempt
  Duration previous_wait_ = Duration::zero();  // the last one on this target, for decorrelated jitter
  std::optional<TimePoint> wait_until_;
  std::optional<Ending> ending_;
  bool ended_ = false;
  bool committed_ = false;
  std::optional<BreakerPermit> permit_;
  CallRecord record_;
};

}  // namespace fuseboard
