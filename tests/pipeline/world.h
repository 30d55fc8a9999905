// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A small world for tests of the decision engine: a clock that stands still, breakers, and a plan over them.
#pragma once

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

  explicit World(const BreakerOptions& breaker_options = provider_preset()) : breakers(breaker_options, clock, 1) {}

  std::shared_ptr<const Plan> plan(std::vector<std::string> names, PlanOptions options = quick(),
                                   AttemptTimeouts timeouts = {}) {
    std::vector<Target> targets;
    for (const std::string& name : names) {
      targets.push_back({.name = name, .breaker = breakers.handle(name), .timeouts = timeouts});
    }
    return std::make_shared<const Plan>("test", std::move(targets), options);
  }

  void open(const std::string& name) {
    while (!breakers.look(name)) breakers.report(name, Outcome::failed(Failure::of(Category::service_unavailable)));
  }

  ManualClock clock;
  Rng rng{1};
  BreakerRegistry breakers;
};

inline AttemptReport failed(Category category, std::optional<Duration> hint = {}) {
  return {.outcome = Outcome::failed(Failure::of(category, hint)), .answered = true};
}
inline AttemptReport succeeded() { return {.outcome = Outcome::success(), .answered = true}; }

}  // namespace fuseboard
