// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/exchange.h"

#include <utility>

#include "gateway/in_flight_attempt.h"

namespace fuseboard::gateway {

ProtectedExchange::ProtectedExchange(LoopContext& loop_context, std::shared_ptr<const Plan> plan,
                                     const CallOptions& options, AttemptTask& task)
    : loop_context_(loop_context),
      task_(task),
      waker_(std::make_shared<LoopWaker>(loop_context.loop)),
      alarm_(loop_context.loop,
             [this](bool came) {
               if (came) {
                 proceed();
               } else {
                 leave();
               }
             }),
      driver_(std::move(plan), options, loop_context.rng, loop_context.clock, *this, waker_),
      idempotent_(options.idempotent) {
  waker_->on_wake([this] { proceed(); });
  loop_context_.calls.add(*this);
}

ProtectedExchange::~ProtectedExchange() {
  loop_context_.calls.remove(*this);
  waker_->on_wake({});
}

net::Task<void> ProtectedExchange::run() {
  stepping_ = true;
  driver_.proceed();
  stepping_ = false;
  if (!driver_.ended() || running_ > 0) co_await done_;
  if (thrown_) std::rethrow_exception(thrown_);
}

void ProtectedExchange::proceed() {
  driver_.proceed();
  end_when_idle();
}

// run() may be resumed by whoever ends last, and then goes on to answer; not from within a notice of the connection.
void ProtectedExchange::leave() {
  driver_.leave();
  if (running_ == 0) waker_->wake();
}

void ProtectedExchange::caller_gone() {
  for (InFlightAttempt* attempt = attempts_in_flight_; attempt != nullptr; attempt = attempt->next_) attempt->observe();
  leave();
}

void ProtectedExchange::shut_down() {
  shut_down_ = true;
  leave();
}

void ProtectedExchange::send(const Attempt& attempt) {
  ++running_;
  net::spawn(run_attempt(attempt));
}

net::Task<void> ProtectedExchange::run_attempt(Attempt attempt) {
  try {
    co_await task_.attempt(attempt);
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
    driver_.leave();
  }
  --running_;
  end_when_idle();  // the last deed: nothing of the call may be left
}

// Its task ends soon, but not within this call.
void ProtectedExchange::cancel(std::uint32_t number) {
  for (InFlightAttempt* attempt = attempts_in_flight_; attempt != nullptr; attempt = attempt->next_) {
    if (attempt->number() == number) attempt->cancel();
  }
}

void ProtectedExchange::end_when_idle() {
  if (driver_.ended() && running_ == 0 && !stepping_) done_.set();
}

}  // namespace fuseboard::gateway
