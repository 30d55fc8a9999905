// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Attempts beside others, at most kMostFlights together; the first content or answer wins.
//
// A hedge [RTY-9] starts once a call, where it takes longer than most. Company [RTY-11] starts where every attempt in
// flight has outlasted its patience: a silent target is not waited for alone. Both go to other targets, and only where
// the call may run twice and the driver can send several. They draw on the caps of attempts and on the limits of the
// target that is asked, company also on what the target that is waited for may be given.

#include <algorithm>
#include <utility>

#include "fuseboard/pipeline/execution.h"

namespace fuseboard {
namespace {

// How long an attempt goes before anybody asks about patience: most have answered by then.
constexpr Duration kFirstLook = std::chrono::seconds(1);
// How often a silent attempt is looked at: its circuit may have opened, company may have become possible.
constexpr Duration kLookAgain = std::chrono::seconds(1);

}  // namespace

std::optional<TimePoint> Execution::hedge_time(std::uint32_t target, TimePoint now) const {
  const auto& hedge = plan_->options().hedge;
  if (!hedge || !abilities_.hedges || !options_.idempotent || record_.hedged) return std::nullopt;
  const auto after = hedge->after ? hedge->after : patience_at(target).latencies(kind()).at(hedge->percentile, now);
  if (!after || !deadline_.fits(now, *after)) return std::nullopt;
  return saturating_add(now, *after);
}

bool Execution::may_get_company() const noexcept {
  return plan_->options().patience.enabled && abilities_.hedges && options_.idempotent && order_.size() > 1;
}

Step Execution::while_in_flight(TimePoint now) {
  if (committed_ || deadline_.passed(now)) return Await{};
  if (end_halfway(now)) return next(now);
  TimePoint look_at = kNever;
  for (const auto& flight : flights_) {
    if (flight && now < flight->halfway) look_at = std::min(look_at, flight->halfway);
  }
  if (may_get_company()) {
    for (auto& flight : flights_) {
      if (flight && !flight->has_shown_something()) look_at = std::min(look_at, watch_patience(*flight, now));
    }
  }
  const bool full = std::ranges::all_of(flights_, [](const auto& flight) { return flight.has_value(); });
  if (!full && attempts_left()) {
    if (hedge_at_ && now >= *hedge_at_) {
      hedge_at_.reset();
      if (const auto attempt = start_beside(Beside::hedge, now)) return *attempt;
    }
    if (const auto attempt = give_company(now)) return *attempt;
    if (hedge_at_) look_at = std::min(look_at, *hedge_at_);
  }
  if (look_at == kNever) return Await{};
  return WaitUntil{std::min(look_at, deadline_.time())};
}

// Whether the call could have gone elsewhere: what it says about silence counts only then.
bool Execution::another_is_eligible(std::uint32_t target) const noexcept {
  return std::ranges::any_of(record_.candidates, [&](std::uint32_t candidate) {
    return candidate != target && !is_spent(candidate) && can_take(candidate);
  });
}

// Whether an attempt was ended because the rest of the deadline is another target's.
bool Execution::end_halfway(TimePoint now) {
  for (auto& flight : flights_) {
    if (!flight || now < flight->halfway) continue;
    flight->halfway = kNever;
    if (!another_is_eligible(flight->record.target)) continue;
    flight->cut_at = now;
    report(flight->record.number, {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true}, now);
    return true;
  }
  return false;
}

// When to look at it again.
TimePoint Execution::watch_patience(Flight& flight, TimePoint now) {
  const std::uint32_t target = flight.record.target;
  if (!another_is_eligible(target)) return kNever;
  const PatienceOptions& options = plan_->options().patience;
  TargetPatience& patience = patience_at(target);
  const TimePoint started = flight.record.started;
  const auto patience_ends = [&] {
    return saturating_add(started, patience.waited_for_alone(options, kind(), flight.record.probe, now));
  };
  if (!flight.alone_until) {
    const TimePoint first_look =
        saturating_add(started, options.fixed ? std::min(*options.fixed, kFirstLook) : kFirstLook);
    if (now < first_look) return first_look;
    flight.alone_until = patience_ends();
  }
  // What was learned meanwhile may have made it more patient.
  if (!flight.outlasted && now >= *flight.alone_until)
    flight.alone_until = std::max(*flight.alone_until, patience_ends());
  judge_silence(flight, now);
  const bool fell_silent = patience.silence().silent() && started < patience.silence().silent_since();
  flight.outlasted = flight.outlasted || now >= *flight.alone_until || fell_silent;
  const TimePoint again = saturating_add(now, kLookAgain);
  return flight.outlasted ? again : std::min(*flight.alone_until, again);
}

// An attempt that has waited for longer than the target ever takes counts once; that the silence has lasted long enough
// may show later.
void Execution::judge_silence(Flight& flight, TimePoint now) {
  TargetPatience& patience = patience_at(flight.record.target);
  const Duration needed = patience.silence_needed(kind(), now);
  if (elapsed(flight.record.started, now) < needed) return;
  if (!flight.counted) return count_for_silence(flight, now);
  if (patience.silence().silent()) return;
  const BreakerHandle& breaker = breaker_at(flight.record.target);
  const bool is_silent = patience.silence().judge(now, {.threshold = breaker.silent_after(), .at_least = needed});
  if (is_silent && breaker.open_silent()) patience.silence().mark_silent(now);
}

// To be called of an attempt that has outlasted its patience, whether it still waits or not.
void Execution::count_for_silence(Flight& flight, TimePoint now) {
  if (std::exchange(flight.counted, true)) return;
  TargetPatience& patience = patience_at(flight.record.target);
  SilenceWatch& silence = patience.silence();
  const BreakerHandle& breaker = breaker_at(flight.record.target);
  if (silence.silent() && breaker.state() == CircuitState::closed) silence.forget();  // an operator closed it
  const SilenceRule rule{.threshold = breaker.silent_after(), .at_least = patience.silence_needed(kind(), now)};
  const bool is_silent = silence.outlasted(flight.record.started, now, rule);
  if (is_silent && !silence.silent() && breaker.open_silent()) silence.mark_silent(now);
}

// The latest attempt in flight, where all have outlasted their patience; nullptr: there is no reason for another.
const Execution::Flight* Execution::waited_for_long_enough() const noexcept {
  const Flight* latest = nullptr;
  for (const auto& flight : flights_) {
    if (!flight) continue;
    if (!flight->outlasted || flight->has_shown_something()) return nullptr;
    if (latest == nullptr || flight->record.number > latest->record.number) latest = &*flight;
  }
  return latest;
}

std::optional<Attempt> Execution::give_company(TimePoint now) {
  const Flight* const alone = waited_for_long_enough();
  if (alone == nullptr) return std::nullopt;
  const auto may_ask = [&](std::uint32_t candidate) { return may_ask_beside(candidate, now); };
  if (std::ranges::none_of(record_.candidates, may_ask)) return std::nullopt;
  TargetPatience& patience = patience_at(alone->record.target);
  // What is silent or hangs will hardly answer: nobody is to wait there for his turn.
  const bool unbounded =
      patience.silence().silent() || patience.hangs(kind(), elapsed(alone->record.started, now), now);
  std::optional<CompanyBudget::Grant> grant;
  if (!unbounded) {
    grant = patience.company().try_take(now);
    if (!grant) return std::nullopt;
  }
  auto attempt = start_beside(Beside::company, now);
  if (!attempt && grant) patience.company().give_back(*grant);
  return attempt;
}

// The look takes nothing.
bool Execution::may_ask_beside(std::uint32_t target, TimePoint now) const {
  const bool in_flight =
      std::ranges::any_of(flights_, [&](const auto& flight) { return flight && flight->record.target == target; });
  return !in_flight && !is_spent(target) && now >= ready_at_[target] && can_take(target) && !others_wait_for(target) &&
         !look(target_at(target), admission_request(target, now), now);
}

std::optional<Attempt> Execution::start_beside(Beside beside, TimePoint now) {
  for (const std::uint32_t target : record_.candidates) {
    if (!may_ask_beside(target, now)) continue;
    const bool again = tries_[target] > 0;
    // A hedge is a first attempt.
    if (again && (beside == Beside::hedge || !take_retry(target, now))) continue;
    if (auto* const flight = admit_beside(target, now)) {
      if (beside == Beside::hedge) record_.hedged = true;
      return start_attempt(target, *flight, beside, now);
    }
    return_retry();
  }
  return std::nullopt;
}

// What refuses ends the company alone: nothing is noted, and the target may still be asked when its turn comes.
std::optional<Execution::Flight>* Execution::admit_beside(std::uint32_t target, TimePoint now) {
  if (options_.attempt_budget != nullptr && !options_.attempt_budget->try_take()) return nullptr;
  std::optional<Flight>& flight = free_flight();
  if (!admit(target_at(target), admission_request(target, now), now, flight.emplace().permits)) return &flight;
  flight.reset();
  if (options_.attempt_budget != nullptr) options_.attempt_budget->give_back();
  target_at(target).state->queue().wake_next(now);  // what was held for a moment may be what the first one waits for
  return nullptr;
}

}  // namespace fuseboard
