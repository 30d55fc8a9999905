// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/execution.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "fuseboard/core/check.h"
#include "pipeline/judgement.h"
#include "pipeline/soonest_recovery.h"

namespace fuseboard {
namespace {

// How long after its own timeout an attempt may take to report before its probe counts as lost, and how long a silent
// one is waited for at least [BRK-8].
constexpr Duration kLeaseGrace = std::chrono::seconds(5);
constexpr Duration kLeastProbePatience = std::chrono::minutes(2);

// What broke off an answer that had begun: the last thing that did.
const AttemptRecord* what_broke(const CallRecord& record) noexcept {
  const AttemptRecord* last = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.failure && attempt.first_content && !attempt.unusable) last = &attempt;
  }
  return last;
}

// The error the caller should see: of an answer that had begun what broke it, else one about the request itself, else
// the first that a target really answered, else the first of all; what was cancelled tells least [FBK-4].
const AttemptRecord* most_telling(const CallRecord& record, const PlanOptions& options) noexcept {
  if (record.ending == Ending::interrupted) {
    if (const AttemptRecord* const attempt = what_broke(record)) return attempt;
  }
  const AttemptRecord* first = nullptr;
  const AttemptRecord* first_answered = nullptr;
  const AttemptRecord* first_cancelled = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    if (!attempt.failure) continue;
    if (attempt.failure->category == Category::cancelled) {
      if (first_cancelled == nullptr) first_cancelled = &attempt;
      continue;
    }
    if (is_decisive(*attempt.failure, options)) return &attempt;
    if (first == nullptr) first = &attempt;
    if (first_answered == nullptr && attempt.answered) first_answered = &attempt;
  }
  if (first_answered != nullptr) return first_answered;
  return first != nullptr ? first : first_cancelled;
}

