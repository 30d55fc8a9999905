// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A small world for tests of the decision engine: a clock that stands still, breakers, and a plan over them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard {

struct World {
  // Backoff without jitter, so that waits can be written down.
  static PlanOptions quick(std::uint32_t max_attempts = 4) {
    return {.retry = {.max_attempts = max_attempts, .jitter = Jitter::none}};
  }

  explicit World(const BreakerOptions& breaker_options = provider_preset(), std::uint64_t seed = 1)
      : rng(seed), breakers(breaker_options, clock, 1) {}

  std::shared_ptr<const Plan> plan(std::vector<std::string> names, PlanOptions options = quick(),
                                   AttemptTimeouts timeouts = {}) {
    std::vector<Target> targets;
    for (const std::string& name : names) {
      targets.push_back({.name = name, .state = state(name), .timeouts = timeouts});
    }
    return std::make_shared<const Plan>("test", std::move(targets), options);
  }

  // What calls to the target share; the same for every plan that names it.
  const std::shared_ptr<TargetState>& state(const std::string& name, const TargetStateOptions& options = {}) {
    auto& known = states[name];
    if (known == nullptr)
      known = std::make_shared<TargetState>(BreakerScopes{breakers.handle(name)}, options, name, nullptr, 1);
    return known;
  }

  void open(const std::string& name) {
    while (!breakers.peek_rejection(name))
      breakers.report(name, Outcome::failed(Failure::of(Category::service_unavailable)));
  }

  ManualClock clock;
  Rng rng;
  BreakerRegistry breakers;
  std::map<std::string, std::shared_ptr<TargetState>> states{};
};

inline AttemptReport failed(Category category, std::optional<Duration> hint = {}) {
  return {.outcome = Outcome::failed(Failure::of(category, hint)), .answered = true};
}
// Ends the attempt that was sent last.
inline void report_latest(TimePoint now, Execution& execution, const AttemptReport& report) {
  execution.report(now, execution.record().attempts_sent, report);
}
inline AttemptReport succeeded() { return {.outcome = Outcome::success(), .answered = true}; }

}  // namespace fuseboard
