// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any sequence of steps, reports, contents, recoveries, cancellations, pauses and hedges, over targets with and without
// limits, some of which cannot take the call: the engine never loses a permit, never sends more than its cap, never
// waits past its deadline and always comes to an end.

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
  options.strategy = static_cast<Strategy>(choices.below(3));
  options.max_recovery_wait = milliseconds(choices.byte() * 20);
  if ((choices.byte() & 1U) != 0) options.hedge = HedgeOptions{.after = milliseconds(1 + choices.byte() * 4)};
  if ((choices.byte() & 1U) != 0) options.fallback_on = {Category::content_policy};
  options.patience.enabled = (choices.byte() & 1U) != 0;
  if ((choices.byte() & 1U) != 0) options.patience.fixed = milliseconds(1 + choices.byte() * 10);
  options.retry_after_stay = milliseconds(choices.byte() * 20);
  return options;
}

TargetStateOptions state_options(Choices& choices) {
  TargetStateOptions options;
  if ((choices.byte() & 1U) != 0) options.limits.requests_per_minute = 60.0 * (1 + choices.byte());
  if ((choices.byte() & 1U) != 0) options.limits.concurrency = 1 + choices.below(3);
  if ((choices.byte() & 1U) != 0) options.adaptive_rate = AdaptiveLimiterOptions{};
  if ((choices.byte() & 1U) != 0) options.adaptive_concurrency = AdaptiveBulkheadOptions{.initial_limit = 1};
  options.retry_budget = {.ratio = 0.1 * choices.below(10), .min_per_second = choices.below(3)};
  options.queue = {.capacity = 1 + choices.below(4), .max_wait = milliseconds(choices.byte() * 20)};
  return options;
}

AttemptReport any_report(Choices& choices) {
  AttemptReport report;
  report.answered = (choices.byte() & 1U) != 0;
  report.may_have_run = (choices.byte() & 1U) != 0;
  report.silent = (choices.byte() & 1U) != 0;
  if ((choices.byte() & 1U) != 0) report.recovery = StreamRecovery{.prefer = choices.byte()};
  report.unusable = (choices.byte() & 3U) == 0;
  const std::uint32_t what = choices.below(kCategoryCount + 3);
  if (what >= kCategoryCount) return report;
  Failure failure = Failure::of(static_cast<Category>(what));
  if ((choices.byte() & 1U) != 0) failure.retry_after = milliseconds(choices.byte() * 50);
  failure.evidence = static_cast<Evidence>(choices.below(3));
  report.outcome = Outcome::failed(failure);
  return report;
}

class NobodyWakes final : public Waker {
 public:
  void wake() noexcept override {}
};

class Allowed final : public Eligibility {
 public:
  explicit Allowed(std::uint8_t targets) : targets_(targets) {}
  bool can_take(std::uint32_t target) noexcept override { return ((targets_ >> target) & 1U) != 0; }

 private:
  const std::uint8_t targets_;
};

// One call and its attempts in flight, of which there are at most kMaxConcurrentAttempts.
class Call {
 public:
  Call(const std::shared_ptr<const Plan>& plan, const CallOptions& options, ManualClock& clock, Rng& rng, bool hedges)
      : clock_(clock),
        eligibility_(options.eligibility),
        cap_(plan->options().max_total_attempts),
        execution_(clock.now(), plan, options, rng, {.waker = std::make_shared<NobodyWakes>(), .hedges = hedges}) {}

