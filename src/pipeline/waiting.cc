// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Admission of a call's attempts, and waiting for it where no target is left [RTY-4, LIM-7].

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard {
namespace {

// A target that says "now" and then refuses, to another's advantage, is asked again no sooner.
constexpr Duration kShortestWait = std::chrono::milliseconds(1);

bool is_recovery(RejectionReason reason) noexcept {
  return reason == RejectionReason::circuit_open || reason == RejectionReason::half_open_busy;
}

bool is_shortage(RejectionReason reason) noexcept {
  return reason == RejectionReason::rate_limited || reason == RejectionReason::concurrency_limited;
}

// Which obstacle explains best why nothing was sent: one that passes by itself, then the caller's own budget, then what
// the operator must see to.
int rank_of(RejectionReason reason) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
    case RejectionReason::half_open_busy:
    case RejectionReason::deadline_exceeded:
    case RejectionReason::rate_limited:
    case RejectionReason::concurrency_limited:
    case RejectionReason::queue_full:
      return 0;
    case RejectionReason::budget_exceeded:
    case RejectionReason::price_missing:
      return 1;
    case RejectionReason::credential_parked:
      return 2;
    case RejectionReason::not_eligible:
      break;
  }
  return 3;
}

// By which a target is asked again: of the category of its last failure.
const RetryOptions& retry_of(std::uint32_t target, const CallRecord& record, const PlanOptions& options) noexcept {
  const RetryOptions* retry = &options.retry;
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.target == target && attempt.failure) retry = &options.retry_for(attempt.failure->category);
  }
  return *retry;
}

}  // namespace

// Where the attempt's permits are; nullptr: refused and noted, and ending_ is set where no attempt may be sent at all.
std::optional<Execution::Flight>* Execution::try_admit(std::uint32_t target, TimePoint now) {
  if (!can_take(target)) {
    spend(target);
    note_refusal(target, {.rejection = {.reason = RejectionReason::not_eligible}});
    return_retry();
    return nullptr;
  }
  if (options_.attempt_budget != nullptr && !options_.attempt_budget->try_take()) {
    ending_ = Ending::retries_exhausted;
    return nullptr;
  }
  const bool own_turn = queued_ && queued_->target == target;
  if (!own_turn && others_wait_for(target)) {
    note_refusal(target, {.rejection = {.reason = RejectionReason::rate_limited}});
  } else {
    std::optional<Flight>& flight = free_flight();
    const auto refusal = admit(target_at(target), admission_request(target, now), now, flight.emplace().permits);
    if (!refusal) return &flight;
    flight.reset();
    note_refusal(target, *refusal);
    // No wait within a call helps here.
    if (rank_of(refusal->rejection.reason) > 0) spend(target);
  }
  if (options_.attempt_budget != nullptr) options_.attempt_budget->give_back();
  if (own_turn) return nullptr;
  return_retry();
  target_at(target).state->queue().wake_next(now);  // what was held for a moment may be what the first one waits for
  return nullptr;
}

std::optional<Execution::Flight>& Execution::free_flight() noexcept {
  const auto free = std::ranges::find_if(flights_, [](const auto& flight) { return !flight.has_value(); });
  check_invariant(free != flights_.end(), "a call has at most kMostFlights attempts in flight");
  return *free;
}

bool Execution::can_take(std::uint32_t target) const noexcept {
  return options_.eligibility == nullptr || options_.eligibility->can_take(target);
}

void Execution::note_refusal(std::uint32_t target, const AdmissionRefusal& refusal) {
  const Rejection& rejection = refusal.rejection;
  RefusalRecord record{.target = target,
                       .reason = rejection.reason,
                       .retry_after = rejection.retry_after,
                       .consecutive_failures = rejection.consecutive_failures,
                       .last_failure = rejection.last_failure};
  if (refusal.budget) {
    record.kind = refusal.budget->kind;
    record.level = refusal.budget->level;
    record.consumed = refusal.budget->consumed;
    record.reserved = refusal.budget->reserved;
    record.requested = refusal.budget->requested;
    record.limit = refusal.budget->limit;
  }
  record_.refusals.push_back(record);
  note_obstacle({.target = target, .reason = rejection.reason, .retry_after = rejection.retry_after});
}

