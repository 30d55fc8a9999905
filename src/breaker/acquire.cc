// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who is let through [BRK-5, BRK-6], and what whoever is refused is told [BRK-21.4].
#include <algorithm>

#include "breaker/calls_in_flight.h"
#include "breaker/imposed_override.h"
#include "breaker/trip_rules.h"
#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

}  // namespace

std::expected<BreakerPermit, Rejection> CircuitBreaker::acquire_with_care(std::uint64_t word,
                                                                          std::optional<Duration> probe_lease) {
  const TimePoint now = context_->clock.now();
  if ((word & (kStateBits | kCareBits)) == kMeasuresCalls) {  // closed
    cells_.add(&Cell::admitted);
    return BreakerPermit(*this, {.generation = generation_of(word), .began = now});
  }
  OpenFacts facts;
  if (rejects_plainly(now, word, facts)) return reject(now, RejectionReason::circuit_open, facts, facts.deadline);
  auto result = [&] {
    const MutexLock lock(mutex_);
    return acquire_locked(not_before_last_move_locked(now), probe_lease);
  }();
  context_->events.deliver();
  return result;
}

std::expected<BreakerPermit, Rejection> CircuitBreaker::acquire_locked(TimePoint now,
                                                                       std::optional<Duration> probe_lease) {
  expire_override_locked(now);
  if (is_imposed_locked(OverrideKind::force_closed)) return grant_locked(now, {});
  if (is_imposed_locked(OverrideKind::force_open)) {
    return reject(now, RejectionReason::circuit_open, open_facts(), override_->end());
  }
  // Under `metrics_only` a refusal becomes a permit that is no evidence, and all else goes on as ever.
  const bool rejects = override_ == nullptr;
  expire_leases_locked(now);
  judge_stuck_calls_locked(now);
  if (state() == open) {
    const OpenFacts facts = open_facts();
    if (now < facts.deadline) {
      if (!rejects) return grant_locked(now, {});
      return reject(now, RejectionReason::circuit_open, facts, facts.deadline);
    }
    half_open_locked(open_time_elapsed, now);
  }
  Ticket ticket{.generation = generation()};
  if (state() == CircuitState::half_open) {
    if (!admits_probe(*options_, probes_, leases_.in_flight())) {
      if (!rejects) return grant_locked(now, {});
      return reject(now, RejectionReason::half_open_busy, open_facts(), leases_.earliest_end());
    }
    const Duration lease =
        probe_lease ? std::clamp<Duration>(*probe_lease, kMinProbeLease, kMaxProbeLease) : options_->probe_lease;
    ticket.lease = leases_.take(saturating_add(now, lease));
  }
  return grant_locked(now, ticket);
}

std::optional<Rejection> CircuitBreaker::reject_if_open_slow(std::uint64_t word) {
  const TimePoint now = context_->clock.now();
  OpenFacts facts;
  if (rejects_plainly(now, word, facts)) {
    count_denial(now);
    return rejection(now, RejectionReason::circuit_open, facts, facts.deadline);
  }
  const auto rejected = [&] {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    expire_override_locked(at);
    if (override_ == nullptr || is_imposed_locked(OverrideKind::metrics_only)) {
      expire_leases_locked(at);
      judge_stuck_calls_locked(at);
    }
    return peek_locked(at);
  }();
  if (rejected) count_denial(now);
  context_->events.deliver();
  return rejected;
}

BreakerPermit CircuitBreaker::grant_locked(TimePoint now, Ticket ticket) {
  if (options_->tracks_calls()) ticket.flight = calls_->begin(now);
  if (options_->slow_call_rate) ticket.began = now;
  cells_.add(&Cell::admitted);
  return BreakerPermit(*this, ticket);
}

std::optional<Rejection> CircuitBreaker::peek_rejection() const {
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  if ((word & (kStateBits | kLookBits)) == 0) return std::nullopt;  // closed
  const TimePoint now = context_->clock.now();
  const MutexLock lock(mutex_);
  return peek_locked(not_before_last_move_locked(now));
}

bool CircuitBreaker::is_shut(TimePoint now) const {
  if (!may_reject(word_.load(std::memory_order_relaxed))) return false;
  const MutexLock lock(mutex_);
  const auto rejection = peek_locked(not_before_last_move_locked(now));
  return rejection && rejection->reason == RejectionReason::circuit_open;
}

