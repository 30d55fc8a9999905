// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/adaptive_rate.h"

#include <algorithm>
#include <cmath>

#include "fuseboard/limit/token_bucket.h"
#include "limit/believed.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// How the probe quickens past the rate last throttled: after one probe time it is 1.20 times that rate, after two 1.70,
// after three 2.45. A quota that doubled is so found within some minutes.
constexpr double kProbeLinear = 0.05;
constexpr double kProbeQuadratic = 0.15;
// However long the target was shut, the rate to return to is not cut further at once.
constexpr double kMinOpenShare = 0.05;
// A probe costs a refusal when it ends, so it spans this many calls at least: where calls are few, it is slower.
constexpr double kCallsPerProbe = 150.0;

double ratio(Duration part, Duration whole) noexcept {
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

double AdaptiveRateOptions::least() const noexcept {
  return rate_min.value_or(std::clamp(0.2, rate / 200.0, rate / 4.0));
}

Problems AdaptiveRateOptions::validate() const {
  Validator validator;
  validator.in_range("rate", rate, kMinRate, kMaxTokens);
  if (rate_min) validator.in_range("rate_min", *rate_min, kMinRate, std::max(kMinRate, rate));
  validator.in_range("decrease", decrease, 0.1, 0.95);
  validator.in_range("throttle_window", throttle_window, 1ms, 1h);
  validator.in_range("quick_return_to", quick_return_to, 0.5, 1.0);
  validator.in_range("quick_return_time", quick_return_time, 1ms, 1h);
  validator.in_range("probe_time", probe_time, 1s, 24h);
  return std::move(validator).take();
}

AdaptiveRate::AdaptiveRate(const AdaptiveRateOptions& options) : options_(checked(options)) {}

double AdaptiveRate::rate(TimePoint now) const noexcept {
  if (!throttled_) return options_.rate;
  const double low = std::max(low_, options_.least());
  double rate = low;
  if (returning_since_) {
    const Duration since = elapsed(*returning_since_, now);
    const double returned = std::max(low, options_.quick_return_to * ceiling_);
    if (since < options_.quick_return_time) {
      // Steep at first, flat towards the known limit.
      const double left = 1.0 - ratio(since, options_.quick_return_time);
      rate = returned - (returned - low) * left * left * left;
    } else {
      const Duration probe_time = std::max(options_.probe_time, saturating_scale(1s, kCallsPerProbe / ceiling_));
      const double probed = ratio(since - options_.quick_return_time, probe_time);
      if (probed <= 1.0) {
        rate = returned + (std::max(ceiling_, returned) - returned) * probed;
      } else {
        const double beyond = probed - 1.0;
        rate = std::max(ceiling_, returned) * (1.0 + kProbeLinear * beyond + kProbeQuadratic * beyond * beyond);
      }
    }
  }
  return std::clamp(rate, options_.least(), options_.rate);
}

bool AdaptiveRate::on_throttled(TimePoint now) noexcept {
  const bool decreases = !throttled_ || elapsed(last_decrease_, now) >= options_.throttle_window;
  if (!closed_) {
    closed_ = Closed{.since = now, .open_before = open_since_ ? elapsed(*open_since_, now) : Duration::zero()};
  }
  // In a run of refusals the rate that brought it on is the one to return to, not those it was lowered to since.
  const bool first_of_run = !throttled_ || returning_since_.has_value();
  const double before = rate(now);
  if (decreases) {
    if (first_of_run) ceiling_ = before;
    low_ = before * options_.decrease;
    last_decrease_ = now;
    throttled_ = true;
  }
  // A refusal within the window lowers nothing further, but ends the return: the rate is what the last decrease made
  // it.
  returning_since_.reset();
  last_throttled_ = std::max(last_throttled_, now);
  return decreases;
}

void AdaptiveRate::on_success(TimePoint now, TimePoint sent) noexcept {
  if (!throttled_ || returning_since_) {
    if (!open_since_) open_since_ = now;
    return;
  }
  if (sent < last_throttled_) return;
  if (closed_) {
    // Up to the last refusal: after it nobody asked.
    const Duration shut = elapsed(closed_->since, last_throttled_);
    if (closed_->open_before > Duration::zero() && shut > options_.throttle_window) {
      const Duration whole = saturating_add(shut, closed_->open_before);
      ceiling_ = std::max(options_.least(), ceiling_ * std::max(kMinOpenShare, ratio(closed_->open_before, whole)));
      open_since_ = now;
    }
    closed_.reset();
  }
  if (!open_since_) open_since_ = now;
  returning_since_ = now;
}

void AdaptiveRate::apply(TimePoint now, const AdaptiveRateOptions& options) {
  throw_if_invalid(options.validate());
  const bool other_way = options.quick_return_to != options_.quick_return_to ||
                         options.quick_return_time != options_.quick_return_time ||
                         options.probe_time != options_.probe_time;
  // On another way back it would be elsewhere by now, so it begins that way here.
  if (returning_since_ && other_way) {
    low_ = rate(now);
    returning_since_ = now;
  }
  options_ = options;
}

std::optional<SavedAdaptiveRate> AdaptiveRate::save(TimePoint now) const noexcept {
  if (!throttled_ || rate(now) >= options_.rate) return std::nullopt;
  SavedAdaptiveRate saved{.low = low_, .ceiling = ceiling_};
  if (returning_since_) saved.returning_for = elapsed(*returning_since_, now);
  return saved;
}

void AdaptiveRate::restore(TimePoint now, const SavedAdaptiveRate& saved) noexcept {
  // No return is believed to have taken longer; by then it is over.
  constexpr Duration kLongestReturn = 24h * 365;
  if (throttled_) return;
  throttled_ = true;
  low_ = believed(saved.low, options_.least(), options_.rate);
  ceiling_ = believed(saved.ceiling, options_.least(), options_.rate);
  last_decrease_ = TimePoint::min();
  last_throttled_ = now;
  if (saved.returning_for) returning_since_ = saturating_add(now, -believed(*saved.returning_for, kLongestReturn));
}

}  // namespace fuseboard
