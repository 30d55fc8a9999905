// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_guard.h"

#include <memory>
#include <utility>

#include "c/boundary.h"
#include "c/convert.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

static_assert(FUSEBOARD_PRIORITY_CRITICAL == static_cast<int>(Priority::critical));
static_assert(FUSEBOARD_OUTCOME_SUCCESS == static_cast<int>(ToolOutcome::success));
static_assert(FUSEBOARD_OUTCOME_INVALID_ARGUMENT == static_cast<int>(ToolOutcome::invalid_argument));
static_assert(FUSEBOARD_OUTCOME_EXECUTION_ERROR == static_cast<int>(ToolOutcome::execution_error));
static_assert(FUSEBOARD_OUTCOME_TIMEOUT == static_cast<int>(ToolOutcome::timeout));
static_assert(FUSEBOARD_OUTCOME_CANCELLED == static_cast<int>(ToolOutcome::cancelled));

struct ClockedGuard {
  ClockedGuard(const ToolGuardOptions& options, const CallersClock& callers_clock)
      : clock(callers_clock), guard(options, clock) {}
  const CallersClock clock;
  ToolGuard guard;
};

constexpr std::int32_t kMaxPriorityMode = FUSEBOARD_PRIORITIES_WEIGHTED_COST;

std::optional<PriorityOptions> to_priorities(fuseboard_priority_mode mode) {
  if (mode == FUSEBOARD_PRIORITIES_ALIKE) return std::nullopt;
  if (mode < 0 || mode > kMaxPriorityMode) {
    throw_invalid("priorities: " + std::to_string(mode) + " is not allowed; allowed: 0 to 2");
  }
  const bool reserving = mode == FUSEBOARD_PRIORITIES_RESERVE;
  return PriorityOptions{.mode = reserving ? PriorityMode::reserve : PriorityMode::weighted_cost};
}

fuseboard_tool_options default_options() noexcept {
  const TokenBucketOptions limit = default_tool_limit();
  return {.struct_size = sizeof(fuseboard_tool_options),
          .breaker = nullptr,
          .rate = limit.rate,
          .burst = limit.burst,
          .priorities = FUSEBOARD_PRIORITIES_WEIGHTED_COST,
          .cancelled_is_failure = false};
}

fuseboard_tool_guard_options default_guard_options() noexcept {
  return {.struct_size = sizeof(fuseboard_tool_guard_options),
          .defaults = nullptr,
          .rules = nullptr,
          .rule_count = 0,
          .max_tools = ToolGuardOptions{}.max_tools,
          .clock_now_ns = nullptr,
          .clock_user = nullptr};
}

// NULL: the defaults.
ToolOptions to_tool_options(const fuseboard_tool_options* given) {
  ToolOptions result;
  if (given == nullptr) return result;
  const fuseboard_tool_options options = read(*given, default_options());
  if (options.breaker != nullptr) result.breaker = to_breaker_options(*options.breaker);
  result.limit.reset();
  if (options.rate != 0.0) {
    result.limit = {.rate = options.rate, .burst = options.burst, .priorities = to_priorities(options.priorities)};
  }
  result.cancelled_is_failure = options.cancelled_is_failure;
  return result;
}

ToolGuardOptions to_guard_options(const fuseboard_tool_guard_options& options) {
  ToolGuardOptions result{.defaults = to_tool_options(options.defaults), .max_tools = options.max_tools};
  if (options.rule_count > 0) required(options.rules, "rules");
  for (std::size_t i = 0; i < options.rule_count; ++i) {
    const fuseboard_tool_rule& rule = options.rules[i];
    const Key name{KeyView(required_name(rule.tool, "rules.tool"))};
    if (rule.is_pattern) {
      result.globs.push_back({.pattern = name, .options = to_tool_options(rule.options)});
    } else {
      result.tools.push_back({.tool = name, .options = to_tool_options(rule.options)});
    }
  }
  return result;
}

fuseboard_tool_limit from_limit(const ToolSnapshot& snapshot) noexcept {
  const TargetSnapshot::Rate limit = snapshot.limit.value_or(TargetSnapshot::Rate{});
  return {.struct_size = sizeof(fuseboard_tool_limit),
          .limited = snapshot.limit.has_value(),
          .rate = limit.rate,
          .burst = limit.burst,
          .available = limit.available,
          .paused_for_ms = ceil_milliseconds(snapshot.paused_for)};
}

}  // namespace

struct fuseboard_tool_guard {
  std::shared_ptr<ClockedGuard> shared;
};

struct fuseboard_tool_permit {
  std::shared_ptr<ClockedGuard> guard;  // outlives the permit
  ToolPermit permit;
};

// Options.

fuseboard_status fuseboard_tool_options_init(fuseboard_tool_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_guard_options_init(fuseboard_tool_guard_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_guard_options();
    return FUSEBOARD_OK;
  });
}

// Life.

