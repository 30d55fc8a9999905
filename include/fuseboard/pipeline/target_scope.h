// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the targets of one provider or server share: the breaker outside theirs, limits for all of them, the credential.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/caller_throttles.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/pipeline/switched_policy.h"
#include "fuseboard/pipeline/target_options.h"
#include "fuseboard/route/credentials.h"

namespace fuseboard {

class TargetState;

// Thread-safe. What options switch off stays for the calls that began under it.
class TargetScope {
 public:
  // `options` are valid; the scope's breaker is one of `breakers`, by its name.
  TargetScope(KeyView name, BreakerRegistry& breakers, const ScopeOptions& options, std::uint64_t seed);
  TargetScope(const TargetScope&) = delete;
  TargetScope& operator=(const TargetScope&) = delete;

  KeyView name() const noexcept { return name_.view(); }
  // nullptr while it has none, and so for the others.
  const BreakerHandle* breaker() const noexcept { return breaker_.get(); }
  JointLimiter* limits() const noexcept { return limits_.get(); }
  CredentialGate* credential() const noexcept { return credential_.get(); }
  CallerThrottles* callers() const noexcept { return callers_.get(); }

  // Something has changed for the better for all its targets: of each queue, whose turn it is should look.
  void wake_waiting(TimePoint now) const;

 private:
  friend class TargetRegistry;
  friend class TargetState;
  void join(TargetState& target);
  void leave(TargetState& target) noexcept;
  // New options, valid ones; the targets learn of them by TargetState::follow(). One thread at a time.
  void follow(TimePoint now, const ScopeOptions& options);
  void switch_parts(const ScopeOptions& options);

  const Key name_;
  BreakerRegistry& breakers_;
  const std::uint64_t seed_;
  mutable Mutex mutex_;
  SwitchedPolicy<const BreakerHandle> breaker_;
  SwitchedPolicy<JointLimiter> limits_;
  SwitchedPolicy<CredentialGate> credential_;
  SwitchedPolicy<CallerThrottles> callers_;
  std::atomic<std::size_t> waiting_{0};                             // in the queues of all its targets
  std::vector<TargetState*> targets_ FUSEBOARD_GUARDED_BY(mutex_);  // those that plans name
  std::uint64_t changes_ FUSEBOARD_GUARDED_BY(mutex_) = 0;          // of targets_
};

}  // namespace fuseboard
