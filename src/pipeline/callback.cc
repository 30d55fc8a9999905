// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/callback.h"

#include <algorithm>
#include <utility>

#include "fuseboard/pipeline/blocking.h"

namespace fuseboard {

CallbackDriver::CallbackDriver(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng,
                               const Clock& clock, DriverDelegate& delegate, std::shared_ptr<Waker> waker,
                               CallObserver* observer)
    : clock_(clock),
      now_(clock.now()),
      execution_(now_, std::move(plan), options, rng, {.waker = waker, .hedges = true}, observer),
      cache_(options.cache),
      delegate_(delegate),
      waker_(std::move(waker)) {}

void CallbackDriver::proceed() {
  now_ = clock_.now();
  proceed_from_now();
}

// The delegate may call back; what that changes is looked at when it has returned.
void CallbackDriver::proceed_from_now() {
  again_ = true;
  if (proceeding_ || ended_) return;
  struct Proceeding {
    explicit Proceeding(bool& flag) : on(flag) { on = true; }
    ~Proceeding() { on = false; }  // also when the delegate throws
    bool& on;
  };
  const Proceeding proceeding(proceeding_);
  while (std::exchange(again_, false) && !ended_) take_steps();
}

void CallbackDriver::take_steps() {
  do {
    const Step step = execution_.next(now_);
    cancel_lost_attempts();
    take(step);
  } while (!waits_ && !ended_);
}

void CallbackDriver::take(const Step& step) {
  waits_ = false;
  if (const auto* attempt = std::get_if<Attempt>(&step)) {
    send(*attempt);
  } else if (std::holds_alternative<Lookup>(step)) {
    cache_->look_up(waker_);
  } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
    waits_ = true;
    delegate_.proceed_at(wait->time);
  } else if (std::holds_alternative<Await>(step)) {
    waits_ = true;
    delegate_.proceed_at(kNever);
  } else {
    ended_ = true;
    delegate_.ended(execution_.record());
  }
}

void CallbackDriver::send(const Attempt& attempt) {
  *std::ranges::find(sent_, 0U) = attempt.number;
  try {
    delegate_.send(attempt);
  } catch (...) {
    if (!execution_.in_flight(attempt.number)) throw;  // it has reported before it threw
    std::ranges::replace(sent_, attempt.number, 0U);
    pipeline_internal::settle_thrown(execution_, attempt.number, clock_, false);
    ended_ = true;
    cancel_lost_attempts();
    throw;
  }
}

bool CallbackDriver::accepted(std::uint32_t attempt) {
  now_ = clock_.now();
  return execution_.accepted(now_, attempt);
}

bool CallbackDriver::working(std::uint32_t attempt) {
  if (execution_.has_worked(attempt)) return true;
  now_ = clock_.now();
  return execution_.working(now_, attempt);
}

bool CallbackDriver::first_content(std::uint32_t attempt) {
  if (execution_.has_first_content(attempt)) return true;
  now_ = clock_.now();
  const bool counts = execution_.first_content(now_, attempt);
  proceed_from_now();
  return counts;
}

void CallbackDriver::report(std::uint32_t attempt, const AttemptReport& report) {
  if (!execution_.in_flight(attempt)) return;
  std::ranges::replace(sent_, attempt, 0U);
  now_ = clock_.now();
  execution_.report(now_, attempt, report);
  proceed_from_now();
}

void CallbackDriver::leave() {
  now_ = clock_.now();
  execution_.leave(now_);
  proceed_from_now();
}

void CallbackDriver::cancel_lost_attempts() {
  for (std::uint32_t& number : sent_) {
    if (number != 0 && !execution_.in_flight(number)) delegate_.cancel(std::exchange(number, 0));
  }
}

}  // namespace fuseboard
