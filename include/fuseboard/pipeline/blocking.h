// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The blocking driver: runs one call on the calling thread.
//
//   auto answer = fuseboard::run(plan, [&](const fuseboard::Attempt& attempt) -> std::expected<Reply,
//   fuseboard::Failure> {
//     return client_for(attempt.target).send(request, attempt.total_by);
//   });
//   if (!answer.value) log(answer.value.error());
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "fuseboard/core/clock.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard {

// Waits for the blocking driver.
class Waiter {
 public:
  virtual ~Waiter() = default;
  // Returns at `time` or as soon as `stop` is requested. Early returns are harmless: the driver asks again.
  virtual void wait_until(TimePoint time, const std::stop_token& stop) = 0;
};

// Waits in real time on the given clock. Thread-safe.
class ThreadWaiter final : public Waiter {
 public:
  explicit ThreadWaiter(const Clock& clock = SteadyClock::instance()) noexcept : clock_(clock) {}
  void wait_until(TimePoint time, const std::stop_token& stop) override;

 private:
  const Clock& clock_;
};

// What a driver needs from the world; everything injected. The referenced objects must outlive the call.
struct Environment {
  const Clock& clock;
  Rng& rng;
  Waiter& waiter;

  // Steady clock, a randomly seeded generator and a thread waiter, shared by the process. Thread-safe.
  static Environment process();
};

// How an attempt failed, for senders that know more than the category.
struct AttemptFailure {
  Failure failure{};
  bool answered = false;  // as in AttemptReport
  bool may_have_run = true;
  bool silent = false;
};

// Why there is no answer: the ending, and the failure the caller should see where an attempt was sent.
struct CallError {
  Ending ending = Ending::failed;
  std::optional<Failure> failure{};
};

template <typename T>
struct CallResult {
  std::expected<T, CallError> value;
  CallRecord record;
};

namespace pipeline_internal {

CallError error_of(const CallRecord& record);

AttemptReport report_of(const AttemptFailure& failure) noexcept;
// A rate limit refuses a request before it runs.
AttemptReport report_of(const Failure& failure) noexcept;

// Settles the attempt in flight when user code throws; the exception goes on to the caller.
class ThrowGuard {
 public:
  ThrowGuard(Execution& execution, const Clock& clock) noexcept : execution_(execution), clock_(clock) {}
  ~ThrowGuard();
  ThrowGuard(const ThrowGuard&) = delete;
  ThrowGuard& operator=(const ThrowGuard&) = delete;

 private:
  Execution& execution_;
  const Clock& clock_;
};

}  // namespace pipeline_internal

// Runs `send` under the plan until an attempt succeeds or the call ends. `send` takes a const Attempt& and returns
// std::expected<T, Failure> or std::expected<T, AttemptFailure>; what it throws passes through, after its attempt has
// been settled as an execution error. Blocks in `send` and in waits between tries; a stop request ends waits and begins
// no further attempt.
template <typename Send>
auto run(std::shared_ptr<const Plan> plan, Send&& send, CallOptions options = {},
         Environment environment = Environment::process(), const std::stop_token& stop = {}) {
  using Reply = std::invoke_result_t<Send&, const Attempt&>;
  using T = typename Reply::value_type;
  using Error = typename Reply::error_type;
  static_assert(std::is_same_v<Error, Failure> || std::is_same_v<Error, AttemptFailure>,
                "send must return std::expected<T, Failure> or std::expected<T, AttemptFailure>");

  const Clock& clock = environment.clock;
  Execution execution(std::move(plan), options, environment.rng, clock.now());
  std::optional<T> answer;
  for (;;) {
    if (stop.stop_requested()) execution.cancel(clock.now());
    const Step step = execution.next(clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      const pipeline_internal::ThrowGuard guard(execution, clock);
      Reply reply = send(*attempt);
      const TimePoint now = clock.now();
      if (reply) {
        answer.emplace(*std::move(reply));
        execution.report({.outcome = Outcome::success(), .answered = true}, now);
      } else {
        execution.report(pipeline_internal::report_of(reply.error()), now);
      }
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      environment.waiter.wait_until(wait->time, stop);
    } else {
      const CallRecord& record = execution.record();
      if (answer && record.ending == Ending::success) return CallResult<T>{*std::move(answer), record};
      return CallResult<T>{std::unexpected(pipeline_internal::error_of(record)), record};
    }
  }
}

}  // namespace fuseboard
