// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The moves of the state machine and what each brings with it.
#include <algorithm>
#include <array>

#include "breaker/calls_in_flight.h"
#include "breaker/rolling_window.h"
#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

// The only moves there are [BRK-1]: a cause names its move, so an illegal one cannot be written down.
struct Move {
  TransitionCause cause;
  CircuitState from;  // of operator_reset: any; of answered: half_open, too
  CircuitState to;
};
constexpr std::array<Move, 15> kMoves = {{
    {consecutive_failures, closed, open},
    {open_time_elapsed, open, half_open},
    {probe_succeeded, half_open, closed},
    {probe_failed, half_open, open},
    {probe_lease_expired, half_open, open},
    {operator_reset, closed, closed},
    {failure_rate, closed, open},
    {slow_call_rate, closed, open},
    {stuck_call, closed, open},
    {probe_throttled, half_open, open},
    {restored, closed, open},
    {silent, closed, open},
    {probe_silent, half_open, open},
    {answered, open, closed},
    {probe_slow, half_open, open},
}};
static_assert([] {
  for (std::size_t i = 0; i < kMoves.size(); ++i) {
    if (static_cast<std::size_t>(kMoves[i].cause) != i) return false;
  }
  return true;
}());

constexpr const Move& move_for(TransitionCause cause) noexcept { return kMoves[static_cast<std::size_t>(cause)]; }

constexpr bool is_legal(TransitionCause cause, CircuitState from) noexcept {
  if (cause == operator_reset) return true;
  if (cause == answered) return from != closed;
  return from == move_for(cause).from;
}

}  // namespace

CircuitBreaker::NextOpenTime CircuitBreaker::next_open_time_locked(TransitionCause cause, TimePoint at) const {
  const OpenTime& times = options_->open_time;
  Duration base = open_base_;
  // Every probe that failed, but none that was merely asked to wait [BRK-7].
  if (move_for(cause).from == half_open && cause != probe_throttled) {
    base = times.grown(open_base_);
  } else if (move_for(cause).from == closed && elapsed(closed_since_, at) >= options_->growth_forgotten_after()) {
    base = times.initial;
  }
  // Drawn by generation and not from a sequence, so that peek_rejection() sees what a later move will draw.
  Rng rng(context_->seed ^ fixed_hash(key_.view()) ^ (generation() + 1));
  return {.base = base, .drawn = times.jittered(base, rng.uniform())};
}

TimePoint CircuitBreaker::next_deadline_locked(TransitionCause cause, TimePoint at) const {
  return std::max(saturating_add(at, next_open_time_locked(cause, at).drawn), not_before_);
}

void CircuitBreaker::open_locked(TransitionCause cause, TimePoint at) {
  const TimePoint deadline = next_deadline_locked(cause, at);
  open_base_ = next_open_time_locked(cause, at).base;
  open_until_locked(cause, at, at, deadline);
}

void CircuitBreaker::open_until_locked(TransitionCause cause, TimePoint at, TimePoint opened_at, TimePoint deadline) {
  deadline = std::max(deadline_.load(std::memory_order_relaxed), deadline);
  open_time_ = elapsed(opened_at, deadline);
  release_leases_locked();
  opened_at_.store(opened_at, std::memory_order_release);
  deadline_.store(deadline, std::memory_order_release);
  ++times_opened_;
  move_locked(cause, at);
}

void CircuitBreaker::half_open_locked(TimePoint at) {
  probe_successes_ = 0;
  probe_failures_ = 0;
  move_locked(open_time_elapsed, at);
}

void CircuitBreaker::close_locked(TransitionCause cause, TimePoint at) {
  release_leases_locked();
  closed_since_ = at;
  if (window_ != nullptr) window_->clear();  // [BRK-12]
  note_window_locked();
  move_locked(cause, at);
}

void CircuitBreaker::move_locked(TransitionCause cause, TimePoint at) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  const CircuitState from = state_of(word);
  const CircuitState to = move_for(cause).to;
  check_invariant(is_legal(cause, from), "a breaker makes legal moves only");

  const std::size_t place = transitions_++ % kTransitionsKept;
  history_.at[place] = at;
  history_.from[place] = from;
  history_.cause[place] = cause;
  last_move_ = at;
  if (calls_ != nullptr) calls_->start_generation();
  if (to == open) context_->open_circuits.fetch_add(1, std::memory_order_relaxed);
  if (from == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
  if (to == open) context_->times_opened.fetch_add(1, std::memory_order_relaxed);
  if (to == half_open) context_->times_half_opened.fetch_add(1, std::memory_order_relaxed);
  if (to == closed && from != closed) context_->times_closed.fetch_add(1, std::memory_order_relaxed);
  // A probe that stays silent, or is lost, says no more than the silence it was to probe.
  if (cause == silent) {
    silent_generation_ = generation_of(word) + 1;
  } else if (to != half_open && cause != probe_silent && cause != probe_lease_expired) {
    silent_generation_ = 0;
  }
  store_word_locked(make_word(to, word & kCareBits, generation_of(word) + 1));
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
                         .open_time = opened ? open_time_ : Duration::zero(),
                         .last_failure = facts.last_failure,
                         .override_in_force = override_locked(at)});
}

TimePoint CircuitBreaker::not_before_last_move_locked(TimePoint now) const { return std::max(now, last_move_); }

std::vector<Transition> CircuitBreaker::transitions_locked() const {
  const std::uint64_t kept = std::min<std::uint64_t>(transitions_, kTransitionsKept);
  std::vector<Transition> transitions;
  transitions.reserve(kept);
  for (std::uint64_t i = transitions_ - kept; i < transitions_; ++i) {
    const std::size_t place = i % kTransitionsKept;
    transitions.push_back({.at = history_.at[place],
                           .from = history_.from[place],
                           .to = move_for(history_.cause[place]).to,
                           .cause = history_.cause[place],
                           .generation = kFirstGeneration + i + 1});
  }
  return transitions;
}

}  // namespace fuseboard
