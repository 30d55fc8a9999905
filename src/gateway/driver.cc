// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/driver.h"

#include <utility>

namespace fuseboard::gateway {

void LoopWaker::wake() noexcept {
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || !self->action_) return;
    const auto action = self->action_;  // its own may be taken away while it runs
    action();
  });
}

LoopDriver::LoopDriver(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng, const Clock& clock,
                       AttemptSender& hands, std::shared_ptr<Waker> waker, CallObserver* observer)
    : hands_(hands), waker_(std::move(waker)), driver_(std::move(plan), options, rng, clock, *this, waker_, observer) {}

net::Task<void> LoopDriver::run() {
  stepping_ = true;
  driver_.proceed();
  stepping_ = false;
  if (!driver_.ended() || running_ > 0) co_await done_;
  if (thrown_) std::rethrow_exception(thrown_);
}

void LoopDriver::proceed() {
  driver_.proceed();
  end_when_idle();
}

// run() may be resumed by whoever ends last, and then goes on to answer; not from within a notice of the connection.
void LoopDriver::leave() {
  driver_.leave();
  if (running_ == 0) waker_->wake();
}

void LoopDriver::send(const Attempt& attempt) {
  ++running_;
  net::spawn(run_attempt(attempt));
}

net::Task<void> LoopDriver::run_attempt(Attempt attempt) {
  try {
    co_await hands_.attempt(attempt);
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
    driver_.leave();
  }
  --running_;
  end_when_idle();  // the last deed: nothing of the call may be left
}

void LoopDriver::end_when_idle() {
  if (driver_.ended() && running_ == 0 && !stepping_) done_.set();
}

}  // namespace fuseboard::gateway
