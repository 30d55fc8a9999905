// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_scope.h"

#include <array>
#include <memory>
#include <utility>

#include "fuseboard/pipeline/target_state.h"

namespace fuseboard {

TargetScope::TargetScope(KeyView name, BreakerRegistry& breakers, const ScopeOptions& options, std::uint64_t seed)
    : name_(name), breakers_(breakers), seed_(seed) {
  switch_parts(options);
}

// Some at a time, so that it takes no memory and nobody is woken under the lock. Targets that come or go meanwhile make
// it begin again: waking somebody twice does no harm.
void TargetScope::wake_waiting(TimePoint now) const {
  std::atomic_thread_fence(std::memory_order_seq_cst);  // see AdmissionQueue::next_waker()
  if (waiting_.load(std::memory_order_relaxed) == 0) return;
  std::size_t next = 0;
  std::uint64_t seen = 0;
  for (bool done = false; !done;) {
    std::array<std::shared_ptr<Waker>, 16> wakers;
    std::size_t count = 0;
    {
      const MutexLock lock(mutex_);
      if (std::exchange(seen, changes_) != changes_) next = 0;
      for (; next < targets_.size() && count < wakers.size(); ++next) {
        if (auto waker = targets_[next]->next_waker(now)) wakers[count++] = std::move(waker);
      }
      done = next == targets_.size();
    }
    for (std::size_t i = 0; i < count; ++i) wakers[i]->wake();
  }
}

void TargetScope::join(TargetState& target) {
  const MutexLock lock(mutex_);
  target.place_in_scope_ = targets_.size();
  targets_.push_back(&target);
  ++changes_;
}

void TargetScope::leave(TargetState& target) noexcept {
  const MutexLock lock(mutex_);
  TargetState* const last = targets_.back();
  targets_[target.place_in_scope_] = last;
  last->place_in_scope_ = target.place_in_scope_;
  targets_.pop_back();
  ++changes_;
}

void TargetScope::switch_parts(const ScopeOptions& options) {
  if (options.breaker) {
    breaker_.switch_on(breakers_.handle(name(), *options.breaker));
  } else {
    breaker_.switch_off();
  }
  if (options.limits.any()) {
    limits_.switch_on(options.limits, name(), seed_);
  } else {
    limits_.switch_off();
  }
  if (options.credential == ScopeCredential::shared) {
    credential_.switch_on(name(), options.parking);
  } else {
    credential_.switch_off();
  }
  if (options.credential == ScopeCredential::of_callers) {
    callers_.switch_on();
  } else {
    callers_.switch_off();
  }
}

void TargetScope::follow(TimePoint now, const ScopeOptions& options) {
  switch_parts(options);
  if (const BreakerHandle* const outer = breaker()) outer->apply(*options.breaker);
  if (JointLimiter* const shared = limits()) shared->apply(now, options.limits);
  if (CredentialGate* const gate = credential()) gate->apply(now, options.parking);
}

}  // namespace fuseboard
