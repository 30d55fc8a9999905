// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/latency_baseline.h"

#include <numbers>

#include "limit/believed.h"

namespace fuseboard {
namespace {

// The share of one call in an exponential average of about `calls`.
constexpr double share_of(double calls) noexcept { return 2.0 / (calls + 1.0); }

constexpr double kRecentCalls = 10.0;
// When calls have become much faster than usual, "usual" is outdated, and forgets faster.
constexpr double kOutdated = 2.0;
constexpr double kForget = 0.95;
// Slower than it thought is what an incident looks like; faster is what none does.
constexpr double kFallsFaster = 6.0;
constexpr Duration kLongestGap = std::chrono::minutes(1);

}  // namespace

void LatencyBaseline::add(TimePoint now, double taken, std::uint32_t window, Duration doubles_in) noexcept {
  const Duration passed = std::min(elapsed(last_, now), kLongestGap);
  last_ = std::max(last_, now);
  const bool is_long_run = samples_ >= kLongRunSamples;
  if (!is_long_run) ++samples_;
  if (samples_ <= kWarmUpSamples) {
    average_ += (taken - average_) / samples_;
    recent_ = long_run_ = average_;
    return;
  }
  average_ += (taken - average_) * share_of(window);
  recent_ += (taken - recent_) * share_of(kRecentCalls);
  if (average_ > kOutdated * recent_) average_ *= kForget;
  if (!is_long_run) {
    long_run_ = average_;
    return;
  }
  // 1 + x is below e^x, so what is bounded for each call is bounded for all together.
  const double octaves = static_cast<double>(passed.count()) / static_cast<double>(doubles_in.count());
  const double step = octaves * std::numbers::ln2;
  long_run_ = std::clamp(average_, long_run_ * std::max(0.0, 1.0 - kFallsFaster * step), long_run_ * (1.0 + step));
}

SavedLatency LatencyBaseline::save() const noexcept {
  return {.usual = saturating_scale(Duration(1), average_),
          .long_run = saturating_scale(Duration(1), long_run_),
          .samples = samples_};
}

void LatencyBaseline::restore(const SavedLatency& saved) noexcept {
  // No call takes longer.
  constexpr Duration kLongestCall = std::chrono::hours(24);
  const Duration usual = believed(saved.usual, kLongestCall);
  if (usual <= Duration::zero()) return;
  const Duration long_run = believed(saved.long_run, kLongestCall);
  average_ = recent_ = static_cast<double>(usual.count());
  // An incident that lasts multiplies what is usual by no more than that.
  constexpr double kMaxRise = 64.0;
  const double least = average_ / kMaxRise;
  long_run_ = long_run > Duration::zero() ? std::max(static_cast<double>(long_run.count()), least) : average_;
  samples_ = std::clamp(saved.samples, 1U, kLongRunSamples);
}

}  // namespace fuseboard