// Of a target's answer that came from the cache, by name: another call's plan may have listed it elsewhere.
std::optional<std::uint32_t> target_named(const Plan& plan, std::string_view name) {
  for (std::uint32_t i = 0; i < plan.targets().size(); ++i) {
    if (plan.targets()[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace

Execution::Execution(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng, TimePoint now,
                     DriverAbilities abilities, CallObserver* observer)
    : plan_(std::move(plan)),
      options_(options),
      abilities_(std::move(abilities)),
      rng_(rng),
      observer_(observer),
      plan_deadline_(Deadline::after(now, plan_->options().overall_deadline)),
      deadline_(Deadline::sooner(options.deadline, plan_deadline_)),
      latest_(now) {
  ready_at_.fill(TimePoint::min());
  record_.started = now;
  record_.candidates = order_ = plan_->order(now, rng);
  if (!options_.bound_to_provider) return;
  for (const std::uint32_t target : record_.candidates) {
    if (target_at(target).traits.provider == *options_.bound_to_provider) continue;
    spend(target);
    note_refusal(target, {.rejection = {.reason = RejectionReason::not_eligible}});
  }
}

// What is still held goes back, and whoever waits for it is told.
Execution::~Execution() {
  if (queued_) leave_queue(latest_);
  return_retry();
  for (auto& flight : flights_) {
    if (!flight) continue;
    AdmissionQueue& queue = target_at(flight->record.target).state->queue();
    flight.reset();
    queue.wake_next(latest_);
  }
}

Step Execution::next(TimePoint now) {
  latest_ = now;
  if (ended_) return Finished{record_.ending};
  if (left_ && options_.cache->deserted()) cancel(now);
  if (ending_) return finish(*ending_, now);
  if (attempt_in_flight()) return while_in_flight(now);
  if (deadline_.passed(now)) return finish(Ending::deadline_exceeded, now);
  if (auto step = ask_cache(now)) return *step;
  if (backoff_until_) {
    if (now < *backoff_until_) return WaitUntil{*backoff_until_};
    note_wait(order_[place_], WaitReason::backoff, backoff_since_, now);
    backoff_until_.reset();
  }
  if (queued_) return next_in_queue(now);
  return next_attempt(now);
}

std::optional<Step> Execution::ask_cache(TimePoint now) {
  if (options_.cache == nullptr || asked_cache_) return std::nullopt;
  switch (options_.cache->state()) {
    case CacheState::unasked:
      return Lookup{};
    case CacheState::waiting:
      record_.cache = CacheUse::miss;
      return WaitUntil{deadline_.time()};
    case CacheState::missed:
      break;
    case CacheState::hit:
      record_.cache = CacheUse::hit;
      record_.served_by = options_.cache->target();
      return finish(Ending::success, now);
    case CacheState::shared:
      record_.cache = CacheUse::shared;
      record_.served_by = target_named(*plan_, options_.cache->response()->target);
      return finish(Ending::success, now);
  }
  asked_cache_ = true;
  record_.cache = options_.cache->bypassed() ? CacheUse::bypass : CacheUse::miss;
  return std::nullopt;
}

Step Execution::next_attempt(TimePoint now) {
  if (!attempts_left()) return finish(Ending::retries_exhausted, now);
  for (; place_ < order_.size(); leave_target()) {
    const std::uint32_t target = order_[place_];
    if (is_spent(target) || now < ready_at_[target]) continue;
    // An answer that broke off may lead back to a target that was left.
    if (tries_[target] > 0 && !retry_grant_ && !take_retry(target, now)) continue;
    if (auto* const flight = try_admit(target, now)) return start_attempt(target, *flight, Beside::none, now);
    if (ending_) return finish(*ending_, now);
  }
  return wait_or_finish(now);
}

Attempt Execution::start_attempt(std::uint32_t target, std::optional<Flight>& flight, Beside beside, TimePoint now) {
  if (tries_[target] == 0) {
    target_at(target).state->retry_budget().count_call(now);
    if (may_get_company()) patience_at(target).company().count_call(now);
  }
  if (tries_[target] < std::numeric_limits<std::uint8_t>::max()) ++tries_[target];
  ++record_.attempts_sent;
  const bool probe = flight->permits.is_probe();
  flight->record = {.number = record_.attempts_sent,
                    .target = target,
                    .probe = probe,
                    .hedge = beside == Beside::hedge,
                    .company = beside == Beside::company,
                    .recovery = committed_,
                    .waited = std::exchange(pending_wait_, Duration::zero()),
                    .started = now};
  if (beside == Beside::company) ++record_.company;
  retry_grant_.reset();
  if (beside == Beside::none) hedge_at_ = hedge_time(target, now);
  const bool overflowed = std::ranges::any_of(record_.attempts, [](const AttemptRecord& earlier) {
    return earlier.failure && earlier.failure->category == Category::context_length_exceeded;
  });
  if (overflowed && !target_at(target).traits.context_window) asked_unknown_window_ = true;
  Attempt attempt{.number = record_.attempts_sent,
                  .target = target,
                  .probe = probe,
                  .recovery = committed_,
                  .idle = target_at(target).timeouts.idle};
  set_limits(attempt, *flight, now);
  return attempt;
}

// The deadline bounds everything up to the first content; after it a stream has its own limits. A plain call, which
// shows nothing until its end, leaves half of the deadline to another target, if there is one. Where that is dear to
// find out it is left until then, see end_halfway() [RTY-3, STR-3].
void Execution::set_limits(Attempt& attempt, Flight& flight, TimePoint now) const {
  const AttemptTimeouts& timeouts = target_at(attempt.target).timeouts;
  TimePoint cut_at = deadline_.time();
  if (!options_.streaming && options_.idempotent && order_.size() > 1) {
    const TimePoint halfway = saturating_add(now, deadline_.remaining(now) / 2);
    if (abilities_.hedges && halfway < saturating_add(now, timeouts.total)) {
      flight.halfway = halfway;
    } else if (options_.eligibility == nullptr && another_is_eligible(attempt.target)) {
      cut_at = std::min(cut_at, halfway);
    }
  }
  const auto within = [&](Duration limit) { return std::min(saturating_add(now, limit), cut_at); };
  attempt.connect_by = within(timeouts.connect);
  if (options_.streaming) {
    attempt.headers_by = within(timeouts.headers);
    attempt.first_content_by = within(timeouts.first_content);
    attempt.total_by = saturating_add(now, timeouts.total);
  } else {
    attempt.headers_by = attempt.first_content_by = attempt.total_by = within(timeouts.total);
  }
  const Duration own_limit = options_.streaming ? timeouts.first_content : timeouts.total;
  if (cut_at < saturating_add(now, own_limit)) flight.cut_at = cut_at;
}

bool Execution::accepted(std::uint32_t attempt, TimePoint now) {
  Flight* const flight = flight_of(attempt);
  if (flight == nullptr) return false;
  flight->permits.accepted(now);
  return true;
}

bool Execution::working(std::uint32_t attempt, TimePoint now) {
  latest_ = now;
  Flight* const flight = flight_of(attempt);
  if (flight == nullptr) return false;
  if (flight->record.first_sign) return true;
  hear(*flight, true, now);
  flight->record.first_sign = elapsed(flight->record.started, now);
  flight->permits.first_content(*flight->record.first_sign);
  target_at(flight->record.target).state->queue().wake_next(now);  // a probe may just have closed the circuit
  return true;
}

bool Execution::first_content(std::uint32_t attempt, TimePoint now) {
  latest_ = now;
  Flight* const flight = flight_of(attempt);
  if (flight == nullptr) return false;
  if (flight->record.first_content) return true;
  hear(*flight, true, now);
  committed_ = true;
  flight->record.first_content = elapsed(flight->record.started, now);
  flight->permits.first_content(*flight->record.first_content);
  target_at(flight->record.target).state->queue().wake_next(now);  // a probe may just have closed the circuit
  for (auto& other : flights_) {
    if (!other || other->record.number == attempt) continue;
    other->record.overtaken = other->outlasted && !other->has_shown_something();
    settle(other, {.outcome = Outcome::cancelled()}, now);
  }
  return true;
}

void Execution::observe(std::uint32_t attempt, const TokenUsage& usage) {
  if (Flight* const flight = flight_of(attempt)) flight->permits.observe(usage);
}

void Execution::cancel(TimePoint now) {
  latest_ = now;
  if (ending_ || ended_) return;
  drop_flights(now);
  ending_ = Ending::cancelled;
}

void Execution::leave(TimePoint now) {
  if (ending_ || ended_) return;
  left_ = options_.cache != nullptr && !options_.cache->leave();
  if (!left_) cancel(now);
}

// Nothing is left to ask: what the caller should make of it.
Ending Execution::ending_without_target() const noexcept {
  if (record_.attempts_sent > 0) {
    const auto& last = record_.attempts.back().failure;
    const bool unwrapped = record_.attempts_sent == 1 && last && !last->retryable;
    if (unwrapped) return Ending::failed;
    return wait_did_not_fit_ ? Ending::deadline_exceeded : Ending::retries_exhausted;
  }
  switch (obstacle_ ? obstacle_->reason : RejectionReason::not_eligible) {
    case RejectionReason::circuit_open:
    case RejectionReason::half_open_busy:
      return Ending::circuit_open;
    case RejectionReason::rate_limited:
    case RejectionReason::concurrency_limited:
      return Ending::rate_limited;
    case RejectionReason::queue_full:
      return Ending::queue_full;
    case RejectionReason::deadline_exceeded:
      return Ending::deadline_exceeded;
    case RejectionReason::budget_exceeded:
    case RejectionReason::price_missing:
      return Ending::budget_exceeded;
    case RejectionReason::credential_parked:
      return Ending::credential_parked;
    case RejectionReason::not_eligible:
      break;
  }
  return Ending::no_target;
}

Step Execution::finish(Ending ending, TimePoint now) {
  // Whatever kept a begun answer from being mended, to the caller it is cut.
  if (committed_ && ending != Ending::success && ending != Ending::cancelled) ending = Ending::interrupted;
  if (queued_) leave_queue(now);
  return_retry();
  ended_ = true;
  ending_ = ending;
  record_.ending = ending;
  record_.ended = now;
  if (ending != Ending::success) {
    if (const auto* const telling = most_telling(record_, plan_->options())) record_.telling_attempt = telling->number;
    record_.retry_after = soonest_recovery(
        *plan_, record_, {.priority = options_.priority, .estimate = options_.estimate, .caller = options_.caller},
        options_.eligibility, now);
    if (options_.cache != nullptr) options_.cache->fail();
  }
  if (observer_ != nullptr) observer_->call_ended(options_.id, plan_, record_);
  return Finished{ending};
}

bool Execution::attempts_left() const noexcept {
  const std::uint32_t cap = plan_->options().max_total_attempts;
  return cap == 0 || record_.attempts_sent < cap;
}

// Among the candidates, as they are asked now.
std::size_t Execution::place_of(std::uint32_t target) const noexcept {
  return static_cast<std::size_t>(std::ranges::find(order_, target) - order_.begin());
}

AdmissionRequest Execution::admission_request(std::uint32_t target, TimePoint now) const noexcept {
  const AttemptTimeouts& timeouts = target_at(target).timeouts;
  Duration limit = options_.streaming ? timeouts.first_content : timeouts.total;
  // Asked for only where there may be a probe: a patience costs more than the rest of an admission.
  if (!options_.streaming && target_at(target).state->breakers().handles().back().state() != CircuitState::closed) {
    const Duration patience = patience_at(target).patience(plan_->options().patience, kind(), now);
    limit = std::min(limit, std::max(patience, kLeastProbePatience));
  }
  return {.priority = options_.priority,
          .estimate = options_.estimate,
          .ledger = options_.ledger,
          .account = options_.account,
          .probe_lease = saturating_add(std::min(limit, deadline_.remaining(now)), kLeaseGrace),
          .endpoint = options_.eligibility == nullptr ? std::uint8_t{0} : options_.eligibility->endpoint_at(target),
          .caller = options_.caller};
}

NarrowingOptions Execution::narrowing() const noexcept {
  return {.fallback_on = plan_->options().fallback_on,
          .bound_to_provider = options_.bound_to_provider.has_value(),
          .unknown_is_larger = !asked_unknown_window_};
}

const Execution::Flight* Execution::flight_of(std::uint32_t attempt) const noexcept {
  for (const auto& flight : flights_) {
    if (flight && flight->record.number == attempt) return &*flight;
  }
  return nullptr;
}

Execution::Flight* Execution::flight_of(std::uint32_t attempt) noexcept {
  for (auto& flight : flights_) {
    if (flight && flight->record.number == attempt) return &*flight;
  }
  return nullptr;
}

}  // namespace fuseboard