std::optional<Rejection> CircuitBreaker::peek_locked(TimePoint now) const {
  const ImposedOverride* const imposed = imposed_locked(now);
  if (imposed == nullptr) return peek_automatic_locked(now);
  if (imposed->kind != OverrideKind::force_open) return std::nullopt;
  return rejection(now, RejectionReason::circuit_open, open_facts(), imposed->end());
}

std::optional<Rejection> CircuitBreaker::peek_automatic_locked(TimePoint now) const {
  OpenFacts facts = open_facts();
  if (state() == closed) {
    if (!has_stuck_call_locked(now)) return std::nullopt;
    facts.opened_at = now;
    facts.deadline = next_opening_locked(stuck_call, now).until;
  }
  if (state() == CircuitState::half_open) {
    const OverdueProbes overdue = overdue_probes(now, *options_, probes_, leases_);
    if (overdue.decision == probe_succeeded) return std::nullopt;
    facts.consecutive_failures = std::min(facts.consecutive_failures + overdue.lost, kMaxFailuresInARow);
    if (overdue.lost > 0) facts.last_failure = Category::timeout;
    if (!overdue.decision) {
      if (admits_probe(*options_, overdue.tally, leases_.in_flight() - overdue.lost)) return std::nullopt;
      return rejection(now, RejectionReason::half_open_busy, facts, leases_.earliest_end(now));
    }
    facts.opened_at = overdue.decided_at;
    // Half-opened by hand, its open time may not be over yet.
    facts.deadline = std::max(facts.deadline, next_opening_locked(*overdue.decision, overdue.decided_at).until);
  }
  if (now >= facts.deadline) return std::nullopt;
  return rejection(now, RejectionReason::circuit_open, facts, facts.deadline);
}

CircuitBreaker::OpenFacts CircuitBreaker::open_facts() const noexcept {
  OpenFacts facts{.deadline = deadline_.load(std::memory_order_acquire),
                  .opened_at = opened_at_.load(std::memory_order_acquire),
                  .consecutive_failures = consecutive()};
  const std::uint8_t category = last_failure_.load(std::memory_order_acquire);
  if (category != kNoCategory) facts.last_failure = static_cast<Category>(category);
  return facts;
}

// A sequence lock without a counter of its own: the facts of an open circuit change only after its generation has
// changed, and a generation never comes back. A fact of a later generation was stored (release) after that generation's
// predecessor had been published, so whoever read it (acquire) sees another word here.
bool CircuitBreaker::read_open_facts(std::uint64_t word, OpenFacts& facts) const noexcept {
  facts = open_facts();
  return word_.load(std::memory_order_relaxed) == word;
}

Rejection CircuitBreaker::rejection(TimePoint now, RejectionReason reason, const OpenFacts& facts,
                                    std::optional<TimePoint> until) const noexcept {
  return {.reason = reason,
          .key = to_key_text(key_.view()),
          .retry_after = until ? std::optional(elapsed(now, *until)) : std::nullopt,
          .consecutive_failures = facts.consecutive_failures,
          .opened_at = facts.opened_at != kNotYet ? std::optional(facts.opened_at) : std::nullopt,
          .last_failure = facts.last_failure};
}

std::expected<BreakerPermit, Rejection> CircuitBreaker::reject(TimePoint now, RejectionReason reason,
                                                               const OpenFacts& facts,
                                                               std::optional<TimePoint> until) noexcept {
  count_denial(now);
  // A rejection is large: made where it is returned, it is not copied.
  struct Maker {
    operator Rejection() const noexcept { return breaker.rejection(now, reason, facts, until); }  // NOLINT
    const CircuitBreaker& breaker;
    RejectionReason reason;
    const OpenFacts& facts;
    TimePoint now;
    std::optional<TimePoint> until;
  };
  return std::expected<BreakerPermit, Rejection>(std::unexpect, Maker{*this, reason, facts, now, until});
}

// Only calls of the current generation: one that has hung since before the circuit opened would open it again right
// after a probe has shown the target to be well [BRK-12].
bool CircuitBreaker::has_stuck_call_locked(TimePoint now) const {
  if (calls_ == nullptr || state() != closed) return false;
  // Even when its time is up: its end, still to come, will make none of them count.
  if (is_imposed_locked(OverrideKind::force_closed)) return false;
  const std::optional<TimePoint> began = calls_->oldest_of_generation();
  return began && is_stuck(now, *options_, *began);
}

void CircuitBreaker::judge_stuck_calls_locked(TimePoint now) {
  // From now on, not from when it grew too old: that open time may be over already, and the call still hangs.
  if (has_stuck_call_locked(now)) open_locked(stuck_call, now);
}

}  // namespace fuseboard
