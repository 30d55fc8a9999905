// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/execution.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

// How long after its own timeout an attempt may take to report before its probe counts as lost [BRK-8].
constexpr Duration kLeaseGrace = std::chrono::seconds(5);

// Whether another target may be asked. What one provider's safety system refused is not carried to the next one unless
// the plan says so [FBK-2].
bool leads_elsewhere(const Failure& failure, const PlanOptions& options) {
  return failure.fallback &&
         (failure.category != Category::content_policy || options.fallback_on.contains(Category::content_policy));
}

// Neither a retry nor another target can mend it: it is about the request itself.
bool is_decisive(const Failure& failure, const PlanOptions& options) {
  return !failure.retryable && !leads_elsewhere(failure, options);
}

// The error the caller should see: one about the request itself, else the first that a target really answered, else the
// first of all [FBK-4].
std::optional<std::uint32_t> most_telling(const CallRecord& record, const PlanOptions& options) {
  const AttemptRecord* first = nullptr;
  const AttemptRecord* first_answered = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (!attempt.failure) continue;
    if (is_decisive(*attempt.failure, options)) return attempt.number;
    if (first == nullptr) first = &attempt;
    if (first_answered == nullptr && attempt.answered) first_answered = &attempt;
  }
  const AttemptRecord* chosen = first_answered != nullptr ? first_answered : first;
  if (chosen == nullptr) return std::nullopt;
  return chosen->number;
}

// The soonest wait after which one of the refusing targets would be worth asking again.
std::optional<Duration> soonest_recovery(const CallRecord& record) {
  std::optional<Duration> soonest;
  for (const RefusalRecord& refusal : record.refusals) {
    if (refusal.retry_after && (!soonest || *refusal.retry_after < *soonest)) soonest = refusal.retry_after;
  }
  return soonest;
}

}  // namespace

Execution::Execution(std::shared_ptr<const Plan> plan, CallOptions options, Rng& rng, TimePoint now)
    : plan_(std::move(plan)),
      options_(options),
      rng_(rng),
      deadline_(Deadline::sooner(options.deadline, Deadline::after(now, plan_->options().overall_deadline))) {
  record_.started = now;
}

Step Execution::next(TimePoint now) {
  check_invariant(!permit_, "Execution::next() while an attempt is in flight");
  if (ending_) return finish(*ending_, now);
  if (deadline_.passed(now)) return finish(Ending::deadline_exceeded, now);
  if (wait_until_) {
    if (now < *wait_until_) return WaitUntil{*wait_until_};
    wait_until_.reset();
  }
  if (!attempts_left()) return finish(Ending::retries_exhausted, now);

  for (; target_ < plan_->targets().size(); move_to_next_target()) {
    auto admitted = current().breaker.try_acquire(probe_lease(now));
    if (admitted) return start_attempt(std::move(*admitted), now);
    record_.refusals.push_back({.target = static_cast<std::uint32_t>(target_),
                                .reason = admitted.error().reason,
                                .retry_after = admitted.error().retry_after});
  }
  return finish_without_target(now);
}

Step Execution::start_attempt(BreakerPermit permit, TimePoint now) {
  const AttemptTimeouts& timeouts = current().timeouts;
  ++attempts_on_target_;
  ++record_.attempts_sent;
  record_.attempts.push_back({.number = record_.attempts_sent,
                              .target = static_cast<std::uint32_t>(target_),
                              .probe = permit.is_probe(),
                              .waited = std::exchange(pending_wait_, Duration::zero()),
                              .started = now});
  permit_.emplace(std::move(permit));

  // The deadline bounds everything up to the first content; after it a stream has its own limits [RTY-3].
  const auto before_deadline = [&](Duration limit) { return std::min(saturating_add(now, limit), deadline_.time()); };
  Attempt attempt{.number = record_.attempts_sent,
                  .target = static_cast<std::uint32_t>(target_),
                  .connect_by = before_deadline(timeouts.connect),
                  .idle = timeouts.idle};
  if (options_.streaming) {
    attempt.headers_by = before_deadline(timeouts.headers);
    attempt.first_content_by = before_deadline(timeouts.first_content);
    attempt.total_by = saturating_add(now, timeouts.total);
  } else {
    attempt.headers_by = attempt.first_content_by = attempt.total_by = before_deadline(timeouts.total);
  }
  return attempt;
}

void Execution::first_content(TimePoint now) {
  check_invariant(permit_.has_value(), "first_content() without an attempt in flight");
  if (committed_) return;
  committed_ = true;
  AttemptRecord& attempt = record_.attempts.back();
  attempt.first_content = elapsed(attempt.started, now);
  permit_->first_content(*attempt.first_content);
}

// Whether the attempt's time was cut by others than its target: by a caller in a hurry, or by the attempts before it,
// which left less of the overall deadline than the target's own limit. A timeout is no evidence then that the target is
// ill. The first attempt of a call has the whole deadline, so a target that never answers is still found out.
bool Execution::was_hurried(const AttemptRecord& attempt, TimePoint now) const noexcept {
  if (options_.deadline.passed(now)) return true;
  const AttemptTimeouts& timeouts = current().timeouts;
  const Duration limit = options_.streaming ? timeouts.first_content : timeouts.total;
  return attempt.number > 1 && deadline_.passed(now) && elapsed(attempt.started, now) < limit;
}

