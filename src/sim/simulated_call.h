// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The simulated driver: runs a call's steps in virtual time, beside any number of others.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/callback.h"
#include "sim/virtual_time.h"

namespace fuseboard::sim {

// What one attempt will meet.
struct SimulatedAttempt {
  AttemptReport report{};
  Duration takes = Duration::zero();
  std::optional<Duration> first_sign{};     // of work, of a stream: after so long, before its first content
  std::optional<Duration> first_content{};  // of a stream: after so long, before its end
};

// The world around calls.
class CallWorld {
 public:
  virtual ~CallWorld() = default;
  // An attempt is sent.
  virtual SimulatedAttempt meet(const Plan& plan, const Attempt& attempt) = 0;
  // A wait that the engine asked for has passed in full.
  virtual void waited(Duration) {}
};

// One call. Held by whoever wants it to go on: destroyed before its end, it is abandoned as if its driver had died.
class SimulatedCall final : private DriverDelegate, public std::enable_shared_from_this<SimulatedCall> {
 public:
  // References must outlive it. `options.cache` included, what it points to must, too.
  static std::shared_ptr<SimulatedCall> begin(VirtualTime& time, CallWorld& world, std::shared_ptr<const Plan> plan,
                                              const CallOptions& options, Rng& rng, CallObserver* observer = nullptr);

  // The caller goes away.
  void leave() { driver_->leave(); }

  bool done() const noexcept { return driver_->ended(); }
  const CallRecord& record() const noexcept { return driver_->execution().record(); }

 private:
  struct Passkey {};
  class CallWaker;

 public:
  SimulatedCall(Passkey, VirtualTime& time, CallWorld& world) : time_(time), world_(world) {}

 private:
  void send(const Attempt& attempt) override;
  void cancel(std::uint32_t attempt) override;
  void proceed_at(TimePoint time) override;
  void ended(const CallRecord& record) override;

  // `action` at that time, if the call is still there.
  void at(TimePoint time, std::function<void(SimulatedCall&)> action);

  VirtualTime& time_;
  CallWorld& world_;
  std::shared_ptr<CallWaker> waker_;
  std::unique_ptr<CallbackDriver> driver_;
  TimePoint timer_ = kNever;
  TimePoint timer_since_{};
};

}  // namespace fuseboard::sim
