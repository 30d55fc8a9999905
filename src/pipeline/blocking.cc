// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/blocking.h"

#include <pthread.h>

#include <new>

#include "fuseboard/core/cancelled.h"

namespace fuseboard {

namespace {

// A child of fork() draws numbers of its own: many of them that draw the same would retry all at once.
Rng& process_rng() {
  static Rng rng(Rng::random_seed());
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ::new (&rng) Rng(Rng::random_seed()); });
  (void)registered;
  return rng;
}

}  // namespace

Environment Environment::process() {
  return {.clock = SteadyClock::instance(), .rng = process_rng(), .waiter = ThreadWaiter::instance()};
}

namespace pipeline_internal {

CallError error_of(const CallRecord& record) {
  CallError error{.ending = record.ending};
  if (const AttemptRecord* const primary = record.primary()) error.failure = primary->failure;
  return error;
}

bool may_ask_several(const Plan& plan, const CallOptions& options) noexcept {
  if (!options.idempotent || plan.targets().size() < 2) return false;
  return plan.options().hedge.has_value() || plan.options().patience.enabled;
}

AttemptReport report_of(const AttemptFailure& failure) noexcept {
  return {.outcome = Outcome::failed(failure.failure),
          .answered = failure.answered,
          .connected = failure.connected,
          .may_have_run = failure.may_have_run,
          .silent = failure.silent,
          .usage = failure.usage,
          .seen_output = failure.seen_output,
          .window = failure.window};
}

AttemptReport report_of(const Failure& failure) noexcept { return AttemptReport::failed(failure); }

void settle_thrown(Execution& execution, std::uint32_t attempt, const Clock& clock, bool stop_requested) {
  if (!execution.in_flight(attempt)) return;
  const TimePoint now = clock.now();
  if (!stop_requested && !is_handling_cancellation()) {
    Failure failure = Failure::of(Category::execution_error);
    failure.evidence = Evidence::counts;
    execution.report(now, attempt, {.outcome = Outcome::failed(failure)});
  }
  execution.cancel(now);      // unless that has ended it
  (void)execution.next(now);  // so that its observer hears of it
}

}  // namespace pipeline_internal
}  // namespace fuseboard
