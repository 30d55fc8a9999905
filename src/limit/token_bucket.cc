// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/token_bucket.h"

#include <cmath>

namespace fuseboard {
namespace {

constexpr double kMaxRateWithWeights = 1e6;
constexpr double kNanoseconds = 1e9;
constexpr int kFinestScale = 40;

// The finest unit of which less than two are refilled in a nanosecond and less than 2^62 fit into the bucket.
int scale_for(double rate, double burst) noexcept {
  int scale = 0;
  while (scale < kFinestScale && std::ldexp(rate, scale + 1) < 2.0 * kNanoseconds &&
         std::ldexp(burst, scale + 1) <= 0x1p62) {
    ++scale;
  }
  return scale;
}

}  // namespace

Problems TokenBucketOptions::validate() const {
  Validator validator;
  const bool weighted = priorities && priorities->mode == PriorityMode::weighted_cost;
  validator.in_range("rate", rate, kMinRate, weighted ? kMaxRateWithWeights : kMaxTokens);
  // A call that a full bucket cannot pay would starve: that is a mistake of the configuration [LIM-2].
  const double dearest = weighted ? *std::max_element(priorities->weights.begin(), priorities->weights.end()) : 1.0;
  validator.in_range("burst", burst, std::clamp(dearest, 1.0, kMaxTokens), kMaxTokens);
  if (priorities) validator.merge("priorities", priorities->validate());
  return std::move(validator).take();
}

TokenBucket::TokenBucket(const TokenBucketOptions& options, KeyView key, std::uint64_t seed)
    : scale_(scale_for(checked(options).rate, options.burst)),
      key_(to_key_text(key)),
      options_(options),
      jitter_(seed) {
  // Rounded against the caller throughout, so that the bound holds.
  rate_ = static_cast<Units>(std::ldexp(options.rate / kNanoseconds, scale_ + kRateShift));
  capacity_ = static_cast<Units>(std::ldexp(options.burst, scale_));
  for (std::size_t i = 0; i < kPriorityCount; ++i) {
    const bool weighted = options.priorities && options.priorities->mode == PriorityMode::weighted_cost;
    const bool reserving = options.priorities && options.priorities->mode == PriorityMode::reserve;
    unit_costs_[i] = static_cast<Units>(std::ceil(std::ldexp(weighted ? options.priorities->weights[i] : 1.0, scale_)));
    reserves_[i] = reserving ? static_cast<Units>(static_cast<double>(capacity_) * options.priorities->reserves[i]) : 0;
    reserves_[i] = std::min(reserves_[i], capacity_);
  }
}

std::optional<Rejection> TokenBucket::peek_rejection(TimePoint now, std::uint64_t cost, Priority priority) const {
  const Units units = cost_of(cost, priority);
  const Units refilled = refilled_at(now);
  const Units full_at = full_at_.load(std::memory_order_relaxed);
  if (units <= capacity_ && std::max(full_at, refilled) + units <= refilled + most_missing(units, priority)) {
    return std::nullopt;
  }
  return rejection(now, full_at, units, priority);
}

Rejection TokenBucket::rejection(TimePoint now, Units full_at, Units cost, Priority priority) const noexcept {
  Rejection rejection{.reason = RejectionReason::rate_limited, .key = key_};
  if (cost > capacity_) return rejection;
  // Passes once A(t) >= full_at + cost - most_missing; the smallest such t, rounded up.
  const Wide needed = static_cast<Wide>(full_at) + cost - most_missing(cost, priority);
  const Wide at = ((needed << kRateShift) + rate_ - 1) / rate_;
  const Wide most = static_cast<Wide>(Duration::max().count());
  const TimePoint when{Duration(static_cast<Duration::rep>(std::min(at, most)))};
  rejection.retry_after = spread_wait(elapsed(now, when), priority, jitter_);
  return rejection;
}

std::expected<TokenGrant, Rejection> TokenBucket::reject(TimePoint now, Units full_at, Units cost,
                                                         Priority priority) const noexcept {
  return std::unexpected(rejection(now, full_at, cost, priority));
}

// Compare the bucket with one in which this call never was. The two lack the same but for `units`, until the other one
// is full: from then on it only catches up by what is refilled while it stays full. So what may come back is
//   units, less all that was refilled since beyond what the other one lacked,
// and that one lacked at least what was lacking when the grant was made, less what others have been given back since.
// Releases of later grants are subtracted with the rest, though they need not be: that errs on the caller's side of
// LIM-1.
void TokenBucket::release(TimePoint now, const TokenGrant& grant) noexcept {
  const MutexLock lock(releases_);
  if (resets_.load(std::memory_order_relaxed) != grant.resets_) return;
  const Units released = released_.load(std::memory_order_relaxed);
  const auto lacked_still = static_cast<std::int64_t>(grant.lacked_ - released);
  const Units other_full_at = grant.full_at_alone_ + (lacked_still > 0 ? static_cast<Units>(lacked_still) : 0);
  const Units refilled = refilled_at(now);
  const Units units = std::min(grant.units_, other_full_at - std::min(other_full_at, refilled));
  Units full_at = full_at_.load(std::memory_order_acquire);
  Units counted = released;
  do {
    // Counted again for each try, so that a call that got in between two of them sees the later one as a release since.
    counted += units;
    released_.store(counted, std::memory_order_relaxed);
    // Below A(now) the word means "full", so nothing more than the burst can come back.
  } while (!full_at_.compare_exchange_weak(full_at, full_at - std::min(units, full_at), std::memory_order_acq_rel,
                                           std::memory_order_acquire));
}

void TokenBucket::reset() noexcept {
  const MutexLock lock(releases_);
  // In this order: who sees the new number sees the full bucket.
  full_at_.store(0, std::memory_order_relaxed);
  resets_.fetch_add(1, std::memory_order_release);
}

double TokenBucket::available(TimePoint now) const noexcept {
  const Units refilled = refilled_at(now);
  const Units full_at = std::max(full_at_.load(std::memory_order_relaxed), refilled);
  const Units missing = std::min(full_at - refilled, capacity_);
  return std::ldexp(static_cast<double>(capacity_ - missing), -scale_);
}

}  // namespace fuseboard
