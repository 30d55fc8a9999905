// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The circuit breaker: one key's state machine.
//
//   CircuitBreaker breaker(provider_preset());
//   auto permit = breaker.try_acquire();
//   if (!permit) return permit.error();            // open: says when to come back
//   std::move(*permit).settle(Outcome::success()); // or Outcome::failed(...); forgetting is safe
//
// How it stays cheap [BRK-18]: the state, its generation and whether an admission needs care are one atomic word, the
// failures in a row and whether successes are recorded are another. While the circuit is closed an admission loads the
// first, a success the second, and each adds one to a counter of its own thread; no clock is read and no shared line is
// written. Everything else, whatever counts a failure, fills a window, holds a probe or moves the state, happens under
// the mutex and checks the generation there [BRK-9].
//
// Its rules decide without it, each in a file of its own (when it trips, what probes decide, their leases, how long it
// stays open, overrides): they take the options, the evidence and the time. The breaker holds the mutex, asks them, and
// moves.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "fuseboard/breaker/context.h"
#include "fuseboard/breaker/event.h"
#include "fuseboard/breaker/key_companion.h"
#include "fuseboard/breaker/open_time_growth.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/permit.h"
#include "fuseboard/breaker/probe_leases.h"
#include "fuseboard/breaker/probe_rules.h"
#include "fuseboard/breaker/saved_breaker.h"
#include "fuseboard/breaker/silent_period.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/breaker/transition_history.h"
#include "fuseboard/core/atomic.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/events.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/thread_slot.h"

namespace fuseboard {

class CallsInFlight;
class RecentFailures;
class RollingWindow;
struct ImposedOverride;

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
  [[nodiscard]] std::optional<Rejection> peek_rejection() const;

  // What it makes of such an outcome, by the categories that count for it now.
  Verdict verdict(const Outcome& outcome) const noexcept {
    return verdict_of(outcome, CategorySet::from_bits(trips_on_.load(std::memory_order_relaxed)));
  }

  // An admission's first half, for callers that ask others before they take the permit [PIP-2]: as peek_rejection(),
  // but what is overdue (a lost probe, a stuck call) is judged, and a refusal counts as a denial. Costs what
  // try_acquire() does.
  [[nodiscard]] std::optional<Rejection> reject_if_open() {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if ((word & (kStateBits | kLookBits)) == 0) [[likely]]  // closed
      return std::nullopt;
    return reject_if_open_slow(word);
  }

  // An outcome of a call that holds no permit: evidence while closed, totals otherwise [BRK-21].
  void report(const Outcome& outcome);

  // The target has answered nobody for too long: opens a closed circuit, unless an override is in force that admits all
  // [RTY-14]. Whether calls are turned away on that account now.
  bool open_silent();

  // By hand [BRK-21]. The automatic state moves, whatever override is in force, and goes on by itself from there;
  // permits of before are of an earlier generation. Each returns whether the circuit moved.
  //
  // Opens it as a failure would, for the open time that is next. One that is open, its time not over, stays as it is.
  bool trip();
  // Lets an open circuit be probed now, whatever remains of its open time.
  bool half_open();

  // Closes the circuit, clears counts and growth, keeps totals, starts a generation [BRK-21].
  void reset();

  // Judges stuck calls and ends an override whose time is up, as an admission would; moves nothing else.
  BreakerSnapshot snapshot();
  // The automatic state.
  CircuitState state() const noexcept { return state_of(word_.load(std::memory_order_acquire)); }
  KeyView key() const noexcept { return key_.view(); }
  // Of a registry that keeps companions; else nullptr.
  KeyCompanion* companion() const noexcept { return companion_; }
  BreakerOptions options() const;
  // Of its options.
  std::uint32_t silent_after() const;

  // New options for a live breaker [BRK-14]: state, counts, deadlines and permits stay as they are, and the next
  // evidence is judged by the new rules. A window keeps the calls that fit a new size; one that changes between calls
  // and time begins empty. An open time that has not grown becomes the new first one. Throws InvalidOptions. Where
  // memory is short it throws std::bad_alloc, and the old options stand.
  void apply(const BreakerOptions& options);
  // The same for options that are known to be valid.
  void apply(std::shared_ptr<const BreakerOptions> options);

