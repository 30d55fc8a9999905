// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The circuit breaker: one key's state machine.
//
//   CircuitBreaker breaker(provider_preset());
//   auto permit = breaker.try_acquire();
//   if (!permit) return permit.error();            // open: says when to come back
//   std::move(*permit).settle(Outcome::success()); // or Outcome::failed(...); forgetting is safe
//
// How it stays cheap [BRK-18]: the state and its generation are one atomic word. While the circuit is closed an
// admission loads that word, a success loads the count of failures, and each adds one to a counter of its own thread;
// no clock is read and no shared line is written. Everything else, whatever counts a failure, holds a probe or moves
// the state, happens under the mutex and checks the generation there [BRK-9].
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <utility>
#include <vector>

#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/events.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/thread_slot.h"

namespace fuseboard {

class CircuitBreaker;

// Permission for one attempt. Settle it once; destroyed unsettled it is abandoned: neutral, or a failure where
// `abandoned_is_failure` is set [BRK-10]. A permit may be settled on another thread than the one that acquired it, but
// is not itself thread-safe. Its breaker must outlive it.
class [[nodiscard]] BreakerPermit {
 public:
  // Holds nothing: settling it does nothing. What an untracked key gets.
  BreakerPermit() noexcept = default;
  BreakerPermit(BreakerPermit&& other) noexcept
      : breaker_(std::exchange(other.breaker_, nullptr)), ticket_(other.ticket_) {}
  BreakerPermit& operator=(BreakerPermit&& other) noexcept {
    if (this != &other) {
      if (breaker_ != nullptr) abandon();
      breaker_ = std::exchange(other.breaker_, nullptr);
      ticket_ = other.ticket_;
    }
    return *this;
  }
  ~BreakerPermit() {
    if (breaker_ != nullptr) [[unlikely]] {
      abandon();
    }
  }

  // Tells the breaker how the attempt ended. A second call does nothing.
  void settle(const Outcome& outcome) &&;

  // A stream has delivered its first content, `latency` after it began. A probe has then succeeded, and the permit goes
  // on as one of the state that follows, for the final verdict [BRK-8]. Does nothing to a permit that is no probe.
  void first_content(Duration latency);

  bool is_probe() const noexcept { return ticket_.lease != kNoLease; }
  // Of the breaker when it granted this permit [BRK-9]; 0 for an untracked key.
  std::uint64_t generation() const noexcept { return ticket_.generation; }

 private:
  friend class CircuitBreaker;
  static constexpr std::uint32_t kNoLease = ~std::uint32_t{0};

  struct Ticket {
    std::uint64_t generation = 0;
    std::uint32_t lease = kNoLease;  // index of the probe's lease
  };

  BreakerPermit(CircuitBreaker& breaker, Ticket ticket) noexcept : breaker_(&breaker), ticket_(ticket) {}
  void abandon() noexcept;

  CircuitBreaker* breaker_ = nullptr;
  Ticket ticket_{};
};

// What the breakers of one registry share.
struct BreakerContext {
  BreakerContext(const Clock& shared_clock, std::uint64_t shared_seed) : clock(shared_clock), seed(shared_seed) {}

  const Clock& clock;
  const std::uint64_t seed;  // of the jitter
  EventOutbox<BreakerEvent> events{};
  std::atomic<std::size_t> open_circuits{0};
  // Where breakers put their cells and leases. Breakers are made under the registry's lock.
  std::pmr::monotonic_buffer_resource memory{};
};

// Thread-safe throughout. Listeners run outside its lock, on the thread that caused the transition or one that is
// delivering already. The clock and the context must outlive it.
class alignas(64) CircuitBreaker {
 public:
  // A breaker by itself. Throws InvalidOptions. The same seed, clock and inputs give the same decisions.
  explicit CircuitBreaker(const BreakerOptions& options = {}, KeyView key = "",
                          const Clock& clock = SteadyClock::instance(), std::uint64_t seed = Rng::random_seed());
  // One of a registry's; `options` are valid.
  CircuitBreaker(std::shared_ptr<const BreakerOptions> options, KeyView key, BreakerContext& context);
  ~CircuitBreaker();
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  // A permit, or why not: `circuit_open` with the time left, or `half_open_busy` with the time until the first probe's
  // lease ends. The first call at or after the end of the open time makes the circuit half-open and gets the probe
  // [BRK-5]. Never allocates. Cost: about 2 ns closed; a clock read and some 5 ns more refused.
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire() { return acquire(std::nullopt); }
  // As above; if the permit is a probe it is to be settled within `probe_lease`, clamped to kMinProbeLease ...
  // kMaxProbeLease.
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(Duration probe_lease) {
    return acquire(probe_lease);
  }

