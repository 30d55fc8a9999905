// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Everything that is protected, by key: of each target what all calls to it share.
//
//   TargetRegistry targets({.defaults = {.breaker = provider_preset()},
//                           .globs = {{.pattern = Key({"openai", "gpt-*"}), .options = {...}}}});
//   Target target{.name = "openai/gpt-4o", .state = targets.target({"openai", "gpt-4o"})};   // for a plan
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/events.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_rules.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/saved_targets.h"
#include "fuseboard/pipeline/target_options.h"
#include "fuseboard/pipeline/target_scope.h"
#include "fuseboard/pipeline/target_state.h"

namespace fuseboard {

struct TargetRegistryOptions {
  struct ForTarget {
    Key target;
    TargetOptions options{};
  };
  struct ForGlob {
    Key pattern;  // as in BreakerRegistryOptions::ForGlob
    TargetOptions options{};
  };
  struct ForScope {
    std::string scope;  // the first part of its targets' keys
    ScopeOptions options{};
  };

  // For every target without options of its own.
  TargetOptions defaults{};
  // Options by exact key, which win over globs; a target may be named once.
  std::vector<ForTarget> targets{};
  // Options by pattern; the first that matches wins. At most 1000.
  std::vector<ForGlob> globs{};
  // What the targets of a provider or server share; a scope may be named once. Others share nothing.
  std::vector<ForScope> scopes{};
  // Targets held at once; 1 to 1 000 000. At the bound a new one takes the place of one that no plan names, that is
  // closed, not in flight, not used recently, and limits nobody at the moment. Where none is found, calls to the new
  // one are admitted by its breaker untracked; see TargetRegistry::target() for plans.
  std::size_t max_targets = 10'000;

  // Every problem at once, fields named as above: "targets.openai/gpt-4o.state.rate.rate".
  Problems validate() const;
};

// One target at one time.
struct TargetSnapshot {
  struct Rate {
    double rate = 0.0;  // tokens a second
    double burst = 0.0;
    double available = 0.0;  // tokens; 0 to burst
  };
  struct Parked {
    Duration remaining = Duration::zero();  // until one attempt is let through as a probe; 0: the next one is
    Category reason{};
  };

  BreakerSnapshot circuit;
  std::optional<Rate> rate{};
  std::optional<LevelView> requests{};         // a minute, where they are limited
  std::optional<LevelView> tokens{};           // a minute, where they are limited
  std::optional<LevelView> adaptive_rate{};    // where it has one
  std::optional<std::uint32_t> concurrency{};  // the bound that follows its latency, where it has one
  std::size_t in_flight = 0;                   // attempts of plans
  std::size_t waiting = 0;                     // calls in its queue
  // How long it is left alone because it asked for that with a retry-after; zero if it did not.
  Duration paused_for = Duration::zero();
  std::optional<Parked> parked_model{};  // the credential with this target's model
};

// Thread-safe throughout. A known target is found without a lock and without allocation. The clock must outlive it, and
// it the states, handles and permits that it gives.
class TargetRegistry {
 public:
  // Throws InvalidOptions. The seed is that of the jitter.
  explicit TargetRegistry(const TargetRegistryOptions& options = {}, const Clock& clock = SteadyClock::instance(),
                          std::uint64_t seed = Rng::random_seed());
  ~TargetRegistry();
  TargetRegistry(const TargetRegistry&) = delete;
  TargetRegistry& operator=(const TargetRegistry&) = delete;

  // For a plan; made where it is new, and not let go of while anybody holds it. Where it cannot be held (see
  // max_targets) it is the one of overflow_target(): what its calls share they share with others then.
  std::shared_ptr<TargetState> target(KeyView key);
  // What all targets of a scope share that cannot be held, of a single key all such targets: the target of that scope
  // named "*". Its limits hold for all of them together.
  std::shared_ptr<TargetState> overflow_target(KeyView key);

  // Calls `use` with the breaker of `key` (CircuitBreaker&), or with a handle of it where it is new or cannot be held,
  // and its state, nullptr where it cannot be held: for those who keep nothing between calls. See
  // BreakerRegistry::with_breaker().
  template <typename Use>
  auto with_target(const KeyView& key, Use use) {
    return breakers_.with_breaker(key, [&](auto& breaker) { return use(breaker, state_of(breaker)); });
  }
  // Calls `use(CircuitBreaker&, TargetState&)` if the target is known, which it returns.
  template <typename Use>
  bool with_known(const KeyView& key, Use use) const {
    return breakers_.with_known(key, [&](CircuitBreaker& breaker) { use(breaker, *state_of(breaker)); });
  }
  // The same for every target, in the order of snapshot(); new ones meanwhile may be missed.
  template <typename Use>
  void with_each(Use use) const {
    breakers_.with_each([&](CircuitBreaker& breaker) { use(breaker, *state_of(breaker)); });
  }

