// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/circuit_breaker.h"

#include <algorithm>
#include <limits>

#include "fuseboard/core/check.h"

namespace fuseboard {
namespace {

using enum CircuitState;
using enum TransitionCause;

constexpr std::uint64_t kFirstGeneration = 1;
// Of no permit: an outcome that is no evidence whatever the state.
constexpr std::uint64_t kNoGeneration = 0;

// The only moves there are [BRK-1]: a cause names its move, so an illegal one cannot be written down.
struct Move {
  TransitionCause cause;
  CircuitState from;  // of operator_reset: any
  CircuitState to;
};
constexpr std::array<Move, 6> kMoves = {{
    {consecutive_failures, closed, open},
    {open_time_elapsed, open, half_open},
    {probe_succeeded, half_open, closed},
    {probe_failed, half_open, open},
    {probe_lease_expired, half_open, open},
    {operator_reset, closed, closed},
}};
static_assert([] {
  for (std::size_t i = 0; i < kMoves.size(); ++i) {
    if (static_cast<std::size_t>(kMoves[i].cause) != i) return false;
  }
  return true;
}());

constexpr const Move& move_for(TransitionCause cause) noexcept { return kMoves[static_cast<std::size_t>(cause)]; }

constexpr std::uint32_t saturating_increment(std::uint32_t value) noexcept {
  return value == std::numeric_limits<std::uint32_t>::max() ? value : value + 1;
}

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
    : word_(make_word(closed, kFirstGeneration)),
      own_context_(std::move(own_context)),
      cells_(own_context_ != nullptr ? own_context_->memory : context->memory),
      key_(key),
      context_(own_context_ != nullptr ? own_context_.get() : context),
      options_(std::move(options)),
      jitter_seed_(context_->seed ^ hash(key)),
      open_base_(options_->open_time.initial),
      open_time_(options_->open_time.initial),
      leases_(options_->half_open_max_probes, kFreeLease, &context_->memory) {}

CircuitBreaker::~CircuitBreaker() {
  if (state() == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
}

void BreakerPermit::abandon() noexcept { std::exchange(breaker_, nullptr)->abandon(ticket_); }

void BreakerPermit::first_content(Duration latency) {
  if (breaker_ != nullptr && is_probe()) ticket_ = breaker_->first_content(ticket_, latency);
}

// Admission.

std::expected<BreakerPermit, Rejection> CircuitBreaker::acquire_unless_closed(std::uint64_t word,
                                                                              std::optional<Duration> probe_lease) {
  const TimePoint now = context_->clock.now();
  OpenFacts facts;
  if (state_of(word) == open && read_open_facts(word, facts) && now < facts.deadline) {
    return deny(RejectionReason::circuit_open, facts, now, facts.deadline);
  }
  bool moved = false;
  auto result = [&] {
    const MutexLock lock(mutex_);
    return acquire_locked(not_before_last_move_locked(now), probe_lease, moved);
  }();
  if (moved) context_->events.deliver();
  return result;
}

std::expected<BreakerPermit, Rejection> CircuitBreaker::acquire_locked(TimePoint now,
                                                                       std::optional<Duration> probe_lease,
                                                                       bool& moved) {
  moved = expire_leases_locked(now);
  if (state() == open) {
    const OpenFacts facts = open_facts();
    if (now < facts.deadline) {
      return deny(RejectionReason::circuit_open, facts, now, facts.deadline);
    }
    half_open_locked(now);
    moved = true;
  }
  Ticket ticket{.generation = generation_of(word_.load(std::memory_order_relaxed))};
  if (state() == half_open) {
    if (probes_in_flight_ >= leases_.size()) {
      return deny(RejectionReason::half_open_busy, open_facts(), now, earliest_lease_locked());
    }
    const Duration lease =
        probe_lease ? std::clamp<Duration>(*probe_lease, kMinProbeLease, kMaxProbeLease) : options_->probe_lease;
    ticket.lease = take_lease_locked(saturating_add(now, lease));
  }
  cells_.add(&Cell::admitted);
  return BreakerPermit(*this, ticket);
}

std::optional<Rejection> CircuitBreaker::look() const {
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  if (state_of(word) == closed) return std::nullopt;
  const TimePoint now = context_->clock.now();
  const MutexLock lock(mutex_);
  return look_locked(not_before_last_move_locked(now));
}

std::optional<Rejection> CircuitBreaker::look_locked(TimePoint now) const {
  if (state() == closed) return std::nullopt;
  OpenFacts facts = open_facts();
  if (state() == half_open) {
    const TimePoint lease_end = earliest_lease_locked();
    if (now < lease_end) {
      if (probes_in_flight_ < leases_.size()) return std::nullopt;
      return refusal(RejectionReason::half_open_busy, facts, now, lease_end);
    }
    // An admission would first find the lost probe and open: this is what it would open with.
    facts.opened_at = lease_end;
    facts.deadline = saturating_add(lease_end, next_open_time_locked(probe_lease_expired, lease_end).drawn);
    facts.consecutive_failures = saturating_increment(facts.consecutive_failures);
    facts.last_failure = Category::timeout;
  }
  if (now >= facts.deadline) return std::nullopt;
  return refusal(RejectionReason::circuit_open, facts, now, facts.deadline);
}

CircuitBreaker::OpenFacts CircuitBreaker::open_facts() const noexcept {
  OpenFacts facts{.deadline = deadline_.load(std::memory_order_acquire),
                  .opened_at = opened_at_.load(std::memory_order_acquire),
                  .consecutive_failures = consecutive_failures_.load(std::memory_order_acquire)};
  const std::uint8_t category = last_failure_.load(std::memory_order_acquire);
  if (category != kNoCategory) facts.last_failure = static_cast<Category>(category);
  return facts;
}

// A sequence lock without a counter of its own: the facts of an open circuit change only after its word has changed,
// and the word never returns to a value. A fact of a later generation was stored (release) after that generation's
// predecessor had been published, so whoever read it (acquire) sees another word here.
bool CircuitBreaker::read_open_facts(std::uint64_t word, OpenFacts& facts) const noexcept {
  facts = open_facts();
  return word_.load(std::memory_order_relaxed) == word;
}

Rejection CircuitBreaker::refusal(RejectionReason reason, const OpenFacts& facts, TimePoint now,
                                  TimePoint until) const noexcept {
  return {.reason = reason,
          .key = to_key_text(key_.view()),
          .retry_after = elapsed(now, until),
          .consecutive_failures = facts.consecutive_failures,
          .opened_at = facts.opened_at,
          .last_failure = facts.last_failure};
}

std::expected<BreakerPermit, Rejection> CircuitBreaker::deny(RejectionReason reason, const OpenFacts& facts,
                                                             TimePoint now, TimePoint until) noexcept {
  cells_.mine().last_denial.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  cells_.add(&Cell::denied);
  // A rejection is large: made where it is returned, it is not copied.
  struct Maker {
    operator Rejection() const noexcept { return breaker.refusal(reason, facts, now, until); }  // NOLINT
    const CircuitBreaker& breaker;
    RejectionReason reason;
    const OpenFacts& facts;
    TimePoint now;
    TimePoint until;
  };
  return std::expected<BreakerPermit, Rejection>(std::unexpect, Maker{*this, reason, facts, now, until});
}

// Settlement.

CircuitBreaker::Counter CircuitBreaker::counter_of(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::success:
      return &Cell::succeeded;
    case Verdict::throttled:
      return &Cell::throttled;
    case Verdict::neutral:
      return &Cell::neutral;
    case Verdict::failure:
      break;
  }
  return nullptr;  // failed_, under the mutex
}

void CircuitBreaker::settle_judged(Ticket ticket, const Outcome& outcome) {
  const Verdict verdict = verdict_of(outcome, options_->trips_on);
  const Category category = outcome.ok() ? Category::execution_error : outcome.failure->category;
  conclude(ticket, verdict, category, counter_of(verdict));
}

void CircuitBreaker::abandon(Ticket ticket) {
  const Verdict verdict = options_->abandoned_is_failure ? Verdict::failure : Verdict::neutral;
  conclude(ticket, verdict, Category::cancelled, &Cell::abandoned);
}

void CircuitBreaker::report(const Outcome& outcome) {
  const std::uint64_t word = word_.load(std::memory_order_acquire);
  // Evidence while closed; otherwise it belongs to no generation, and counts in the totals alone.
  const Ticket ticket{.generation = state_of(word) == closed ? generation_of(word) : kNoGeneration};
  cells_.add(&Cell::reported);
  settle(ticket, outcome);
}

void CircuitBreaker::conclude(Ticket ticket, Verdict verdict, Category category, Counter counter) {
  if (counter != nullptr) cells_.add(counter);
  if (verdict != Verdict::failure && ticket.lease == BreakerPermit::kNoLease) return;
  const TimePoint now = context_->clock.now();
  bool moved = false;
  {
    const MutexLock lock(mutex_);
    if (counter == nullptr) ++failed_;
    moved = judge_locked(ticket, verdict, category, not_before_last_move_locked(now));
  }
  if (moved) context_->events.deliver();
}

CircuitBreaker::Ticket CircuitBreaker::first_content(Ticket ticket, Duration) {
  const TimePoint now = context_->clock.now();
  bool moved = false;
  {
    const MutexLock lock(mutex_);
    const TimePoint at = not_before_last_move_locked(now);
    moved = expire_leases_locked(at);
    if (ticket.generation == generation_of(word_.load(std::memory_order_relaxed))) {
      moved = judge_probe_locked(ticket, Verdict::success, Category::execution_error, at) || moved;
      // The state that follows: closed if this probe was the last that it took.
      ticket.generation = generation_of(word_.load(std::memory_order_relaxed));
    }
  }
  ticket.lease = BreakerPermit::kNoLease;
  if (moved) context_->events.deliver();
  return ticket;
}

void CircuitBreaker::clear_failures(std::uint64_t generation) {
  if (word_.load(std::memory_order_acquire) != make_word(closed, generation)) return;
  const MutexLock lock(mutex_);
  if (word_.load(std::memory_order_relaxed) != make_word(closed, generation)) return;
  consecutive_failures_.store(0, std::memory_order_release);
}

// Whether the circuit moved.
bool CircuitBreaker::judge_locked(Ticket ticket, Verdict verdict, Category category, TimePoint now) {
  const bool expired = expire_leases_locked(now);
  if (ticket.generation != generation_of(word_.load(std::memory_order_relaxed))) return expired;  // late [BRK-9]
  if (state() == half_open) return judge_probe_locked(ticket, verdict, category, now) || expired;
  if (verdict != Verdict::failure) return expired;
  note_failure_locked(category);
  if (consecutive_failures_.load(std::memory_order_relaxed) < options_->failure_threshold) return expired;
  open_locked(consecutive_failures, now);
  return true;
}

// Of a half-open circuit's own generation: a probe, or a stream that was one until its first content and is evidence
// still.
bool CircuitBreaker::judge_probe_locked(Ticket ticket, Verdict verdict, Category category, TimePoint now) {
  const bool is_probe = ticket.lease != BreakerPermit::kNoLease;
  if (is_probe) {
    check_invariant(leases_[ticket.lease] != kFreeLease, "a probe settles the lease it holds");
    leases_[ticket.lease] = kFreeLease;
    --probes_in_flight_;
  }
  if (verdict == Verdict::failure) {
    note_failure_locked(category);
    open_locked(probe_failed, now);
    return true;
  }
  if (verdict != Verdict::success || !is_probe) return false;  // the slot is free again, no more [BRK-7]
  if (++probe_successes_ < options_->half_open_successes) return false;
  close_locked(probe_succeeded, now);
  return true;
}

void CircuitBreaker::note_failure_locked(Category category) {
  consecutive_failures_.store(saturating_increment(consecutive_failures_.load(std::memory_order_relaxed)),
                              std::memory_order_release);
  last_failure_.store(static_cast<std::uint8_t>(category), std::memory_order_release);
}

void CircuitBreaker::reset() {
  const TimePoint now = context_->clock.now();
  {
    const MutexLock lock(mutex_);
    close_locked(operator_reset, not_before_last_move_locked(now));
    open_base_ = options_->open_time.initial;
  }
  context_->events.deliver();
}

// Leases.

// A lost probe has failed at the end of its lease, whenever that is noticed: a circuit that nobody asked for hours does
// not begin a new open time on the first question. Whether the circuit moved.
bool CircuitBreaker::expire_leases_locked(TimePoint now) {
  if (state() != half_open) return false;
  const TimePoint lease_end = earliest_lease_locked();
  if (now < lease_end) return false;
  note_failure_locked(Category::timeout);
  open_locked(probe_lease_expired, lease_end);
  return true;
}

TimePoint CircuitBreaker::earliest_lease_locked() const {
  TimePoint earliest = kNever;
  if (probes_in_flight_ == 0) return earliest;
  for (const TimePoint lease : leases_) {
    if (lease != kFreeLease) earliest = std::min(earliest, lease);
  }
  return earliest;
}

std::uint32_t CircuitBreaker::take_lease_locked(TimePoint until) {
  const auto lease = std::find(leases_.begin(), leases_.end(), kFreeLease);
  check_invariant(lease != leases_.end(), "no more probes than half_open_max_probes");
  *lease = until;
  ++probes_in_flight_;
  return static_cast<std::uint32_t>(lease - leases_.begin());
}

void CircuitBreaker::release_leases_locked() {
  if (probes_in_flight_ == 0) return;
  std::fill(leases_.begin(), leases_.end(), kFreeLease);
  probes_in_flight_ = 0;
}

// Moves.

CircuitBreaker::NextOpenTime CircuitBreaker::next_open_time_locked(TransitionCause cause, TimePoint at) const {
  const OpenTime& times = options_->open_time;
  Duration base = open_base_;
  if (cause != consecutive_failures) {
    base = times.grown(open_base_);
  } else if (elapsed(closed_since_, at) >= options_->growth_forgotten_after()) {
    base = times.initial;
  }
  // Drawn by generation and not from a sequence, so that look() sees what a later move will draw.
  Rng rng(jitter_seed_ ^ (generation_of(word_.load(std::memory_order_relaxed)) + 1));
  return {.base = base, .drawn = times.jittered(base, rng.uniform())};
}

void CircuitBreaker::open_locked(TransitionCause cause, TimePoint at) {
  const NextOpenTime next = next_open_time_locked(cause, at);
  open_base_ = next.base;
  open_time_ = next.drawn;
  release_leases_locked();
  opened_at_.store(at, std::memory_order_release);
  deadline_.store(std::max(deadline_.load(std::memory_order_relaxed), saturating_add(at, next.drawn)),
                  std::memory_order_release);
  ++times_opened_;
  move_locked(cause, at);
}

void CircuitBreaker::half_open_locked(TimePoint at) {
  probe_successes_ = 0;
  move_locked(open_time_elapsed, at);
}

void CircuitBreaker::close_locked(TransitionCause cause, TimePoint at) {
  release_leases_locked();
  closed_since_ = at;
  move_locked(cause, at);
}

void CircuitBreaker::move_locked(TransitionCause cause, TimePoint at) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  const CircuitState from = state_of(word);
  const CircuitState to = move_for(cause).to;
  const std::uint64_t generation = generation_of(word) + 1;
  check_invariant(cause == operator_reset || from == move_for(cause).from, "a breaker makes legal moves only");

