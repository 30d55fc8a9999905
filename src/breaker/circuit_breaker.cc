// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/circuit_breaker.h"

#include "breaker/calls_in_flight.h"
#include "breaker/imposed_override.h"
#include "breaker/recent_failures.h"
#include "breaker/rolling_window.h"

namespace fuseboard {
namespace {

using enum CircuitState;

}  // namespace

CircuitBreaker::CircuitBreaker(const BreakerOptions& options, KeyView key, const Clock& clock, std::uint64_t seed)
    : CircuitBreaker(std::make_shared<const BreakerOptions>(checked(options)), key,
                     std::make_unique<BreakerContext>(clock, seed), nullptr) {}

CircuitBreaker::CircuitBreaker(std::shared_ptr<const BreakerOptions> options, KeyView key, BreakerContext& context)
    : CircuitBreaker(std::move(options), key, nullptr, &context) {}

CircuitBreaker::CircuitBreaker(std::shared_ptr<const BreakerOptions> options, KeyView key,
                               std::unique_ptr<BreakerContext> own_context, BreakerContext* context)
    : word_(make_word(closed, 0, kFirstGeneration)),
      trips_on_(options->trips_on.bits()),
      own_context_(std::move(own_context)),
      cells_(own_context_ != nullptr ? own_context_->memory : context->memory),
      context_(own_context_ != nullptr ? own_context_.get() : context),
      abandoned_is_failure_(options->abandoned_is_failure),
      key_(key),
      options_(std::move(options)),
      growth_(options_->open_time) {
  follow_options_locked(TimePoint::min(), options_);
}

CircuitBreaker::~CircuitBreaker() {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (state_of(word) == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
  if (may_reject(word)) context_->may_reject.fetch_sub(1, std::memory_order_relaxed);
}

bool CircuitBreaker::trip() {
  const TimePoint now = context_->clock.now();
  bool moves = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    expire_leases_locked(at);
    // One whose time is over would let a probe in: whoever asks first makes it half-open, here as at an admission.
    if (state() == open && at >= deadline_.load(std::memory_order_relaxed)) {
      half_open_locked(TransitionCause::open_time_elapsed, at);
    }
    moves = state() != open;
    if (moves) open_locked(TransitionCause::operator_trip, at);
  }
  context_->events.deliver();
  return moves;
}

bool CircuitBreaker::half_open() {
  const TimePoint now = context_->clock.now();
  bool moves = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    expire_leases_locked(at);
    moves = state() == open;
    const bool is_over = at >= deadline_.load(std::memory_order_relaxed);
    using enum TransitionCause;
    if (moves) half_open_locked(is_over ? open_time_elapsed : operator_half_open, at);
  }
  context_->events.deliver();
  return moves;
}

void CircuitBreaker::reset() {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    close_locked(TransitionCause::operator_reset, not_before_last_move_locked(now));
    growth_.forget_growth(options_->open_time);
  }
  context_->events.deliver();
}

BreakerOptions CircuitBreaker::options() const {
  const MutexLock lock(mutex_);
  return *options_;
}

std::uint32_t CircuitBreaker::silent_after() const {
  const MutexLock lock(mutex_);
  return options_->silent_after();
}

void CircuitBreaker::apply(const BreakerOptions& options) {
  apply(std::make_shared<const BreakerOptions>(checked(options)));
}

void CircuitBreaker::set_care_locked(std::uint64_t bit, bool on) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  store_word_locked(on ? word | bit : word & ~bit);
}

void CircuitBreaker::store_word_locked(std::uint64_t word) {
  const bool did = may_reject(word_.load(std::memory_order_relaxed));
  if (may_reject(word) && !did) context_->may_reject.fetch_add(1, std::memory_order_relaxed);
  if (did && !may_reject(word)) context_->may_reject.fetch_sub(1, std::memory_order_relaxed);
  word_.store(word, std::memory_order_release);
}

}  // namespace fuseboard
