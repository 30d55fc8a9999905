// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/pipeline.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {

Pipeline::Pipeline(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  check_invariant(Pipeline::plan() != nullptr, "a pipeline has a plan");
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

void Pipeline::add_observer(CallObserver& observer) {
  const MutexLock lock(mutex_);
  observers_.push_back(&observer);
}

void Pipeline::call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                          const CallRecord& record) noexcept {
  explanations_.keep(id, plan, record);
  std::size_t next = 0;
  for (;;) {
    CallObserver* observer = nullptr;
    {
      const MutexLock lock(mutex_);
      if (next < observers_.size()) observer = observers_[next++];
    }
    if (observer == nullptr) return;
    observer->call_ended(id, plan, record);
  }
}

void Pipeline::on_breaker_event(const BreakerEvent& event) const {
  const bool admits_again = event.kind == BreakerEventKind::transition ? event.to == CircuitState::closed
                                                                       : event.override_in_force.has_value();
  if (!admits_again) return;
  const auto current = plan();
  for (const Target& target : current->targets()) {
    const auto handles = target.state->breakers().handles();
    const bool concerned = std::ranges::any_of(
        handles, [&](const BreakerHandle& handle) { return to_key_text(handle.key()) == event.key; });
    if (concerned) target.state->queue().wake_next(event.at);
  }
}

}  // namespace fuseboard
