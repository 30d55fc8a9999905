// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// New options for a breaker that is in use [BRK-14].
#include <utility>

#include "breaker/calls_in_flight.h"
#include "breaker/recent_failures.h"
#include "breaker/rolling_window.h"
#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {

void CircuitBreaker::apply(std::shared_ptr<const BreakerOptions> options) {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    const OpenTime before = options_->open_time;
    follow_options_locked(at, std::move(options));
    growth_.follow(before, options_->open_time);
    follow_probe_options_locked(at);
  }
  context_->events.deliver();
}

void CircuitBreaker::follow_options_locked(TimePoint now, std::shared_ptr<const BreakerOptions> options) {
  // All that may fail comes before anything changes.
  const bool keeps_window = window_ != nullptr && window_->shape() == options->window;
  const bool wants_window = options->has_rate_rule() && !keeps_window;
  const bool wants_calls = options->tracks_calls() && calls_ == nullptr;
  const auto& within = options->failures_within;
  const bool keeps_failures = recent_failures_ != nullptr && within && recent_failures_->size() == within->failures;
  auto failures = within && !keeps_failures ? std::make_unique<RecentFailures>(within->failures) : nullptr;
  auto window = wants_window ? std::make_unique<RollingWindow>(options->window) : nullptr;
  auto calls = wants_calls ? std::make_unique<CallsInFlight>() : nullptr;
  leases_.make_room(options->half_open_max_probes);

  options_ = std::move(options);
  trips_on_.store(options_->trips_on.bits(), std::memory_order_relaxed);
  abandoned_is_failure_.store(options_->abandoned_is_failure, std::memory_order_relaxed);
  follow_window_options_locked(now, std::move(window));
  follow_failures_options_locked(std::move(failures));
  if (calls != nullptr) calls_ = std::move(calls);
  set_care_locked(kTracksCalls, options_->tracks_calls());
  set_care_locked(kMeasuresCalls, options_->slow_call_rate.has_value());
}

void CircuitBreaker::follow_window_options_locked(TimePoint now, std::unique_ptr<RollingWindow> window) {
  std::uint32_t records = 0;
  if (!options_->has_rate_rule()) {
    window_ = nullptr;
  } else {
    records = options_->window.is_time() ? kRecordsTimes : kRecordsCalls;
    if (window != nullptr) {
      if (window_ != nullptr) window->take_over(now, *window_);
      window_ = std::move(window);
    }
  }
  failures_.store(records | consecutive(), std::memory_order_release);
  note_window_locked();
}

void CircuitBreaker::follow_failures_options_locked(std::unique_ptr<RecentFailures> failures) {
  if (!options_->failures_within) {
    recent_failures_ = nullptr;
  } else if (failures != nullptr) {
    if (recent_failures_ != nullptr) failures->take_over(*recent_failures_);
    recent_failures_ = std::move(failures);
  }
}

}  // namespace fuseboard
