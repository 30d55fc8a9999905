// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/client_throttle.h"

#include <algorithm>
#include <utility>

#include "limit/overload.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMaxSaved = std::uint64_t{1} << 40;

bool is_accepted(const Outcome& outcome) noexcept {
  return outcome.ok() ||
         (!says_overloaded(outcome.failure->category) && outcome.failure->category != Category::network);
}

}  // namespace

Problems ClientThrottleOptions::validate() const {
  Validator validator;
  validator.in_range("k", k, 1.1, 100.0);
  validator.in_range("window", window, 1s, 1h);
  validator.in_range("min_requests", min_requests, 0U, 1'000'000U);
  return std::move(validator).take();
}

void ClientThrottlePermit::settle(TimePoint now, const Outcome& outcome) && {
  if (ClientThrottle* const throttle = throttle_.take()) throttle->settle(now, outcome);
}

ClientThrottle::ClientThrottle(const ClientThrottleOptions& options, KeyView key, std::uint64_t seed)
    : key_(to_key_text(key)), rng_(seed), options_(checked(options)) {}

std::expected<ClientThrottlePermit, Rejection> ClientThrottle::try_acquire(TimePoint now) {
  const MutexLock lock(mutex_);
  const double probability = probability_locked(now);
  // A number is drawn where there is something to decide, so that a throttle at rest costs none.
  if (probability > 0.0 && rng_.uniform() < probability) {
    count_locked(now, {.requests = 1});
    return std::unexpected(Rejection{.reason = RejectionReason::rate_limited, .key = key_});
  }
  return ClientThrottlePermit(*this);
}

void ClientThrottle::settle(TimePoint now, const Outcome& outcome) {
  if (!outcome.ok() && outcome.failure->category == Category::cancelled) return;
  const MutexLock lock(mutex_);
  count_locked(now, {.requests = 1, .accepts = is_accepted(outcome) ? 1U : 0U});
}

std::int64_t ClientThrottle::slice_at(TimePoint now) const {
  const Duration slice = options_.window / static_cast<int>(kSlices);
  return std::max(now, latest_).time_since_epoch() / slice;
}

void ClientThrottle::count_locked(TimePoint now, const ClientThrottleCounts& more) {
  const std::int64_t number = slice_at(now);
  latest_ = std::max(latest_, now);
  Slice& slice = slices_[static_cast<std::uint64_t>(number) % kSlices];
  if (slice.number != number) slice = {.number = number};
  slice.counts.requests += more.requests;
  slice.counts.accepts += more.accepts;
}

ClientThrottleCounts ClientThrottle::counts_locked(TimePoint now) const {
  const std::int64_t first = slice_at(now) - static_cast<std::int64_t>(kSlices) + 1;
  ClientThrottleCounts sum;
  for (const Slice& slice : slices_) {
    if (slice.number < first) continue;
    sum.requests += slice.counts.requests;
    sum.accepts += slice.counts.accepts;
  }
  return sum;
}

double ClientThrottle::probability_locked(TimePoint now) const {
  const ClientThrottleCounts counted = counts_locked(now);
  if (counted.requests < options_.min_requests) return 0.0;
  const auto requests = static_cast<double>(counted.requests);
  return std::max(0.0, (requests - options_.k * static_cast<double>(counted.accepts)) / (requests + 1.0));
}

double ClientThrottle::rejection_probability(TimePoint now) const {
  const MutexLock lock(mutex_);
  return probability_locked(now);
}

ClientThrottleCounts ClientThrottle::counts(TimePoint now) const {
  const MutexLock lock(mutex_);
  return counts_locked(now);
}

void ClientThrottle::apply(TimePoint now, const ClientThrottleOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  if (options.window != options_.window) {
    // Slices of another length have other numbers.
    const ClientThrottleCounts counted = counts_locked(now);
    slices_ = {};
    options_ = options;
    count_locked(now, counted);
  }
  options_ = options;
}

std::optional<SavedClientThrottle> ClientThrottle::save(TimePoint now) const {
  const ClientThrottleCounts counted = counts(now);
  if (counted.requests == 0) return std::nullopt;
  return SavedClientThrottle{.requests = counted.requests, .accepts = counted.accepts};
}

void ClientThrottle::restore(TimePoint now, const SavedClientThrottle& saved) {
  const MutexLock lock(mutex_);
  const std::uint64_t requests = std::min(saved.requests, kMaxSaved);
  count_locked(now, {.requests = requests, .accepts = std::min(saved.accepts, requests)});
}

void ClientThrottle::reset() noexcept {
  const MutexLock lock(mutex_);
  slices_ = {};
}

ClientThrottleOptions ClientThrottle::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

}  // namespace fuseboard
