// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The event-loop driver: turns the decision engine's steps into tasks of one loop, several attempts at once.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/pipeline/callback.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::gateway {

// What the driver needs done for one call.
class AttemptSender {
 public:
  virtual ~AttemptSender() = default;

  // Sends the attempt and reports its end to the driver, unless nobody needs it any more. Several may run at once.
  virtual net::Task<void> attempt(Attempt attempt) = 0;

  // Nobody needs this attempt any more: its task should end soon, but not within this call.
  virtual void cancel(std::uint32_t attempt) = 0;

  // Calls LoopDriver::proceed() at that time, in place of any time that was named before; kNever: not at all.
  virtual void proceed_at(TimePoint time) = 0;
};

// Wakes a call of one loop from any thread.
class LoopWaker final : public Waker, public std::enable_shared_from_this<LoopWaker> {
 public:
  explicit LoopWaker(net::Loop& loop) : loop_(loop) {}
  void wake() noexcept override;

  // Run on the loop's thread when the call is woken; empty: nobody is there any more. Loop thread only. It may destroy
  // whatever it likes but this waker.
  void on_wake(std::function<void()> action) { action_ = std::move(action); }

 private:
  net::Loop& loop_;
  std::function<void()> action_;
};

// One call. Loop thread only; the hands must outlive it, and it must outlive its run().
class LoopDriver final : private DriverDelegate {
 public:
  LoopDriver(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng, const Clock& clock,
             AttemptSender& hands, std::shared_ptr<Waker> waker, CallObserver* observer = nullptr);

  // Ends when the call is over and the tasks of all its attempts have ended. What an attempt throws, it throws.
  net::Task<void> run();

  // Looks at what is to be done now. The driver may be gone when it returns.
  void proceed();
  // The caller is gone. What follows happens later on the loop, so this may be called from anywhere on it.
  void leave();

  // For the attempts' tasks; see CallbackDriver.
  bool accepted(std::uint32_t attempt) { return driver_.accepted(attempt); }
  bool working(std::uint32_t attempt) { return driver_.working(attempt); }
  bool first_content(std::uint32_t attempt) { return driver_.first_content(attempt); }
  void observe(std::uint32_t attempt, const TokenUsage& usage) { driver_.observe(attempt, usage); }
  void report(std::uint32_t attempt, const AttemptReport& report) { driver_.report(attempt, report); }
  bool in_flight(std::uint32_t attempt) const noexcept { return driver_.execution().in_flight(attempt); }
  const Execution& execution() const noexcept { return driver_.execution(); }

 private:
  void send(const Attempt& attempt) override;
  void cancel(std::uint32_t attempt) override { hands_.cancel(attempt); }
  void proceed_at(TimePoint time) override { hands_.proceed_at(time); }
  void ended(const CallRecord&) override { hands_.proceed_at(kNever); }

  net::Task<void> run_attempt(Attempt attempt);
  void end_when_idle();

  AttemptSender& hands_;
  const std::shared_ptr<Waker> waker_;
  CallbackDriver driver_;
  std::uint32_t running_ = 0;  // tasks of attempts
  bool stepping_ = false;      // within run()'s first steps
  std::exception_ptr thrown_;
  net::OneShot<> done_;
};

}  // namespace fuseboard::gateway
