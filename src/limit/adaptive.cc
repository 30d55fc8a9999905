// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/adaptive.h"

#include <algorithm>

#include "fuseboard/limit/token_bucket.h"
#include "limit/believed.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

}  // namespace

Problems AdaptiveLimiterOptions::validate() const {
  Validator validator;
  validator.merge("rate", rate.validate());
  if (burst) validator.in_range("burst", *burst, 1.0, kMaxTokens);
  if (priorities) {
    validator.require(priorities->mode == PriorityMode::reserve, "priorities.mode", "weighted_cost", "reserve");
    validator.merge("priorities", priorities->validate());
  }
  validator.in_range("retry_after_max", retry_after_max, 0ms, 24h);
  return std::move(validator).take();
}

void AdaptivePermit::accepted(TimePoint now) {
  if (limiter_) limiter_->accepted(now, granted_);
}

void AdaptivePermit::settle(TimePoint now, const Outcome& outcome) && {
  if (AdaptiveLimiter* const limiter = limiter_.take()) limiter->settle(now, *this, outcome, nullptr);
}

void AdaptivePermit::settle(TimePoint now, const Outcome& outcome, const ServerWindow& window) && {
  if (AdaptiveLimiter* const limiter = limiter_.take()) limiter->settle(now, *this, outcome, &window);
}

void AdaptivePermit::release() && noexcept {
  if (AdaptiveLimiter* const limiter = limiter_.take()) limiter->release(cost_, filling_);
}

void AdaptivePermit::leave() noexcept {
  if (AdaptiveLimiter* const limiter = limiter_.take()) limiter->release(0.0, filling_);
}

AdaptiveLimiter::AdaptiveLimiter(const AdaptiveLimiterOptions& options, KeyView key, std::uint64_t seed)
    : key_(to_key_text(key)),
      gate_(key, options.retry_after_max),
      jitter_(seed),
      options_(checked(options)),
      learned_(options_.rate),
      level_(options_.full()) {}

std::expected<AdaptivePermit, Rejection> AdaptiveLimiter::try_acquire(TimePoint now, std::uint64_t cost,
                                                                      Priority priority) {
  if (auto shut = gate_.peek_rejection(now)) return std::unexpected(*shut);
  const auto tokens = static_cast<double>(cost);
  const MutexLock lock(mutex_);
  if (auto rejected = peek_locked(now, tokens, priority)) return std::unexpected(*rejected);
  level_.take(tokens);
  ++in_flight_;
  return AdaptivePermit(*this, now, tokens, level_.filling());
}

std::optional<Rejection> AdaptiveLimiter::peek_rejection(TimePoint now, std::uint64_t cost, Priority priority) {
  if (auto shut = gate_.peek_rejection(now)) return shut;
  const MutexLock lock(mutex_);
  return peek_locked(now, static_cast<double>(cost), priority);
}

std::optional<Rejection> AdaptiveLimiter::peek_locked(TimePoint now, double cost, Priority priority) {
  advance_locked(now);
  Rejection rejection{.reason = RejectionReason::rate_limited, .key = key_};
  const double full = level_.burst();
  if (cost > full) return rejection;
  const double fraction = options_.priorities ? options_.priorities->reserves[static_cast<std::size_t>(priority)] : 0.0;
  const double reserve = std::min(fraction * full, full - cost);
  if (level_.has(cost, reserve)) return std::nullopt;
  // A learned rate only rises by itself, so the wait is never too short; the server's word may end sooner.
  Duration needed = level_.time_until(cost, reserve, rate_locked(now));
  if (server_until_ > now) {
    const Duration bounded = elapsed(now, server_until_);
    if (bounded < needed) {
      RefillingLevel then = level_;
      then.advance(server_until_, rate_locked(now));
      needed = saturating_add(bounded, then.time_until(cost, reserve, rate_locked(server_until_)));
    }
  }
  rejection.retry_after = spread_wait(needed, priority, jitter_);
  return rejection;
}

void AdaptiveLimiter::apply(TimePoint now, const AdaptiveLimiterOptions& options) {
  throw_if_invalid(options.validate());
  const MutexLock lock(mutex_);
  advance_locked(now);
  learned_.apply(now, options.rate);
  level_.resize(options.full());
  server_until_ = std::min(server_until_, saturating_add(now, options.retry_after_max));
  gate_.apply(now, options.retry_after_max);
  options_ = options;
}

