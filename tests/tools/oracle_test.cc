// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The guard against a naive model of breaker, gate and bucket, on random histories of a few tools.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kFailures = 2;  // in a row open it
constexpr Duration kOpenTime = 4s;      // fixed
constexpr Duration kLease = 6s;
constexpr std::int64_t kBurst = 4;
// Tokens by priority, in eighths.
constexpr std::array<std::int64_t, kPriorityCount> kEighths = {16, 8, 4, 1};

ToolOptions options_of_model() {
  ToolOptions options{
      .breaker = {.failure_threshold = kFailures, .open_time = OpenTime::fixed(kOpenTime), .probe_lease = kLease},
      .limit = exact_limit(kBurst)};
  options.limit->priorities = PriorityOptions{.mode = PriorityMode::weighted_cost};
  for (std::size_t i = 0; i < kPriorityCount; ++i) {
    options.limit->priorities->weights[i] = static_cast<double>(kEighths[i]) / 8.0;
  }
  return options;
}

// How a call ends, and what that is to a breaker.
struct End {
  ToolResult result;
  Verdict verdict;
  std::optional<Duration> asks_for{};  // time
};

End any_end() {
  using enum Verdict;
  switch (*rc::gen::weightedElement<int>({{4, 0}, {3, 1}, {3, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}})) {
    case 0:
      return {ToolOutcome::success, success};
    case 1:
      return {ToolOutcome::execution_error, failure};
    case 2:
      return {ToolOutcome::timeout, failure};
    case 3:
      return {ToolOutcome::invalid_argument, neutral};
    case 4:
      return {ToolOutcome::cancelled, neutral};
    case 5:
      return {Failure::of(Category::overloaded), failure};
    case 6:
      return {Failure::of(Category::permission_denied), neutral};
    default:
      return {Failure::of(Category::rate_limit, 1s), throttled, 1s};
  }
}

// Written from the rules: one thread, nothing clever.
struct ToolModel {
  struct Permit {
    int period = 0;  // a number for each state it went through
    std::optional<int> probe{};
  };

  std::optional<RejectionReason> acquire(TimePoint now, Priority priority, Permit& permit) {
    lose_probe(now);
    if (state == CircuitState::open && now < open_until) return RejectionReason::circuit_open;
    if (state == CircuitState::half_open && probe) return RejectionReason::half_open_busy;
    if (now < paused_until) return RejectionReason::rate_limited;
    refill(now);
    const std::int64_t cost = kEighths[static_cast<std::size_t>(priority)] * (kTokenTime.count() / 8);
    if (level < cost) return RejectionReason::rate_limited;
    level -= cost;
    if (state == CircuitState::open) move(CircuitState::half_open);
    permit = {.period = period};
    if (state == CircuitState::half_open) {
      probe = permit.probe = ++probes;
      lease_end = now + kLease;
    }
    return std::nullopt;
  }

  void settle(TimePoint now, const Permit& permit, const End& end) {
    if (permit.probe || end.verdict == Verdict::failure) lose_probe(now);
    if (end.asks_for) paused_until = std::max(paused_until, now + *end.asks_for);
    if (permit.period != period) return;
    if (permit.probe) {
      probe.reset();
      if (end.verdict == Verdict::success) move(CircuitState::closed);
      if (end.verdict == Verdict::failure) open(now, now + kOpenTime);
      if (end.verdict == Verdict::throttled) open(now, now + *end.asks_for);
    } else if (end.verdict == Verdict::failure) {
      if (++in_a_row >= kFailures) open(now, now + kOpenTime);
    } else if (end.verdict == Verdict::success) {
      in_a_row = 0;
    }
  }

  void reset() {
    move(CircuitState::closed);
    level = kBurst * kTokenTime.count();
    paused_until = TimePoint::min();
  }

  void refill(TimePoint now) {
    level = std::min(level + (now - refilled).count(), kBurst * kTokenTime.count());
    refilled = now;
  }
  void lose_probe(TimePoint now) {
    if (state == CircuitState::half_open && probe && now >= lease_end) open(lease_end, lease_end + kOpenTime);
  }
  void open(TimePoint, TimePoint until) {
    move(CircuitState::open);
    open_until = until;
  }
  void move(CircuitState to) {
    state = to;
    ++period;
    probe.reset();
    if (to == CircuitState::closed) in_a_row = 0;
  }

