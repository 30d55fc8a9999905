// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/execution.h"

#include <algorithm>
#include <utility>

#include "pipeline/admission_wait.h"
#include "pipeline/after_failure.h"
#include "pipeline/attempt_start.h"
#include "pipeline/company.h"
#include "pipeline/hedging.h"
#include "pipeline/obstacle.h"
#include "pipeline/patience_watch.h"
#include "pipeline/primary_attempt.h"
#include "pipeline/settlement.h"
#include "pipeline/soonest_recovery.h"
#include "pipeline/stream_recovery.h"

namespace fuseboard {

using engine::AttemptState;
using engine::Phase;

namespace {

// Of a target's answer that came from the cache, by name: another call's plan may have listed it elsewhere.
std::optional<std::uint32_t> target_named(const Plan& plan, std::string_view name) {
  for (std::uint32_t i = 0; i < plan.targets().size(); ++i) {
    if (plan.targets()[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace

Execution::Execution(TimePoint now, std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng,
                     DriverAbilities abilities, CallObserver* observer)
    : call_(now, std::move(plan), options, rng, std::move(abilities)), observer_(observer), latest_(now) {}

// What is still held goes back, and whoever waits for it is told.
Execution::~Execution() {
  if (call_.queued) leave_queue(latest_, call_);
  call_.return_retry();
  for (auto& attempt : call_.in_flight.slots()) {
    if (!attempt) continue;
    const TargetState& state = call_.state(attempt->record.target);
    attempt.reset();
    state.wake_after_release(latest_);
  }
}

Step Execution::next(TimePoint now) {
  latest_ = now;
  if (left_ && !call_.over() && call_.options.cache->deserted()) cancel(now);
  switch (call_.phase) {
    case Phase::ended:
      return Finished{call_.record.ending};
    case Phase::decided:
      return finish(now, *call_.ending);
    case Phase::in_flight:
      return while_in_flight(now);
    case Phase::asking_cache:
    case Phase::choosing:
    case Phase::backing_off:
    case Phase::queued:
      break;
  }
  if (call_.deadline.passed(now)) return finish(now, Ending::deadline_exceeded);
  if (call_.phase == Phase::asking_cache) {
    if (auto step = ask_cache(now)) return *step;
    call_.phase = Phase::choosing;
  }
  if (call_.phase == Phase::backing_off) {
    if (now < call_.backoff.until) return WaitUntil{call_.backoff.until};
    call_.note_wait(now, call_.candidates.current(), WaitReason::backoff, call_.backoff.since);
    call_.phase = Phase::choosing;
  }
  if (call_.phase == Phase::choosing) return choose(now);
  if (auto step = next_in_queue(now, call_)) return *step;
  return finish(now, ending_without_target(call_));
}

// nullopt: a target must answer.
std::optional<Step> Execution::ask_cache(TimePoint now) {
  CacheSession* const cache = call_.options.cache;
  if (cache == nullptr) return std::nullopt;
  switch (cache->state()) {
    case CacheState::unasked:
      call_.store_until = saturating_add(now, cache->store_wait());
      return Lookup{};
    case CacheState::asking:
      call_.record.cache = CacheUse::miss;
      if (now < call_.store_until) return WaitUntil{std::min(call_.store_until, call_.deadline.time())};
      return Lookup{};  // goes on without
    case CacheState::answered:
      return Lookup{};
    case CacheState::waiting:
      call_.record.cache = CacheUse::miss;
      return WaitUntil{call_.deadline.time()};
    case CacheState::missed:
      break;
    case CacheState::hit:
      call_.record.cache = CacheUse::hit;
      call_.record.served_by = cache->target();
      return finish(now, Ending::success);
    case CacheState::shared:
      call_.record.cache = CacheUse::shared;
      call_.record.served_by = target_named(*call_.plan, cache->response()->target);
      return finish(now, Ending::success);
  }
  call_.record.cache = cache->bypassed() ? CacheUse::bypass : CacheUse::miss;
  return std::nullopt;
}

// The first candidate that lets the call in, or a wait for one.
Step Execution::choose(TimePoint now) {
  if (!call_.attempts_left()) return finish(now, Ending::retries_exhausted);
  engine::Candidates& candidates = call_.candidates;
  for (; !candidates.all_passed(); call_.leave_target()) {
    const std::uint32_t target = candidates.current();
    if (candidates.is_spent(target) || now < candidates.ready_at(target)) continue;
    // An answer that broke off may lead back to a target that was left.
    if (candidates.tries(target) > 0 && !call_.retry_grant && !call_.take_retry(now, target)) continue;
    if (AttemptState* const attempt = try_admit(now, call_, target)) {
      return start_attempt(now, call_, *attempt, {.target = target});
    }
    if (call_.over()) return finish(now, *call_.ending);
  }
  if (auto step = wait_for_admission(now, call_)) return *step;
  return finish(now, ending_without_target(call_));
}

Step Execution::while_in_flight(TimePoint now) {
  if (call_.committed || call_.deadline.passed(now)) return Await{};
  if (end_halfway(now)) return next(now);
  TimePoint look_at = kNever;
  for (const auto& attempt : call_.in_flight.slots()) {
    if (attempt && now < attempt->halfway) look_at = std::min(look_at, attempt->halfway);
  }
  if (may_get_company(call_)) {
    for (auto& attempt : call_.in_flight.slots()) {
      if (attempt && !attempt->has_shown_something()) look_at = std::min(look_at, watch_patience(now, call_, *attempt));
    }
  }
  if (!call_.in_flight.full() && call_.attempts_left()) {
    if (const auto attempt = start_hedge(now, call_)) return *attempt;
    if (const auto attempt = give_company(now, call_)) return *attempt;
    if (call_.hedge_at) look_at = std::min(look_at, *call_.hedge_at);
  }
  if (look_at == kNever) return Await{};
  return WaitUntil{std::min(look_at, call_.deadline.time())};
}

// Whether an attempt was ended because the rest of the deadline is another target's [RTY-3].
bool Execution::end_halfway(TimePoint now) {
  for (auto& attempt : call_.in_flight.slots()) {
    if (!attempt || now < attempt->halfway) continue;
    attempt->halfway = kNever;
    if (!call_.another_is_eligible(attempt->record.target)) continue;
    attempt->cut_at = now;
    report(now, attempt->record.number, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true});
    return true;
  }
  return false;
}

bool Execution::accepted(TimePoint now, std::uint32_t attempt) {
  AttemptState* const state = call_.in_flight.find(attempt);
  if (state == nullptr) return false;
  state->permits.accepted(now);
  return true;
}

bool Execution::working(TimePoint now, std::uint32_t attempt) {
  latest_ = now;
  AttemptState* const state = call_.in_flight.find(attempt);
  if (state == nullptr) return false;
  if (!state->record.first_sign) note_sign(now, call_, *state);
  return true;
}

bool Execution::first_content(TimePoint now, std::uint32_t attempt) {
  latest_ = now;
  AttemptState* const state = call_.in_flight.find(attempt);
  if (state == nullptr) return false;
  if (!state->record.first_content) note_first_content(now, call_, *state);
  return true;
}

bool Execution::has_worked(std::uint32_t attempt) const noexcept {
  const AttemptState* const state = call_.in_flight.find(attempt);
  return state != nullptr && state->record.first_sign.has_value();
}

bool Execution::has_first_content(std::uint32_t attempt) const noexcept {
  const AttemptState* const state = call_.in_flight.find(attempt);
  return state != nullptr && state->record.first_content.has_value();
}

void Execution::note_resent(std::uint32_t attempt) noexcept {
  if (AttemptState* const state = call_.in_flight.find(attempt)) state->record.resent = true;
}

void Execution::observe(std::uint32_t attempt, const TokenUsage& usage) {
  if (AttemptState* const state = call_.in_flight.find(attempt)) state->permits.observe(usage);
}

void Execution::report(TimePoint now, std::uint32_t attempt, const AttemptReport& report) {
  latest_ = now;
  AttemptState* const state = call_.in_flight.find(attempt);
  if (state == nullptr) return;
  const engine::Ended ended = settle_report(now, call_, *state, report);
  const AttemptRecord record = call_.record.attempts.back();
  switch (ended) {
    case engine::Ended::succeeded:
      drop_attempts(now, call_, engine::Overtaken::yes);
      return call_.decide(Ending::success);
    case engine::Ended::cancelled:
      drop_attempts(now, call_, engine::Overtaken::no);
      return call_.decide(Ending::cancelled);
    case engine::Ended::failed:
      break;
  }
  if (call_.committed) {
    decide_after_break(now, call_, record, report);
  } else if (!call_.in_flight.empty()) {
    decide_beside_others(now, call_, record, report);
  } else {
    decide_after_failure(now, call_, record, report);
  }
}

void Execution::note_caller_result(const CallerResult& told) noexcept {
  call_.record.status = told.status;
  call_.record.shut_down = told.shut_down;
  for (const std::string& target : told.not_asked) call_.record.not_asked.push_back(std::string_view(target));
}

void Execution::cancel(TimePoint now) {
  latest_ = now;
  if (call_.over()) return;
  drop_attempts(now, call_, engine::Overtaken::no);
  call_.decide(Ending::cancelled);
}

void Execution::leave(TimePoint now) {
  if (call_.over()) return;
  left_ = call_.options.cache != nullptr && !call_.options.cache->leave();
  if (!left_) cancel(now);
}

Step Execution::finish(TimePoint now, Ending ending) {
  CallRecord& record = call_.record;
  // Whatever kept a begun answer from being mended, to the caller it is cut.
  if (call_.committed && ending != Ending::success && ending != Ending::cancelled) ending = Ending::interrupted;
  if (call_.queued) leave_queue(now, call_);
  call_.return_retry();
  call_.ending = ending;
  call_.phase = Phase::ended;
  record.ending = ending;
  record.ended = now;
  if (ending != Ending::success) {
    const CallOptions& options = call_.options;
    if (const auto* const primary = engine::primary_attempt(record, plan().options())) {
      record.primary_attempt = primary->number;
    }
    record.retry_after = soonest_recovery(
        now, plan(), record, {.priority = options.priority, .estimate = options.estimate, .caller = options.caller},
        options.eligibility);
    if (options.cache != nullptr) options.cache->fail();
  }
  if (observer_ != nullptr) observer_->call_ended(call_.options.id, call_.plan, record);
  return Finished{ending};
}

}  // namespace fuseboard
