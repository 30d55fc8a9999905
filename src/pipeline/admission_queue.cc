// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/admission_queue.h"

#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

Problems AdmissionQueueOptions::validate() const {
  Validator validator;
  validator.in_range<std::size_t>("capacity", capacity, 1, 4096);
  validator.in_range("max_wait", max_wait, Duration::zero(), hours(1));
  validator.in_range("ageing_step", ageing_step, milliseconds(1), hours(1));
  return std::move(validator).take();
}

AdmissionQueue::AdmissionQueue(const AdmissionQueueOptions& options, KeyView key)
    : options_(checked(options)), waiters_({.capacity = options.capacity, .ageing_step = options.ageing_step}, key) {}

std::expected<WaitTicket, Rejection> AdmissionQueue::join(TimePoint now, const WaitRequest& request,
                                                          std::shared_ptr<Waker> waker) {
  const MutexLock lock(mutex_);
  auto ticket = waiters_.enqueue(now, request);
  if (!ticket) return ticket;
  try {
    wakers_.emplace(ticket->number, std::move(waker));
  } catch (...) {
    waiters_.cancel(*ticket);  // nobody knows of it
    throw;
  }
  size_.store(waiters_.size(), std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see wake_next()
  return ticket;
}

bool AdmissionQueue::is_turn(WaitTicket ticket, TimePoint now) const {
  const MutexLock lock(mutex_);
  return waiters_.next(now) == ticket;
}

void AdmissionQueue::leave(WaitTicket ticket, TimePoint now) {
  {
    const MutexLock lock(mutex_);
    waiters_.cancel(ticket);
    wakers_.erase(ticket.number);
    size_.store(waiters_.size(), std::memory_order_relaxed);
  }
  wake_next(now);
}

void AdmissionQueue::wake_first(TimePoint now) const {
  std::shared_ptr<Waker> waker;
  {
    const MutexLock lock(mutex_);
    const auto next = waiters_.next(now);
    if (!next) return;
    if (const auto found = wakers_.find(next->number); found != wakers_.end()) waker = found->second;
  }
  if (waker != nullptr) waker->wake();
}

}  // namespace fuseboard
