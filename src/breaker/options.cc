// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/options.h"

#include <algorithm>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShortestOpenTime = 1ms;
constexpr Duration kLongestOpenTime = 24h;
constexpr Duration kLongestStreak = 7 * 24h;
constexpr std::uint32_t kMaxFailures = 1'000'000;
constexpr std::uint32_t kMaxSilentAttempts = 1000;
constexpr std::uint32_t kMaxProbes = 1000;
constexpr std::uint32_t kMaxWindowCalls = 10'000;
constexpr std::uint32_t kMaxFailureTimes = 10'000;
constexpr Duration kLongest = 24h;

void check_rate(Validator& validator, std::string_view field, const std::optional<double>& rate) {
  // The smallest rate that any window can tell from zero.
  if (rate) validator.in_range(field, *rate, 1e-6, 1.0);
}

}  // namespace

Duration OpenTime::grown(Duration base) const noexcept { return std::min(saturating_scale(base, factor), max); }

Duration OpenTime::jittered(Duration base, double unit) const noexcept {
  if (jitter == 0.0) return base;
  return saturating_scale(base, 1.0 + jitter * (2.0 * unit - 1.0));
}

Duration OpenTime::longest() const noexcept { return saturating_scale(factor > 1.0 ? max : initial, 1.0 + jitter); }

Problems OpenTime::validate() const {
  Validator validator;
  validator.in_range("initial", initial, kShortestOpenTime, kLongestOpenTime);
  validator.in_range("factor", factor, 1.0, 100.0);
  validator.in_range("max", max, std::clamp(initial, kShortestOpenTime, kLongestOpenTime), kLongestOpenTime);
  validator.in_range("jitter", jitter, 0.0, 0.9);
  return std::move(validator).take();
}

Problems CallWindow::validate() const {
  Validator validator;
  if (calls != 0 && time != Duration::zero()) {
    validator.add("time", to_text(time), "0s beside `calls`: a window is one of calls or of time");
  } else if (is_time()) {
    validator.in_range("time", time, Duration(1s), kLongest);
    validator.in_range("buckets", buckets, 1U, 100U);
  } else {
    validator.in_range("calls", calls, 1U, kMaxWindowCalls);
  }
  return std::move(validator).take();
}

Problems FailuresWithin::validate() const {
  Validator validator;
  validator.in_range("failures", failures, 1U, kMaxFailureTimes);
  validator.in_range("time", time, Duration(1ms), kLongest);
  return std::move(validator).take();
}

Problems BreakerOptions::validate() const {
  Validator validator;
  validator.in_range("failure_threshold", failure_threshold, has_other_trip_rule() ? 0U : 1U, kMaxFailures);
  if (failure_run_expires_after)
    validator.in_range("failure_run_expires_after", *failure_run_expires_after, Duration(1ms), kLongest);
  if (failures_within) validator.merge("failures_within", failures_within->validate());
  if (silence_threshold) validator.in_range("silence_threshold", *silence_threshold, 0U, kMaxSilentAttempts);
  check_rate(validator, "failure_rate", failure_rate);
  check_rate(validator, "slow_call_rate", slow_call_rate);
  validator.in_range("slow_call_duration", slow_call_duration, Duration(1ns), kLongest);
  // What no rate asks for bounds nothing: a small window beside the default minimum is no problem until then.
  const bool counts_to_a_bound = has_rate_rule() && !window.is_time();
  validator.in_range("minimum_calls", minimum_calls, 1U,
                     counts_to_a_bound ? std::clamp(window.calls, 1U, kMaxWindowCalls) : kMaxFailures);
  validator.merge("window", window.validate());
  if (stuck_call_age) validator.in_range("stuck_call_age", *stuck_call_age, Duration(1ms), kLongest);
  validator.in_range("half_open_max_probes", half_open_max_probes, 1U, kMaxProbes);
  validator.in_range("half_open_successes", half_open_successes, 1U, kMaxProbes);
  check_rate(validator, "half_open_failure_rate", half_open_failure_rate);
  validator.merge("open_time", open_time.validate());
  validator.in_range("retry_after_max", retry_after_max, Duration::zero(), kLongest);
  validator.in_range("probe_lease", probe_lease, kMinProbeLease, kMaxProbeLease);
  if (streak_reset_after)
    validator.in_range("streak_reset_after", *streak_reset_after, Duration::zero(), kLongestStreak);
  return std::move(validator).take();
}

BreakerOptions provider_preset() { return {.failure_threshold = 5, .open_time = OpenTime::fixed(30s)}; }

BreakerOptions tool_preset() { return {.failure_threshold = 7, .open_time = OpenTime::exponential(5s, 2.0, 120s)}; }

BreakerOptions strict_provider_preset() {
  BreakerOptions options = provider_preset();
  options.trips_on = CategorySet::all();
  options.trips_on.erase(Category::cancelled);
  return options;
}

}  // namespace fuseboard
