// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls under a plan.
#include <limits>
#include <string>
#include <utility>

#include "c/boundary.h"
#include "c/call.h"
#include "c/convert.h"
#include "c/handles.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

std::int64_t ns(TimePoint time) noexcept { return time.time_since_epoch().count(); }

// What a call's options refer to.
struct Kept {
  std::shared_ptr<SharedPlan> plan;
  std::shared_ptr<BudgetLedger> ledger;
  std::shared_ptr<AttemptBudget> attempts;
  std::string key;
  std::string session;
};

fuseboard_call_options default_call_options() noexcept {
  const CallOptions options;
  return {.struct_size = sizeof(fuseboard_call_options),
          .priority = static_cast<fuseboard_priority>(options.priority),
          .streaming = options.streaming,
          .idempotent = options.idempotent,
          .deadline_ms = FUSEBOARD_NO_TIMEOUT,
          .input_tokens = 0,
          .cached_input_tokens = 0,
          .output_tokens = 0,
          .ledger = nullptr,
          .key = nullptr,
          .session = nullptr,
          .attempt_budget = nullptr,
          .bound_to_provider = nullptr};
}

// The provider's number; one that the plan does not know gets one that no target has.
std::uint32_t provider_number(const SharedPlan& plan, std::string_view provider) noexcept {
  for (std::uint32_t i = 0; i < plan.providers.size(); ++i) {
    if (plan.providers[i] == provider) return i;
  }
  return std::numeric_limits<std::uint32_t>::max();
}

std::shared_ptr<Kept> keep(const fuseboard_plan& plan, const fuseboard_call_options& given) {
  auto kept = std::make_shared<Kept>();
  kept->plan = plan.shared;
  if (given.ledger != nullptr) kept->ledger = given.ledger->shared;
  if (given.attempt_budget != nullptr) kept->attempts = given.attempt_budget->shared;
  if (given.key != nullptr) kept->key = required_name(given.key, "key");
  if (given.session != nullptr) kept->session = required_name(given.session, "session");
  return kept;
}

CallOptions to_call_options(const fuseboard_call_options& given, const Kept& kept) {
  CallOptions options{.streaming = given.streaming,
                      .idempotent = given.idempotent,
                      .priority = enumerator(given.priority, Priority::critical, "priority"),
                      .estimate = {.input = given.input_tokens,
                                   .cached_input = given.cached_input_tokens,
                                   .output = given.output_tokens},
                      .ledger = kept.ledger.get(),
                      .account = {.key = kept.key, .session = kept.session},
                      .attempt_budget = kept.attempts.get()};
  if (const auto limit = optional_milliseconds(given.deadline_ms, "deadline_ms"))
    options.deadline = Deadline::after(kept.plan->clock.now(), *limit);
  if (given.bound_to_provider != nullptr)
    options.bound_to_provider =
        provider_number(*kept.plan, required_name(given.bound_to_provider, "bound_to_provider"));
  return options;
}

fuseboard_call_callbacks read_callbacks(const fuseboard_call_callbacks* callbacks) {
  const auto given = read(required(callbacks, "callbacks"), fuseboard_call_callbacks{});
  if (given.send == nullptr) throw_invalid("callbacks.send: NULL is not allowed");
  return given;
}

AttemptReport to_report(const fuseboard_report& given) {
  const auto report = read(given, fuseboard_report{});
  AttemptReport result{.answered = report.answered,
                       .connected = !report.not_connected,
                       .may_have_run = !report.did_not_run,
                       .silent = report.silent,
                       .seen_output = report.seen_output_tokens};
  if (report.failure != nullptr) result.outcome = Outcome::failed(to_failure(*report.failure));
  if (report.has_usage)
    result.usage = {
        .input = report.input_tokens, .cached_input = report.cached_input_tokens, .output = report.output_tokens};
  return result;
}

fuseboard_status not_needed() noexcept { return fail(FUSEBOARD_NOT_FOUND, "nobody needs this attempt any more"); }

}  // namespace

fuseboard_call::fuseboard_call(CallSetup setup)
    : keeps_(std::move(setup.keeps)),
      clock_(setup.clock),
      callbacks_(setup.callbacks),
      user_(setup.user),
      waker_(setup.callbacks.wake == nullptr ? nullptr
                                             : std::make_shared<CallersWaker>(setup.callbacks.wake, setup.user)),
      woken_(setup.callbacks.proceed_at == nullptr ? std::make_shared<WakeFlag>() : nullptr) {
  DriverDelegate& hooks = *this;
  std::shared_ptr<Waker> waker = waker_;
  if (woken_ != nullptr) waker = woken_;
  driver_.emplace(std::move(setup.plan), setup.options, setup.rng, clock_, hooks, std::move(waker));
}

fuseboard_call::~fuseboard_call() {
  if (waker_ != nullptr) waker_->close();
}

const Execution& fuseboard_call::execution() const {
  if (driver_ == std::nullopt) throw StatusError{FUSEBOARD_INTERNAL_ERROR, "an earlier error has ended the call"};
  return driver_->execution();
}

void fuseboard_call::destroy() noexcept {
  if (depth_ == 0) {
    delete this;
    return;
  }
  // Within a callback: the driver comes to its end first, unheard.
  doomed_ = true;
  if (waker_ != nullptr) waker_->close();
  within([](CallbackDriver& driver) {
    driver.leave();
    return FUSEBOARD_OK;
  });
}

void fuseboard_call::settle_up() noexcept {
  if (doomed_) {
    delete this;
  } else if (broken_) {
    driver_.reset();
  }
}

