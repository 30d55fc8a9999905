// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/callback.h"

#include <algorithm>
#include <utility>

namespace fuseboard {

CallbackDriver::CallbackDriver(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng,
                               const Clock& clock, CallHooks& hooks, std::shared_ptr<Waker> waker,
                               CallObserver* observer)
    : execution_(std::move(plan), options, rng, clock.now(), {.waker = waker, .hedges = true}, observer),
      cache_(options.cache),
      clock_(clock),
      hooks_(hooks),
      waker_(std::move(waker)) {}

// Hooks may call back; what they change is looked at when they have returned.
void CallbackDriver::proceed() {
  again_ = true;
  if (proceeding_ || ended_) return;
  struct Proceeding {
    explicit Proceeding(bool& flag) : on(flag) { on = true; }
    ~Proceeding() { on = false; }  // also when a hook throws
    bool& on;
  };
  const Proceeding proceeding(proceeding_);
  while (std::exchange(again_, false) && !ended_) take_steps();
}

void CallbackDriver::take_steps() {
  do {
    const Step step = execution_.next(clock_.now());
    cancel_lost_attempts();
    take(step);
  } while (!waits_ && !ended_);
}

void CallbackDriver::take(const Step& step) {
  waits_ = false;
  if (const auto* attempt = std::get_if<Attempt>(&step)) {
    *std::ranges::find(sent_, 0U) = attempt->number;
    hooks_.send(*attempt);
  } else if (std::holds_alternative<Lookup>(step)) {
    cache_->look_up(waker_);
  } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
    waits_ = true;
    hooks_.proceed_at(wait->time);
  } else if (std::holds_alternative<Await>(step)) {
    waits_ = true;
    hooks_.proceed_at(kNever);
  } else {
    ended_ = true;
    hooks_.ended(execution_.record());
  }
}

bool CallbackDriver::first_content(std::uint32_t attempt) {
  const bool counts = execution_.first_content(attempt, clock_.now());
  proceed();
  return counts;
}

void CallbackDriver::report(std::uint32_t attempt, const AttemptReport& report) {
  if (!execution_.in_flight(attempt)) return;
  std::ranges::replace(sent_, attempt, 0U);
  execution_.report(attempt, report, clock_.now());
  proceed();
}

void CallbackDriver::leave() {
  execution_.leave(clock_.now());
  proceed();
}

void CallbackDriver::cancel_lost_attempts() {
  for (std::uint32_t& number : sent_) {
    if (number != 0 && !execution_.in_flight(number)) hooks_.cancel(std::exchange(number, 0));
  }
}

}  // namespace fuseboard
