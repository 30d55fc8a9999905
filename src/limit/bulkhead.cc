// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/bulkhead.h"

#include <algorithm>
#include <cmath>

#include "limit/believed.h"
#include "limit/overload.h"

namespace fuseboard {
namespace {

// One slow call does not halve the limit more than once.
constexpr double kMinGradient = 0.5;

}  // namespace

Problems BulkheadOptions::validate() const {
  Validator validator;
  validator.in_range("limit", limit, 1U, kMaxInFlight);
  return std::move(validator).take();
}

Bulkhead::Bulkhead(const BulkheadOptions& options, KeyView key)
    : limit_(checked(options).limit), key_(to_key_text(key)) {}

Rejection Bulkhead::rejection() const noexcept { return {.reason = RejectionReason::concurrency_limited, .key = key_}; }

Problems AdaptiveBulkheadOptions::validate() const {
  Validator validator;
  const std::uint32_t most = std::clamp(max_limit, 1U, kMaxInFlight);
  const std::uint32_t least = std::clamp(min_limit, 1U, most);
  validator.in_range("initial_limit", initial_limit, least, most);
  validator.in_range("min_limit", min_limit, 1U, most);
  validator.in_range("max_limit", max_limit, 1U, kMaxInFlight);
  validator.in_range("tolerance", tolerance, 1.0, 10.0);
  validator.in_range("queue_size", queue_size, 1U, 1000U);
  validator.in_range("smoothing", smoothing, 0.01, 1.0);
  validator.in_range("long_window", long_window, kWarmUpSamples, 100'000U);
  validator.in_range("usual_doubles_in", usual_doubles_in, std::chrono::hours(1), std::chrono::hours(30 * 24));
  validator.in_range("drop_backoff", drop_backoff, 0.5, 0.99);
  return std::move(validator).take();
}

void AdaptiveBulkheadSlot::settle(TimePoint now, const Outcome& outcome) && {
  if (AdaptiveBulkhead* const bulkhead = bulkhead_.take()) bulkhead->settle(now, round_, outcome);
}

void AdaptiveBulkheadSlot::release() noexcept {
  if (AdaptiveBulkhead* const bulkhead = bulkhead_.take()) bulkhead->in_flight_.leave();
}

AdaptiveBulkhead::AdaptiveBulkhead(const AdaptiveBulkheadOptions& options, KeyView key)
    : key_(to_key_text(key)),
      limit_(checked(options).initial_limit),
      options_(options),
      estimate_(options.initial_limit) {}

Rejection AdaptiveBulkhead::rejection() const noexcept {
  return {.reason = RejectionReason::concurrency_limited, .key = key_};
}

void AdaptiveBulkhead::settle(TimePoint now, std::uint64_t round, const Outcome& outcome) {
  const std::uint32_t in_flight = in_flight_.count();  // this call included
  if (outcome.ok() || says_overloaded(outcome.failure->category)) {
    const MutexLock lock(mutex_);
    if (!outcome.ok()) {
      drop_locked(round);
    } else if (outcome.latency > Duration::zero()) {  // one that was not told is no sample
      sample_locked(now, outcome.latency, in_flight);
    }
  }
  in_flight_.leave();
}

void AdaptiveBulkhead::sample_locked(TimePoint now, Duration latency, std::uint32_t in_flight) {
  const double taken = std::max(1.0, static_cast<double>(latency.count()));
  latency_.add(now, taken, options_.long_window, options_.usual_doubles_in);
  // A limit that is not used says nothing about what the target bears.
  if (in_flight < estimate_ / 2.0) return;
  const double gradient = std::clamp(options_.tolerance * latency_.usual() / taken, kMinGradient, 1.0);
  const double fresh = estimate_ * gradient + options_.queue_size;
  move_to_locked(estimate_ * (1.0 - options_.smoothing) + fresh * options_.smoothing);
}

void AdaptiveBulkhead::drop_locked(std::uint64_t round) {
  // Of the calls in flight at the last drop: one overload, counted already.
  if (round != round_.load(std::memory_order_relaxed)) return;
  round_.store(round + 1, std::memory_order_relaxed);
  move_to_locked(estimate_ * options_.drop_backoff);
}

void AdaptiveBulkhead::move_to_locked(double estimate) {
  estimate_ = std::clamp(estimate, static_cast<double>(options_.min_limit), static_cast<double>(options_.max_limit));
  limit_.store(static_cast<std::uint32_t>(estimate_), std::memory_order_relaxed);
}

bool AdaptiveBulkhead::has_learned_locked() const {
  return latency_.known() || round_.load(std::memory_order_relaxed) != unlearned_round_;
}

void AdaptiveBulkhead::apply(TimePoint /*now*/, const AdaptiveBulkheadOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  options_ = options;
  move_to_locked(has_learned_locked() ? estimate_ : options.initial_limit);
}

std::optional<SavedAdaptiveBulkhead> AdaptiveBulkhead::save(TimePoint /*now*/) const {
  const MutexLock lock(mutex_);
  if (!has_learned_locked()) return std::nullopt;
  return SavedAdaptiveBulkhead{.limit = estimate_, .latency = latency_.save()};
}

void AdaptiveBulkhead::restore(TimePoint /*now*/, const SavedAdaptiveBulkhead& saved) {
  const MutexLock lock(mutex_);
  if (has_learned_locked()) return;
  move_to_locked(believed(saved.limit, options_.min_limit, options_.max_limit));
  // As after a drop: calls that are in flight know nothing of it.
  round_.store(round_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  latency_.restore(saved.latency);
}

void AdaptiveBulkhead::reset() {
  const MutexLock lock(mutex_);
  latency_ = LatencyBaseline();
  // Calls that are in flight were admitted by the limit of before: a drop of theirs says nothing of the new one.
  unlearned_round_ = round_.load(std::memory_order_relaxed) + 1;
  round_.store(unlearned_round_, std::memory_order_relaxed);
  move_to_locked(options_.initial_limit);
}

AdaptiveBulkheadOptions AdaptiveBulkhead::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

}  // namespace fuseboard