  CircuitState state = CircuitState::closed;
  std::uint32_t in_a_row = 0;
  int period = 0;
  int probes = 0;
  std::optional<int> probe{};
  TimePoint open_until{};
  TimePoint lease_end{};
  TimePoint paused_until = TimePoint::min();
  TimePoint refilled{};
  std::int64_t level = kBurst * kTokenTime.count();  // in nanoseconds of refill
};

struct Held {
  std::string tool;
  ToolPermit real;
  ToolModel::Permit model;
};

RC_GTEST_PROP(ToolGuardOracle, AgreesWithTheRulesOnRandomHistories, ()) {  // PIP-2 PIP-7 BRK-11 LIM-1
  ManualClock clock;
  ToolGuard guard({.defaults = options_of_model()}, clock, 1);
  std::map<std::string, ToolModel> models;
  std::vector<Held> held;
  ToolTotals totals;

  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    const std::string tool = *rc::gen::element<std::string>("search", "fetch", "run");
    ToolModel& model = models[tool];
    switch (*rc::gen::weightedElement<int>({{10, 0}, {8, 1}, {6, 2}, {1, 3}})) {
      case 0: {
        const Priority priority =
            *rc::gen::element(Priority::low, Priority::normal, Priority::high, Priority::critical);
        const auto looked = guard.peek_rejection(tool, priority);
        ToolModel::Permit expected;
        const auto rejection = model.acquire(clock.now(), priority, expected);
        auto permit = guard.try_acquire(tool, priority);
        RC_ASSERT(permit.has_value() == !rejection.has_value());
        RC_ASSERT(looked.has_value() == rejection.has_value());
        if (permit) {
          RC_ASSERT(permit->is_probe() == expected.probe.has_value());
          held.push_back({tool, std::move(*permit), expected});
          ++totals.admitted;
        } else {
          RC_ASSERT(permit.error().reason == *rejection);
          RC_ASSERT(*permit.error().retry_after > Duration::zero());
          ++(*rejection == RejectionReason::circuit_open     ? totals.circuit_open
             : *rejection == RejectionReason::half_open_busy ? totals.half_open_busy
                                                             : totals.rate_limited);
        }
        break;
      }
      case 1: {
        if (held.empty()) break;
        const auto it = held.begin() + static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, held.size()));
        const bool forget = *rc::gen::weightedElement<bool>({{9, false}, {1, true}});
        const End end = forget ? End{ToolOutcome::cancelled, Verdict::neutral} : any_end();
        models[it->tool].settle(clock.now(), it->model, end);
        if (!forget) std::move(it->real).settle(end.result);
        held.erase(it);
        break;
      }
      case 2:
        clock.advance(*rc::gen::element<Duration>(1ns, kTokenTime / 8, kTokenTime, 1s, kOpenTime, kLease));
        break;
      default:
        RC_ASSERT(guard.reset(tool) == (guard.snapshot(tool).circuit.generation != 0));
        // A tool that is not known yet is as it would be after a reset.
        model.reset();
    }
    model.refill(clock.now());
    const ToolSnapshot snapshot = guard.snapshot(tool);
    RC_ASSERT(snapshot.circuit.state == model.state);
    RC_ASSERT(snapshot.limit->available == static_cast<double>(model.level) / static_cast<double>(kTokenTime.count()));
  }
  // What was granted has been settled, is held, or was forgotten [PIP-7].
  const ToolTotals real = guard.totals();
  RC_ASSERT(real.admitted == totals.admitted);
  RC_ASSERT(real.circuit_open == totals.circuit_open);
  RC_ASSERT(real.half_open_busy == totals.half_open_busy);
  RC_ASSERT(real.rate_limited == totals.rate_limited);
  RC_ASSERT(real.admitted == held.size() + real.succeeded + real.invalid_argument + real.execution_error +
                                 real.timeout + real.cancelled + real.judged + real.abandoned);
}

}  // namespace
}  // namespace fuseboard