  // False: the call is over, or its driver has died.
  bool step(Choices& choices) {
    const Step step = execution_.next(clock_.now());
    forget_ended();
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      begin(*attempt);
      return (choices.byte() & 31U) != 31U;  // the driver dies: the permit must come back by itself
    }
    if (std::holds_alternative<Finished>(step)) {
      end(std::get<Finished>(step));
      return false;
    }
    const auto* wait = std::get_if<WaitUntil>(&step);
    check_invariant(wait != nullptr || !in_flight_.empty(), "nothing to wait for");
    if (!in_flight_.empty() && (wait == nullptr || (choices.byte() & 1U) != 0)) {
      meet(choices);
    } else {
      check_invariant(wait->time <= execution_.deadline().time(), "a wait past the deadline");
      clock_.advance_to(wait->time);
      if ((choices.byte() & 15U) == 0) execution_.cancel(clock_.now());
    }
    return true;
  }

 private:
  void begin(const Attempt& attempt) {
    check_invariant(cap_ == 0 || attempt.number <= cap_, "more attempts than the cap");
    check_invariant(!execution_.deadline().passed(clock_.now()), "an attempt after the deadline");
    check_invariant(attempt.recovery == execution_.committed(), "content is delivered once, or mended");
    check_invariant(!attempt.recovery || recoverable_, "a recovery that nobody has offered");
    check_invariant(eligibility_ == nullptr || eligibility_->can_take(attempt.target), "it cannot take the call");
    check_invariant(!attempt.recovery || in_flight_.empty(), "two attempts that mend one answer");
    in_flight_.push_back(attempt.number);
    check_invariant(in_flight_.size() <= kMaxConcurrentAttempts, "more than kMaxConcurrentAttempts attempts at once");
  }

  // An attempt in flight ends in one of the ways there are.
  void meet(Choices& choices) {
    clock_.advance(milliseconds(choices.byte() * 40));
    const std::uint32_t attempt = in_flight_[choices.below(static_cast<std::uint32_t>(in_flight_.size()))];
    if ((choices.byte() & 1U) == 0) execution_.first_content(clock_.now(), attempt);
    if ((choices.byte() & 15U) == 0) {
      execution_.cancel(clock_.now());
    } else {
      const AttemptReport report = any_report(choices);
      recoverable_ = report.recovery.has_value();
      execution_.report(clock_.now(), attempt, report);
    }
    forget_ended();
  }

  // The engine ends attempts by itself, too: where another has answered, or half of the deadline is over.
  void forget_ended() {
    std::erase_if(in_flight_, [&](std::uint32_t number) { return !execution_.in_flight(number); });
  }

  void end(Finished finished) {
    const CallRecord& record = execution_.record();
    check_invariant(finished.ending == record.ending, "two endings");
    check_invariant(record.ending != Ending::success || record.served_by.has_value(), "a success that nobody served");
    check_invariant(!execution_.attempt_in_flight(), "an attempt outlives its call");
    const bool may_follow_content =
        record.ending == Ending::success || record.ending == Ending::cancelled || record.ending == Ending::interrupted;
    check_invariant(!execution_.committed() || may_follow_content, "content was delivered");
    check_invariant(std::holds_alternative<Finished>(execution_.next(clock_.now())), "life after the end");
  }

  ManualClock& clock_;
  Eligibility* const eligibility_;
  const std::uint32_t cap_;
  Execution execution_;
  std::vector<std::uint32_t> in_flight_;
  bool recoverable_ = false;  // so the last report says
};

void run_call(const std::shared_ptr<const Plan>& plan, ManualClock& clock, Rng& rng, Choices& choices) {
  CallOptions options{.streaming = (choices.byte() & 1U) != 0, .idempotent = (choices.byte() & 1U) != 0};
  if ((choices.byte() & 1U) != 0) options.deadline = Deadline::after(clock.now(), milliseconds(choices.byte() * 20));
  options.priority = static_cast<Priority>(choices.below(kPriorityCount));
  Allowed allowed(choices.byte());
  if ((choices.byte() & 3U) == 0) options.eligibility = &allowed;
  Call call(plan, options, clock, rng, (choices.byte() & 1U) != 0);
  // Far more steps than any call takes: one that goes on and on is a finding.
  for (int steps = 0; call.step(choices); ++steps) check_invariant(steps < 5000, "a call without an end");
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
    targets.push_back({.name = name,
                       .state = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)},
                                                              state_options(choices), name, nullptr, 1),
                       .traits = {.credential = choices.below(3), .context_window = choices.byte()}});
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
