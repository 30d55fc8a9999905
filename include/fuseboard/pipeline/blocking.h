// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The blocking driver: runs one call on the calling thread.
//
//   auto answer = fuseboard::run(plan, [&](const fuseboard::Attempt& attempt) -> std::expected<Reply, Failure> {
//     return client_for(attempt.target).send(request, attempt.total_by);
//   });
//   if (!answer.value) log(answer.value.error());
#pragma once

#include <concepts>
#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/waiter.h"
#include "fuseboard/core/wake_flag.h"
#include "fuseboard/pipeline/execution.h"
#include "fuseboard/pipeline/hedged_sends.h"

namespace fuseboard {

// What a driver needs from the world; everything injected. The referenced objects must outlive the call.
struct Environment {
  const Clock& clock;
  Rng& rng;
  Waiter& waiter;
  CallObserver* observer = nullptr;

  // Steady clock, a randomly seeded generator and a thread waiter, shared by the process. Thread-safe.
  static Environment process();
};

// A good answer, for senders that know what it used or what its headers said.
template <typename T>
struct Answered {
  T value;
  std::optional<TokenUsage> usage{};
  std::uint64_t seen_output = 0;  // as in AttemptReport
  std::optional<ServerWindow> window{};
};

// How an attempt failed, for senders that know more than the category.
struct AttemptFailure {
  Failure failure{};
  bool answered = false;  // as in AttemptReport
  bool connected = true;
  bool may_have_run = true;
  bool silent = false;
  std::optional<TokenUsage> usage{};
  std::uint64_t seen_output = 0;
  std::optional<ServerWindow> window{};
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

// Whether a call may have several attempts in flight.
bool may_ask_several(const Plan& plan, const CallOptions& options) noexcept;

AttemptReport report_of(const AttemptFailure& failure) noexcept;
// A rate limit refuses a request before it runs.
AttemptReport report_of(const Failure& failure) noexcept;
template <typename T>
struct Unwrapped {
  using Type = T;
};
template <typename T>
struct Unwrapped<Answered<T>> {
  using Type = T;
};

// What a stored answer becomes for a caller that wants a T: itself, what `send.from_cache(answer)` makes of it, or a T
// that is constructed from it.
template <typename Send, typename T>
inline constexpr bool kReadsStored =
    std::is_same_v<T, CachedResponsePtr> || requires(Send& send, const CachedResponse& stored) {
      { send.from_cache(stored) } -> std::convertible_to<T>;
    } || std::is_constructible_v<T, const CachedResponse&>;

template <typename T, typename Send>
T from_stored(Send& send, const CachedResponsePtr& stored) {
  if constexpr (std::is_same_v<T, CachedResponsePtr>) {
    return stored;
  } else if constexpr (requires { send.from_cache(*stored); }) {
    return send.from_cache(*stored);
  } else {
    return T(*stored);
  }
}

// What a sender returns, without its wrapping.
template <typename Send>
struct SendTraits {
  // A sender that takes a stop token can be told that its answer is not needed any more.
  static constexpr bool kStoppable = std::is_invocable_v<Send&, const Attempt&, std::stop_token>;
  static auto call(Send& send, const Attempt& attempt, const std::stop_token& stop) {
    if constexpr (kStoppable) {
      return send(attempt, stop);
    } else {
      return send(attempt);
    }
  }
  using Reply = decltype(call(std::declval<Send&>(), std::declval<const Attempt&>(), std::stop_token()));
  using Error = typename Reply::error_type;
  using Value = typename Unwrapped<typename Reply::value_type>::Type;
  static_assert(std::is_same_v<Error, Failure> || std::is_same_v<Error, AttemptFailure>,
                "send must return std::expected<T, Failure> or std::expected<T, AttemptFailure>");

