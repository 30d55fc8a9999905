// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The decision engine: what a call does next. No I/O, no threads, no sleeping [PIP-4].
//
// A driver asks next() and does as it is told: look into the cache, send an Attempt and report() its end, wait, or
// stop. The engine holds the permits and settles each exactly once; destroying it at any point gives back what it
// holds.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "fuseboard/core/deadline.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/pipeline/admission.h"
#include "fuseboard/pipeline/cache_session.h"
#include "fuseboard/pipeline/explanation.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/retry/attempt_budget.h"

namespace fuseboard {

// Which targets can take this call, beyond what the plan knows: whether the request can be said in their dialect, say.
// Asked on the driver's thread before a target is tried, perhaps often; its answer must not change during a call.
class Eligibility {
 public:
  virtual ~Eligibility() = default;
  // `target` is an index into the plan's. A target that cannot is not asked in this call, and its record says so.
  virtual bool can_take(std::uint32_t target) noexcept = 0;
  // Where the target would be asked, see CredentialUse.
  virtual std::uint8_t endpoint_at(std::uint32_t /*target*/) const noexcept { return 0; }
};

// What is referenced must outlive the call.
struct CallOptions {
  CallId id{};             // what the caller knows the call by
  bool streaming = false;  // the answer arrives in pieces; the driver calls first_content()
  bool idempotent = true;  // false: retried only when it provably did not run [RTY-7]
  Deadline deadline{};     // the caller's own; the plan's overall_deadline holds beside it
  Priority priority = Priority::normal;
  TokenUsage estimate{};                    // of what one attempt will use [BUD-5]
  BudgetLedger* ledger = nullptr;           // null: nobody counts
  BudgetAccount account{};                  // whom the ledger charges
  CallerHash caller{};                      // whose credential travels to targets where each caller brings one
  AttemptBudget* attempt_budget = nullptr;  // attempts that several calls share [RTY-10]
  CacheSession* cache = nullptr;            // null: no cache
  // The provider (of RouteTraits) that keeps state which the request refers to: no other is asked [FBK-7].
  std::optional<std::uint32_t> bound_to_provider{};
  Eligibility* eligibility = nullptr;  // null: every target may be asked
};

// Attempts of one call in flight at the same time.
inline constexpr std::size_t kMostFlights = 3;

// What the driver can do. A driver that cannot be woken waits no longer than it is told, and for a free place not at
// all; one that runs one attempt at a time is given no hedges and no company.
struct DriverAbilities {
  std::shared_ptr<Waker> waker{};  // ends a WaitUntil early, from any thread
  bool hedges = false;             // up to kMostFlights attempts at once
};

// Look into the cache: CacheSession::look_up() of the call's.
struct Lookup {};

// Send one attempt. The points in time are absolute, already cut to the call's deadline.
struct Attempt {
  std::uint32_t number = 0;  // 1 is the first of the call
  std::uint32_t target = 0;  // index into plan().targets()
  bool probe = false;        // it probes a half-open circuit
  bool recovery = false;     // it goes on with an answer that has begun and broken off [STR-5]
  TimePoint connect_by{};
  TimePoint headers_by{};  // plain calls: the same as total_by
  TimePoint first_content_by{};
  TimePoint total_by{};  // plain calls: cut to the deadline; streams: once content flows, only this and idle hold
  Duration idle{};       // longest silence between events after the first content
};

// Nothing to do before that time, or before the driver is woken, or an attempt in flight reports. While attempts that
// may get company are silent the engine wants to look every second: the circuit may open meanwhile.
struct WaitUntil {
  TimePoint time{};
};

// Nothing to do before an attempt in flight reports. Drivers that run one attempt at a time never see it.
struct Await {};

// Attempts that are still in flight then are not the execution's any more: cancel them.
struct Finished {
  Ending ending = Ending::success;
};

using Step = std::variant<Lookup, Attempt, WaitUntil, Await, Finished>;

// Told of every call when it has ended, on its driver's thread.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                          const CallRecord& record) noexcept = 0;
};

// Not thread-safe: one driver at a time. About 6.5 KiB; allocates nothing of its own. Times passed to one Execution
// must not go backwards.
class Execution {
 public:
  // `observer` may be null and must outlive the execution.
  Execution(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng, TimePoint now,
            DriverAbilities abilities = {}, CallObserver* observer = nullptr);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // The next step. A WaitUntil may be asked about again early; it stands until its time or until something has changed.
  Step next(TimePoint now);