void fuseboard_call::drive_to_end() {
  if (depth_ > 1) throw_invalid("call: it is running already");
  std::stop_token waits_end = stopping_.get_token();
  driver_->proceed();
  while (!driver_->ended()) {
    woken_->wait_until(proceed_at_, clock_, waits_end);
    if (waits_end.stop_requested()) {
      driver_->leave();
      // Whatever is waited for now is for others who want this call's answer.
      waits_end = {};
    }
    driver_->proceed();
  }
}

void fuseboard_call::send(const Attempt& attempt) {
  if (doomed_) return;
  const fuseboard_attempt to_send = {.struct_size = sizeof(fuseboard_attempt),
                                     .number = attempt.number,
                                     .target = attempt.target,
                                     .target_name = execution().plan().targets()[attempt.target].name.c_str(),
                                     .probe = attempt.probe,
                                     .connect_by_ns = ns(attempt.connect_by),
                                     .headers_by_ns = ns(attempt.headers_by),
                                     .first_content_by_ns = ns(attempt.first_content_by),
                                     .total_by_ns = ns(attempt.total_by),
                                     .idle_ns = attempt.idle.count()};
  callbacks_.send(user_, this, &to_send);
  // Nobody is left who could report it.
  if (runs_blocking()) {
    driver_->report(attempt.number, {.outcome = Outcome::failed(Failure::of(Category::execution_error))});
  }
}

void fuseboard_call::cancel(std::uint32_t attempt) {
  if (!doomed_ && callbacks_.cancel != nullptr) callbacks_.cancel(user_, this, attempt);
}

void fuseboard_call::proceed_at(TimePoint time) {
  proceed_at_ = time;
  if (!doomed_ && callbacks_.proceed_at != nullptr) callbacks_.proceed_at(user_, this, ns(time));
}

void fuseboard_call::ended(const CallRecord&) {
  if (!doomed_ && callbacks_.ended != nullptr) callbacks_.ended(user_, this);
}

fuseboard_status fuseboard_call_options_init(fuseboard_call_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_call_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_call_create(const fuseboard_plan* plan, const fuseboard_call_options* options,
                                       const fuseboard_call_callbacks* callbacks, void* user,
                                       fuseboard_call** call) noexcept {
  return guarded([&] {
    required(call, "call") = nullptr;
    const auto given = options == nullptr ? default_call_options() : read(*options, default_call_options());
    const fuseboard_call_callbacks functions = read_callbacks(callbacks);
    const auto kept = keep(required(plan, "plan"), given);
    *call = new fuseboard_call({.plan = kept->plan->plan,
                                .options = to_call_options(given, *kept),
                                .clock = kept->plan->clock,
                                .rng = kept->plan->rng,
                                .callbacks = functions,
                                .user = user,
                                .keeps = kept});
    return FUSEBOARD_OK;
  });
}

void fuseboard_call_destroy(fuseboard_call* call) noexcept {
  if (call != nullptr) call->destroy();
}

namespace {

// Runs `body` with the driver of a call that must not be null.
template <typename Body>
fuseboard_status within(fuseboard_call* call, Body body) noexcept {
  if (call == nullptr) return fail(FUSEBOARD_INVALID_ARGUMENT, "call: NULL is not allowed");
  return call->within(std::move(body));
}

}  // namespace

fuseboard_status fuseboard_call_proceed(fuseboard_call* call) noexcept {
  return within(call, [&](CallbackDriver& driver) {
    if (call->runs_blocking()) throw_invalid("call: one without proceed_at is driven by fuseboard_call_run()");
    driver.proceed();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_call_run(fuseboard_call* call) noexcept {
  return within(call, [&](CallbackDriver&) {
    if (!call->runs_blocking()) throw_invalid("call: one with proceed_at is driven by fuseboard_call_proceed()");
    call->drive_to_end();
    return FUSEBOARD_OK;
  });
}

void fuseboard_call_stop(fuseboard_call* call) noexcept {
  if (call != nullptr) call->stop();
}

fuseboard_status fuseboard_call_report(fuseboard_call* call, uint32_t attempt,
                                       const fuseboard_report* report) noexcept {
  return within(call, [&](CallbackDriver& driver) -> fuseboard_status {
    const AttemptReport given = to_report(required(report, "report"));
    if (!driver.execution().in_flight(attempt)) return not_needed();
    driver.report(attempt, given);
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_call_accepted(fuseboard_call* call, uint32_t attempt) noexcept {
  return within(call, [&](CallbackDriver& driver) -> fuseboard_status {
    return driver.accepted(attempt) ? FUSEBOARD_OK : not_needed();
  });
}

fuseboard_status fuseboard_call_first_content(fuseboard_call* call, uint32_t attempt) noexcept {
  return within(call, [&](CallbackDriver& driver) -> fuseboard_status {
    return driver.first_content(attempt) ? FUSEBOARD_OK : not_needed();
  });
}

fuseboard_status fuseboard_call_observe(fuseboard_call* call, uint32_t attempt, uint64_t input_tokens,
                                        uint64_t cached_input_tokens, uint64_t output_tokens) noexcept {
  return within(call, [&](CallbackDriver& driver) -> fuseboard_status {
    if (!driver.execution().in_flight(attempt)) return not_needed();
    driver.observe(attempt, {.input = input_tokens, .cached_input = cached_input_tokens, .output = output_tokens});
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_call_leave(fuseboard_call* call) noexcept {
  return within(call, [](CallbackDriver& driver) {
    driver.leave();
    return FUSEBOARD_OK;
  });
}

bool fuseboard_call_has_ended(const fuseboard_call* call) noexcept {
  return call != nullptr && call->driver() != nullptr && call->driver()->ended();
}

int64_t fuseboard_call_now_ns(const fuseboard_call* call) noexcept { return call == nullptr ? 0 : ns(call->now()); }