  // Tells the engine and keeps the answer.
  static void report(TimePoint now, Execution& execution, std::uint32_t attempt, Reply reply,
                     std::optional<Value>& answer) {
    if (!execution.in_flight(attempt)) return;
    if (!reply) return execution.report(now, attempt, report_of(reply.error()));
    AttemptReport report{.outcome = Outcome::success(), .answered = true};
    if constexpr (std::is_same_v<typename Reply::value_type, Answered<Value>>) {
      report.usage = reply->usage;
      report.seen_output = reply->seen_output;
      report.window = reply->window;
      answer.emplace(std::move(reply->value));
    } else {
      answer.emplace(*std::move(reply));
    }
    execution.report(now, attempt, report);
  }
};

// Inside a catch block, for what user code threw: settles the attempt, if it is in flight, and ends the call. It has
// failed, whatever the breakers count, unless it was cancelled: because the exception says so, or because the call was
// to stop [BRK-10].
void settle_thrown(Execution& execution, std::uint32_t attempt, const Clock& clock, bool stop_requested);

}  // namespace pipeline_internal

// Runs `send` under the plan until an attempt succeeds or the call ends. `send` takes a const Attempt&, and a
// std::stop_token if it can be interrupted; it returns std::expected<T, E>, T plain or Answered<T>, E Failure or
// AttemptFailure. What it throws ends the call and passes through, after its attempt has been settled as an execution
// error that counts against the target, or as cancelled where a stop was requested or the exception says so (see
// core/cancelled.h). Blocks in `send` and in waits; a stop request ends waits and begins no further attempt.
//
// Where `send` takes a stop token and the plan may ask several targets at once (it hedges, or it has several targets
// and gives company, as it does by default), attempts run on threads of their own: `send` must be safe to call so, and
// return soon after a stop is requested. A `send` that cannot be stopped is called on this thread, one attempt at a
// time.
//
// With `options.cache` a stored answer, and one that is shared with another call, is returned as T: CachedResponsePtr
// itself, or what `send.from_cache(const CachedResponse&)` returns, or a T constructed from a const CachedResponse&. A
// T that is none of these could not hold such an answer, so then the cache is not asked.
template <typename Send>
auto run(std::shared_ptr<const Plan> plan, Send&& send, const CallOptions& asked = {},
         Environment environment = Environment::process(), const std::stop_token& stop = {}) {
  using Traits = pipeline_internal::SendTraits<std::remove_reference_t<Send>>;
  using T = typename Traits::Value;
  constexpr bool kReadsStored = pipeline_internal::kReadsStored<std::remove_reference_t<Send>, T>;

  CallOptions options = asked;
  if (!kReadsStored) options.cache = nullptr;
  const Clock& clock = environment.clock;
  const bool hedges = Traits::kStoppable && pipeline_internal::may_ask_several(*plan, options);
  const auto woken = std::make_shared<WakeFlag>();
  Execution execution(clock.now(), std::move(plan), options, environment.rng, {.waker = woken, .hedges = hedges},
                      environment.observer);
  std::optional<T> answer;
  pipeline_internal::HedgedSends<typename Traits::Reply> beside(woken);
  // Once the caller's wish to leave is known, waits are for the others who want this call's answer.
  std::stop_token waits_end = stop;
  for (;;) {
    if (waits_end.stop_requested()) {
      execution.leave(clock.now());
      waits_end = {};
    }
    while (auto reply = beside.take()) {
      if (!execution.in_flight(reply->attempt)) continue;  // it has lost; what it threw is nobody's
      const std::uint32_t attempt = reply->attempt;
      try {
        Traits::report(clock.now(), execution, attempt, std::move(*reply).value(), answer);
      } catch (...) {
        pipeline_internal::settle_thrown(execution, attempt, clock, stop.stop_requested());
        throw;
      }
    }
    const Step step = execution.next(clock.now());
    if (const auto* attempt = std::get_if<Attempt>(&step)) {
      if (hedges) {
        beside.start(*attempt, [&send](const Attempt& to_send, const std::stop_token& unneeded) {
          return Traits::call(send, to_send, unneeded);
        });
        continue;
      }
      try {
        // Others may want the answer of a call that shares it, whoever has left.
        auto reply = Traits::call(send, *attempt, options.cache == nullptr ? stop : std::stop_token());
        Traits::report(clock.now(), execution, attempt->number, std::move(reply), answer);
      } catch (...) {
        pipeline_internal::settle_thrown(execution, attempt->number, clock, stop.stop_requested());
        throw;
      }
    } else if (std::holds_alternative<Lookup>(step)) {
      options.cache->look_up(woken);
    } else if (const auto* wait = std::get_if<WaitUntil>(&step)) {
      environment.waiter.wait_until(wait->time, waits_end, *woken);
    } else if (std::holds_alternative<Await>(step)) {
      environment.waiter.wait_until(kNever, waits_end, *woken);
    } else {
      const CallRecord& record = execution.record();
      if (answer && record.ending == Ending::success) return CallResult<T>{*std::move(answer), record};
      if constexpr (kReadsStored) {
        if (record.ending == Ending::success)
          return CallResult<T>{pipeline_internal::from_stored<T>(send, options.cache->response()), record};
      }
      return CallResult<T>{std::unexpected(pipeline_internal::error_of(record)), record};
    }
  }
}

}  // namespace fuseboard
