// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Probes of a half-open circuit: their leases [BRK-8], and what those that are settled decide [BRK-7].
#include <algorithm>
#include <utility>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

}  // namespace

// No more than it takes to decide: with a rate, each that is settled or in flight is one of `half_open_max_probes`.
bool CircuitBreaker::takes_probe_locked() const {
  const std::uint32_t settled = options_->half_open_failure_rate ? probe_successes_ + probe_failures_ : 0;
  return settled + probes_in_flight_ < options_->half_open_max_probes;
}

void CircuitBreaker::count_good_probe_locked(TimePoint now) {
  ++probe_successes_;
  if (options_->half_open_failure_rate) {
    decide_by_share_locked(now);
  } else if (probe_successes_ >= options_->half_open_successes) {
    close_locked(probe_succeeded, now);
  }
}

void CircuitBreaker::count_failed_probe_locked(TransitionCause cause, TimePoint now) {
  ++probe_failures_;
  probe_failure_ = cause;
  if (options_->half_open_failure_rate) {
    decide_by_share_locked(now);
  } else {
    open_locked(cause, now);
  }
}

// Options have changed: fewer may decide than before, or one that failed.
void CircuitBreaker::follow_probe_options_locked(TimePoint now) {
  if (state() != half_open) return;
  if (options_->half_open_failure_rate) {
    decide_by_share_locked(now);
  } else if (probe_failures_ > 0) {
    open_locked(probe_failure_, now);
  }
}

// Once as many are settled as decide together. The circuit opens for what the last of those that failed did.
void CircuitBreaker::decide_by_share_locked(TimePoint now) {
  const std::uint32_t settled = probe_successes_ + probe_failures_;
  if (settled < options_->half_open_max_probes) return;
  if (share_opens_locked(probe_failures_, settled)) {
    open_locked(probe_failure_, now);
  } else {
    close_locked(probe_succeeded, now);
  }
}

bool CircuitBreaker::share_opens_locked(std::uint32_t failed, std::uint32_t settled) const {
  // Divided, as rates are elsewhere: 7 of 25 are 0.28, but 0.28 * 25 is more than 7.
  return static_cast<double>(failed) / static_cast<double>(settled) >= *options_->half_open_failure_rate;
}

// A lost probe has failed at the end of its lease, whenever that is noticed: a circuit that nobody asked for hours does
// not begin a new open time on the first question. Whether the circuit moved.
bool CircuitBreaker::expire_leases_locked(TimePoint now) {
  if (state() != half_open) return false;
  while (state() == half_open) {
    const TimePoint lease_end = earliest_lease_locked();
    if (now < lease_end) return false;
    // Not free: whoever holds it may settle yet, which is late.
    *std::ranges::find(leases_, lease_end) = kLostLease;
    --probes_in_flight_;
    note_failure_locked(Category::timeout);
    count_failed_probe_locked(probe_lease_expired, lease_end);
  }
  return true;
}

// Whether the circuit moves at `at`, with so many lost probes that nobody has taken notice of.
bool CircuitBreaker::decides_ahead_locked(ProbesAhead& ahead, TimePoint at) const {
  const std::uint32_t failed = probe_failures_ + ahead.lost;
  if (!options_->half_open_failure_rate) {
    if (failed > 0) ahead.opens_at = at;
    return failed > 0;
  }
  const std::uint32_t settled = probe_successes_ + failed;
  if (settled < options_->half_open_max_probes) return false;
  if (share_opens_locked(failed, settled)) ahead.opens_at = at;
  ahead.admits = !ahead.opens_at;
  return true;
}

// What expire_leases_locked() and an admission would find at `now`.
CircuitBreaker::ProbesAhead CircuitBreaker::probes_ahead_locked(TimePoint now) const {
  ProbesAhead ahead;
  for (TimePoint end = earliest_lease_locked(); end <= now && end != kNever; end = earliest_lease_locked(end)) {
    for (auto at_end = std::ranges::count(leases_, end); at_end > 0; --at_end) {
      ++ahead.lost;
      if (decides_ahead_locked(ahead, end)) return ahead;
    }
  }
  const std::uint32_t settled = options_->half_open_failure_rate ? probe_successes_ + probe_failures_ + ahead.lost : 0;
  ahead.admits = settled + probes_in_flight_ - ahead.lost < options_->half_open_max_probes;
  return ahead;
}

// Of those that end after `after`.
TimePoint CircuitBreaker::earliest_lease_locked(TimePoint after) const {
  TimePoint earliest = kNever;
  if (probes_in_flight_ == 0) return earliest;
  for (const TimePoint lease : leases_) {
    if (lease != kFreeLease && lease != kLostLease && lease > after) earliest = std::min(earliest, lease);
  }
  return earliest;
}

std::uint32_t CircuitBreaker::take_lease_locked(TimePoint until) {
  const auto lease = std::ranges::find(leases_, kFreeLease);
  check_invariant(lease != leases_.end(), "no more probes than half_open_max_probes");
  *lease = until;
  ++probes_in_flight_;
  return static_cast<std::uint32_t>(lease - leases_.begin());
}

// False: it was lost before.
bool CircuitBreaker::free_lease_locked(Ticket ticket) {
  TimePoint& lease = leases_[ticket.lease];
  check_invariant(lease != kFreeLease, "a probe settles the lease it holds");
  const bool held = std::exchange(lease, kFreeLease) != kLostLease;
  if (held) --probes_in_flight_;
  return held;
}

void CircuitBreaker::release_leases_locked() {
  std::ranges::fill(leases_, kFreeLease);
  probes_in_flight_ = 0;
}

}  // namespace fuseboard
