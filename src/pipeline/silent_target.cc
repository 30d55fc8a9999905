// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/silent_target.h"

#include <algorithm>
#include <utility>

namespace fuseboard::engine {
namespace {

// How long an attempt goes before anybody asks about patience: most have answered by then.
constexpr Duration kFirstLook = std::chrono::seconds(1);
// How often a silent attempt is looked at: its circuit may have opened, company may have become possible.
constexpr Duration kLookAgain = std::chrono::seconds(1);

// An attempt that has waited for longer than the target ever takes counts once; that the silence has lasted long enough
// may show later.
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

}  // namespace

TimePoint watch_patience(TimePoint now, CallState& call, AttemptState& attempt) {
  const std::uint32_t target = attempt.record.target;
  if (!call.another_is_eligible(target)) return kNever;
  const PatienceOptions& options = call.plan_options().patience;
  TargetPatience& patience = call.patience(target);
  const TimePoint started = attempt.record.started;
  const auto patience_ends = [&] {
    return saturating_add(started, patience.waited_for_alone(now, options, call.kind(), attempt.record.probe));
  };
  if (!attempt.alone_until) {
    const TimePoint first_look =
        saturating_add(started, options.fixed ? std::min(*options.fixed, kFirstLook) : kFirstLook);
    if (now < first_look) return first_look;
    attempt.alone_until = patience_ends();
  }
  // What was learned meanwhile may have made it more patient.
  if (!attempt.outlasted && now >= *attempt.alone_until) {
    attempt.alone_until = std::max(*attempt.alone_until, patience_ends());
  }
  judge_silence(now, call, attempt);
  const bool fell_silent = patience.silence().silent() && started < patience.silence().silent_since();
  attempt.outlasted = attempt.outlasted || now >= *attempt.alone_until || fell_silent;
  const TimePoint again = saturating_add(now, kLookAgain);
  return attempt.outlasted ? again : std::min(*attempt.alone_until, again);
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

}  // namespace fuseboard::engine
