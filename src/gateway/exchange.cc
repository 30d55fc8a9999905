// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/exchange.h"

#include <utility>

#include "gateway/in_flight_attempt.h"

namespace fuseboard::gateway {

ProtectedExchange::ProtectedExchange(const ExchangeContext& context, std::shared_ptr<const Plan> plan,
                                     const CallOptions& options, AttemptTask& task)
    : context_(context),
      task_(task),
      waker_(std::make_shared<LoopWaker>(context.loop)),
      alarm_(context.loop,
             [this](bool came) {
               if (came) {
                 proceed();
               } else {
                 leave();
               }
             }),
      driver_(std::move(plan), options, context.rng, context.clock, *this, waker_),
      idempotent_(options.idempotent) {
  waker_->on_wake([this] { proceed(); });
  context_.calls.add(*this);
}

ProtectedExchange::~ProtectedExchange() {
  context_.calls.remove(*this);
  waker_->on_wake({});
}

net::Task<void> ProtectedExchange::run() {
  stepping_ = true;
  driver_.proceed();
  stepping_ = false;
  if (!driver_.ended() || tasks_ > 0) co_await done_;
  if (thrown_) std::rethrow_exception(thrown_);
}

void ProtectedExchange::proceed() {
  driver_.proceed();
  end_when_idle();
}

// run() may be resumed by whoever ends last, and then goes on to answer; not from within a notice of the connection.
void ProtectedExchange::leave() {
  driver_.leave();
  if (tasks_ == 0) waker_->wake();
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
  ++tasks_;
  net::spawn(run_attempt(attempt));
}

net::Task<void> ProtectedExchange::run_attempt(Attempt attempt) {
  try {
    co_await task_.attempt(attempt);
  } catch (...) {
    if (!thrown_) thrown_ = std::current_exception();
    driver_.leave();
  }
  --tasks_;
  end_when_idle();  // must be last: may destroy this exchange
}

// Its task ends soon, but not within this call.
void ProtectedExchange::cancel(std::uint32_t number) {
  for (InFlightAttempt* attempt = attempts_in_flight_; attempt != nullptr; attempt = attempt->next_) {
    if (attempt->number() == number) attempt->cancel();
  }
}

void ProtectedExchange::end_when_idle() {
  if (driver_.ended() && tasks_ == 0 && !stepping_) done_.set();
}

}  // namespace fuseboard::gateway