void Execution::note_obstacle(const Obstacle& obstacle) noexcept {
  const auto passes_sooner = [](const Obstacle& a, const Obstacle& b) {
    if (rank_of(a.reason) != rank_of(b.reason)) return rank_of(a.reason) < rank_of(b.reason);
    return a.retry_after.value_or(kForever) < b.retry_after.value_or(kForever);
  };
  if (!obstacle_ || passes_sooner(obstacle, *obstacle_)) obstacle_ = obstacle;
}

bool Execution::take_retry(std::uint32_t target, TimePoint now) {
  if (!target_at(target).state->retry_budget().try_retry(now)) return false;
  retry_grant_ = RetryGrant{.target = target, .at = now};
  return true;
}

// A retry that was granted is not sent after all.
void Execution::return_retry() {
  if (!retry_grant_) return;
  target_at(retry_grant_->target).state->retry_budget().give_back(retry_grant_->at);
  retry_grant_.reset();
}

Step Execution::wait_or_finish(TimePoint now) {
  TargetSet passed = 0;
  while (const auto obstacle = soonest_obstacle(passed, now)) {
    const std::uint32_t target = obstacle->target;
    passed |= TargetSet{1} << target;
    if (obstacle->none) {
      // It lets the call in after all: it was in the way a moment ago.
      if (tries_[target] > 0 && !take_retry(target, now)) continue;
      if (auto* const flight = try_admit(target, now)) return start_at(target, *flight, now);
      if (ending_) break;
    } else if (obstacle->backoff) {
      if (!deadline_.fits(now, *obstacle->retry_after)) {
        wait_did_not_fit_ = true;
      } else if (*obstacle->retry_after > longest_wait(retry_of(target, record_, plan_->options()))) {
        spend(target);
      } else if (take_retry(target, now)) {
        place_ = place_of(target);
        begin_backoff(target, *obstacle->retry_after, now);
        return WaitUntil{*backoff_until_};
      }
    } else if (const auto longest = worth_waiting(*obstacle, now)) {
      if (join_queue(*obstacle, *longest, now)) return next_in_queue(now);
    }
  }
  return finish(ending_.value_or(ending_without_target()), now);
}

Step Execution::start_at(std::uint32_t target, std::optional<Flight>& flight, TimePoint now) {
  place_ = place_of(target);
  return start_attempt(target, flight, Beside::none, now);
}

// Of the targets that this call may still ask and that are not `passed`, which one would let it in first, and what is
// in the way until then.
std::optional<Execution::Obstacle> Execution::soonest_obstacle(TargetSet passed, TimePoint now) const {
  std::optional<Obstacle> soonest;
  const auto unknown_last = [](const Obstacle& it) { return it.retry_after.value_or(kForever); };
  for (const std::uint32_t target : order_) {
    if (is_spent(target) || contains(passed, target)) continue;
    Obstacle obstacle{.target = target, .reason = RejectionReason::rate_limited, .retry_after = Duration::zero()};
    if (const auto refusal = look(target_at(target), admission_request(target, now), now)) {
      obstacle.reason = refusal->reason;
      obstacle.retry_after = refusal->retry_after;
    } else {
      obstacle.none = !others_wait_for(target);
    }
    const Duration until_ready = elapsed(now, ready_at_[target]);
    if (until_ready > Duration::zero() && until_ready >= obstacle.retry_after.value_or(kForever)) {
      obstacle.retry_after = until_ready;
      obstacle.backoff = true;
      obstacle.none = false;
    }
    if (!soonest || unknown_last(obstacle) < unknown_last(*soonest)) soonest = obstacle;
  }
  return soonest;
}

// Whether others stand in line for tokens or a place there: they go first.
bool Execution::others_wait_for(std::uint32_t target) const noexcept {
  const AdmissionQueue& queue = target_at(target).state->queue();
  return !queue.empty() && queue.options().max_wait > Duration::zero();
}

// The longest that the call may wait for it; nullopt where waiting is not worth while. How long a probe or an attempt
// in flight will take nobody knows, so that is waited for only by those who can be woken. A shortage of tokens that
// names no wait lasts for ever: the call is larger than the bucket.
std::optional<Duration> Execution::worth_waiting(const Obstacle& obstacle, TimePoint now) const noexcept {
  const bool known = obstacle.retry_after && obstacle.reason != RejectionReason::half_open_busy;
  // Whom the server alone asks to wait does not stand in line before others.
  const bool alone = obstacle.reason == RejectionReason::rate_limited &&
                     waits_alone(target_at(obstacle.target), admission_request(obstacle.target, now), now);
  if (alone) return std::nullopt;
  Duration longest = Duration::zero();
  if (is_recovery(obstacle.reason)) {
    longest = plan_->options().max_recovery_wait;
  } else if (is_shortage(obstacle.reason)) {
    longest = target_at(obstacle.target).state->queue().options().max_wait;
  }
  const bool never = obstacle.reason == RejectionReason::rate_limited && !known;
  if (never || longest <= Duration::zero()) return std::nullopt;
  if (!known) return abilities_.waker != nullptr ? std::optional(longest) : std::nullopt;
  if (*obstacle.retry_after > longest || !deadline_.fits(now, *obstacle.retry_after)) return std::nullopt;
  return longest;
}

