// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/admission_wait.h"

#include <algorithm>
#include <utility>

#include "pipeline/attempt_start.h"
#include "pipeline/obstacle.h"

namespace fuseboard::engine {
namespace {

// A target that says "now" and then rejects, to another's advantage, is asked again no sooner.
constexpr Duration kShortestWait = std::chrono::milliseconds(1);

// By which a target is asked again: of the category of its last failure.
const RetryOptions& retry_of(const CallState& call, std::uint32_t target) noexcept {
  const RetryOptions* retry = &call.plan_options().retry;
  for (const AttemptRecord& attempt : call.record.attempts) {
    if (attempt.target == target && attempt.failure) retry = &call.plan_options().retry_for(attempt.failure->category);
  }
  return *retry;
}

// How long a probe or an attempt in flight will take nobody knows.
bool is_known(const Obstacle& obstacle) noexcept {
  return obstacle.retry_after && obstacle.reason != RejectionReason::half_open_busy;
}

// Of the targets that this call may still ask and that are not `passed`, which one would let it in first, and what is
// in the way until then.
std::optional<Obstacle> soonest_obstacle(TimePoint now, const CallState& call, TargetSet passed) {
  std::optional<Obstacle> soonest;
  const auto unknown_last = [](const Obstacle& it) { return it.retry_after.value_or(kForever); };
  for (const std::uint32_t target : call.candidates.order()) {
    if (call.candidates.is_spent(target) || contains(passed, target)) continue;
    Obstacle obstacle{.target = target, .reason = RejectionReason::rate_limited, .retry_after = Duration::zero()};
    if (const auto rejection = peek_rejection(now, call.target(target), call.admission_request(now, target))) {
      obstacle.reason = rejection->reason;
      obstacle.retry_after = rejection->retry_after;
    } else {
      obstacle.none = !others_wait_for(call, target);
    }
    const Duration until_ready = elapsed(now, call.candidates.ready_at(target));
    if (until_ready > Duration::zero() && until_ready >= obstacle.retry_after.value_or(kForever)) {
      obstacle.retry_after = until_ready;
      obstacle.backoff = true;
      obstacle.none = false;
    }
    if (!soonest || unknown_last(obstacle) < unknown_last(*soonest)) soonest = obstacle;
  }
  return soonest;
}

// The longest that the call may wait for it; nullopt where waiting is not worth while. What nobody knows the end of is
// waited for only by those who can be woken. A shortage of tokens that names no wait lasts for ever: the call is larger
// than the bucket.
std::optional<Duration> worth_waiting(TimePoint now, const CallState& call, const Obstacle& obstacle) noexcept {
  const bool known = is_known(obstacle);
  // Who alone has to wait does not stand in line before others.
  const bool alone = is_shortage(obstacle.reason) &&
                     waits_alone(now, call.target(obstacle.target), call.admission_request(now, obstacle.target));
  if (alone) return std::nullopt;
  Duration longest = Duration::zero();
  if (is_recovery(obstacle.reason)) {
    longest = call.plan_options().max_recovery_wait;
  } else if (is_shortage(obstacle.reason)) {
    longest = call.state(obstacle.target).queue().max_wait();
  }
  const bool never = obstacle.reason == RejectionReason::rate_limited && !known;
  if (never || longest <= Duration::zero()) return std::nullopt;
  if (!known) return call.abilities.waker != nullptr ? std::optional(longest) : std::nullopt;
  if (*obstacle.retry_after > longest || !call.deadline.fits(now, *obstacle.retry_after)) return std::nullopt;
  return longest;
}

bool join_queue(TimePoint now, CallState& call, const Obstacle& obstacle, Duration longest) {
  const std::uint32_t target = obstacle.target;
  if (call.candidates.tries(target) > 0 && !call.take_retry(now, target)) return false;
  const Deadline until = Deadline::sooner(call.deadline, Deadline::after(now, longest));
  const auto ticket =
      call.state(target).queue().join(now,
                                      {.priority = call.options.priority,
                                       .deadline = until,
                                       .soonest = is_known(obstacle) ? *obstacle.retry_after : Duration::zero()},
                                      call.abilities.waker);
  if (!ticket) {
    call.return_retry();
    // A circuit is in the way, however many wait for it.
    if (!is_recovery(obstacle.reason)) {
      call.obstacle.reset();
      call.note_rejection(target, {.rejection = ticket.error()});
    }
    return false;
  }
  call.queued = QueuePlace{.target = target,
                           .ticket = *ticket,
                           .reason = is_recovery(obstacle.reason) ? WaitReason::recovery : WaitReason::admission,
                           .since = now,
                           .until = until.time()};
  call.phase = Phase::queued;
  return true;
}

Step start_at(TimePoint now, CallState& call, std::uint32_t target, AttemptState& attempt) {
  call.candidates.go_to(target);
  return start_attempt(now, call, attempt, {.target = target});
}

// The wait was in vain: whoever is left may be worth another.
std::optional<Step> give_up_queue(TimePoint now, CallState& call) {
  call.candidates.spend(call.queued->target);
  leave_queue(now, call);
  call.return_retry();
  return wait_for_admission(now, call);
}

}  // namespace

std::optional<Step> wait_for_admission(TimePoint now, CallState& call) {
  TargetSet passed = 0;
  while (const auto obstacle = soonest_obstacle(now, call, passed)) {
    const std::uint32_t target = obstacle->target;
    passed |= only(target);
    if (obstacle->none) {
      // It lets the call in after all: it was in the way a moment ago.
      if (call.candidates.tries(target) > 0 && !call.take_retry(now, target)) continue;
      if (AttemptState* const attempt = try_admit(now, call, target)) return start_at(now, call, target, *attempt);
      if (call.over()) break;
    } else if (obstacle->backoff) {
      if (!call.deadline.fits(now, *obstacle->retry_after)) {
        call.wait_did_not_fit = true;
      } else if (*obstacle->retry_after > longest_wait(retry_of(call, target))) {
        call.candidates.spend(target);
      } else if (call.take_retry(now, target)) {
        call.candidates.go_to(target);
        call.begin_backoff(now, target, *obstacle->retry_after);
        return WaitUntil{call.backoff.until};
      }
    } else if (const auto longest = worth_waiting(now, call, *obstacle)) {
      if (join_queue(now, call, *obstacle, *longest)) return next_in_queue(now, call);
    }
  }
  return std::nullopt;
}

std::optional<Step> next_in_queue(TimePoint now, CallState& call) {
  const QueuePlace& place = *call.queued;
  const std::uint32_t target = place.target;
  AdmissionQueue& queue = call.state(target).queue();
  const bool turn = queue.is_turn(now, place.ticket);
  // Nobody will tell a driver that cannot be woken when its turn has come.
  if (now >= place.until || (!turn && call.abilities.waker == nullptr)) return give_up_queue(now, call);
  if (!turn) {
    // Ageing may have passed the turn on meanwhile, to one who sleeps.
    queue.wake_next(now);
    return WaitUntil{place.until};
  }
  const auto rejection_now = [&] {
    return peek_rejection(now, call.target(target), call.admission_request(now, target));
  };
  auto rejection = rejection_now();
  if (!rejection) {
    if (AttemptState* const attempt = try_admit(now, call, target)) {
      leave_queue(now, call);
      return start_at(now, call, target, *attempt);
    }
    if (call.over()) return std::nullopt;
    if (call.candidates.is_spent(target)) return give_up_queue(now, call);
    rejection = rejection_now();
  }
  if (!rejection) return WaitUntil{std::min(saturating_add(now, kShortestWait), place.until)};  // another was quicker
  // It will not be in time where another's probe has failed, say.
  const Obstacle obstacle{.target = target, .reason = rejection->reason, .retry_after = rejection->retry_after};
  const TimePoint ask_at =
      rejection->retry_after ? saturating_add(now, std::max(*rejection->retry_after, kShortestWait)) : place.until;
  const bool is_probe_lease = rejection->reason == RejectionReason::half_open_busy;
  if (!worth_waiting(now, call, obstacle) || (ask_at > place.until && !is_probe_lease)) {
    call.note_rejection(target, {.rejection = *rejection});
    return give_up_queue(now, call);
  }
  return WaitUntil{std::min(ask_at, place.until)};
}

void leave_queue(TimePoint now, CallState& call) {
  const QueuePlace place = *std::exchange(call.queued, std::nullopt);
  if (call.phase == Phase::queued) call.phase = Phase::choosing;
  call.note_wait(now, place.target, place.reason, place.since);
  call.state(place.target).queue().leave(now, place.ticket);
}

bool others_wait_for(const CallState& call, std::uint32_t target) noexcept {
  const AdmissionQueue& queue = call.state(target).queue();
  return !queue.empty() && queue.max_wait() > Duration::zero();
}

}  // namespace fuseboard::engine
