// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/blocking.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace fuseboard {

void ThreadWaiter::wait_until(TimePoint time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  // Only a stop request ends it early; a spurious wake-up waits for the rest.
  while (!stop.stop_requested()) {
    const Duration left = elapsed(clock_.now(), time);
    if (left == Duration::zero()) return;
    // In slices: the library adds the wait to its own clock, where kForever would overflow.
    wake.wait_for(lock, stop, std::min<Duration>(left, std::chrono::hours(1)), [] { return false; });
  }
}

Environment Environment::process() {
  static Rng rng(Rng::random_seed());
  static ThreadWaiter waiter;
  return {.clock = SteadyClock::instance(), .rng = rng, .waiter = waiter};
}

namespace pipeline_internal {

CallError error_of(const CallRecord& record) {
  CallError error{.ending = record.ending};
  for (const AttemptRecord& attempt : record.attempts) {
    if (record.telling_attempt == attempt.number) error.failure = attempt.failure;
  }
  return error;
}

AttemptReport report_of(const AttemptFailure& failure) noexcept {
  return {.outcome = Outcome::failed(failure.failure),
          .answered = failure.answered,
          .may_have_run = failure.may_have_run,
          .silent = failure.silent};
}

AttemptReport report_of(const Failure& failure) noexcept {
  return {.outcome = Outcome::failed(failure), .may_have_run = failure.category != Category::rate_limit};
}

ThrowGuard::~ThrowGuard() {
  if (!execution_.attempt_in_flight()) return;
  execution_.report({.outcome = Outcome::failed(Failure::of(Category::execution_error))}, clock_.now());
}

}  // namespace pipeline_internal
}  // namespace fuseboard
