// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any sequence of steps, reports, contents, cancellations and pauses: the engine never loses a permit, never sends more
// than its cap, never waits past its deadline and always comes to an end.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/check.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/pipeline/execution.h"

namespace {

using namespace fuseboard;
using std::chrono::milliseconds;

// Reads the fuzzer's bytes as choices; zeros when they are used up.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool any() const { return left_ > 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::uint32_t below(std::uint32_t bound) { return byte() % bound; }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

PlanOptions plan_options(Choices& choices) {
  PlanOptions options;
  options.retry.max_attempts = 1 + choices.below(6);
  options.retry.base = milliseconds(choices.byte());
  options.retry.max = std::max<Duration>(options.retry.base, milliseconds(choices.byte() * 100));
  options.retry.jitter = static_cast<Jitter>(choices.below(4));
  options.overall_deadline = milliseconds(1 + choices.byte() * 100);
  options.max_total_attempts = choices.below(10);
  return options;
}

AttemptReport any_report(Choices& choices) {
  AttemptReport report;
  report.answered = (choices.byte() & 1U) != 0;
  report.may_have_run = (choices.byte() & 1U) != 0;
  report.silent = (choices.byte() & 1U) != 0;
  const std::uint32_t what = choices.below(kCategoryCount + 3);
  if (what >= kCategoryCount) return report;
  Failure failure = Failure::of(static_cast<Category>(what));
  if ((choices.byte() & 1U) != 0) failure.retry_after = milliseconds(choices.byte() * 50);
  failure.evidence = static_cast<Evidence>(choices.below(3));
  report.outcome = Outcome::failed(failure);
  return report;
}

// Ends the attempt in flight in one of the ways there are.
void meet(Execution& execution, std::uint32_t attempt, ManualClock& clock, Choices& choices) {
  clock.advance(milliseconds(choices.byte() * 40));
  if ((choices.byte() & 3U) == 0) execution.first_content(attempt, clock.now());
  if ((choices.byte() & 15U) == 0) {
    execution.cancel(clock.now());
  } else {
    execution.report(attempt, any_report(choices), clock.now());
  }
}

void run_call(const std::shared_ptr<const Plan>& plan, ManualClock& clock, Rng& rng, Choices& choices) {
  CallOptions options{.streaming = (choices.byte() & 1U) != 0, .idempotent = (choices.byte() & 1U) != 0};
  if ((choices.byte() & 1U) != 0) options.deadline = Deadline::after(clock.now(), milliseconds(choices.byte() * 20));
  Execution execution(plan, options, rng, clock.now());
  const std::uint32_t cap = plan->options().max_total_attempts;
  for (;;) {
    const Step step = execution.next(clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      check_invariant(cap == 0 || attempt->number <= cap, "more attempts than the cap");
      check_invariant(!execution.deadline().passed(clock.now()), "an attempt after the deadline");
      check_invariant(!execution.committed(), "an attempt after content was delivered");
      if ((choices.byte() & 31U) == 31U) return;  // the driver dies: the permit must come back by itself
      meet(execution, attempt->number, clock, choices);
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      check_invariant(wait->time < execution.deadline().time(), "a wait past the deadline");
      clock.advance_to(wait->time);
      if ((choices.byte() & 15U) == 0) execution.cancel(clock.now());
    } else {
      const CallRecord& record = execution.record();
      check_invariant(std::get<Finished>(step).ending == record.ending, "two endings");
      check_invariant(record.ending != Ending::success || record.served_by.has_value(), "a success that nobody served");
      check_invariant(std::holds_alternative<Finished>(execution.next(clock.now())), "life after the end");
      return;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, std::min<std::size_t>(size, 4096));
  ManualClock clock;
  Rng rng(choices.byte());
  BreakerOptions breaker = provider_preset();
  breaker.failure_threshold = 1 + choices.below(4);
  breaker.open_time = OpenTime::fixed(milliseconds(1 + choices.byte() * 10));
  BreakerRegistry breakers(breaker, clock, 1);
  std::vector<Target> targets;
  const std::uint32_t count = 1 + choices.below(4);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    targets.push_back({.name = name, .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)})});
  }
  const auto plan = std::make_shared<const Plan>("fuzz", std::move(targets), plan_options(choices));
  do {
    run_call(plan, clock, rng, choices);
  } while (choices.any());
  for (const BreakerSnapshot& snapshot : breakers.snapshot()) {
    check_invariant(snapshot.in_flight == 0, "a permit was lost");
    check_invariant(snapshot.probes_in_flight == 0, "a probe was lost");
  }
  return 0;
}
