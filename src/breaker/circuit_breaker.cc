// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/circuit_breaker.h"

#include <algorithm>

#include "breaker/calls_in_flight.h"
#include "breaker/rolling_window.h"

namespace fuseboard {
namespace {

using enum CircuitState;

std::shared_ptr<const BreakerOptions> checked(const BreakerOptions& options) {
  throw_if_invalid(options.validate());
  return std::make_shared<const BreakerOptions>(options);
}

}  // namespace

CircuitBreaker::CircuitBreaker(const BreakerOptions& options, KeyView key, const Clock& clock, std::uint64_t seed)
    : CircuitBreaker(checked(options), key, std::make_unique<BreakerContext>(clock, seed), nullptr) {}

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
      open_base_(options_->open_time.initial),
      open_time_(options_->open_time.initial) {
  follow_options_locked(options_, TimePoint::min());
}

CircuitBreaker::~CircuitBreaker() {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (state_of(word) == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
  if (may_reject(word)) context_->may_reject.fetch_sub(1, std::memory_order_relaxed);
}

void CircuitBreaker::reset() {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    close_locked(TransitionCause::operator_reset, not_before_last_move_locked(now));
    open_base_ = options_->open_time.initial;
  }
  context_->events.deliver();
}

bool CircuitBreaker::open_silent() {
  const TimePoint now = context_->clock.now();
  bool rejects = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    const bool admits_all = override_ != nullptr && override_->kind != OverrideKind::force_open;
    if (override_ != nullptr && override_->kind == OverrideKind::force_closed) return false;
    if (state() == closed) {
      last_failure_.store(static_cast<std::uint8_t>(Category::timeout), std::memory_order_release);
      open_locked(TransitionCause::silent, at);
    }
    rejects = !admits_all;
  }
  context_->events.deliver();
  return rejects;
}

// Options.

BreakerOptions CircuitBreaker::options() const {
  const MutexLock lock(mutex_);
  return *options_;
}

std::uint32_t CircuitBreaker::silent_after() const {
  const MutexLock lock(mutex_);
  return options_->silent_after();
}

void CircuitBreaker::apply(const BreakerOptions& options) { apply(checked(options)); }

void CircuitBreaker::apply(std::shared_ptr<const BreakerOptions> options) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    const OpenTime times = options->open_time;
    const bool grown = open_base_ != options_->open_time.initial;
    follow_options_locked(std::move(options), at);
    open_base_ = grown ? std::clamp(open_base_, times.initial, std::max(times.initial, times.max)) : times.initial;
    follow_probe_options_locked(at);
  }
  context_->events.deliver();
}

void CircuitBreaker::follow_options_locked(std::shared_ptr<const BreakerOptions> options, TimePoint now) {
  // All that may fail comes before anything changes.
  const bool keeps_window = window_ != nullptr && window_->shape() == options->window;
  const bool wants_window = options->has_rate_rule() && !keeps_window;
  const bool wants_calls = options->tracks_calls() && calls_ == nullptr;
  auto window = wants_window ? std::make_unique<RollingWindow>(options->window) : nullptr;
  auto calls = wants_calls ? std::make_unique<CallsInFlight>() : nullptr;
  leases_.reserve(options->half_open_max_probes);

  options_ = std::move(options);
  trips_on_.store(options_->trips_on.bits(), std::memory_order_relaxed);
  abandoned_is_failure_.store(options_->abandoned_is_failure, std::memory_order_relaxed);
  // Never fewer: probes that are in flight hold theirs.
  if (leases_.size() < options_->half_open_max_probes) leases_.resize(options_->half_open_max_probes, kFreeLease);
  follow_window_options_locked(std::move(window), now);
  if (calls != nullptr) calls_ = std::move(calls);
  set_care_locked(kTracksCalls, options_->tracks_calls());
  set_care_locked(kMeasuresCalls, options_->slow_call_rate.has_value());
}

void CircuitBreaker::follow_window_options_locked(std::unique_ptr<RollingWindow> window, TimePoint now) {
  std::uint32_t records = 0;
  if (!options_->has_rate_rule()) {
    window_ = nullptr;
  } else {
    records = options_->window.is_time() ? kRecordsTimes : kRecordsCalls;
    if (window != nullptr) {
      if (window_ != nullptr) window->take_over(*window_, now);
      window_ = std::move(window);
    }
  }
  failures_.store(records | consecutive(), std::memory_order_release);
  note_window_locked();
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