void Execution::report(const AttemptReport& report, TimePoint now) {
  check_invariant(permit_.has_value(), "report() without an attempt in flight");
  AttemptRecord& attempt = record_.attempts.back();
  attempt.duration = elapsed(attempt.started, now);
  attempt.answered = report.answered;
  attempt.failure = report.outcome.failure;

  Outcome outcome = report.outcome;
  if (outcome.failure && outcome.failure->category == Category::timeout && !committed_ && was_hurried(attempt, now)) {
    outcome.failure->evidence = Evidence::does_not_count;
  }
  outcome.latency = attempt.first_content.value_or(attempt.duration);
  auto permit = std::exchange(permit_, std::nullopt);
  std::move(*permit).settle(outcome);

  if (report.outcome.ok()) {
    record_.served_by = attempt.target;
    ending_ = Ending::success;
  } else if (report.outcome.failure->category == Category::cancelled) {
    ending_ = Ending::cancelled;
  } else if (committed_) {
    record_.served_by = attempt.target;
    ending_ = Ending::interrupted;
  } else {
    decide_after_failure(report, now);
  }
}

void Execution::decide_after_failure(const AttemptReport& report, TimePoint now) {
  const Failure& failure = *report.outcome.failure;
  const bool not_replayable = !options_.idempotent && report.may_have_run;
  if (not_replayable || is_decisive(failure, plan_->options())) {
    ending_ = record_.attempts_sent == 1 ? Ending::failed : Ending::retries_exhausted;
    return;
  }
  if (deadline_.passed(now)) {
    ending_ = Ending::deadline_exceeded;
    return;
  }
  if (!attempts_left()) {
    ending_ = Ending::retries_exhausted;
    return;
  }
  if (failure.retryable && retry_same_target(failure, report.silent, now)) return;
  if (leads_elsewhere(failure, plan_->options()) && another_target_left()) {
    move_to_next_target();
    return;
  }
  const bool unwrapped = record_.attempts_sent == 1 && !failure.retryable;
  ending_ = unwrapped ? Ending::failed : Ending::retries_exhausted;
}

// Whether a wait for another try on this target has begun.
bool Execution::retry_same_target(const Failure& failure, bool silent, TimePoint now) {
  const RetryOptions& retry = plan_->options().retry;
  if (attempts_on_target_ >= retry.max_attempts) return false;
  const bool may_leave = leads_elsewhere(failure, plan_->options()) && another_target_left();
  // A target that has just been silent for a whole timeout would likely be silent again [RTY-7].
  if (silent && may_leave) return false;
  const Duration delay = next_delay(retry, attempts_on_target_, previous_wait_, failure.retry_after, rng_);
  if (!deadline_.fits(now, delay)) return false;
  // Waiting for a circuit that will still be open then is time lost while another target could answer [RTY-4].
  if (const auto refusal = current().breaker.look()) {
    if (may_leave) return false;
    if (!refusal->retry_after || *refusal->retry_after > delay) {
      record_.refusals.push_back({.target = static_cast<std::uint32_t>(target_),
                                  .reason = refusal->reason,
                                  .retry_after = refusal->retry_after});
      return false;
    }
  }
  previous_wait_ = pending_wait_ = delay;
  wait_until_ = saturating_add(now, delay);
  return true;
}

void Execution::move_to_next_target() noexcept {
  ++target_;
  attempts_on_target_ = 0;
  previous_wait_ = pending_wait_ = Duration::zero();
}

void Execution::cancel(TimePoint now) {
  if (permit_) {
    report({.outcome = Outcome::cancelled()}, now);
  } else if (!ending_) {
    ending_ = Ending::cancelled;
  }
}

Step Execution::finish_without_target(TimePoint now) {
  return finish(record_.attempts_sent == 0 ? Ending::circuit_open : Ending::retries_exhausted, now);
}

Step Execution::finish(Ending ending, TimePoint now) {
  if (!ended_) {
    ended_ = true;
    ending_ = ending;
    record_.ending = ending;
    record_.ended = now;
    if (ending != Ending::success) {
      record_.telling_attempt = most_telling(record_, plan_->options());
      record_.retry_after = soonest_recovery(record_);
    }
  }
  return Finished{*ending_};
}

bool Execution::attempts_left() const noexcept {
  const std::uint32_t cap = plan_->options().max_total_attempts;
  return cap == 0 || record_.attempts_sent < cap;
}

Duration Execution::probe_lease(TimePoint now) const noexcept {
  const AttemptTimeouts& timeouts = current().timeouts;
  const Duration limit = options_.streaming ? timeouts.first_content : timeouts.total;
  return saturating_add(std::min(limit, deadline_.remaining(now)), kLeaseGrace);
}

}  // namespace fuseboard
