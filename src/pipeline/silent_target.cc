// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/silent_target.h"

#include <utility>

namespace fuseboard::engine {

void judge_silence(TimePoint now, CallState& call, AttemptState& attempt) {
  const std::uint32_t target = attempt.record.target;
  TargetPatience& patience = call.patience(target);
  const Duration needed = patience.silence_needed(now, call.kind());
  if (elapsed(attempt.record.started, now) < needed) return;
  if (!attempt.counted) return count_for_silence(now, call, attempt);
  if (patience.silence().silent()) return;
  const BreakerHandle& breaker = call.state(target).breaker();
  const bool is_silent = patience.silence().judge(now, {.threshold = breaker.silent_after(), .at_least = needed});
  if (is_silent && breaker.open_silent()) patience.silence().mark_silent(now);
}

void count_for_silence(TimePoint now, CallState& call, AttemptState& attempt) {
  if (std::exchange(attempt.counted, true)) return;
  const std::uint32_t target = attempt.record.target;
  TargetPatience& patience = call.patience(target);
  SilenceWatch& silence = patience.silence();
  const BreakerHandle& breaker = call.state(target).breaker();
  if (silence.silent() && breaker.state() == CircuitState::closed) silence.forget();  // an operator closed it
  const SilenceRule rule{.threshold = breaker.silent_after(), .at_least = patience.silence_needed(now, call.kind())};
  const bool is_silent = silence.outlasted(now, attempt.record.started, rule);
  if (is_silent && !silence.silent() && breaker.open_silent()) silence.mark_silent(now);
}

bool hung_alone(const CallState& call, const AttemptState& attempt, const AttemptReport& report) {
  const AttemptRecord& record = attempt.record;
  const bool timed_out = report.outcome.failure && report.outcome.failure->category == Category::timeout;
  return timed_out && report.silent && !record.probe && !attempt.has_shown_something() &&
         call.patience(record.target).silence().answered_since(record.started);
}

}  // namespace fuseboard::engine