  // Imposes an override, in place of any other [BRK-13]. `ttl`: 1 ms to 365 days, or nullopt for until it is lifted.
  // Permits granted before it still count. Throws InvalidOptions.
  void set_override(OverrideKind kind, std::string_view reason, std::optional<Duration> ttl = std::nullopt);
  // Whether there was one.
  bool lift_override();

  // The state to outlive the process [BRK-15].
  SavedBreaker save() const;
  // Takes over a saved state: an open circuit is open again for the time that remained. Only a closed circuit does: a
  // live one knows better. What does not fit the options is clamped. Whether it was taken over.
  bool restore(const SavedBreaker& saved);

  // Of a registry's breaker: events of all its breakers.
  [[nodiscard]] Subscription subscribe(std::function<void(const BreakerEvent&)> listener) {
    return context_->events.subscribe(std::move(listener));
  }

 private:
  friend class BreakerPermit;
  friend class BreakerHandle;
  friend class BreakerRegistry;
  using Ticket = BreakerPermit::Ticket;

  // Counters of one thread. Failures are not among them: counting one takes the mutex anyway.
  struct alignas(64) Cell {
    Atomic<std::uint64_t> admitted{0};
    Atomic<std::uint64_t> succeeded{0};
    Atomic<std::uint64_t> throttled{0};
    Atomic<std::uint64_t> neutral{0};
    Atomic<std::uint64_t> abandoned{0};
    Atomic<std::uint64_t> reported{0};  // without a permit, whatever the verdict
    Atomic<std::uint64_t> rejected{0};
    Atomic<Duration::rep> last_denial{0};  // since the clock's epoch
  };
  static_assert(sizeof(Cell) == 64);
  using Counter = ThreadCells<Cell>::Counter;

  // An outcome as the breaker judges it.
  struct Judged {
    Verdict verdict = Verdict::neutral;
    Category category = Category::execution_error;  // of a failure
    std::optional<Duration> retry_after{};
    Duration latency = Duration::zero();
  };

  // What an open circuit's refusal says, published with the word.
  struct OpenFacts {
    TimePoint deadline{};
    TimePoint opened_at = kNotYet;
    std::uint32_t consecutive_failures = 0;
    std::optional<Category> last_failure{};

    // As it came out, for a circuit that is not closed.
    Duration open_time() const noexcept { return elapsed(opened_at, deadline); }
  };

  // The word: two bits of state, then whether an admission needs more than that, then the generation.
  static constexpr std::uint64_t kStateBits = 3;
  static constexpr std::uint64_t kOverridden = 4;
  static constexpr std::uint64_t kTracksCalls = 8;
  static constexpr std::uint64_t kMeasuresCalls = 16;
  static constexpr std::uint64_t kCareBits = kOverridden | kTracksCalls | kMeasuresCalls;
  // Of them: whether a look at a closed circuit may find a reason to refuse.
  static constexpr std::uint64_t kLookBits = kOverridden | kTracksCalls;
  static constexpr int kGenerationShift = 5;
  // Beside the failures in a row: whether a success enters a window, and whether that takes a clock.
  static constexpr std::uint32_t kRecordsCalls = 1U << 31;
  static constexpr std::uint32_t kRecordsTimes = 1U << 30;
  static constexpr std::uint32_t kMaxFailuresInARow = kRecordsTimes - 1;

  static constexpr TimePoint kNotYet = TimePoint::min();
  static constexpr Duration kNoLatency = Duration::min();

  static constexpr std::uint64_t kFirstGeneration = 1;
  static constexpr std::uint8_t kNoCategory = 0xFF;

  // `context` unless the breaker has one of its own.
  CircuitBreaker(std::shared_ptr<const BreakerOptions> options, KeyView key,
                 std::unique_ptr<BreakerContext> own_context, BreakerContext* context);