  // Of an attempt in flight. Each does nothing where the attempt is not in flight any more: it lost against a hedge, or
  // the call was cancelled. The first three say so with false.
  //
  // The target's answer has begun with a success.
  bool accepted(std::uint32_t attempt, TimePoint now);
  // A sign of work: reasoning or a tool call has begun, say, without content yet [STR-3]. A half-open probe succeeds
  // here [BRK-8]; nothing is committed yet.
  bool working(std::uint32_t attempt, TimePoint now);
  // The first content is there: the answer is committed to this target, and a half-open probe succeeds here [BRK-8].
  // Does nothing the second time. An attempt that mends an answer has a first content of its own.
  bool first_content(std::uint32_t attempt, TimePoint now);
  // What the attempt has used so far.
  void observe(std::uint32_t attempt, const TokenUsage& usage);
  // Its end.
  void report(std::uint32_t attempt, const AttemptReport& report, TimePoint now);

  // The call is over, whoever else may wait for its answer. Attempts in flight end neutral; next() says Finished.
  void cancel(TimePoint now);
  // The caller is gone [STR-6]. Cancels, unless others wait for this call's answer: then when the last of them leaves
  // [CCH-4].
  void leave(TimePoint now);

  bool in_flight(std::uint32_t attempt) const noexcept { return flight_of(attempt) != nullptr; }
  bool attempt_in_flight() const noexcept {
    return flights_[0].has_value() || flights_[1].has_value() || flights_[2].has_value();
  }
  // Content has reached the caller. The call can then only succeed, be cancelled or be interrupted.
  bool committed() const noexcept { return committed_; }
  // The sooner one of the caller's, which stands, and the plan's, which stands still while an answer flows: a stream
  // that breaks off in its second minute can still be mended. It is moved on when the answer breaks off.
  Deadline deadline() const noexcept { return deadline_; }
  const Plan& plan() const noexcept { return *plan_; }

  // Complete once next() has said Finished; attempts enter it when they end.
  const CallRecord& record() const noexcept { return record_; }

 private:
  // An attempt in flight.
  struct Flight {
    AttemptPermits permits;
    AttemptRecord record;
    TimePoint cut_at = kNever;               // where the call's deadline ends it before its own limits do
    TimePoint halfway = kNever;              // where a plain call leaves the rest of its deadline to another target
    std::optional<TimePoint> alone_until{};  // when its patience ends; nullopt: nobody has looked yet
    bool outlasted = false;                  // its patience is over
    bool counted = false;                    // among those that may make its target silent

    Flight() noexcept {}  // written out: an optional of a nested class asks for it before the class is complete
    bool has_shown_something() const noexcept { return record.first_sign || record.first_content; }
  };
  static_assert(kMostFlights == 3);
  // Why an attempt starts beside others.
  enum class Beside : std::uint8_t { none, hedge, company };
  // A place in a target's queue.
  struct QueuePlace {
    std::uint32_t target;
    WaitTicket ticket;
    WaitReason reason;
    TimePoint since;
    TimePoint until;  // when it gives up
  };
  // Why nothing was sent, and for how long that will be so.
  struct Obstacle {
    std::uint32_t target = 0;
    RejectionReason reason = RejectionReason::not_eligible;
    std::optional<Duration> retry_after{};
    bool none = false;     // the target would let the call in
    bool backoff = false;  // the call itself waits before it asks this target again
  };
  // Leave by a target's retry budget.
  struct RetryGrant {
    std::uint32_t target;
    TimePoint at;
  };
  using TargetSet = std::uint64_t;
  static_assert(kMostTargets <= 64);
  static constexpr TargetSet kAllTargets = ~TargetSet{0};
  static constexpr bool contains(TargetSet set, std::uint32_t target) noexcept { return ((set >> target) & 1U) != 0; }

  // Steps (execution.cc).
  std::optional<Step> ask_cache(TimePoint now);
  Step next_attempt(TimePoint now);
  Attempt start_attempt(std::uint32_t target, std::optional<Flight>& flight, Beside beside, TimePoint now);
  void set_limits(Attempt& attempt, Flight& flight, TimePoint now) const;
  Step finish(Ending ending, TimePoint now);
  Ending ending_without_target() const noexcept;

  // Ends of attempts, and what follows (settling.cc).
  void settle(std::optional<Flight>& flight, const AttemptReport& report, TimePoint now);
  void hear(Flight& flight, bool content, TimePoint now);
  void learn(Flight& flight, const AttemptReport& report, TimePoint now);
  void drop_flights(TimePoint now, bool answered = false);
  void decide_beside_others(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now);
  void decide_after_break(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now);
  void decide_after_failure(const AttemptRecord& attempt, const AttemptReport& report, TimePoint now);
  bool retry_same_target(const AttemptRecord& attempt, bool silent, TimePoint now);
  bool is_left_for_another(const AttemptRecord& attempt, TimePoint now) const;
  void begin_backoff(std::uint32_t target, Duration delay, TimePoint now);
  void narrow(const Failure& failure, std::uint32_t failed);
  void leave_target() noexcept;
  bool another_target_left(TargetSet among, const Failure& failure, std::uint32_t failed, TimePoint now) const;
  void prefer(TargetSet preferred, std::uint32_t broken) noexcept;
  bool leave_to_fresh_target(const Failure& failure, std::uint32_t target, TimePoint now) const;

