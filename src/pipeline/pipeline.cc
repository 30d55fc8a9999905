// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/pipeline.h"

#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {

Pipeline::Pipeline(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  check_invariant(Pipeline::plan() != nullptr, "a pipeline has a plan");
  observers_.add(explanations_);
}

std::shared_ptr<const Plan> Pipeline::plan() const {
  const MutexLock lock(mutex_);
  return plan_;
}

void Pipeline::swap(std::shared_ptr<const Plan> plan) {
  check_invariant(plan != nullptr, "a pipeline has a plan");
  const MutexLock lock(mutex_);
  plan_.swap(plan);  // the old one goes after the lock, if this was its last holder
}

void Pipeline::watch(BreakerRegistry& breakers) {
  Subscription watching = breakers.subscribe([this](const BreakerEvent& event) { on_breaker_event(event); });
  const MutexLock lock(mutex_);
  std::swap(watching_, watching);  // the old one ends after the lock, which its listener takes
}

void Pipeline::on_breaker_event(const BreakerEvent& event) const {
  const auto current = plan();
  for (const Target& target : current->targets()) target.state->on_breaker_event(event);
}

}  // namespace fuseboard
