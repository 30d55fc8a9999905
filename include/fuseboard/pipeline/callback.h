// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The callback driver: runs one call for whoever owns a loop and its own threads.
//
//   class MyCall : public DriverDelegate { ... };               // starts requests and timers, never waits
//   CallbackDriver driver(plan, options, rng, clock, my_call, my_waker);
//   driver.proceed();                                      // and again whenever a timer or the waker says so
//   ... driver.report(attempt, report);                    // when a request has ended
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard {

// What the driver needs done for one call. Called on the driver's thread, within its functions; each may call back into
// the driver, but not destroy it.
class DriverDelegate {
 public:
  virtual ~DriverDelegate() = default;
  // Start this attempt and return. Its end is told by report(), which may come at once. What it throws passes through,
  // after the attempt has been settled as an execution error and the call ended, without ended().
  virtual void send(const Attempt& attempt) = 0;
  // Nobody needs this attempt any more; what is still reported of it is ignored.
  virtual void cancel(std::uint32_t attempt) = 0;
  // Call proceed() at that time, in place of any time that was named before; kNever: not for the sake of time.
  virtual void proceed_at(TimePoint time) = 0;
  // The call is over. The delegate is not called again.
  virtual void ended(const CallRecord& record) = 0;
};

// Not thread-safe: one thread at a time. `waker`, which may be null (see DriverAbilities), is to have proceed() called
// on that thread. Destroyed before the end, the call is abandoned and the delegate is not called. References must
// outlive it.
class CallbackDriver {
 public:
  CallbackDriver(std::shared_ptr<const Plan> plan, const CallOptions& options, Rng& rng, const Clock& clock,
                 DriverDelegate& delegate, std::shared_ptr<Waker> waker = nullptr, CallObserver* observer = nullptr);
  CallbackDriver(const CallbackDriver&) = delete;
  CallbackDriver& operator=(const CallbackDriver&) = delete;

  // Does what is to be done now. Harmless at any time.
  void proceed();

  // Of an attempt in flight, see Execution. False: nobody needs it any more. What is told again costs no look at the
  // clock, so it may be told with every piece of an answer.
  bool accepted(std::uint32_t attempt);
  bool working(std::uint32_t attempt);
  bool first_content(std::uint32_t attempt);
  void note_resent(std::uint32_t attempt) noexcept { execution_.note_resent(attempt); }
  void observe(std::uint32_t attempt, const TokenUsage& usage) { execution_.observe(attempt, usage); }
  void report(std::uint32_t attempt, const AttemptReport& report);
  // The caller is gone.
  void leave();
  // See Execution.
  void note_caller_result(const CallerResult& told) noexcept { execution_.note_caller_result(told); }

  bool ended() const noexcept { return ended_; }
  const Execution& execution() const noexcept { return execution_; }

 private:
  void proceed_from_now();
  void take_steps();
  void take(const Step& step);
  void send(const Attempt& attempt);
  void cancel_lost_attempts();

  const Clock& clock_;
  TimePoint now_;  // of the latest call into the driver: read once, as the steps that follow are taken to need none
  Execution execution_;
  CacheSession* const cache_;
  DriverDelegate& delegate_;
  const std::shared_ptr<Waker> waker_;
  std::array<std::uint32_t, kMaxConcurrentAttempts> sent_{};  // numbers of attempts in flight; 0 is none
  bool ended_ = false;
  bool proceeding_ = false;
  bool again_ = false;  // the delegate has called back
  bool waits_ = false;  // the last step was to wait
};

}  // namespace fuseboard
