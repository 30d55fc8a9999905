// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The decision engine: what a call does next. No I/O, no threads, no sleeping [PIP-4].
//
// A driver asks next() and does as it is told: look into the cache, send an Attempt and report() its end, wait, or
// stop. The engine holds the permits and settles each exactly once; destroying it at any point gives back what it
// holds.
//
// This class goes from phase to phase; what is decided there has a file a rule, see src/pipeline and call_state.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "fuseboard/core/deadline.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/admission.h"
#include "fuseboard/pipeline/call_observers.h"
#include "fuseboard/pipeline/call_options.h"
#include "fuseboard/pipeline/call_state.h"
#include "fuseboard/pipeline/explanation.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard {

// Not thread-safe: one driver at a time. About 10 KiB; allocates nothing of its own. Times passed to one Execution must
// not go backwards.
class Execution {
 public:
  // `observer` may be null and must outlive the execution.
  Execution(TimePoint now, std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng,
            DriverAbilities abilities = {}, CallObserver* observer = nullptr);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // The next step. A WaitUntil may be asked about again early; it stands until its time or until something has changed.
  Step next(TimePoint now);

  // Of an attempt in flight. Each does nothing where the attempt is not in flight any more: it lost against a hedge, or
  // the call was cancelled. The first three say so with false.
  //
  // The target's answer has begun with a success.
  bool accepted(TimePoint now, std::uint32_t attempt);
  // A sign of work: reasoning or a tool call has begun, say, without content yet [STR-3]. A half-open probe succeeds
  // here [BRK-8]; nothing is committed yet.
  bool working(TimePoint now, std::uint32_t attempt);
  // The first content is there: the answer is committed to this target, and a half-open probe succeeds here [BRK-8].
  // Does nothing the second time. An attempt that mends an answer has a first content of its own.
  bool first_content(TimePoint now, std::uint32_t attempt);
  // Its connection had died, and it goes out again over a fresh one.
  void note_resent(std::uint32_t attempt) noexcept;
  // What the attempt has used so far.
  void observe(std::uint32_t attempt, const TokenUsage& usage);
  // Its end.
  void report(TimePoint now, std::uint32_t attempt, const AttemptReport& report);

  // The call is over, whoever else may wait for its answer. Attempts in flight end neutral; next() says Finished.
  void cancel(TimePoint now);
  // The caller is gone [STR-6]. Cancels, unless others wait for this call's answer: then when the last of them leaves
  // [CCH-4].
  void leave(TimePoint now);

  bool in_flight(std::uint32_t attempt) const noexcept { return call_.in_flight.find(attempt) != nullptr; }
  bool attempt_in_flight() const noexcept { return !call_.in_flight.empty(); }
  // Of an attempt in flight: whether working(), or first_content(), has been told.
  bool has_worked(std::uint32_t attempt) const noexcept;
  bool has_first_content(std::uint32_t attempt) const noexcept;
  // Content has reached the caller. The call can then only succeed, be cancelled or be interrupted.
  bool committed() const noexcept { return call_.committed; }
  // The sooner one of the caller's, which stands, and the plan's, which stands still while an answer flows: a stream
  // that breaks off in its second minute can still be mended. It is moved on when the answer breaks off.
  Deadline deadline() const noexcept { return call_.deadline; }
  const Plan& plan() const noexcept { return *call_.plan; }

  // Complete once next() has said Finished; attempts enter it when they end.
  const CallRecord& record() const noexcept { return call_.record; }
  // For drivers that hand the record to observers themselves, when they know what the caller is told.
  void note_caller_result(const CallerResult& told) noexcept;

 private:
  std::optional<Step> ask_cache(TimePoint now);
  Step choose(TimePoint now);
  Step while_in_flight(TimePoint now);
  bool end_halfway(TimePoint now);
  Step finish(TimePoint now, Ending ending);

  engine::CallState call_;
  CallObserver* const observer_;
  TimePoint latest_;   // the latest time that was told
  bool left_ = false;  // the caller is gone, others wait for the answer
};

}  // namespace fuseboard
