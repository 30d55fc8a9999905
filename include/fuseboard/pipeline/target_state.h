// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What all calls to one target share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "fuseboard/breaker/event.h"
#include "fuseboard/breaker/key_companion.h"
#include "fuseboard/breaker/scopes.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive.h"
#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/caller_throttles.h"
#include "fuseboard/limit/joint.h"
#include "fuseboard/limit/throttle.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/pipeline/admission_queue.h"
#include "fuseboard/pipeline/saved_targets.h"
#include "fuseboard/pipeline/switched_policy.h"
#include "fuseboard/pipeline/target_options.h"
#include "fuseboard/pipeline/target_patience.h"
#include "fuseboard/pipeline/target_scope.h"
#include "fuseboard/retry/retry_budget.h"
#include "fuseboard/route/credentials.h"
#include "fuseboard/route/latency.h"

namespace fuseboard {

// Every plan that names the target shares it, so that it outlives a swap of plans. Thread-safe. The registries of its
// breakers must outlive it. A TargetRegistry makes and keeps them by key; one may also be made by itself.
class TargetState final : public KeyCompanion {
 public:
  // By itself. Throws InvalidOptions. `credential` is shared by the targets that use the same one; null: nobody parks
  // it. The key is what rejections carry; the seed is that of the jitter. `callers`: every caller brings a credential
  // of its own, so what the server says of rates is kept for each of them, there.
  explicit TargetState(BreakerScopes breakers, const TargetStateOptions& options = {}, KeyView key = "",
                       std::shared_ptr<CredentialGate> credential = nullptr, std::uint64_t seed = Rng::random_seed(),
                       std::shared_ptr<CallerThrottles> callers = nullptr);
  // Of a registry, which answers for the options. Where no plan names it, it costs no more than what is below up to
  // Calls: prepare() makes the rest. `scope` may be null.
  TargetState(const BreakerHandle& breaker, std::shared_ptr<TargetScope> scope,
              std::shared_ptr<const TargetStateOptions> options, KeyView key, std::uint64_t seed);
  ~TargetState() override;
  TargetState(const TargetState&) = delete;
  TargetState& operator=(const TargetState&) = delete;

  const BreakerScopes& breakers() const noexcept { return *breakers_.load(std::memory_order_acquire); }
  // Its own, of those scopes.
  const BreakerHandle& breaker() const noexcept { return breakers().handles().back(); }
  TokenBucket* rate() const noexcept { return rate_.get(); }
  // What the server said to all. Of targets with `callers`, to whom it speaks one by one, it is always open.
  Throttle& throttle() noexcept { return throttle_; }
  const Throttle& throttle() const noexcept { return throttle_; }
  AdaptiveLimiter* adaptive_rate() noexcept { return throttle_.rate(); }
  RetryAfterGate& gate() noexcept { return throttle_.gate(); }

  TargetScope* scope() const noexcept { return scope_.get(); }  // null: none
  // The scope's; null where it has none.
  JointLimiter* scope_limits() const noexcept { return scope_ == nullptr ? nullptr : scope_->limits(); }
  CredentialGate* credential() const noexcept { return scope_ == nullptr ? credential_.get() : scope_->credential(); }
  CallerThrottles* callers() const noexcept { return scope_ == nullptr ? callers_.get() : scope_->callers(); }

  // What calls of plans share, from here to key(). For states that are prepared.
  JointLimiter* limits() const noexcept { return calls().limits.get(); }
  AdaptiveBulkhead* adaptive_concurrency() const noexcept { return calls().adaptive_concurrency.get(); }
  // Of one of the callers who bring a credential of their own; whether there is a rate in them.
  ThrottleOptions throttle_options() const;
  bool keeps_rate() const noexcept { return keeps_rate_.load(std::memory_order_relaxed); }
  // Of the credential with this target's model; null where there is no credential.
  ParkingGate* parked_model() const noexcept { return credential() == nullptr ? nullptr : &calls().parked_model; }
  RetryBudget& retry_budget() const noexcept { return calls().retry_budget; }
  AdmissionQueue& queue() const noexcept { return calls().queue; }
  LatencyEstimate& latency() const noexcept { return calls().latency; }
  TargetPatience& patience() const noexcept { return calls().patience; }
  KeyText key() const noexcept { return calls().key; }