  // What try_acquire() would refuse with now, or nullopt. Takes no probe, counts no denial, moves no state.
  [[nodiscard]] std::optional<Rejection> look() const;

  // An outcome of a call that holds no permit: evidence while closed, totals otherwise [BRK-21].
  void report(const Outcome& outcome);

  // Closes the circuit, clears counts and growth, keeps totals, starts a generation [BRK-21].
  void reset();

  BreakerSnapshot snapshot() const;
  CircuitState state() const noexcept { return state_of(word_.load(std::memory_order_acquire)); }
  KeyView key() const noexcept { return key_.view(); }
  const BreakerOptions& options() const noexcept { return *options_; }

  // Of a registry's breaker: events of all its breakers.
  [[nodiscard]] Subscription subscribe(std::function<void(const BreakerEvent&)> listener) {
    return context_->events.subscribe(std::move(listener));
  }

 private:
  friend class BreakerPermit;
  using Ticket = BreakerPermit::Ticket;

  // Counters of one thread. Failures are not among them: counting one takes the mutex anyway.
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> admitted{0};
    std::atomic<std::uint64_t> succeeded{0};
    std::atomic<std::uint64_t> throttled{0};
    std::atomic<std::uint64_t> neutral{0};
    std::atomic<std::uint64_t> abandoned{0};
    std::atomic<std::uint64_t> reported{0};  // without a permit, whatever the verdict
    std::atomic<std::uint64_t> denied{0};
    std::atomic<Duration::rep> last_denial{0};  // since the clock's epoch
  };
  static_assert(sizeof(Cell) == 64);
  using Counter = ThreadCells<Cell>::Counter;

  // What an open circuit's refusal says, published with the word.
  struct OpenFacts {
    TimePoint deadline{};
    TimePoint opened_at{};
    std::uint32_t consecutive_failures = 0;
    std::optional<Category> last_failure{};
  };

  // The last transitions, packed; the generation follows from the position.
  struct History {
    std::array<TimePoint, kTransitionsKept> at{};
    std::array<CircuitState, kTransitionsKept> from{};
    std::array<TransitionCause, kTransitionsKept> cause{};
  };

  struct NextOpenTime {
    Duration base{};   // before jitter
    Duration drawn{};  // as it will be
  };

  static constexpr std::uint8_t kNoCategory = 0xFF;
  static constexpr TimePoint kFreeLease = TimePoint::min();

  // `context` unless the breaker has one of its own.
  CircuitBreaker(std::shared_ptr<const BreakerOptions> options, KeyView key,
                 std::unique_ptr<BreakerContext> own_context, BreakerContext* context);

  static constexpr CircuitState state_of(std::uint64_t word) noexcept { return static_cast<CircuitState>(word & 3U); }
  static constexpr std::uint64_t generation_of(std::uint64_t word) noexcept { return word >> 2; }
  static constexpr std::uint64_t make_word(CircuitState state, std::uint64_t generation) noexcept {
    return (generation << 2) | static_cast<std::uint64_t>(state);
  }

  std::expected<BreakerPermit, Rejection> acquire(std::optional<Duration> probe_lease) {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if (state_of(word) == CircuitState::closed) [[likely]] {
      cells_.add(&Cell::admitted);
      return BreakerPermit(*this, {.generation = generation_of(word)});
    }
    return acquire_unless_closed(word, probe_lease);
  }

  void settle(Ticket ticket, const Outcome& outcome) {
    if (outcome.ok() && ticket.lease == BreakerPermit::kNoLease) [[likely]] {
      cells_.add(&Cell::succeeded);
      // Test before you store: a zero stays unwritten, so successes share nothing. Relaxed: a failure that is not
      // visible yet has not happened before this success.
      if (consecutive_failures_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
        clear_failures(ticket.generation);
      }
      return;
    }
    settle_judged(ticket, outcome);
  }

