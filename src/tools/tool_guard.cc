// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_guard.h"

#include <memory>

#include "tools/tool.h"

namespace fuseboard {
namespace {

using tools_internal::Tool;

BreakerRegistryOptions breaker_options(const ToolGuardOptions& options) {
  BreakerRegistryOptions breakers{.defaults = options.defaults.breaker, .max_keys = options.max_tools};
  for (const auto& rule : options.tools) breakers.keys.push_back({.key = rule.tool, .options = rule.options.breaker});
  for (const auto& rule : options.globs) {
    breakers.globs.push_back({.pattern = rule.pattern, .options = rule.options.breaker});
  }
  return breakers;
}

// Every breaker of a guard has one; nullptr for a tool that could not be held.
template <typename Breaker>
Tool* tool_of(Breaker& breaker) noexcept {
  return static_cast<Tool*>(breaker.companion());
}

std::optional<ToolSnapshot::Limit> limit_of(const TokenBucket* bucket, TimePoint now) {
  if (bucket == nullptr) return std::nullopt;
  return ToolSnapshot::Limit{
      .rate = bucket->options().rate, .burst = bucket->options().burst, .available = bucket->available(now)};
}

}  // namespace

// Permits.

void ToolPermit::abandon() noexcept {
  std::exchange(guard_, nullptr)->cells_.add(&ToolGuard::Cell::abandoned);
  permit_ = BreakerPermit();
}

// The breaker comes last: with its permit settled, the registry may let go of the tool.
void ToolPermit::settle(const ToolResult& result, Duration latency) && {
  ToolGuard* const guard = std::exchange(guard_, nullptr);
  if (guard == nullptr) return;
  if (result.ok()) [[likely]] {
    guard->cells_.add(&ToolGuard::Cell::succeeded);
    std::move(permit_).settle(Outcome::success(latency));
    return;
  }
  guard->cells_.add(ToolGuard::counter_of(result));
  if (tool_ != nullptr && result.judged() && result.judged()->retry_after) {
    tool_->apply_retry_after(*result.judged(), guard->clock_.now());
  }
  std::move(permit_).settle(result.to_outcome(latency, tool_ != nullptr && tool_->cancelled_is_failure()));
}

// The guard.

ToolGuard::ToolGuard(const ToolGuardOptions& options, const Clock& clock, std::uint64_t seed)
    : clock_(clock),
      rules_(checked(options).defaults),
      breakers_(breaker_options(options), clock, seed, [this, seed](const KeyView& tool) {
        return std::make_unique<Tool>(rules_.of(tool), tool, seed ^ fixed_hash(tool));
      }) {
  for (const auto& rule : options.tools) rules_.add_key(rule.tool.view(), rule.options);
  for (const auto& rule : options.globs) rules_.add_glob(rule.pattern.view(), rule.options);
}

ToolGuard& ToolGuard::process_default() {
  static ToolGuard* const guard = new ToolGuard;
  return *guard;
}

std::expected<ToolPermit, Rejection> ToolGuard::try_acquire(const KeyView& tool, Priority priority,
                                                            std::optional<Duration> timeout) {
  return breakers_.with_breaker(tool, [&](auto& breaker) { return admit(breaker, priority, timeout); });
}

template <typename Breaker>
std::expected<ToolPermit, Rejection> ToolGuard::admit(Breaker& breaker, Priority priority,
                                                      std::optional<Duration> timeout) {
  if (const auto rejected = breaker.reject_if_open()) return reject(*rejected);
  Tool* const tool = tool_of(breaker);
  std::optional<TokenGrant> tokens;
  if (tool != nullptr) {
    const auto taken = tool->take(clock_, priority);
    if (!taken) return reject(taken.error());
    tokens = *taken;
  }
  auto permit = timeout ? breaker.try_acquire(saturating_add(*timeout, kProbeMargin)) : breaker.try_acquire();
  if (!permit) {
    if (tokens) tool->release(clock_.now(), *tokens);
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
  breakers_.with_known(tool, [&](CircuitBreaker& breaker) {
    rejection = breaker.peek_rejection();
    if (!rejection) rejection = tool_of(breaker)->peek_rejection(clock_.now(), priority);
  });
  return rejection;
}

bool ToolGuard::reset(const KeyView& tool) {
  return breakers_.with_known(tool, [](CircuitBreaker& breaker) {
    tool_of(breaker)->reset();
    breaker.reset();
  });
}

void ToolGuard::reset_all() {
  breakers_.with_each([](CircuitBreaker& breaker) {
    tool_of(breaker)->reset();
    breaker.reset();
  });
}

// Snapshots.

ToolSnapshot ToolGuard::snapshot_of(CircuitBreaker& breaker, TimePoint now) const {
  const Tool& tool = *tool_of(breaker);
  return {.circuit = breaker.snapshot(), .limit = limit_of(tool.bucket(), now), .paused_for = tool.paused_for(now)};
}

ToolSnapshot ToolGuard::snapshot(const KeyView& tool) const {
  const TimePoint now = clock_.now();
  std::optional<ToolSnapshot> found;
  if (breakers_.with_known(tool, [&](CircuitBreaker& breaker) { found = snapshot_of(breaker, now); })) return *found;
  ToolSnapshot unknown{.circuit = {.key = Key(tool)}};
  if (const auto& limit = rules_.of(tool).limit) {
    unknown.limit = {.rate = limit->rate, .burst = limit->burst, .available = limit->burst};
  }
  return unknown;
}

std::vector<ToolSnapshot> ToolGuard::snapshot() const {
  const TimePoint now = clock_.now();
  std::vector<ToolSnapshot> all;
  all.reserve(size());
  breakers_.with_each([&](CircuitBreaker& breaker) { all.push_back(snapshot_of(breaker, now)); });
  return all;
}

ToolTotals ToolGuard::totals() const {
  return {.admitted = cells_.sum(&Cell::admitted),
          .untracked = breakers_.untracked_admissions(),
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
          .transitions = breakers_.transitions()};
}

}  // namespace fuseboard