  static constexpr CircuitState state_of(std::uint64_t word) noexcept {
    return static_cast<CircuitState>(word & kStateBits);
  }
  static constexpr std::uint64_t generation_of(std::uint64_t word) noexcept { return word >> kGenerationShift; }
  static constexpr std::uint64_t make_word(CircuitState state, std::uint64_t care, std::uint64_t generation) noexcept {
    return (generation << kGenerationShift) | care | static_cast<std::uint64_t>(state);
  }
  std::uint64_t generation() const noexcept { return generation_of(word_.load(std::memory_order_relaxed)); }
  std::uint32_t consecutive() const noexcept { return failures_.load(std::memory_order_acquire) & kMaxFailuresInARow; }

  std::expected<BreakerPermit, Rejection> acquire(std::optional<Duration> probe_lease) {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if ((word & (kStateBits | kCareBits)) == 0) [[likely]] {  // closed
      cells_.add(&Cell::admitted);
      return BreakerPermit(*this, {.generation = generation_of(word)});
    }
    return acquire_with_care(word, probe_lease);
  }

  void settle(Ticket ticket, const Outcome& outcome) {
    if (outcome.ok() && ticket.is_plain()) [[likely]] {
      // Test before you store: a zero stays unwritten, so successes share nothing. Relaxed: a failure that is not
      // visible yet has not happened before this success.
      if (failures_.load(std::memory_order_relaxed) != 0) [[unlikely]] {
        note_success(ticket.generation, latency_of(ticket, outcome.latency));
      }
      // Last: a breaker with nothing in flight may be let go of.
      cells_.add(&Cell::succeeded);
      return;
    }
    settle_judged(ticket, outcome);
  }

  // What its caller has told, or, where that is nothing, what was measured.
  Duration latency_of(const Ticket& ticket, Duration told) const {
    if (told != Duration::zero() || ticket.began == BreakerPermit::kNotMeasured) [[likely]]
      return told;
    return measured_latency(ticket);
  }
  Duration measured_latency(const Ticket& ticket) const;

  // For the registry: closed, nothing imposed on it, nothing in flight.
  bool is_idle() const;
  // For the registry: whether it is open to whoever asks at `now`, which is read outside the registry's lock.
  bool is_shut(TimePoint now) const;

