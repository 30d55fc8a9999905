// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_guard.h"

#include <utility>

namespace fuseboard {
namespace {

TargetOptions target_options(const ToolOptions& tool) {
  return {.breaker = tool.breaker, .state = {.rate = tool.limit, .retry_after_max = tool.breaker.retry_after_max}};
}

TargetRegistryOptions registry_options(const ToolGuardOptions& options) {
  TargetRegistryOptions registry{.defaults = target_options(options.defaults), .max_targets = options.max_tools};
  for (const auto& rule : options.tools) {
    registry.targets.push_back({.target = rule.tool, .options = target_options(rule.options)});
  }
  for (const auto& rule : options.globs) {
    registry.globs.push_back({.pattern = rule.pattern, .options = target_options(rule.options)});
  }
  return registry;
}

// One call's tokens; where there is no limit, none.
struct Tokens {
  TokenBucket* bucket = nullptr;
  std::optional<TokenGrant> grant{};

  void release(const Clock& clock) const noexcept {
    if (grant) bucket->release(clock.now(), *grant);
  }
};

// Reads the clock only where there is something to be limited.
std::expected<Tokens, Rejection> take_tokens(TargetState& tool, const Clock& clock, Priority priority) {
  TokenBucket* const bucket = tool.rate();
  const RetryAfterGate& gate = tool.gate();
  if (bucket == nullptr && !gate.touched()) return Tokens{};
  const TimePoint now = clock.now();
  if (gate.touched()) [[unlikely]] {
    if (const auto shut = gate.peek_rejection(now)) return std::unexpected(*shut);
  }
  if (bucket == nullptr) return Tokens{};
  const auto taken = bucket->try_acquire(now, 1, priority);
  if (!taken) return std::unexpected(taken.error());
  return Tokens{.bucket = bucket, .grant = *taken};
}

ToolSnapshot to_tool_snapshot(TargetSnapshot target) {
  return {.circuit = std::move(target.circuit), .limit = target.rate, .paused_for = target.paused_for};
}

}  // namespace

void ToolPermit::abandon() noexcept {
  guard_.take()->cells_.add(&ToolGuard::Cell::abandoned);
  permit_ = BreakerPermit();
}

// The breaker comes last: with its permit settled, the registry may let go of the tool.
void ToolPermit::settle(const ToolResult& result, Duration latency) && {
  ToolGuard* const guard = guard_.take();
  if (guard == nullptr) return;
  if (result.ok()) [[likely]] {
    guard->cells_.add(&ToolGuard::Cell::succeeded);
    std::move(permit_).settle(Outcome::success(latency));
    return;
  }
  guard->cells_.add(ToolGuard::counter_of(result));
  if (tool_ != nullptr && result.judged() && result.judged()->retry_after) {
    tool_->gate().apply_retry_after(guard->clock_.now(), *result.judged());
  }
  const bool cancelled_is_failure = tool_ != nullptr && result.outcome() == ToolOutcome::cancelled &&
                                    guard->cancelled_is_failure_.of(tool_->breaker().key());
  std::move(permit_).settle(result.to_outcome(latency, cancelled_is_failure));
}

ToolGuard::ToolGuard(const ToolGuardOptions& options, const Clock& clock, std::uint64_t seed)
    : clock_(clock),
      cancelled_is_failure_((throw_if_invalid(options.validate()), options.defaults.cancelled_is_failure)),
      targets_(registry_options(options), clock, seed) {
  for (const auto& rule : options.tools) {
    cancelled_is_failure_.add_key(rule.tool.view(), rule.options.cancelled_is_failure);
  }
  for (const auto& rule : options.globs) {
    cancelled_is_failure_.add_glob(rule.pattern.view(), rule.options.cancelled_is_failure);
  }
}

ToolGuard& ToolGuard::process_default() {
  static ToolGuard* const guard = new ToolGuard;
  return *guard;
}

std::expected<ToolPermit, Rejection> ToolGuard::try_acquire(const KeyView& tool, Priority priority,
                                                            std::optional<Duration> timeout) {
  return targets_.with_target(
      tool, [&](auto& breaker, TargetState* state) { return admit(breaker, state, priority, timeout); });
}

template <typename Breaker>
std::expected<ToolPermit, Rejection> ToolGuard::admit(Breaker& breaker, TargetState* tool, Priority priority,
                                                      std::optional<Duration> timeout) {
  if (const auto rejected = breaker.reject_if_open()) return reject(*rejected);
  Tokens tokens;
  if (tool != nullptr) {
    const auto taken = take_tokens(*tool, clock_, priority);
    if (!taken) return reject(taken.error());
    tokens = *taken;
  }
  auto permit = timeout ? breaker.try_acquire(saturating_add(*timeout, kProbeMargin)) : breaker.try_acquire();
  if (!permit) {
    tokens.release(clock_);
    return reject(permit.error());
  }
  cells_.add(&Cell::admitted);
  return ToolPermit(*this, tool, std::move(*permit));
}

std::unexpected<Rejection> ToolGuard::reject(const Rejection& rejection) noexcept {
  switch (rejection.reason) {
    case RejectionReason::circuit_open:
      cells_.add(&Cell::circuit_open);
      break;
    case RejectionReason::half_open_busy:
      cells_.add(&Cell::half_open_busy);
      break;
    default:
      cells_.add(&Cell::rate_limited);
  }
  return std::unexpected(rejection);
}

ToolGuard::Counter ToolGuard::counter_of(const ToolResult& result) noexcept {
  if (result.judged()) return &Cell::judged;
  switch (result.outcome()) {
    case ToolOutcome::success:
      return &Cell::succeeded;
    case ToolOutcome::invalid_argument:
      return &Cell::invalid_argument;
    case ToolOutcome::timeout:
      return &Cell::timeout;
    case ToolOutcome::cancelled:
      return &Cell::cancelled;
    case ToolOutcome::execution_error:
      break;
  }
  return &Cell::execution_error;
}

std::optional<Rejection> ToolGuard::peek_rejection(const KeyView& tool, Priority priority) const {
  std::optional<Rejection> rejection;
  targets_.with_known(tool, [&](CircuitBreaker& breaker, TargetState& state) {
    rejection = breaker.peek_rejection();
    if (rejection) return;
    const TimePoint now = clock_.now();
    rejection = state.gate().peek_rejection(now);
    if (!rejection && state.rate() != nullptr) rejection = state.rate()->peek_rejection(now, 1, priority);
  });
  return rejection;
}

bool ToolGuard::reset(const KeyView& tool) { return targets_.reset(tool); }

void ToolGuard::reset_all() { targets_.reset_all(); }

ToolSnapshot ToolGuard::snapshot(const KeyView& tool) const { return to_tool_snapshot(targets_.snapshot(tool)); }

std::vector<ToolSnapshot> ToolGuard::snapshot() const {
  std::vector<ToolSnapshot> all;
  for (TargetSnapshot& target : targets_.snapshot()) all.push_back(to_tool_snapshot(std::move(target)));
  return all;
}

ToolTotals ToolGuard::totals() const {
  return {.admitted = cells_.sum(&Cell::admitted),
          .untracked = targets_.breakers().untracked_admissions(),
          .circuit_open = cells_.sum(&Cell::circuit_open),
          .half_open_busy = cells_.sum(&Cell::half_open_busy),
          .rate_limited = cells_.sum(&Cell::rate_limited),
          .succeeded = cells_.sum(&Cell::succeeded),
          .invalid_argument = cells_.sum(&Cell::invalid_argument),
          .execution_error = cells_.sum(&Cell::execution_error),
          .timeout = cells_.sum(&Cell::timeout),
          .cancelled = cells_.sum(&Cell::cancelled),
          .judged = cells_.sum(&Cell::judged),
          .abandoned = cells_.sum(&Cell::abandoned),
          .transitions = targets_.breakers().transitions()};
}

}  // namespace fuseboard
