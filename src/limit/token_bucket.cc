// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/token_bucket.h"

#include <cmath>

namespace fuseboard {
namespace {

constexpr double kMostRateWithWeights = 1e6;
constexpr double kNanoseconds = 1e9;
constexpr int kFinestScale = 40;

const TokenBucketOptions& checked(const TokenBucketOptions& options) {
  throw_if_invalid(options.validate());
  return options;
}

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
  validator.in_range("rate", rate, kLeastRate, weighted ? kMostRateWithWeights : kMostTokens);
  // A call that a full bucket cannot pay would starve: that is a mistake of the configuration [LIM-2].
  const double dearest = weighted ? *std::max_element(priorities->weights.begin(), priorities->weights.end()) : 1.0;
  validator.in_range("burst", burst, std::clamp(dearest, 1.0, kMostTokens), kMostTokens);
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

std::optional<Rejection> TokenBucket::look(TimePoint now, std::uint64_t cost, Priority priority) const {
  const Units units = cost_of(cost, priority);
  const Units refilled = refilled_at(now);
  const Units full_at = full_at_.load(std::memory_order_relaxed);
  if (units <= capacity_ && std::max(full_at, refilled) + units <= refilled + most_missing(units, priority)) {
    return std::nullopt;
  }
  return refusal(now, full_at, units, priority);
}

Rejection TokenBucket::refusal(TimePoint now, Units full_at, Units cost, Priority priority) const noexcept {
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

std::expected<TokenGrant, Rejection> TokenBucket::refuse(TimePoint now, Units full_at, Units cost,
                                                         Priority priority) const noexcept {
  return std::unexpected(refusal(now, full_at, cost, priority));
}

void TokenBucket::refund(const TokenGrant& grant, TimePoint now) noexcept {
  // Without this grant the bucket would lack less by its units, unless it would have been full in between. How much it
  // lacked since is not known, but never less than what nobody else's taking would have left of it.
  const Units refilled = refilled_at(now);
  const Units units = std::min(grant.units_, grant.full_at_ - std::min(grant.full_at_, refilled));
  Units full_at = full_at_.load(std::memory_order_acquire);
  // Below A(now) the word means "full", so nothing more than the burst can come back.
  while (fillings_.load(std::memory_order_relaxed) == grant.filling_ &&
         !full_at_.compare_exchange_weak(full_at, full_at - std::min(units, full_at), std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
  }
}

double TokenBucket::available(TimePoint now) const noexcept {
  const Units refilled = refilled_at(now);
  const Units full_at = std::max(full_at_.load(std::memory_order_relaxed), refilled);
  const Units missing = std::min(full_at - refilled, capacity_);
  return std::ldexp(static_cast<double>(capacity_ - missing), -scale_);
}

}  // namespace fuseboard
