// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace fuseboard {
namespace {

constexpr unsigned kTickBits = 22;

constexpr std::uint32_t tick_of(TimePoint t) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(t.time_since_epoch().count()) >> kTickBits);
}

// Ticks go round. What seems to be nearly a whole round ahead is behind: a clock reading up to 2.4 h old, no time.
constexpr std::uint32_t ticks_between(std::uint32_t from, std::uint32_t to) noexcept {
  constexpr std::uint32_t kBehind = std::uint32_t{1} << 21;
  const std::uint32_t ticks = to - from;
  return ticks > ~kBehind ? 0 : ticks;
}

// The target itself could not serve, beyond the breaker's evidence: whoever asks it next will wait in vain as well.
constexpr CategorySet kCouldNotServe = {Category::rate_limit,      Category::circuit_open,
                                        Category::authentication,  Category::permission_denied,
                                        Category::model_not_found, Category::quota_exhausted};

bool could_not_serve(const Failure& failure) noexcept {
  if (failure.evidence == Evidence::counts) return true;
  if (failure.evidence == Evidence::does_not_count) return false;
  return kTrippingCategories.contains(failure.category) || kCouldNotServe.contains(failure.category);
}

// Above the load of every known target, and finite, so that it can be multiplied.
constexpr double kUnknownLoad = 1e50;

}  // namespace

Problems LatencyEstimateOptions::validate() const {
  Validator validator;
  validator.in_range("decay", decay, std::chrono::milliseconds(100), std::chrono::hours(1));
  validator.in_range("failure_penalty", failure_penalty, Duration::zero(), std::chrono::hours(1));
  return std::move(validator).take();
}

LatencyEstimate::LatencyEstimate(const LatencyEstimateOptions& options)
    : decay_ticks_(static_cast<double>(checked(options).decay.count()) / (std::uint64_t{1} << kTickBits)),
      penalty_(static_cast<double>(options.failure_penalty.count())) {}

LatencySpan LatencyEstimate::begin() noexcept { return LatencySpan(*this); }

std::uint64_t LatencyEstimate::pack(Sample sample) noexcept {
  const float least = std::numeric_limits<float>::min();
  const float value = std::max(static_cast<float>(sample.nanoseconds), least);
  return (std::uint64_t{std::bit_cast<std::uint32_t>(value)} << 32) | sample.tick;
}

LatencyEstimate::Sample LatencyEstimate::unpack(std::uint64_t word) noexcept {
  return {.nanoseconds = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(word >> 32))),
          .tick = static_cast<std::uint32_t>(word)};
}

void LatencyEstimate::observe(TimePoint now, const Outcome& outcome) noexcept {
  double nanoseconds = std::max(static_cast<double>(outcome.latency.count()), 0.0);
  const bool failed = !outcome.ok() && could_not_serve(*outcome.failure);
  if (failed) nanoseconds = std::max(nanoseconds, penalty_);
  add(now, nanoseconds, outcome.ok() || failed);
}

double LatencyEstimate::share_left(Sample sample, std::uint32_t tick) const noexcept {
  const std::uint32_t ticks = ticks_between(sample.tick, tick);
  return ticks == 0 ? 1.0 : std::exp(-static_cast<double>(ticks) / decay_ticks_);
}

void LatencyEstimate::add(TimePoint now, double nanoseconds, bool may_lower) noexcept {
  const std::uint32_t tick = tick_of(now);
  std::uint64_t known = word_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    Sample sample{.nanoseconds = nanoseconds, .tick = tick};
    if (known != 0) {
      const Sample old = unpack(known);
      const double share = share_left(old, tick);
      if (!may_lower && nanoseconds <= old.nanoseconds * share) return;
      // The new sample fills in what the past has lost by fading.
      if (may_lower && nanoseconds < old.nanoseconds)
        sample.nanoseconds = old.nanoseconds * share + nanoseconds * (1.0 - share);
      if (ticks_between(old.tick, tick) == 0) sample.tick = old.tick;
    }
    next = pack(sample);
  } while (next != known && !word_.compare_exchange_weak(known, next, std::memory_order_relaxed));
}

std::optional<double> LatencyEstimate::nanoseconds(TimePoint now) const noexcept {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (word == 0) return std::nullopt;
  const Sample sample = unpack(word);
  return sample.nanoseconds * share_left(sample, tick_of(now));
}

std::optional<Duration> LatencyEstimate::estimate(TimePoint now) const noexcept {
  const std::optional<double> known = nanoseconds(now);
  if (!known) return std::nullopt;
  return saturating_scale(Duration(1), *known);
}

double LatencyEstimate::load(TimePoint now) const noexcept {
  const double in_flight = in_flight_.load(std::memory_order_relaxed);
  const std::optional<double> known = nanoseconds(now);
  return known ? *known * (in_flight + 1.0) : in_flight * kUnknownLoad;
}

}  // namespace fuseboard
