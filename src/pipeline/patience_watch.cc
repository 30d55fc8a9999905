// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/patience_watch.h"

#include <algorithm>

#include "pipeline/silent_target.h"

namespace fuseboard::engine {
namespace {

// How long an attempt goes before anybody asks about patience: most have answered by then.
constexpr Duration kFirstLook = std::chrono::seconds(1);
// How often a silent attempt is looked at: its circuit may have opened, company may have become possible.
constexpr Duration kLookAgain = std::chrono::seconds(1);

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

}  // namespace fuseboard::engine