fuseboard_status fuseboard_tool_guard_create(const fuseboard_tool_guard_options* options,
                                             fuseboard_tool_guard** guard) noexcept {
  return guarded([&] {
    required(guard, "guard") = nullptr;
    const auto given = options == nullptr ? default_guard_options() : read(*options, default_guard_options());
    auto shared =
        std::make_shared<ClockedGuard>(to_guard_options(given), CallersClock(given.clock_now_ns, given.clock_user));
    *guard = new fuseboard_tool_guard{std::move(shared)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_tool_guard_destroy(fuseboard_tool_guard* guard) noexcept { delete guard; }

// Calls.

fuseboard_status fuseboard_tool_try_acquire(fuseboard_tool_guard* guard, const char* tool, fuseboard_priority priority,
                                            int64_t timeout_ms, fuseboard_tool_permit** permit,
                                            fuseboard_rejection* rejection) noexcept {
  return guarded([&]() -> fuseboard_status {
    required(permit, "permit") = nullptr;
    check_out(rejection);
    const auto& shared = required(guard, "guard").shared;
    // First: a permit that could not be handed over would be taken in vain.
    auto handle = std::make_unique<fuseboard_tool_permit>(shared, ToolPermit());
    auto granted =
        shared->guard.try_acquire(required_name(tool, "tool"), enumerator(priority, Priority::critical, "priority"),
                                  optional_milliseconds(timeout_ms, "timeout_ms"));
    if (!granted) {
      write(rejection, from_rejection(granted.error()));
      return FUSEBOARD_REJECTED;
    }
    handle->permit = std::move(*granted);
    *permit = handle.release();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_settle(fuseboard_tool_permit* permit, fuseboard_outcome outcome,
                                       int64_t latency_ns) noexcept {
  // Not within the guard: what an error unwinds counts as a failure, and here it is the caller's argument that is
  // wrong.
  const std::unique_ptr<fuseboard_tool_permit> owned(permit);
  return guarded([&] {
    required(permit, "permit");
    std::move(owned->permit).settle(enumerator(outcome, ToolOutcome::cancelled, "outcome"), latency(latency_ns));
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_settle_failure(fuseboard_tool_permit* permit, const fuseboard_failure* failure,
                                               int64_t latency_ns) noexcept {
  // Not within the guard: what an error unwinds counts as a failure, and here it is the caller's argument that is
  // wrong.
  const std::unique_ptr<fuseboard_tool_permit> owned(permit);
  return guarded([&] {
    required(permit, "permit");
    std::move(owned->permit).settle(to_failure(required(failure, "failure")), latency(latency_ns));
    return FUSEBOARD_OK;
  });
}

void fuseboard_tool_abandon(fuseboard_tool_permit* permit) noexcept { delete permit; }

// Diagnostics.

fuseboard_status fuseboard_tool_snapshot(const fuseboard_tool_guard* guard, const char* tool,
                                         fuseboard_circuit* circuit, fuseboard_tool_limit* limit) noexcept {
  return guarded([&] {
    check_out(circuit);
    check_out(limit);
    const ToolSnapshot snapshot = required(guard, "guard").shared->guard.snapshot(required_name(tool, "tool"));
    write(circuit, from_circuit(snapshot.circuit));
    write(limit, from_limit(snapshot));
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_visit_all(const fuseboard_tool_guard* guard, fuseboard_tool_visitor visit,
                                          void* user) noexcept {
  return guarded([&] {
    const auto& shared = required(guard, "guard").shared;
    if (visit == nullptr) throw_invalid("visit: NULL is not allowed");
    for (const ToolSnapshot& tool : shared->guard.snapshot()) {
      const fuseboard_circuit circuit = from_circuit(tool.circuit);
      const fuseboard_tool_limit limit = from_limit(tool);
      visit(std::string(tool.circuit.key.view().first()).c_str(), &circuit, &limit, user);
    }
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_get_totals(const fuseboard_tool_guard* guard, fuseboard_tool_totals* out) noexcept {
  return guarded([&] {
    const ToolTotals totals = required(guard, "guard").shared->guard.totals();
    write(&required(out, "totals"), {.struct_size = 0,
                                     .admitted = totals.admitted,
                                     .untracked = totals.untracked,
                                     .denied_circuit_open = totals.circuit_open,
                                     .denied_half_open_busy = totals.half_open_busy,
                                     .denied_rate_limited = totals.rate_limited,
                                     .succeeded = totals.succeeded,
                                     .invalid_argument = totals.invalid_argument,
                                     .execution_error = totals.execution_error,
                                     .timeout = totals.timeout,
                                     .cancelled = totals.cancelled,
                                     .judged = totals.judged,
                                     .abandoned = totals.abandoned,
                                     .opened = totals.transitions.opened,
                                     .half_opened = totals.transitions.half_opened,
                                     .closed = totals.transitions.closed});
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_tool_reset(fuseboard_tool_guard* guard, const char* tool) noexcept {
  return guarded([&]() -> fuseboard_status {
    if (required(guard, "guard").shared->guard.reset(required_name(tool, "tool"))) return FUSEBOARD_OK;
    return fail(FUSEBOARD_NOT_FOUND, "no such tool");
  });
}

fuseboard_status fuseboard_tool_reset_all(fuseboard_tool_guard* guard) noexcept {
  return guarded([&] {
    required(guard, "guard").shared->guard.reset_all();
    return FUSEBOARD_OK;
  });
}

size_t fuseboard_tool_open_count(const fuseboard_tool_guard* guard) noexcept {
  return guard == nullptr ? 0 : guard->shared->guard.open_count();
}

bool fuseboard_tool_should_pause(const fuseboard_tool_guard* guard, size_t max_open) noexcept {
  return guard != nullptr && guard->shared->guard.should_pause_for_recovery(max_open);
}
