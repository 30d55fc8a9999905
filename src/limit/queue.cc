// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/limit/queue.h"

#include <algorithm>
#include <tuple>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxWaiters = 4096;

bool late(TimePoint now, TimePoint deadline) noexcept { return deadline != kNever && now >= deadline; }

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

void WaitQueue::apply(const WaitQueueOptions& options) {
  waiters_.reserve(checked(options).capacity);
  options_ = options;
}

std::expected<WaitTicket, Rejection> WaitQueue::enqueue(TimePoint now, const WaitRequest& request) {
  // Hopeless before full: it is true of this call wherever it goes.
  if (!request.deadline.fits(now, std::max(request.soonest, Duration::zero()))) {
    return std::unexpected(rejection(RejectionReason::deadline_exceeded));
  }
  if (waiters_.size() >= options_.capacity) return std::unexpected(rejection(RejectionReason::queue_full));
  waiters_.push_back({.number = ++last_number_,
                      .priority = static_cast<std::int64_t>(request.priority),
                      .since = now,
                      .deadline = request.deadline.time()});
  return WaitTicket{last_number_};
}

std::optional<WaitTicket> WaitQueue::next(TimePoint now) const {
  const Waiter* best = nullptr;
  for (const Waiter& waiter : waiters_) {
    if (late(now, waiter.deadline)) continue;
    if (best == nullptr || goes_before(now, waiter, *best)) best = &waiter;
  }
  if (best == nullptr) return std::nullopt;
  return WaitTicket{best->number};
}

bool WaitQueue::cancel(WaitTicket ticket) {
  const auto waiter = std::ranges::find(waiters_, ticket.number, &Waiter::number);
  if (waiter == waiters_.end()) return false;
  // In no order, so the last one takes the gap.
  *waiter = waiters_.back();
  waiters_.pop_back();
  return true;
}

std::int64_t WaitQueue::level_of(TimePoint now, const Waiter& waiter) const noexcept {
  return waiter.priority + elapsed(waiter.since, now) / options_.ageing_step;
}

bool WaitQueue::goes_before(TimePoint now, const Waiter& a, const Waiter& b) const noexcept {
  const std::int64_t level_a = level_of(now, a);
  const std::int64_t level_b = level_of(now, b);
  if (level_a != level_b) return level_a > level_b;
  return std::tie(a.deadline, a.number) < std::tie(b.deadline, b.number);
}

Rejection WaitQueue::rejection(RejectionReason reason) const noexcept { return {.reason = reason, .key = key_}; }

}  // namespace fuseboard