  // nullptr while no target of that name is known and the options name none.
  std::shared_ptr<TargetScope> scope(std::string_view name) const;
  // In the order of their names.
  std::vector<std::shared_ptr<TargetScope>> scopes() const;

  // New options for targets and scopes, known and new. Nothing that was spent, learned or opened is lost: calls in
  // flight go on, those that wait look again. A lower max_targets lets go of nothing by itself. Throws InvalidOptions,
  // and then has changed nothing.
  void apply(const TargetRegistryOptions& options);

  // What is worth keeping of all scopes and of all targets that are held. One part after the other: what calls do
  // meanwhile may be in one and not in the other.
  SavedTargets save() const;
  // Makes targets that are new. How many were taken over; those beyond max_targets are not. Throws
  // std::invalid_argument where the version is not known.
  std::size_t restore(const SavedTargets& saved);

  // Closes the circuit, fills the rate's bucket, forgets what the target asked for, and wakes who waits. Limits, what
  // was learned and what is parked stay. Whether the target was known.
  bool reset(KeyView key);
  void reset_all();

  // Asking about an unknown target creates nothing: it reads closed and zero, its bucket full.
  TargetSnapshot snapshot(KeyView key) const;
  // All targets that are held, in the order in which they were first seen; one that took another's place stands there.
  std::vector<TargetSnapshot> snapshot() const;
  std::size_t size() const noexcept { return breakers_.size(); }

  // For overrides, events and counts, which are the breakers' own. Options and saved state go through this registry.
  BreakerRegistry& breakers() noexcept { return breakers_; }
  const BreakerRegistry& breakers() const noexcept { return breakers_; }
  // Of the scopes whose options ask for one or have asked for one, by the scope's name.
  BreakerRegistry& scope_breakers() noexcept { return scope_breakers_; }

  const Clock& clock() const noexcept { return clock_; }

 private:
  using StateRules = KeyRules<std::shared_ptr<const TargetStateOptions>>;
  using ScopeRules = std::map<std::string, ScopeOptions, std::less<>>;
  // What cannot be held, of one scope, where not even its overflow_target() can.
  struct OverflowTarget {
    Key key;
    std::shared_ptr<TargetState> state;
  };
  using Scopes = std::map<std::string, std::shared_ptr<TargetScope>, std::less<>>;

  template <typename Breaker>
  static TargetState* state_of(const Breaker& breaker) noexcept {
    return static_cast<TargetState*>(breaker.companion());
  }
  std::unique_ptr<KeyCompanion> make_state(const KeyView& key, const BreakerHandle& handle);
  std::shared_ptr<TargetScope> made_scope(std::string_view name);
  std::shared_ptr<TargetScope> scope_locked(std::string_view name) FUSEBOARD_REQUIRES(mutex_);
  void forget_unused_scopes_locked() FUSEBOARD_REQUIRES(mutex_);
  void watch_breakers();
  std::shared_ptr<TargetState> hold(const BreakerHandle& handle);
  std::shared_ptr<TargetState> untracked_overflow(const KeyView& overflow, const BreakerHandle& untracked);
  std::shared_ptr<TargetState> untracked_overflow_locked(const KeyView& overflow, const BreakerHandle& untracked)
      FUSEBOARD_REQUIRES(mutex_);
  std::vector<OverflowTarget> overflow_targets() const;
  std::shared_ptr<const TargetStateOptions> rule_of(const KeyView& key) const;
  ScopeOptions scope_rule(std::string_view scope) const;
  ScopeOptions scope_rule_locked(std::string_view scope) const FUSEBOARD_REQUIRES(mutex_);
  void on_breaker_event(const BreakerEvent& event) const;
  void on_scope_event(const BreakerEvent& event) const;
  TargetSnapshot snapshot_of(TimePoint now, CircuitBreaker& breaker, TargetState& state) const;
  void reset_state(CircuitBreaker& breaker, TargetState& state) const;

  const Clock& clock_;
  const std::uint64_t seed_;
  BreakerRegistry scope_breakers_;
  Mutex applying_;
  // Taken under the lock of breakers_, and that of scope_breakers_ under it.
  mutable Mutex mutex_;
  std::unique_ptr<const StateRules> rules_ FUSEBOARD_GUARDED_BY(mutex_);
  ScopeRules scope_rules_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t max_targets_ FUSEBOARD_GUARDED_BY(mutex_);
  Scopes scopes_ FUSEBOARD_GUARDED_BY(mutex_);
  BreakerRegistry breakers_;  // its companions are the states
  std::map<std::string, OverflowTarget> overflow_ FUSEBOARD_GUARDED_BY(mutex_);
  std::once_flag watched_;
  Subscription watching_scopes_;  // last: they end before what their listeners use is gone
  Subscription watching_;
};

}  // namespace fuseboard
