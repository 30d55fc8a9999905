// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/admission_queue.h"

#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

WaitQueueOptions waiting_options(const AdmissionQueueOptions& options) {
  return {.capacity = options.capacity, .ageing_step = options.ageing_step};
}

}  // namespace

Problems AdmissionQueueOptions::validate() const {
  Validator validator;
  validator.in_range<std::size_t>("capacity", capacity, 1, 4096);
  validator.in_range("max_wait", max_wait, Duration::zero(), hours(1));
  validator.in_range("ageing_step", ageing_step, milliseconds(1), hours(1));
  return std::move(validator).take();
}

AdmissionQueue::AdmissionQueue(const AdmissionQueueOptions& options, KeyView key, std::atomic<std::size_t>* waiting)
    : max_wait_(options.max_wait), waiting_(waiting), waiters_(waiting_options(checked(options)), key) {}

void AdmissionQueue::apply(const AdmissionQueueOptions& options) {
  const WaitQueueOptions wanted = waiting_options(checked(options));
  {
    const MutexLock lock(mutex_);
    waiters_.apply(wanted);
  }
  max_wait_.store(options.max_wait, std::memory_order_relaxed);
}

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
  if (waiting_ != nullptr) waiting_->fetch_add(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see next_waker()
  return ticket;
}

bool AdmissionQueue::is_turn(TimePoint now, WaitTicket ticket) const {
  const MutexLock lock(mutex_);
  return waiters_.next(now) == ticket;
}

void AdmissionQueue::leave(TimePoint now, WaitTicket ticket) {
  {
    const MutexLock lock(mutex_);
    const bool waited = waiters_.cancel(ticket);
    if (waited && waiting_ != nullptr) waiting_->fetch_sub(1, std::memory_order_relaxed);
    wakers_.erase(ticket.number);
    size_.store(waiters_.size(), std::memory_order_relaxed);
  }
  wake_next(now);
}

std::shared_ptr<Waker> AdmissionQueue::first_waker(TimePoint now) const {
  const MutexLock lock(mutex_);
  const auto next = waiters_.next(now);
  if (!next) return nullptr;
  const auto found = wakers_.find(next->number);
  return found == wakers_.end() ? nullptr : found->second;
}

}  // namespace fuseboard