  // Admission.
  std::expected<BreakerPermit, Rejection> acquire_with_care(std::uint64_t word, std::optional<Duration> probe_lease);
  std::expected<BreakerPermit, Rejection> acquire_locked(TimePoint now, std::optional<Duration> probe_lease)
      FUSEBOARD_REQUIRES(mutex_);
  std::optional<Rejection> reject_if_open_slow(std::uint64_t word);
  BreakerPermit grant_locked(TimePoint now, Ticket ticket) FUSEBOARD_REQUIRES(mutex_);
  std::optional<Rejection> peek_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  // What an admission would find open now, were it asked; nullopt if it would find no reason to refuse.
  std::optional<Rejection> peek_automatic_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  // Whether `facts` are those of `word`; false if the circuit moved meanwhile.
  bool read_open_facts(std::uint64_t word, OpenFacts& facts) const noexcept;
  // Whether that is all it takes to refuse: the circuit is open, nothing is imposed on it and its time is not over.
  bool rejects_plainly(TimePoint now, std::uint64_t word, OpenFacts& facts) const noexcept {
    return state_of(word) == CircuitState::open && (word & kOverridden) == 0 && read_open_facts(word, facts) &&
           now < facts.deadline;
  }
  OpenFacts open_facts() const noexcept;
  Rejection rejection(TimePoint now, RejectionReason reason, const OpenFacts& facts,
                      std::optional<TimePoint> until) const noexcept;
  void count_denial(TimePoint now) noexcept {
    cells_.mine().last_denial.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    cells_.add(&Cell::rejected);
  }
  std::expected<BreakerPermit, Rejection> reject(TimePoint now, RejectionReason reason, const OpenFacts& facts,
                                                 std::optional<TimePoint> until) noexcept;
  bool has_stuck_call_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void judge_stuck_calls_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);

  // Half-open.
  bool judge_half_open_locked(TimePoint now, Ticket ticket, const Judged& judged) FUSEBOARD_REQUIRES(mutex_);
  void fail_probe_locked(TimePoint now, const Judged& judged, TransitionCause cause) FUSEBOARD_REQUIRES(mutex_);
  void expire_leases_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  void decide_probes_locked(TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void follow_probe_options_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);

  // Settlement.
  void settle_judged(Ticket ticket, const Outcome& outcome);
  // `thrown`: because an exception unwinds the scope.
  void abandon(Ticket ticket, bool thrown);
  // Returns the ticket that the permit goes on with.
  Ticket first_content(Ticket ticket, Duration latency);
  Ticket answered(Ticket ticket);
  void overtaken(Ticket ticket);
  void note_success(std::uint64_t generation, Duration latency);
  // False if it takes the time to do so: nothing has happened then.
  bool note_success_locked(std::optional<TimePoint> now, std::uint64_t generation, Duration latency)
      FUSEBOARD_REQUIRES(mutex_);
  void conclude(Ticket ticket, const Judged& judged, Counter counter);
  static Counter counter_of(Verdict verdict) noexcept;
  void judge_locked(TimePoint now, Ticket ticket, const Judged& judged) FUSEBOARD_REQUIRES(mutex_);
  void judge_closed_locked(TimePoint now, const Judged& judged) FUSEBOARD_REQUIRES(mutex_);
  // After whatever changed the window, or what is slow.
  void note_window_locked() FUSEBOARD_REQUIRES(mutex_);
  void note_run_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  void note_failure_locked(Category category) FUSEBOARD_REQUIRES(mutex_);
  // And what the server asked for.
  void note_failed_call_locked(TimePoint now, const Judged& judged) FUSEBOARD_REQUIRES(mutex_);
  void forget_failures_locked() FUSEBOARD_REQUIRES(mutex_);
  void store_failures_locked(std::uint32_t in_a_row) FUSEBOARD_REQUIRES(mutex_);

  // Moves.
  void open_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  // `opened_at` is earlier than `at` where a saved state is restored.
  void open_until_locked(TransitionCause cause, TimePoint at, TimePoint opened_at, TimePoint deadline)
      FUSEBOARD_REQUIRES(mutex_);
  void half_open_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void close_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void move_locked(TransitionCause cause, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  // Of the next generation, should it open. Drawn by generation and not from a sequence, so that peek_rejection() sees
  // what a later move will draw.
  std::uint64_t jitter_seed() const noexcept { return context_->seed ^ fixed_hash(key_.view()) ^ (generation() + 1); }
  // What it would get, should it open for `cause` at `at`.
  OpenTimeGrowth::Next next_opening_locked(TransitionCause cause, TimePoint at) const FUSEBOARD_REQUIRES(mutex_);
  // Threads read the clock before they queue for the mutex, so a later holder may bring an earlier time.
  TimePoint not_before_last_move_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void post_locked(BreakerEventKind kind, CircuitState from, TransitionCause cause, TimePoint at)
      FUSEBOARD_REQUIRES(mutex_);

  // Options, overrides, saved state.
  // Strong exception guarantee.
  void follow_options_locked(TimePoint now, std::shared_ptr<const BreakerOptions> options) FUSEBOARD_REQUIRES(mutex_);
  // `window`, `failures`: new ones, where the options ask for others than there are.
  void follow_window_options_locked(TimePoint now, std::unique_ptr<RollingWindow> window) FUSEBOARD_REQUIRES(mutex_);
  void follow_failures_options_locked(std::unique_ptr<RecentFailures> failures) FUSEBOARD_REQUIRES(mutex_);
  void impose_locked(TimePoint now, std::unique_ptr<ImposedOverride> imposed) FUSEBOARD_REQUIRES(mutex_);
  void set_care_locked(std::uint64_t bit, bool on) FUSEBOARD_REQUIRES(mutex_);
  static bool may_reject(std::uint64_t word) noexcept { return (word & (kStateBits | kLookBits)) != 0; }
  void store_word_locked(std::uint64_t word) FUSEBOARD_REQUIRES(mutex_);
  bool is_imposed_locked(OverrideKind kind) const FUSEBOARD_REQUIRES(mutex_);
  // nullptr: none, or one whose time is up though nobody has noticed.
  const ImposedOverride* imposed_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);
  void end_override_locked(BreakerEventKind kind, TimePoint at) FUSEBOARD_REQUIRES(mutex_);
  void forget_forced_calls_locked() FUSEBOARD_REQUIRES(mutex_);
  void expire_override_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  std::optional<BreakerOverride> override_locked(TimePoint now) const FUSEBOARD_REQUIRES(mutex_);

  // Diagnostics.
  BreakerSnapshot snapshot_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  // Also returns how many calls are in flight.
  std::uint64_t sum_totals_locked(BreakerTotals& totals) const FUSEBOARD_REQUIRES(mutex_);
  void sum_cells_locked(BreakerSnapshot& into) const FUSEBOARD_REQUIRES(mutex_);

  // What every call reads comes first, in one cache line. The atomics are written under mutex_ alone.
  Atomic<std::uint64_t> word_;
  Atomic<std::uint32_t> failures_{0};  // in a row, and whether successes are recorded
  Atomic<std::uint32_t> trips_on_;     // bits of the categories
  // A success that took no longer than this leaves the window as it is; kNoLatency: none does.
  Atomic<Duration> unrecorded_latency_{kNoLatency};
  const std::unique_ptr<BreakerContext> own_context_;  // of a breaker by itself; holds the memory of the cells
  ThreadCells<Cell> cells_;
  BreakerContext* const context_;
  Atomic<std::uint8_t> last_failure_{kNoCategory};
  Atomic<bool> abandoned_is_failure_;
  // The registry's, under its lock but for the mark that lookups leave.
  Atomic<bool> recently_used_{true};
  Atomic<bool> has_own_options_{false};  // not those of the registry
  const Key key_;
  // The registry's; set before anybody else knows the breaker.
  KeyCompanion* companion_ = nullptr;
  Atomic<TimePoint> deadline_{TimePoint::min()};
  Atomic<TimePoint> opened_at_{kNotYet};

  mutable Mutex mutex_;
  // The registry's. Handles come and go, so not in the line that every call reads.
  Atomic<std::uint32_t> handles_{0};
  std::shared_ptr<const BreakerOptions> options_ FUSEBOARD_GUARDED_BY(mutex_);
  std::uint64_t failed_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t times_opened_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t events_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  OpenTimeGrowth growth_ FUSEBOARD_GUARDED_BY(mutex_);
  TimePoint last_move_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();
  // Of a closed circuit with failures in a row: when the first of them came.
  TimePoint run_began_ FUSEBOARD_GUARDED_BY(mutex_) = TimePoint::min();
  SilentPeriod silent_period_ FUSEBOARD_GUARDED_BY(mutex_);
  ProbeTally probes_ FUSEBOARD_GUARDED_BY(mutex_);  // of the last half-open period
  ProbeLeases leases_ FUSEBOARD_GUARDED_BY(mutex_);
  TransitionHistory history_ FUSEBOARD_GUARDED_BY(mutex_);
  // What few breakers have.
  std::unique_ptr<RollingWindow> window_ FUSEBOARD_GUARDED_BY(mutex_);
  std::unique_ptr<RecentFailures> recent_failures_ FUSEBOARD_GUARDED_BY(mutex_);
  std::unique_ptr<CallsInFlight> calls_ FUSEBOARD_GUARDED_BY(mutex_);  // stays once made: permits name its slots
  std::unique_ptr<ImposedOverride> override_ FUSEBOARD_GUARDED_BY(mutex_);
  std::unique_ptr<KeyCompanion> owned_companion_;  // companion_; last, since it may hold handles of this breaker
};

inline void BreakerPermit::settle(const Outcome& outcome) && {
  if (CircuitBreaker* const breaker = breaker_.take()) breaker->settle(ticket_, outcome);
}

}  // namespace fuseboard