bool Execution::join_queue(const Obstacle& obstacle, Duration longest, TimePoint now) {
  if (tries_[obstacle.target] > 0 && !take_retry(obstacle.target, now)) return false;
  const Deadline until = Deadline::sooner(deadline_, Deadline::after(now, longest));
  const bool known = obstacle.retry_after && obstacle.reason != RejectionReason::half_open_busy;
  auto ticket = target_at(obstacle.target)
                    .state->queue()
                    .join(now,
                          {.priority = options_.priority,
                           .deadline = until,
                           .soonest = known ? *obstacle.retry_after : Duration::zero()},
                          abilities_.waker);
  if (!ticket) {
    return_retry();
    // A circuit is in the way, however many wait for it.
    if (!is_recovery(obstacle.reason)) {
      obstacle_.reset();
      note_refusal(obstacle.target, {.rejection = ticket.error()});
    }
    return false;
  }
  queued_ = QueuePlace{.target = obstacle.target,
                       .ticket = *ticket,
                       .reason = is_recovery(obstacle.reason) ? WaitReason::recovery : WaitReason::admission,
                       .since = now,
                       .until = until.time()};
  return true;
}

Step Execution::next_in_queue(TimePoint now) {
  const std::uint32_t target = queued_->target;
  AdmissionQueue& queue = target_at(target).state->queue();
  const bool turn = queue.is_turn(queued_->ticket, now);
  // Nobody will tell a driver that cannot be woken when its turn has come.
  if (now >= queued_->until || (!turn && abilities_.waker == nullptr)) return give_up_queue(now);
  if (!turn) {
    // Ageing may have passed the turn on meanwhile, to one who sleeps.
    queue.wake_next(now);
    return WaitUntil{queued_->until};
  }
  auto refusal = look(target_at(target), admission_request(target, now), now);
  if (!refusal) {
    if (auto* const flight = try_admit(target, now)) {
      leave_queue(now);
      return start_at(target, *flight, now);
    }
    if (ending_) return finish(*ending_, now);
    if (is_spent(target)) return give_up_queue(now);
    refusal = look(target_at(target), admission_request(target, now), now);
  }
  if (!refusal) return WaitUntil{std::min(saturating_add(now, kShortestWait), queued_->until)};  // another was quicker
  // It will not be in time where another's probe has failed, say.
  const Obstacle obstacle{.target = target, .reason = refusal->reason, .retry_after = refusal->retry_after};
  const TimePoint ask_at =
      refusal->retry_after ? saturating_add(now, std::max(*refusal->retry_after, kShortestWait)) : queued_->until;
  const bool is_probe_lease = refusal->reason == RejectionReason::half_open_busy;
  if (!worth_waiting(obstacle, now) || (ask_at > queued_->until && !is_probe_lease)) {
    note_refusal(target, {.rejection = *refusal});
    return give_up_queue(now);
  }
  return WaitUntil{std::min(ask_at, queued_->until)};
}

// The wait was in vain: whoever is left may be worth another.
Step Execution::give_up_queue(TimePoint now) {
  spend(queued_->target);
  leave_queue(now);
  return_retry();
  return wait_or_finish(now);
}

void Execution::leave_queue(TimePoint now) {
  const QueuePlace place = *std::exchange(queued_, std::nullopt);
  note_wait(place.target, place.reason, place.since, now);
  target_at(place.target).state->queue().leave(place.ticket, now);
}

void Execution::note_wait(std::uint32_t target, WaitReason reason, TimePoint began, TimePoint now) {
  const Duration waited = elapsed(began, now);
  record_.waits.push_back({.target = target, .reason = reason, .began = began, .duration = waited});
  pending_wait_ = saturating_add(pending_wait_, waited);
}

}  // namespace fuseboard
