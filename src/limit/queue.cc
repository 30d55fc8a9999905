// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/queue.h"

#include <algorithm>
#include <tuple>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxWaiters = 4096;

bool late(TimePoint deadline, TimePoint now) noexcept { return deadline != kNever && now >= deadline; }

}  // namespace

Problems WaitQueueOptions::validate() const {
  Validator validator;
  validator.in_range("capacity", capacity, std::size_t{1}, kMaxWaiters);
  validator.in_range("ageing_step", ageing_step, 1ms, 1h);
  return std::move(validator).take();
}

WaitQueue::WaitQueue(const WaitQueueOptions& options, KeyView key)
    : options_(checked(options)), key_(to_key_text(key)) {
  waiters_.reserve(options_.capacity);
}

std::expected<WaitTicket, Rejection> WaitQueue::enqueue(TimePoint now, const WaitRequest& request) {
  const Waiter newcomer{.number = last_number_ + 1,
                        .priority = static_cast<std::int64_t>(request.priority),
                        .since = now,
                        .deadline = request.deadline.time()};
  // Hopeless before full: it is true of this call wherever it goes.
  const auto ahead = std::count_if(waiters_.begin(), waiters_.end(), [&](const Waiter& waiter) {
    return !late(waiter.deadline, now) && goes_before(waiter, newcomer, now);
  });
  const Duration soonest = std::max({request.soonest, elapsed(now, held_until_), Duration::zero()});
  const Duration turn = saturating_add(soonest, saturating_scale(request.interval, static_cast<double>(ahead)));
  if (!request.deadline.fits(now, turn)) return std::unexpected(rejection(RejectionReason::deadline_exceeded));
  if (waiters_.size() >= options_.capacity) return std::unexpected(rejection(RejectionReason::queue_full));
  waiters_.push_back(newcomer);
  return WaitTicket{++last_number_};
}

std::optional<WaitTicket> WaitQueue::pop_ready(TimePoint now) {
  const auto waiter = next(now);
  if (waiter == waiters_.end()) return std::nullopt;
  return remove(waiter);
}

std::optional<WaitTicket> WaitQueue::peek_ready(TimePoint now) const {
  const auto waiter = next(now);
  if (waiter == waiters_.end()) return std::nullopt;
  return WaitTicket{waiter->number};
}

std::vector<WaitQueue::Waiter>::const_iterator WaitQueue::next(TimePoint now) const {
  if (now < held_until_) return waiters_.end();
  auto best = waiters_.end();
  for (auto it = waiters_.begin(); it != waiters_.end(); ++it) {
    if (late(it->deadline, now)) continue;
    if (best == waiters_.end() || goes_before(*it, *best, now)) best = it;
  }
  return best;
}

std::optional<WaitTicket> WaitQueue::pop_expired(TimePoint now) {
  const auto earliest = std::min_element(waiters_.begin(), waiters_.end(), [](const Waiter& a, const Waiter& b) {
    return std::tie(a.deadline, a.number) < std::tie(b.deadline, b.number);
  });
  if (earliest == waiters_.end() || !late(earliest->deadline, now)) return std::nullopt;
  return remove(earliest);
}

bool WaitQueue::cancel(WaitTicket ticket) {
  const auto waiter = std::find_if(waiters_.begin(), waiters_.end(),
                                   [&](const Waiter& candidate) { return candidate.number == ticket.number; });
  if (waiter == waiters_.end()) return false;
  (void)remove(waiter);
  return true;
}

TimePoint WaitQueue::next_wakeup() const noexcept {
  TimePoint wakeup = kNever;
  if (waiters_.empty()) return wakeup;
  for (const Waiter& waiter : waiters_) wakeup = std::min(wakeup, waiter.deadline);
  return std::min(wakeup, held_until_);
}

std::int64_t WaitQueue::level_of(const Waiter& waiter, TimePoint now) const noexcept {
  return waiter.priority + elapsed(waiter.since, now) / options_.ageing_step;
}

bool WaitQueue::goes_before(const Waiter& a, const Waiter& b, TimePoint now) const noexcept {
  const std::int64_t level_a = level_of(a, now);
  const std::int64_t level_b = level_of(b, now);
  if (level_a != level_b) return level_a > level_b;
  return std::tie(a.deadline, a.number) < std::tie(b.deadline, b.number);
}

Rejection WaitQueue::rejection(RejectionReason reason) const noexcept { return {.reason = reason, .key = key_}; }

WaitTicket WaitQueue::remove(std::vector<Waiter>::const_iterator waiter) {
  const WaitTicket ticket{waiter->number};
  // In no order, so the last one takes the gap.
  waiters_[static_cast<std::size_t>(waiter - waiters_.cbegin())] = waiters_.back();
  waiters_.pop_back();
  return ticket;
}

}  // namespace fuseboard
