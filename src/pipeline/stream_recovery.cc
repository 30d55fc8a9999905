// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/stream_recovery.h"

#include "pipeline/after_failure.h"

namespace fuseboard::engine {

void decide_after_break(TimePoint now, CallState& call, const AttemptRecord& attempt, const AttemptReport& report) {
  if (!report.recovery) return call.decide(Ending::interrupted);
  // While the answer flowed, the plan's time stood still.
  if (attempt.first_content && !attempt.unusable) {
    const Duration flowed = elapsed(saturating_add(attempt.started, *attempt.first_content), now);
    call.plan_deadline = Deadline::at(saturating_add(call.plan_deadline.time(), flowed));
    call.deadline = Deadline::sooner(call.options.deadline, call.plan_deadline);
  }
  call.candidates.prefer(call.record.candidates, report.recovery->prefer, attempt.target);
  decide_after_failure(now, call, attempt, report);
}

bool leave_to_fresh_target(TimePoint now, const CallState& call, const Failure& failure, std::uint32_t target) {
  const TargetSet preferred = call.candidates.preferred();
  const TargetSet among = contains(preferred, target) ? preferred : kAllTargets;
  return call.committed && call.another_target_left(now, among & call.candidates.untried(), failure, target);
}

AttemptReport as_unusable(AttemptReport report) noexcept {
  report.outcome =
      Outcome::failed({.category = Category::cancelled, .fallback = true, .evidence = Evidence::does_not_count});
  return report;
}

}  // namespace fuseboard::engine