  // Admission, and waiting for it (waiting.cc).
  std::optional<Flight>* try_admit(std::uint32_t target, TimePoint now);
  std::optional<Flight>* admit_beside(std::uint32_t target, TimePoint now);
  std::optional<Flight>& free_flight() noexcept;
  bool can_take(std::uint32_t target) const noexcept;
  void note_refusal(std::uint32_t target, const AdmissionRefusal& refusal);
  void note_obstacle(const Obstacle& obstacle) noexcept;
  bool take_retry(std::uint32_t target, TimePoint now);
  void return_retry();
  Step wait_or_finish(TimePoint now);
  Step start_at(std::uint32_t target, std::optional<Flight>& flight, TimePoint now);
  std::optional<Obstacle> soonest_obstacle(TargetSet passed, TimePoint now) const;
  bool others_wait_for(std::uint32_t target) const noexcept;
  std::optional<Duration> worth_waiting(const Obstacle& obstacle, TimePoint now) const noexcept;
  bool join_queue(const Obstacle& obstacle, Duration longest, TimePoint now);
  Step next_in_queue(TimePoint now);
  Step give_up_queue(TimePoint now);
  void leave_queue(TimePoint now);
  void note_wait(std::uint32_t target, WaitReason reason, TimePoint began, TimePoint now);

  // Attempts beside others (beside.cc).
  Step while_in_flight(TimePoint now);
  std::optional<TimePoint> hedge_time(std::uint32_t target, TimePoint now) const;
  bool may_get_company() const noexcept;
  bool another_is_eligible(std::uint32_t target) const noexcept;
  TimePoint watch_patience(Flight& flight, TimePoint now);
  bool end_halfway(TimePoint now);
  void judge_silence(Flight& flight, TimePoint now);
  void count_for_silence(Flight& flight, TimePoint now);
  const Flight* waited_for_long_enough() const noexcept;
  std::optional<Attempt> give_company(TimePoint now);
  std::optional<Attempt> start_beside(Beside beside, TimePoint now);
  bool may_ask_beside(std::uint32_t target, TimePoint now) const;

  bool attempts_left() const noexcept;
  std::size_t place_of(std::uint32_t target) const noexcept;
  AdmissionRequest admission_request(std::uint32_t target, TimePoint now) const noexcept;
  NarrowingOptions narrowing() const noexcept;
  AnswerKind kind() const noexcept { return options_.streaming ? AnswerKind::stream : AnswerKind::plain; }
  const BreakerHandle& breaker_at(std::uint32_t target) const noexcept {
    return target_at(target).state->breakers().handles().back();
  }
  TargetPatience& patience_at(std::uint32_t target) const noexcept { return target_at(target).state->patience(); }
  const Target& target_at(std::uint32_t target) const noexcept { return plan_->targets()[target]; }
  bool is_spent(std::uint32_t target) const noexcept { return contains(spent_, target); }
  void spend(std::uint32_t target) noexcept { spent_ |= TargetSet{1} << target; }
  const Flight* flight_of(std::uint32_t attempt) const noexcept;
  Flight* flight_of(std::uint32_t attempt) noexcept;

  const std::shared_ptr<const Plan> plan_;
  const CallOptions options_;
  const DriverAbilities abilities_;
  Rng& rng_;
  CallObserver* const observer_;
  Deadline plan_deadline_;
  Deadline deadline_;

  TargetOrder order_{};                             // the candidates as they are asked now
  std::size_t place_ = 0;                           // in order_
  TargetSet spent_ = 0;                             // targets that this call will not ask (again)
  TargetSet preferred_ = 0;                         // targets that go on with a broken answer
  std::array<std::uint8_t, kMostTargets> tries_{};  // by target
  // By target: when this call may ask it again, where it was left with a wait of its own.
  std::array<TimePoint, kMostTargets> ready_at_;
  Duration pending_wait_ = Duration::zero();   // before the coming attempt
  Duration previous_wait_ = Duration::zero();  // the last one on this target, for decorrelated jitter
  std::optional<TimePoint> backoff_until_;
  TimePoint backoff_since_{};
  TimePoint latest_{};                     // the latest time that was told
  std::optional<RetryGrant> retry_grant_;  // for the coming attempt
  std::optional<QueuePlace> queued_;
  std::optional<TimePoint> hedge_at_;
  std::optional<Ending> ending_;
  std::optional<Obstacle> obstacle_;  // the one that passes soonest
  bool asked_cache_ = false;
  bool left_ = false;
  bool ended_ = false;
  bool committed_ = false;
  bool wait_did_not_fit_ = false;      // the deadline is what kept a target from another try
  bool asked_unknown_window_ = false;  // after a context that was too long elsewhere
  std::array<std::optional<Flight>, kMostFlights> flights_;
  CallRecord record_;
};

}  // namespace fuseboard