  std::expected<BreakerPermit, Rejection> acquire_unless_closed(std::uint64_t word,
                                                                std::optional<Duration> probe_lease);
  void settle_judged(Ticket ticket, const Outcome& outcome);
  void abandon(Ticket ticket);
  // Returns the ticket that the permit goes on with.
  Ticket first_content(Ticket ticket, Duration latency);
  void clear_failures(std::uint64_t generation);
  void conclude(Ticket ticket, Verdict verdict, Category category, Counter counter);
  static Counter counter_of(Verdict verdict) noexcept;

  // Whether `facts` are those of `word`; false if the circuit moved meanwhile.
  bool read_open_facts(std::uint64_t word, OpenFacts& facts) const noexcept;
  OpenFacts open_facts() const noexcept;
  Rejection refusal(RejectionReason reason, const OpenFacts& facts, TimePoint now, TimePoint until) const noexcept;
  std::expected<BreakerPermit, Rejection> deny(RejectionReason reason, const OpenFacts& facts, TimePoint now,
                                               TimePoint until) noexcept;

  std::expected<BreakerPermit, Rejection> acquire_locked(TimePoint now, std::optional<Duration> probe_lease,
                                                         bool& moved) FUSEBOARD_REQUIRES(mutex_);
  std::optional<Rejection> look_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  bool judge_locked(Ticket ticket, Verdict verdict, Category category, TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  bool judge_probe_locked(Ticket ticket, Verdict verdict, Category category, TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  void note_failure_locked(Category category) FUSEBOARD_REQUIRES(mutex_);
  bool expire_leases_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  // kNever if no probe is in flight.
  TimePoint earliest_lease_locked() const FUSEBOARD_REQUIRES(mutex_);
  std::uint32_t take_lease_locked(TimePoint until) FUSEBOARD_REQUIRES(mutex_);
  void release_leases_locked() FUSEBOARD_REQUIRES(mutex_);

  void open_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void half_open_locked(TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void close_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void move_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  // What the next generation would draw, should it open for `cause` at `at`.
  NextOpenTime next_open_time_locked(TransitionCause cause, TimePoint at) const FUSEBOARD_REQUIRES(mutex_);
  // Threads read the clock before they queue for the mutex, so a later holder may bring an earlier time.
  TimePoint not_before_last_move_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  std::vector<Transition> transitions_locked() const FUSEBOARD_REQUIRES(mutex_);
  void sum_cells_locked(BreakerSnapshot& into) const FUSEBOARD_REQUIRES(mutex_);

  // What every call reads comes first, in one cache line. The atomics are written under mutex_ alone.
  std::atomic<std::uint64_t> word_;
  std::atomic<std::uint32_t> consecutive_failures_{0};
  std::atomic<std::uint8_t> last_failure_{kNoCategory};
  const std::unique_ptr<BreakerContext> own_context_;  // of a breaker by itself; holds the memory of what follows
  ThreadCells<Cell> cells_;
  const Key key_;
  BreakerContext* const context_;
  const std::shared_ptr<const BreakerOptions> options_;
  const std::uint64_t jitter_seed_;
  std::atomic<TimePoint> deadline_{};
  std::atomic<TimePoint> opened_at_{};

  mutable Mutex mutex_;
  std::uint64_t failed_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t times_opened_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t transitions_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  Duration open_base_ FUSEBOARD_GUARDED_BY(mutex_);  // before jitter
  Duration open_time_ FUSEBOARD_GUARDED_BY(mutex_);  // as drawn
  TimePoint closed_since_ FUSEBOARD_GUARDED_BY(mutex_){};
  TimePoint last_move_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();
  std::uint32_t probe_successes_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint32_t probes_in_flight_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::pmr::vector<TimePoint> leases_ FUSEBOARD_GUARDED_BY(mutex_);  // one a probe: its end, or kFreeLease
  History history_ FUSEBOARD_GUARDED_BY(mutex_);
};

inline void BreakerPermit::settle(const Outcome& outcome) && {
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (breaker != nullptr) breaker->settle(ticket_, outcome);
}

}  // namespace fuseboard