std::optional<SavedAdaptiveLimiter> AdaptiveLimiter::save(TimePoint now) const {
  const MutexLock lock(mutex_);
  RefillingLevel then = level_;
  refill(now, then);
  SavedAdaptiveLimiter saved{.gate = gate_.save(now), .missing = then.missing(), .learned = learned_.save(now)};
  if (now < server_until_ && server_rate_ < options_.rate.rate) {
    saved.window = {.rate = server_rate_, .remaining = elapsed(now, server_until_)};
  }
  if (!saved.gate && saved.missing <= 0.0 && !saved.learned && !saved.window) return std::nullopt;
  return saved;
}

void AdaptiveLimiter::restore(TimePoint now, const SavedAdaptiveLimiter& saved) {
  const MutexLock lock(mutex_);
  advance_locked(now);
  if (saved.gate) gate_.restore(now, *saved.gate);
  if (saved.learned) learned_.restore(now, *saved.learned);
  level_.lack(believed(saved.missing, 0.0, level_.burst()));
  if (saved.window && now >= server_until_) {
    server_rate_ = believed(saved.window->rate, kMinRate, options_.rate.rate);
    server_until_ = saturating_add(now, believed(saved.window->remaining, options_.retry_after_max));
  }
}

AdaptiveLimiterOptions AdaptiveLimiter::options() const {
  const MutexLock lock(mutex_);
  return options_;
}

double AdaptiveLimiter::rate(TimePoint now) const {
  const MutexLock lock(mutex_);
  return rate_locked(now);
}

double AdaptiveLimiter::rate_locked(TimePoint now) const {
  const double learned = learned_.rate(now);
  return now < server_until_ ? std::min(learned, server_rate_) : learned;
}

void AdaptiveLimiter::refill(TimePoint now, RefillingLevel& level) const {
  if (now >= server_until_) level.advance(server_until_, std::min(learned_.rate(server_until_), server_rate_));
  level.advance(now, rate_locked(now));
}

LevelView AdaptiveLimiter::view(TimePoint now) const {
  const MutexLock lock(mutex_);
  RefillingLevel then = level_;
  refill(now, then);
  return then.view(rate_locked(now));
}

void AdaptiveLimiter::observe(TimePoint now, const ServerWindow& window) {
  const MutexLock lock(mutex_);
  advance_locked(now);
  observe_locked(now, window);
}

void AdaptiveLimiter::observe_locked(TimePoint now, const ServerWindow& window) {
  const Duration until = std::min(window.reset_after, options_.retry_after_max);
  if (until <= Duration::zero()) {
    server_until_ = TimePoint::min();
    return;
  }
  // Calls under way may not be counted in what the server said.
  const std::uint64_t left = window.remaining - std::min(window.remaining, in_flight_);
  if (window.remaining == 0) gate_.close(now, window.reset_after);
  const auto seconds = static_cast<double>(window.reset_after.count()) / 1e9;
  level_.clamp(static_cast<double>(std::min<std::uint64_t>(left, 1)));
  server_rate_ = std::max(kMinRate, static_cast<double>(left) / seconds);
  server_until_ = saturating_add(now, until);
}

void AdaptiveLimiter::settle(TimePoint now, const AdaptivePermit& permit, const Outcome& outcome,
                             const ServerWindow* window) {
  const MutexLock lock(mutex_);
  --in_flight_;
  advance_locked(now);
  if (outcome.ok()) {
    learned_.on_success(now, permit.granted_);
  } else {
    // One request that is larger than the limit says nothing of the rate.
    const bool of_all =
        outcome.failure->scope != FailureScope::request && outcome.failure->scope != FailureScope::caller;
    if (outcome.failure->category == Category::rate_limit && of_all) {
      (void)learned_.on_throttled(now);
      // What was saved up for a burst would be refused too.
      level_.drain();
    }
    gate_.apply_retry_after(now, *outcome.failure);
  }
  if (window != nullptr) observe_locked(now, *window);
}

void AdaptiveLimiter::accepted(TimePoint now, TimePoint granted) {
  const MutexLock lock(mutex_);
  advance_locked(now);
  learned_.on_success(now, granted);
}

void AdaptiveLimiter::release(double returned, std::uint64_t filling) noexcept {
  const MutexLock lock(mutex_);
  --in_flight_;
  level_.put(returned, filling);
}

}  // namespace fuseboard
