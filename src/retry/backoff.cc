// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/backoff.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 4> kJitterNames = {"none", "proportional", "full", "decorrelated"};
constexpr double kProportionalSpread = 0.2;

Duration uniform_between(Duration low, Duration high, Rng& rng) {
  if (high <= low) return low;
  const auto width = static_cast<std::uint64_t>((high - low).count());
  // Both ends count; a width of 2^64 - 1 cannot occur between non-negative durations.
  return low + Duration(static_cast<Duration::rep>(rng.below(width + 1)));
}

}  // namespace

std::string_view name(Jitter jitter) noexcept { return kJitterNames[static_cast<std::size_t>(jitter)]; }

std::optional<Jitter> jitter_from_name(std::string_view name) noexcept {
  const auto found = std::find(kJitterNames.begin(), kJitterNames.end(), name);
  if (found == kJitterNames.end()) return std::nullopt;
  return static_cast<Jitter>(found - kJitterNames.begin());
}

Problems RetryOptions::validate() const {
  using std::chrono::hours;
  Validator validator;
  validator.in_range<std::uint32_t>("max_attempts", max_attempts, 1, 100);
  validator.in_range("base", base, Duration::zero(), hours(1));
  validator.in_range("factor", factor, 1.0, 10.0);
  validator.in_range("max", max, std::max(base, Duration::zero()), hours(24));
  return std::move(validator).take();
}

Duration longest_wait(const RetryOptions& options) noexcept { return std::max(options.max, kLongestHintedWait); }

Duration next_delay(const RetryOptions& options, std::uint32_t retry, Duration previous, std::optional<Duration> hint,
                    Rng& rng) {
  const double exponent = retry > 0 ? static_cast<double>(retry - 1) : 0.0;
  const Duration backoff = std::min(saturating_scale(options.base, std::pow(options.factor, exponent)), options.max);
  Duration delay = backoff;
  switch (options.jitter) {
    case Jitter::none:
      break;
    case Jitter::proportional:
      delay = uniform_between(saturating_scale(backoff, 1.0 - kProportionalSpread),
                              saturating_scale(backoff, 1.0 + kProportionalSpread), rng);
      break;
    case Jitter::full:
      delay = uniform_between(Duration::zero(), backoff, rng);
      break;
    case Jitter::decorrelated:
      delay = uniform_between(options.base, saturating_scale(std::max(previous, options.base), 3.0), rng);
      break;
  }
  delay = std::min(delay, options.max);
  if (options.honor_retry_after && hint && *hint > delay) delay = *hint;
  return delay;
}

}  // namespace fuseboard
