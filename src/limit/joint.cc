// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/joint.h"

#include <algorithm>

#include "fuseboard/limit/token_bucket.h"
#include "limit/believed.h"

namespace fuseboard {
namespace {

constexpr double kSecondsPerMinute = 60.0;
constexpr double kMinPerMinute = 1e-4;
constexpr std::uint32_t kMaxConcurrency = 1'000'000;
// Requests that go at once are the ones that trip a provider's own, shorter, buckets.
constexpr double kRequestsShare = 0.1;
constexpr double kTokensShare = 1.0;

double burst_of(std::optional<double> per_minute, std::optional<double> burst, double default_share) noexcept {
  return burst.value_or(std::clamp(per_minute.value_or(0.0) * default_share, 1.0, kMaxTokens));
}

}  // namespace

Problems JointLimiterOptions::validate() const {
  Validator validator;
  const double most_per_minute = kMaxTokens * kSecondsPerMinute;
  if (requests_per_minute)
    validator.in_range("requests_per_minute", *requests_per_minute, kMinPerMinute, most_per_minute);
  if (requests_burst) validator.in_range("requests_burst", *requests_burst, 1.0, kMaxTokens);
  if (tokens_per_minute) validator.in_range("tokens_per_minute", *tokens_per_minute, kMinPerMinute, most_per_minute);
  if (tokens_burst) validator.in_range("tokens_burst", *tokens_burst, 1.0, kMaxTokens);
  if (concurrency) validator.in_range("concurrency", *concurrency, 1U, kMaxConcurrency);
  if (priorities) {
    validator.require(priorities->mode == PriorityMode::reserve, "priorities.mode", "weighted_cost", "reserve");
    validator.merge("priorities", priorities->validate());
  }
  return std::move(validator).take();
}

void JointPermit::settle(TimePoint now, std::uint64_t tokens_used) && {
  if (JointLimiter* const limiter = limiter_.take()) limiter->settle(now, taken_, tokens_used);
}

void JointPermit::release() && noexcept {
  if (JointLimiter* const limiter = limiter_.take()) limiter->release(taken_);
}

void JointPermit::leave() noexcept {
  if (JointLimiter* const limiter = limiter_.take()) limiter->leave();
}

JointLimiter::Bucket::Bucket(std::optional<double> per_minute, std::optional<double> burst,
                             double default_share) noexcept
    : limited(per_minute.has_value()),
      rate(per_minute.value_or(0.0) / kSecondsPerMinute),
      level(burst_of(per_minute, burst, default_share)) {}

void JointLimiter::Bucket::apply(TimePoint now, std::optional<double> per_minute, std::optional<double> burst,
                                 double default_share) noexcept {
  advance(now);
  level.resize(burst_of(per_minute, burst, default_share));
  // Calls take from the level even while nothing is limited. The next one takes from a full one then, so that what was
  // taken before it comes back no more.
  if (!limited) level.fill();
  limited = per_minute.has_value();
  rate = per_minute.value_or(0.0) / kSecondsPerMinute;
}

double JointLimiter::Bucket::missing(TimePoint now) const noexcept {
  if (!limited) return 0.0;
  RefillingLevel then = level;
  then.advance(now, rate);
  return then.missing();
}

Duration JointLimiter::Bucket::wait(double cost, double reserve_fraction) const noexcept {
  if (!limited) return Duration::zero();
  const double full = level.burst();
  if (cost > full) return kForever;
  return level.time_until(cost, std::min(reserve_fraction * full, full - cost), rate);
}

std::optional<LevelView> JointLimiter::Bucket::view(TimePoint now) const noexcept {
  if (!limited) return std::nullopt;
  RefillingLevel then = level;
  then.advance(now, rate);
  return then.view(rate);
}

JointLimiter::JointLimiter(const JointLimiterOptions& options, KeyView key, std::uint64_t seed)
    : key_(to_key_text(key)),
      jitter_(seed),
      options_(checked(options)),
      requests_(options_.requests_per_minute, options_.requests_burst, kRequestsShare),
      tokens_(options_.tokens_per_minute, options_.tokens_burst, kTokensShare) {}

std::expected<JointPermit, Rejection> JointLimiter::try_acquire(TimePoint now, const JointRequest& request) {
  const MutexLock lock(mutex_);
  if (auto rejected = peek_locked(now, request)) return std::unexpected(*rejected);
  requests_.level.take(1.0);
  tokens_.level.take(static_cast<double>(request.tokens));
  ++in_flight_;
  return JointPermit(*this, {.tokens = request.tokens,
                             .requests_filling = requests_.level.filling(),
                             .tokens_filling = tokens_.level.filling()});
}

std::optional<Rejection> JointLimiter::peek_rejection(TimePoint now, const JointRequest& request) {
  const MutexLock lock(mutex_);
  return peek_locked(now, request);
}

std::optional<Rejection> JointLimiter::peek_locked(TimePoint now, const JointRequest& request) {
  advance_locked(now);
  const auto priority = static_cast<std::size_t>(request.priority);
  const double fraction = options_.priorities ? options_.priorities->reserves[priority] : 0.0;
  const Duration wait =
      std::max(requests_.wait(1.0, fraction), tokens_.wait(static_cast<double>(request.tokens), fraction));
  if (wait == kForever) return Rejection{.reason = RejectionReason::rate_limited, .key = key_};
  // Before the wait: one that is known to be too short is none.
  if (options_.concurrency && in_flight_ >= *options_.concurrency) {
    return Rejection{.reason = RejectionReason::concurrency_limited, .key = key_};
  }
  if (wait == Duration::zero()) return std::nullopt;
  return Rejection{.reason = RejectionReason::rate_limited,
                   .key = key_,
                   .retry_after = spread_wait(wait, request.priority, jitter_)};
}

void JointLimiter::apply(TimePoint now, const JointLimiterOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  options_ = options;
  requests_.apply(now, options.requests_per_minute, options.requests_burst, kRequestsShare);
  tokens_.apply(now, options.tokens_per_minute, options.tokens_burst, kTokensShare);
}

std::optional<SavedJointLimiter> JointLimiter::save(TimePoint now) const {
  const MutexLock lock(mutex_);
  const SavedJointLimiter saved{.requests_missing = requests_.missing(now), .tokens_missing = tokens_.missing(now)};
  if (saved.requests_missing <= 0.0 && saved.tokens_missing <= 0.0) return std::nullopt;
  return saved;
}

void JointLimiter::restore(TimePoint now, const SavedJointLimiter& saved) {
  const MutexLock lock(mutex_);
  advance_locked(now);
  requests_.level.lack(believed(saved.requests_missing, 0.0, requests_.level.burst()));
  tokens_.level.lack(believed(saved.tokens_missing, 0.0, tokens_.level.burst() + kMaxTokens));
}

JointLimiterOptions JointLimiter::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

void JointLimiter::advance_locked(TimePoint now) {
  requests_.advance(now);
  tokens_.advance(now);
}

void JointLimiter::settle(TimePoint now, const JointPermit::Taken& taken, std::uint64_t used) {
  const MutexLock lock(mutex_);
  --in_flight_;
  advance_locked(now);
  if (used > taken.tokens) {
    tokens_.level.take(static_cast<double>(used - taken.tokens));
  } else {
    tokens_.level.put(static_cast<double>(taken.tokens - used), taken.tokens_filling);
  }
}

void JointLimiter::leave() noexcept {
  const MutexLock lock(mutex_);
  --in_flight_;
}

void JointLimiter::release(const JointPermit::Taken& taken) noexcept {
  const MutexLock lock(mutex_);
  --in_flight_;
  requests_.level.put(1.0, taken.requests_filling);
  tokens_.level.put(static_cast<double>(taken.tokens), taken.tokens_filling);
}

JointSnapshot JointLimiter::snapshot(TimePoint now) {
  const MutexLock lock(mutex_);
  advance_locked(now);
  JointSnapshot snapshot{.in_flight = in_flight_};
  if (requests_.limited) snapshot.requests_available = requests_.level.level();
  if (tokens_.limited) snapshot.tokens_available = tokens_.level.level();
  return snapshot;
}

JointView JointLimiter::view(TimePoint now) const {
  const MutexLock lock(mutex_);
  return {.requests = requests_.view(now), .tokens = tokens_.view(now)};
}

}  // namespace fuseboard
