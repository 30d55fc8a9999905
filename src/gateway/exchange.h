// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What any protected exchange between a caller and upstreams needs, whatever is asked of them: one call on its way
// through the decision engine, on an event loop.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

#include "fuseboard/pipeline/callback.h"
#include "gateway/alarm.h"
#include "gateway/calls_in_flight.h"
#include "gateway/exchange_context.h"
#include "gateway/loop_waker.h"
#include "net/task.h"

namespace fuseboard::gateway {

class InFlightAttempt;

// What the exchange leaves to whoever knows what is asked.
class AttemptTask {
 public:
  virtual ~AttemptTask() = default;

  // Makes an InFlightAttempt of it on its own frame, sends that and tells its end, unless nobody needs it any more.
  // Several may run at once. `attempt` holds until the task ends.
  virtual net::Task<void> attempt(const Attempt& attempt) = 0;

  // An attempt failed when the caller had a part of an answer: whether it can be recovered, and by whom best.
  virtual std::optional<StreamRecovery> recovery() const = 0;
};

// The event-loop driver: turns the decision engine's steps into tasks of one loop, several attempts at once. The engine
// alone knows which attempts are in flight, and whether the answer has begun: it is committed when the first content is
// told, and nothing is sent to the caller before [STR-4]. Loop thread only.
class ProtectedExchange : private DriverDelegate, private CallInFlight {
 public:
  // All that is given must outlive it, and it must outlive its run().
  ProtectedExchange(const ExchangeContext& context, std::shared_ptr<const Plan> plan, const CallOptions& options,
                    AttemptTask& task);
  ~ProtectedExchange() override;

  // Ends when the call is over and the tasks of all its attempts have ended. What a task throws, it throws.
  net::Task<void> run();

  // Tells the engine, after what the attempts have used. What follows happens later on the loop, so this may be called
  // from anywhere on it.
  void caller_gone();

  // The gateway ended the call, which its caller is still to be told.
  bool was_shut_down() const noexcept { return shut_down_; }

  CallbackDriver& driver() noexcept { return driver_; }
  const Execution& execution() const noexcept { return driver_.execution(); }

 protected:
  // Where time is virtual, this is overridden and proceed() called when the time has come.
  void proceed_at(TimePoint time) override { alarm_.set(time); }
  // The exchange may be gone when it returns.
  void proceed();

 private:
  friend class InFlightAttempt;

  void send(const Attempt& attempt) override;
  void cancel(std::uint32_t attempt) override;
  void ended(const CallRecord&) override { proceed_at(kNever); }
  void shut_down() override;

  net::Task<void> run_attempt(Attempt attempt);
  void leave();
  void end_when_idle();

  const ExchangeContext context_;
  AttemptTask& task_;
  const std::shared_ptr<LoopWaker> waker_;
  Alarm alarm_;
  CallbackDriver driver_;
  InFlightAttempt* attempts_in_flight_ = nullptr;  // the first of those whose tasks run
  std::uint32_t tasks_ = 0;                        // of attempts, that have not ended
  const bool idempotent_;
  bool stepping_ = false;  // within run()'s first steps
  bool shut_down_ = false;
  std::exception_ptr thrown_;
  net::OneShot<> done_;
};

}  // namespace fuseboard::gateway