  // Whether a plan has ever named it.
  bool prepared() const noexcept { return calls_.load(std::memory_order_acquire) != nullptr; }
  // Before a plan names it. The key is what rejections carry.
  void prepare(KeyView key);

  // Whether an attempt was ever answered well here.
  bool has_served() const noexcept { return has_served_.load(std::memory_order_relaxed); }
  void note_served() noexcept {
    if (!has_served()) has_served_.store(true, std::memory_order_relaxed);
  }
  // Whether it is in use by nobody and has nothing in mind that limits anybody: limits are full, gates open, nothing is
  // parked. Its breakers aside, which have a place of their own. For owners that let go of it.
  bool at_rest(TimePoint now) const noexcept;

  // Something has changed for the better: whose turn it is should look.
  void wake_waiting(TimePoint now) const {
    if (const auto waker = next_waker(now)) waker->wake();
  }
  // An attempt has given back what it held: of the scope's limits, too, for which calls to another target may wait.
  void wake_after_release(TimePoint now) const {
    if (scope_limits() == nullptr) {
      wake_waiting(now);
    } else {
      scope_->wake_waiting(now);
    }
  }
  // See AdmissionQueue.
  std::shared_ptr<Waker> next_waker(TimePoint now) const {
    const Calls* const shared = calls_.load(std::memory_order_acquire);
    return shared == nullptr ? nullptr : shared->queue.next_waker(now);
  }
  // Wakes whoever waits for a circuit of its scopes when that admits again, by whatever cause.
  void on_breaker_event(const BreakerEvent& event) const;

 private:
  friend class TargetRegistry;
  friend class TargetScope;

  // What only calls of plans need: most of a state's memory.
  struct Calls {
    Calls(const TargetStateOptions& options, const CredentialGateOptions& parking, KeyView its_key,
          std::uint64_t its_seed, std::atomic<std::size_t>* waiting);
    void follow(TimePoint now, const TargetStateOptions& options, const CredentialGateOptions& parking);
    void switch_parts(const TargetStateOptions& options);

    const KeyText key;
    const std::uint64_t seed;
    SwitchedPolicy<JointLimiter> limits;
    SwitchedPolicy<AdaptiveBulkhead> adaptive_concurrency;
    ParkingGate parked_model;
    RetryBudget retry_budget;
    AdmissionQueue queue;
    LatencyEstimate latency;
    TargetPatience patience;
  };
  Calls& calls() const noexcept { return *calls_.load(std::memory_order_acquire); }

  // For registries.
  bool is_idle(TimePoint now) const noexcept override { return at_rest(now); }
  std::uint32_t own_handles() const noexcept override { return own_handles_.load(std::memory_order_acquire); }
  // What options ask for from now on, its scope's included. They are valid.
  void follow(TimePoint now, std::shared_ptr<const TargetStateOptions> options);
  void follow_scope_locked() FUSEBOARD_REQUIRES(mutex_);
  void switch_parts(const TargetStateOptions& options, KeyView key);
  // All but the breaker.
  SavedTarget save(TimePoint now) const;
  void restore(TimePoint now, const SavedTarget& saved);

  // What every call reads.
  std::atomic<const BreakerScopes*> breakers_;
  std::atomic<Calls*> calls_{nullptr};
  const std::shared_ptr<TargetScope> scope_;
  SwitchedPolicy<TokenBucket> rate_;
  Throttle throttle_;
  std::atomic<bool> has_served_{false};

  const BreakerScopes alone_;
  std::unique_ptr<const BreakerScopes> under_scope_;  // stays once made: calls in flight may use it
  std::atomic<std::uint32_t> own_handles_{1};
  const std::shared_ptr<CredentialGate> credential_;
  const std::shared_ptr<CallerThrottles> callers_;
  const std::uint64_t seed_;
  std::size_t place_in_scope_ = 0;  // the scope's, under its mutex
  std::atomic<bool> keeps_rate_{false};
  mutable Mutex mutex_;
  std::shared_ptr<const TargetStateOptions> options_ FUSEBOARD_GUARDED_BY(mutex_);
  std::unique_ptr<Calls> own_calls_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
