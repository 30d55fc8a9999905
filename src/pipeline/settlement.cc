// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/settlement.h"

#include <algorithm>
#include <utility>

#include "pipeline/company.h"
#include "pipeline/patience_watch.h"
#include "pipeline/silent_target.h"
#include "pipeline/stream_recovery.h"

namespace fuseboard::engine {
namespace {

bool is_cancelled(const AttemptReport& report) noexcept {
  return report.outcome.failure && report.outcome.failure->category == Category::cancelled;
}

// Whether the target has said anything: a good answer or any error, but no silence.
bool is_answer(const AttemptReport& report) noexcept {
  if (report.outcome.ok() || report.answered) return true;
  return !report.silent && !is_cancelled(report) && report.outcome.failure->category != Category::timeout;
}

// A target that says "cancelled" while its caller waits has failed: what went wrong is its own, so another is asked,
// and nobody knows whether it is ill [FBK-9].
AttemptReport cancelled_by_target(AttemptReport report) noexcept {
  Failure& failure = *report.outcome.failure;
  failure.retryable = false;
  failure.fallback = true;
  failure.evidence = Evidence::does_not_count;
  return report;
}

// The target has answered this attempt, in whatever way: whatever its silence led to is over.
void note_answered(TimePoint now, CallState& call, AttemptState& attempt, bool content) {
  TargetState& state = call.state(attempt.record.target);
  const bool was_silent = state.patience().silence().silent();
  state.patience().answered(now, content);
  if (!was_silent) return;
  attempt.permits.answered();
  state.queue().wake_next(now);
}

// What an attempt's end says of how long its target takes, and of whether it is there at all.
void learn(TimePoint now, CallState& call, AttemptState& attempt, const AttemptReport& report) {
  const AttemptRecord& record = attempt.record;
  TargetPatience& patience = call.patience(record.target);
  if (report.outcome.ok()) {
    const Duration shown = record.first_content.value_or(record.duration);
    patience.succeeded(now, call.kind(), record.first_sign.value_or(shown));
  } else if (record.overtaken) {
    patience.overtaken(now, call.kind(), record.started);
  }
  if (is_answer(report)) return note_answered(now, call, attempt, report.outcome.ok());
  // A limit of its own may end it in the moment in which its patience is over.
  if (may_get_company(call) && !attempt.has_shown_something()) (void)watch_patience(now, call, attempt);
  if (attempt.outlasted && !attempt.has_shown_something() && call.another_is_eligible(record.target)) {
    count_for_silence(now, call, attempt);
  }
}

void settle(TimePoint now, CallState& call, AttemptState& state, const AttemptReport& report) {
  AttemptRecord& attempt = state.record;
  attempt.duration = elapsed(attempt.started, now);
  attempt.answered = report.answered;
  attempt.resent |= report.resent;
  attempt.status = report.status;
  attempt.skipped_events = report.skipped_events;
  attempt.usage = report.usage;
  attempt.failure = report.outcome.failure;
  attempt.unusable = attempt.recovery && report.unusable;
  if (!attempt.unusable && (report.outcome.ok() || attempt.first_content)) call.record.served_by = attempt.target;
  if (attempt.failure && attempt.failure->category == Category::rate_limit) ++call.record.throttled;

  Outcome outcome = report.outcome;
  // Signs of work start its own limits afresh, so that the deadline alone can end it then.
  const TimePoint cut_at = attempt.first_sign ? std::min(state.cut_at, call.deadline.time()) : state.cut_at;
  const bool timed_out = outcome.failure && outcome.failure->category == Category::timeout;
  attempt.cut = timed_out && !attempt.first_content && now >= cut_at;
  if (attempt.cut || hung_alone(call, state, report)) outcome.failure->evidence = Evidence::does_not_count;
  if (attempt.overtaken) state.permits.mark_overtaken();
  learn(now, call, state, report);
  outcome.latency = attempt.first_content.value_or(attempt.duration);
  if (!outcome.ok()) attempt.verdict = call.state(attempt.target).breaker().verdict(outcome);
  attempt.charged = std::move(state.permits).settle(now, report, outcome);
  call.record.attempts.push_back(attempt);
  if (!report.cause.empty() || !report.upstream_request_id.empty()) {
    call.record.notes.push_back({attempt.number, report.cause, report.upstream_request_id});
  }
  call.in_flight.erase(state);
}

void drop(TimePoint now, CallState& call, AttemptState& attempt, Overtaken overtaken) {
  attempt.record.overtaken = overtaken == Overtaken::yes && attempt.outlasted && !attempt.has_shown_something();
  settle(now, call, attempt, {.outcome = Outcome::cancelled()});
}

}  // namespace

Ended settle_report(TimePoint now, CallState& call, AttemptState& attempt, const AttemptReport& report) {
  const bool is_wasted = attempt.record.recovery && report.unusable && report.outcome.ok();
  const bool says_cancelled = is_cancelled(report) && report.answered;
  if (is_wasted) {
    settle(now, call, attempt, as_unusable(report));
  } else {
    settle(now, call, attempt, says_cancelled ? cancelled_by_target(report) : report);
  }
  if (!call.record.attempts.back().failure) return Ended::succeeded;
  return is_cancelled(report) && !says_cancelled && !is_wasted ? Ended::cancelled : Ended::failed;
}

void drop_attempts(TimePoint now, CallState& call, Overtaken overtaken) {
  for (auto& attempt : call.in_flight.slots()) {
    if (attempt) drop(now, call, *attempt, overtaken);
  }
}

void note_sign(TimePoint now, CallState& call, AttemptState& attempt) {
  note_answered(now, call, attempt, true);
  attempt.record.first_sign = elapsed(attempt.record.started, now);
  attempt.permits.first_content(*attempt.record.first_sign);
  call.state(attempt.record.target).queue().wake_next(now);  // a probe may just have closed the circuit
}

void note_first_content(TimePoint now, CallState& call, AttemptState& attempt) {
  note_answered(now, call, attempt, true);
  call.committed = true;
  attempt.record.first_content = elapsed(attempt.record.started, now);
  attempt.permits.first_content(*attempt.record.first_content);
  call.state(attempt.record.target).queue().wake_next(now);  // a probe may just have closed the circuit
  for (auto& other : call.in_flight.slots()) {
    if (other && &*other != &attempt) drop(now, call, *other, Overtaken::yes);
  }
}

}  // namespace fuseboard::engine
