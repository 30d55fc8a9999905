// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The moves of the state machine [BRK-1] and what each brings with it: a generation [BRK-9], and no old evidence where
// it closes [BRK-12].
#include <algorithm>

#include "breaker/calls_in_flight.h"
#include "breaker/legal_moves.h"
#include "breaker/recent_failures.h"
#include "breaker/rolling_window.h"
#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

}  // namespace

void CircuitBreaker::open_locked(TransitionCause cause, TimePoint at) {
  const OpenTimeGrowth::Next next = next_opening_locked(cause, at);
  growth_.open(next);
  open_until_locked(cause, at, at, next.until);
}

OpenTimeGrowth::Next CircuitBreaker::next_opening_locked(TransitionCause cause, TimePoint at) const {
  return growth_.next(*options_, state(), cause, at, jitter_seed());
}

void CircuitBreaker::open_until_locked(TransitionCause cause, TimePoint at, TimePoint opened_at, TimePoint deadline) {
  deadline = std::max(deadline_.load(std::memory_order_relaxed), deadline);  // [BRK-4.4]
  leases_.release_all();
  opened_at_.store(opened_at, std::memory_order_release);
  deadline_.store(deadline, std::memory_order_release);
  ++times_opened_;
  move_locked(cause, at);
}

void CircuitBreaker::half_open_locked(TransitionCause cause, TimePoint at) {
  probes_ = {};
  move_locked(cause, at);
}

void CircuitBreaker::close_locked(TransitionCause cause, TimePoint at) {
  leases_.release_all();
  growth_.close(at);
  if (window_ != nullptr) window_->clear();  // [BRK-12]
  if (recent_failures_ != nullptr) recent_failures_->clear();
  note_window_locked();
  move_locked(cause, at);
}

void CircuitBreaker::move_locked(TransitionCause cause, TimePoint at) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  const CircuitState from = state_of(word);
  const CircuitState to = move_for(cause).to;
  check_invariant(is_legal(cause, from), "a breaker makes legal moves only");

  const std::uint64_t next_generation = generation_of(word) + 1;
  history_.add(at, from, cause);
  last_move_ = at;
  if (calls_ != nullptr) calls_->start_generation();
  if (to == open) context_->open_circuits.fetch_add(1, std::memory_order_relaxed);
  if (from == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
  if (to == open) context_->times_opened.fetch_add(1, std::memory_order_relaxed);
  if (to == CircuitState::half_open) context_->times_half_opened.fetch_add(1, std::memory_order_relaxed);
  if (to == closed && from != closed) context_->times_closed.fetch_add(1, std::memory_order_relaxed);
  silent_period_.move(cause, to, next_generation);
  store_word_locked(make_word(to, word & kCareBits, next_generation));
  if (to == closed) {
    // New evidence from here on [BRK-12]. After the word, because of read_open_facts(); a success that still sees the
    // old count comes for the mutex in vain.
    forget_failures_locked();
    deadline_.store(TimePoint::min(), std::memory_order_release);
  }
  post_locked(BreakerEventKind::transition, from, cause, at);
}

void CircuitBreaker::post_locked(BreakerEventKind kind, CircuitState from, TransitionCause cause, TimePoint at) {
  ++events_;
  const CircuitState to = state();
  const OpenFacts facts = open_facts();
  const bool opened = kind == BreakerEventKind::transition && to == open;
  context_->events.post({.kind = kind,
                         .key = to_key_text(key_.view()),
                         .sequence = events_,
                         .at = at,
                         .from = from,
                         .to = to,
                         .cause = cause,
                         .generation = generation(),
                         .consecutive_failures = facts.consecutive_failures,
                         .open_time = opened ? facts.open_time() : Duration::zero(),
                         .last_failure = facts.last_failure,
                         .override_in_force = override_locked(at)});
}

TimePoint CircuitBreaker::not_before_last_move_locked(TimePoint now) const { return std::max(now, last_move_); }

}  // namespace fuseboard
