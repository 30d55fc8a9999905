// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Admission of a call's attempts, and waiting for it where no target is left [RTY-4, LIM-7].

#include <algorithm>
#include <utility>

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

}  // namespace

// Where the attempt's permits are; nullptr: refused and noted, and ending_ is set where no attempt may be sent at all.
std::optional<Execution::Flight>* Execution::try_admit(std::uint32_t target, TimePoint now) {
  if (options_.attempt_budget != nullptr && !options_.attempt_budget->try_take()) {
    ending_ = Ending::retries_exhausted;
    return nullptr;
  }
  const AdmissionQueue& queue = target_at(target).state->queue();
  const bool own_turn = queued_ && queued_->target == target;
  // Whoever waits for tokens or a place goes first.
  const bool others_wait = !own_turn && !queue.empty() && queue.options().max_wait > Duration::zero();
  if (others_wait) {
    note_refusal(target, {.rejection = {.reason = RejectionReason::rate_limited}});
  } else {
    std::optional<Flight>& flight = flights_[flights_[0].has_value() ? 1 : 0];
    const auto refusal = admit(target_at(target), admission_request(target, now), now, flight.emplace().permits);
    if (!refusal) return &flight;
    flight.reset();
    note_refusal(target, *refusal);
    // No wait within a call helps here.
    if (rank_of(refusal->rejection.reason) > 0) spend(target);
  }
  if (options_.attempt_budget != nullptr) options_.attempt_budget->give_back();
  if (!own_turn) return_retry();
  return nullptr;
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
  // Each round joins a queue or rules a target out. At first, with nothing sent, what was just noted is all there is.
  const bool fresh = record_.attempts_sent == 0 && obstacle_ && !is_spent(obstacle_->target);
  for (auto obstacle = fresh ? obstacle_ : soonest_obstacle(now); obstacle; obstacle = soonest_obstacle(now)) {
    const auto longest = worth_waiting(*obstacle, now);
    if (!longest) break;
    if (join_queue(*obstacle, *longest, now)) return next_in_queue(now);
    spend(obstacle->target);
  }
  return finish(ending_without_target(), now);
}

// Of the targets that this call may still ask, which one would let it in first, and what is in the way until then.
std::optional<Execution::Obstacle> Execution::soonest_obstacle(TimePoint now) const {
  std::optional<Obstacle> soonest;
  const auto unknown_last = [](const Obstacle& it) { return it.retry_after.value_or(kForever); };
  for (const std::uint32_t target : record_.candidates) {
    if (is_spent(target)) continue;
    const auto refusal = look(target_at(target), admission_request(target, now), now);
    // It would let the call in now: it was in the way a moment ago, or others wait there.
    const Obstacle obstacle =
        refusal ? Obstacle{.target = target, .reason = refusal->reason, .retry_after = refusal->retry_after}
                : Obstacle{.target = target, .reason = RejectionReason::rate_limited, .retry_after = Duration::zero()};
    if (!soonest || unknown_last(obstacle) < unknown_last(*soonest)) soonest = obstacle;
  }
  return soonest;
}

// The longest that the call may wait for it; nullopt where waiting is not worth while. How long a probe or an attempt
// in flight will take nobody knows, so that is waited for only by those who can be woken.
std::optional<Duration> Execution::worth_waiting(const Obstacle& obstacle, TimePoint now) const noexcept {
  Duration longest = Duration::zero();
  bool known = obstacle.retry_after.has_value();
  if (is_recovery(obstacle.reason)) {
    longest = plan_->options().max_recovery_wait;
    known = known && obstacle.reason == RejectionReason::circuit_open;
  } else if (is_shortage(obstacle.reason)) {
    longest = target_at(obstacle.target).state->queue().options().max_wait;
    if (obstacle.retry_after == Duration::zero()) longest = std::max(longest, plan_->options().max_recovery_wait);
  }
  if (longest <= Duration::zero()) return std::nullopt;
  if (known ? *obstacle.retry_after > longest : abilities_.waker == nullptr) return std::nullopt;
  if (known && !deadline_.fits(now, *obstacle.retry_after)) return std::nullopt;
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
                       .ask_at = known ? saturating_add(now, *obstacle.retry_after) : until.time(),
                       .until = until.time()};
  return true;
}

Step Execution::next_in_queue(TimePoint now) {
  const std::uint32_t target = queued_->target;
  const bool turn = target_at(target).state->queue().is_turn(queued_->ticket, now);
  // Nobody will tell a driver that cannot be woken when its turn has come.
  const bool gives_up = now >= queued_->until || (!turn && abilities_.waker == nullptr);
  if (gives_up) {
    leave_queue(now);
    return finish(ending_without_target(), now);
  }
  if (!turn) return WaitUntil{queued_->until};
  auto refusal = look(target_at(target), admission_request(target, now), now);
  if (!refusal) {
    if (auto* const flight = try_admit(target, now)) {
      leave_queue(now);
      place_ = static_cast<std::size_t>(std::ranges::find(record_.candidates, target) - record_.candidates.begin());
      return start_attempt(target, *flight, false, now);
    }
    if (ending_) return finish(*ending_, now);
    if (is_spent(target)) {
      leave_queue(now);
      return wait_or_finish(now);
    }
    refusal = look(target_at(target), admission_request(target, now), now);
  }
  const bool known = refusal && refusal->retry_after && refusal->reason != RejectionReason::half_open_busy;
  const Duration wait = known ? std::max(*refusal->retry_after, kShortestWait) : kShortestWait;
  queued_->ask_at = refusal && !known ? queued_->until : saturating_add(now, wait);
  if (queued_->ask_at > queued_->until) {
    // It will not be in time: another's probe has failed, say.
    note_refusal(target, {.rejection = *refusal});
    leave_queue(now);
    return finish(ending_without_target(), now);
  }
  return WaitUntil{queued_->ask_at};
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