  const std::size_t place = transitions_++ % kTransitionsKept;
  history_.at[place] = at;
  history_.from[place] = from;
  history_.cause[place] = cause;
  last_move_ = at;
  if (to == open) context_->open_circuits.fetch_add(1, std::memory_order_relaxed);
  if (from == open) context_->open_circuits.fetch_sub(1, std::memory_order_relaxed);
  word_.store(make_word(to, generation), std::memory_order_release);
  if (to == closed) {
    // New evidence from here on [BRK-12]. After the word, because of read_open_facts(); a success that still sees the
    // old count comes for the mutex in vain.
    consecutive_failures_.store(0, std::memory_order_release);
    deadline_.store(TimePoint::min(), std::memory_order_release);
  }

  const OpenFacts facts = open_facts();
  context_->events.post({.key = to_key_text(key_.view()),
                         .sequence = transitions_,
                         .at = at,
                         .from = from,
                         .to = to,
                         .cause = cause,
                         .generation = generation,
                         .consecutive_failures = facts.consecutive_failures,
                         .open_time = to == open ? open_time_ : Duration::zero(),
                         .last_failure = facts.last_failure});
}

TimePoint CircuitBreaker::not_before_last_move_locked(TimePoint now) const { return std::max(now, last_move_); }

// Diagnostics.

BreakerSnapshot CircuitBreaker::snapshot() const {
  const TimePoint now = context_->clock.now();
  BreakerSnapshot snapshot{.key = key_};
  const MutexLock lock(mutex_);
  const OpenFacts facts = open_facts();
  snapshot.state = state();
  snapshot.generation = generation_of(word_.load(std::memory_order_relaxed));
  snapshot.consecutive_failures = facts.consecutive_failures;
  snapshot.probes_in_flight = probes_in_flight_;
  snapshot.open_time = snapshot.state == closed
                           ? next_open_time_locked(consecutive_failures, not_before_last_move_locked(now)).base
                           : open_time_;
  if (snapshot.state == open) snapshot.remaining = elapsed(now, facts.deadline);
  if (times_opened_ > 0) snapshot.opened_at = facts.opened_at;
  snapshot.times_opened = times_opened_;
  snapshot.last_failure = facts.last_failure;
  snapshot.transitions = transitions_locked();
  sum_cells_locked(snapshot);
  return snapshot;
}

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

void CircuitBreaker::sum_cells_locked(BreakerSnapshot& into) const {
  BreakerTotals& totals = into.totals;
  // Settlements before admissions: whoever sees a settlement sees its admission, so no fewer are in flight than are.
  totals.failed = failed_;
  totals.succeeded = cells_.sum(&Cell::succeeded);
  totals.throttled = cells_.sum(&Cell::throttled);
  totals.neutral = cells_.sum(&Cell::neutral);
  totals.abandoned = cells_.sum(&Cell::abandoned);
  totals.reported = cells_.sum(&Cell::reported);
  totals.admitted = cells_.sum(&Cell::admitted);
  const std::uint64_t settled = totals.succeeded + totals.throttled + totals.neutral + totals.abandoned + totals.failed;
  const std::uint64_t granted = totals.admitted + totals.reported;
  into.in_flight = granted > settled ? granted - settled : 0;

  into.denials = cells_.sum(&Cell::denied);
  if (into.denials == 0) return;
  Duration::rep last = std::numeric_limits<Duration::rep>::min();
  cells_.for_each([&](const Cell& cell) {
    if (cell.denied.load(std::memory_order_acquire) > 0)
      last = std::max(last, cell.last_denial.load(std::memory_order_relaxed));
  });
  into.last_denial = TimePoint(Duration(last));
}

}  // namespace fuseboard
