// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/simulated_call.h"

#include <utility>

namespace fuseboard::sim {

// Wakes the call as the next thing that happens.
class SimulatedCall::CallWaker final : public Waker {
 public:
  CallWaker(VirtualTime& time, std::weak_ptr<SimulatedCall> call) : time_(time), call_(std::move(call)) {}
  void wake() noexcept override {
    time_.at(time_.now(), [call = call_] {
      if (const auto alive = call.lock()) alive->driver_->proceed();
    });
  }

 private:
  VirtualTime& time_;
  const std::weak_ptr<SimulatedCall> call_;
};

std::shared_ptr<SimulatedCall> SimulatedCall::begin(VirtualTime& time, CallWorld& world,
                                                    std::shared_ptr<const Plan> plan, const CallOptions& options,
                                                    Rng& rng, CallObserver* observer) {
  auto call = std::make_shared<SimulatedCall>(Passkey(), time, world);
  call->waker_ = std::make_shared<CallWaker>(time, call);
  DriverDelegate& hooks = *call;
  call->driver_ =
      std::make_unique<CallbackDriver>(std::move(plan), options, rng, time.clock(), hooks, call->waker_, observer);
  call->driver_->proceed();
  return call;
}

void SimulatedCall::at(TimePoint time, std::function<void(SimulatedCall&)> action) {
  time_.at(time, [weak = weak_from_this(), action = std::move(action)] {
    if (const auto alive = weak.lock()) action(*alive);
  });
}

void SimulatedCall::send(const Attempt& attempt) {
  const SimulatedAttempt planned = world_.meet(driver_->execution().plan(), attempt);
  const std::uint32_t number = attempt.number;
  if (planned.first_sign) {
    at(saturating_add(time_.now(), *planned.first_sign),
       [number](SimulatedCall& call) { call.driver_->working(number); });
  }
  if (planned.first_content) {
    at(saturating_add(time_.now(), *planned.first_content),
       [number](SimulatedCall& call) { call.driver_->first_content(number); });
  }
  at(saturating_add(time_.now(), planned.takes),
     [number, report = planned.report](SimulatedCall& call) { call.driver_->report(number, report); });
}

// What the attempt would still have reported, the driver ignores.
void SimulatedCall::cancel(std::uint32_t) {}

void SimulatedCall::proceed_at(TimePoint time) {
  if (time == timer_) return;
  timer_ = time;
  timer_since_ = time_.now();
  if (time == kNever) return;
  at(time, [time](SimulatedCall& call) {
    if (call.timer_ != time) return;  // another time was named since
    call.timer_ = kNever;
    call.world_.waited(elapsed(call.timer_since_, time));
    call.driver_->proceed();
  });
}

void SimulatedCall::ended(const CallRecord&) { timer_ = kNever; }

}  // namespace fuseboard::sim
