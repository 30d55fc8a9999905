// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/backoff.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 4> kJitterNames = {"none", "proportional", "full", "decorrelated"};

Duration uniform_between(Duration low, Duration high, Rng& rng) {
  if (high <= low) return low;
  const auto width = static_cast<std::uint64_t>((high - low).count());
  // Both ends count; a width of 2^64 - 1 cannot occur between non-negative durations.
  return low + Duration(static_cast<Duration::rep>(rng.below(width + 1)));
}

// Of one retry, before jitter.
struct Backoff {
  const RetryOptions& options;
  std::uint32_t retry;  // 1 is the first
  const Failure& failure;

  Duration operator()(const ExponentialBackoff&) const {
    return saturating_scale(options.base, std::pow(options.factor, static_cast<double>(retry - 1)));
  }
  Duration operator()(const LinearBackoff&) const {
    return saturating_add(options.base, saturating_scale(options.step, static_cast<double>(retry - 1)));
  }
  Duration operator()(const BackoffList& list) const {
    return list.empty() ? options.max : list[std::min<std::size_t>(retry, list.size()) - 1];
  }
  Duration operator()(const BackoffFunction& function) const {
    try {
      return function(retry, failure);
    } catch (...) {
      return options.max;
    }
  }
};

void check_backoff(Validator& validator, const BackoffKind& backoff, Duration max) {
  if (const auto* const list = std::get_if<BackoffList>(&backoff)) {
    const bool fit = std::ranges::all_of(*list, [&](Duration d) { return d >= Duration::zero() && d <= max; });
    validator.require(fit && !list->empty() && list->size() <= kMaxListedBackoffs, "backoff",
                      "a list of " + std::to_string(list->size()),
                      "1 to " + std::to_string(kMaxListedBackoffs) + " durations, each 0s to " + to_text(max));
  }
  if (const auto* const function = std::get_if<BackoffFunction>(&backoff)) {
    validator.require(*function != nullptr, "backoff", "an empty function", "a function");
  }
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
  validator.in_range("step", step, Duration::zero(), hours(1));
  validator.in_range("max", max, std::max(base, Duration::zero()), hours(24));
  check_backoff(validator, backoff, max);
  validator.require(jitter != Jitter::decorrelated || std::holds_alternative<ExponentialBackoff>(backoff), "jitter",
                    fuseboard::name(jitter), "none, proportional or full beside a backoff that is not exponential");
  validator.in_range("jitter_width", jitter_width, 0.0, 1.0);
  return std::move(validator).take();
}

Duration longest_wait(const RetryOptions& options) noexcept { return std::max(options.max, kLongestHintedWait); }

Duration next_delay(const RetryOptions& options, std::uint32_t retry, Duration previous, const Failure& failure,
                    Rng& rng) {
  const Duration asked = std::visit(Backoff{options, std::max(retry, 1U), failure}, options.backoff);
  const Duration backoff = std::clamp(asked, Duration::zero(), options.max);
  Duration low = backoff;
  Duration high = backoff;
  switch (options.jitter) {
    case Jitter::none:
      break;
    case Jitter::proportional:
      low = saturating_scale(backoff, 1.0 - options.jitter_width);
      high = saturating_scale(backoff, 1.0 + options.jitter_width);
      break;
    case Jitter::full:
      low = Duration::zero();
      break;
    case Jitter::decorrelated:
      low = options.base;
      high = saturating_scale(std::max(previous, options.base), 3.0);
      break;
  }
  // The range ends at the longest, not what is drawn from it: else every wait beyond it would be the longest.
  Duration delay = uniform_between(low, std::min(high, options.max), rng);
  const std::optional<Duration> hint = failure.retry_after;
  if (options.honor_retry_after && hint && *hint > delay) delay = *hint;
  return delay;
}

}  // namespace fuseboard
