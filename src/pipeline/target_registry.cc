// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_registry.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace fuseboard {
namespace {

BreakerRegistryOptions breaker_options(const TargetRegistryOptions& options) {
  BreakerRegistryOptions breakers{.defaults = options.defaults.breaker, .max_keys = options.max_targets};
  for (const auto& rule : options.targets)
    breakers.keys.push_back({.key = rule.target, .options = rule.options.breaker});
  for (const auto& rule : options.globs) {
    breakers.globs.push_back({.pattern = rule.pattern, .options = rule.options.breaker});
  }
  return breakers;
}

auto state_rules(const TargetRegistryOptions& options) {
  const auto shared = [](const TargetOptions& target) {
    return std::make_shared<const TargetStateOptions>(target.state);
  };
  auto rules = std::make_unique<KeyRules<std::shared_ptr<const TargetStateOptions>>>(shared(options.defaults));
  for (const auto& rule : options.targets) rules->add_key(rule.target.view(), shared(rule.options));
  for (const auto& rule : options.globs) rules->add_glob(rule.pattern.view(), shared(rule.options));
  return rules;
}

std::map<std::string, ScopeOptions, std::less<>> scope_rules(const TargetRegistryOptions& options) {
  std::map<std::string, ScopeOptions, std::less<>> rules;
  for (const auto& rule : options.scopes) rules.emplace(rule.scope, rule.options);
  return rules;
}

constexpr std::string_view kAll = "*";
constexpr std::size_t kMaxOverflow = 1000;

bool is_named(const TargetRegistryOptions& options, std::string_view scope) {
  return std::ranges::any_of(options.scopes, [&](const auto& rule) { return rule.scope == scope; });
}

// Whose credential it is stays as it is where nobody says otherwise: calls may still be under way there.
void keep_credential(const TargetScope& scope, ScopeOptions& next) {
  if (const CredentialGate* const gate = scope.credential()) {
    next.credential = ScopeCredential::shared;
    next.parking = gate->options();
  } else if (scope.callers() != nullptr) {
    next.credential = ScopeCredential::of_callers;
  }
}

// Of what cannot be held in that scope.
KeyView overflow_key(const KeyView& key) { return key.is_pair() ? KeyView(key.first(), kAll) : KeyView(kAll); }

}  // namespace

Problems TargetRegistryOptions::validate() const {
  Validator validator;
  validator.merge("defaults", defaults.validate());
  validate_key_rules(validator, "targets", targets, &ForTarget::target);
  validate_named_once(validator, "targets", targets, &ForTarget::target);
  validate_key_rules(validator, "globs", globs, &ForGlob::pattern);
  validator.in_range("globs", globs.size(), std::size_t{0}, kMaxGlobs);
  std::set<std::string_view> named;
  for (const ForScope& rule : scopes) {
    validator.merge("scopes." + rule.scope, rule.options.validate());
    validator.require(named.insert(rule.scope).second, "scopes." + rule.scope, "named twice", "one entry");
  }
  validator.in_range("max_targets", max_targets, std::size_t{1}, kMaxKeys);
  return std::move(validator).take();
}

TargetRegistry::TargetRegistry(const TargetRegistryOptions& options, const Clock& clock, std::uint64_t seed)
    : clock_(clock),
      seed_(seed),
      scope_breakers_(BreakerRegistryOptions{.max_keys = kMaxKeys}, clock, seed),
      rules_(state_rules(checked(options))),
      scope_rules_(scope_rules(options)),
      max_targets_(options.max_targets),
      breakers_(breaker_options(options), clock, seed,
                [this](const KeyView& key, const BreakerHandle& handle) { return make_state(key, handle); }) {
  const MutexLock lock(mutex_);
  for (const auto& [name, rule] : scope_rules_) (void)scope_locked(name);
}

TargetRegistry::~TargetRegistry() = default;

// Under the lock of the breakers.
std::unique_ptr<KeyCompanion> TargetRegistry::make_state(const KeyView& key, const BreakerHandle& handle) {
  const MutexLock lock(mutex_);
  std::shared_ptr<TargetScope> scope = key.is_pair() ? scope_locked(key.first()) : nullptr;
  return std::make_unique<TargetState>(handle, std::move(scope), rules_->of(key), key, seed_ ^ fixed_hash(key));
}

std::shared_ptr<TargetScope> TargetRegistry::scope_locked(std::string_view name) {
  if (const auto known = scopes_.find(name); known != scopes_.end()) return known->second;
  if (scopes_.size() > max_targets_) forget_unused_scopes_locked();
  auto made = std::make_shared<TargetScope>(name, scope_breakers_, scope_rule_locked(name), seed_ ^ fixed_hash(name));
  return scopes_.emplace(name, std::move(made)).first->second;
}

// One that no options name has nothing to forget.
void TargetRegistry::forget_unused_scopes_locked() {
  for (auto it = scopes_.begin(); it != scopes_.end();) {
    const bool goes = it->second.use_count() == 1 && !scope_rules_.contains(it->first);
    it = goes ? scopes_.erase(it) : std::next(it);
  }
}

std::shared_ptr<TargetState> TargetRegistry::target(KeyView key) {
  const BreakerHandle handle = breakers_.handle(key);
  return handle.tracked() ? hold(handle) : overflow_target(key);
}

std::shared_ptr<TargetState> TargetRegistry::overflow_target(KeyView key) {
  const KeyView overflow = overflow_key(key);
  const BreakerHandle handle = breakers_.handle(overflow);
  return handle.tracked() ? hold(handle) : untracked_overflow(overflow, handle);
}

// Only calls of plans wait; a transition that nobody listens to costs no memory.
void TargetRegistry::watch_breakers() {
  std::call_once(watched_, [this] {
    watching_ = breakers_.subscribe([this](const BreakerEvent& event) { on_breaker_event(event); });
    watching_scopes_ = scope_breakers_.subscribe([this](const BreakerEvent& event) { on_scope_event(event); });
  });
}

// The handle keeps the state.
std::shared_ptr<TargetState> TargetRegistry::hold(const BreakerHandle& handle) {
  watch_breakers();
  const auto held = std::make_shared<const BreakerHandle>(handle);
  TargetState* const state = state_of(*held);
  state->prepare(held->key());
  return {held, state};
}

// There is no place even for the one: its breaker admits everything, its limits hold.
std::shared_ptr<TargetState> TargetRegistry::untracked_overflow(const KeyView& overflow,
                                                                const BreakerHandle& untracked) {
  watch_breakers();
  const TimePoint now = clock_.now();
  const MutexLock lock(mutex_);
  const bool is_known = overflow_.contains(to_text(overflow));
  if (!is_known && overflow_.size() >= kMaxOverflow) {
    std::erase_if(overflow_, [now](const auto& known) {
      return known.second.state.use_count() == 1 && known.second.state->at_rest(now);
    });
  }
  // Beyond the bound there is one for all, of no scope.
  const bool has_place = is_known || overflow_.size() < kMaxOverflow;
  return untracked_overflow_locked(has_place ? overflow : KeyView(kAll), untracked);
}

std::shared_ptr<TargetState> TargetRegistry::untracked_overflow_locked(const KeyView& overflow,
                                                                       const BreakerHandle& untracked) {
  if (const auto known = overflow_.find(to_text(overflow)); known != overflow_.end()) return known->second.state;
  std::shared_ptr<TargetScope> scope = overflow.is_pair() ? scope_locked(overflow.first()) : nullptr;
  auto state = std::make_shared<TargetState>(untracked, std::move(scope), rules_->of(overflow), overflow,
                                             seed_ ^ fixed_hash(overflow));
  state->prepare(overflow);
  overflow_.emplace(to_text(overflow), OverflowTarget{.key = Key(overflow), .state = state});
  return state;
}

std::shared_ptr<TargetScope> TargetRegistry::scope(std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto known = scopes_.find(name);
  return known == scopes_.end() ? nullptr : known->second;
}

std::vector<std::shared_ptr<TargetScope>> TargetRegistry::scopes() const {
  std::vector<std::shared_ptr<TargetScope>> all;
  const MutexLock lock(mutex_);
  for (const auto& [name, scope] : scopes_) all.push_back(scope);
  return all;
}

void TargetRegistry::on_breaker_event(const BreakerEvent& event) const {
  if (!event.admits_again()) return;
  const auto wake = [&](const CircuitBreaker& /*breaker*/, const TargetState& state) { state.on_breaker_event(event); };
  // By its text, where that can be read one way alone.
  const std::string_view text = event.key.view();
  const std::size_t slash = text.find('/');
  const bool is_single = slash == text.npos;
  const bool is_plain = text.size() < KeyText().max_size() && !text.contains('%') && slash == text.rfind('/');
  const bool found = is_plain && (is_single ? with_known(KeyView(text), wake)
                                            : with_known(KeyView(text.substr(0, slash), text.substr(slash + 1)), wake));
  if (!found) with_each(wake);
}

void TargetRegistry::on_scope_event(const BreakerEvent& event) const {
  if (!event.admits_again()) return;
  for (const auto& scope : scopes()) {
    if (to_key_text(scope->name()) == event.key) scope->wake_waiting(event.at);
  }
}

void TargetRegistry::apply(const TargetRegistryOptions& options) {
  std::unique_ptr<const StateRules> rules = state_rules(checked(options));
  auto scopes = scope_rules(options);
  const MutexLock one_at_a_time(applying_);
  const TimePoint now = clock_.now();
  {
    const MutexLock lock(mutex_);
    rules_.swap(rules);
    scope_rules_.swap(scopes);
    max_targets_ = options.max_targets;
    for (const auto& [name, rule] : scope_rules_) (void)scope_locked(name);
  }
  // Outside the lock: what breakers tell of it wants to know the scopes.
  for (const auto& scope : this->scopes()) {
    const std::string_view name = scope->name().first();
    ScopeOptions next = scope_rule(name);
    if (!is_named(options, name)) keep_credential(*scope, next);
    scope->follow(now, next);
  }
  breakers_.apply(breaker_options(options));
  const auto follow = [&](const KeyView& key, TargetState& state) {
    state.follow(now, rule_of(key));
    state.wake_waiting(now);
  };
  with_each([&](const CircuitBreaker& breaker, TargetState& state) { follow(breaker.key(), state); });
  for (const OverflowTarget& overflow : overflow_targets()) follow(overflow.key.view(), *overflow.state);
}

bool TargetRegistry::reset(KeyView key) {
  return with_known(key, [&](CircuitBreaker& breaker, TargetState& state) { reset_state(breaker, state); });
}

void TargetRegistry::reset_all() {
  with_each([&](CircuitBreaker& breaker, TargetState& state) { reset_state(breaker, state); });
}

void TargetRegistry::reset_state(CircuitBreaker& breaker, TargetState& state) const {
  state.gate().open();
  if (TokenBucket* const rate = state.rate()) rate->reset();
  breaker.reset();
  state.wake_waiting(clock_.now());
}

SavedTargets TargetRegistry::save() const {
  const TimePoint now = clock_.now();
  SavedTargets saved{.breakers = breakers_.save(), .scope_breakers = scope_breakers_.save()};
  with_each([&](const CircuitBreaker& /*breaker*/, const TargetState& state) {
    SavedTarget target = state.save(now);
    if (target.any()) saved.targets.push_back(std::move(target));
  });
  for (const auto& scope : scopes()) {
    SavedScope one{.name = std::string(scope->name().first())};
    if (const JointLimiter* const limits = scope->limits()) one.limits = limits->save(now);
    if (const CredentialGate* const credential = scope->credential()) one.credential = credential->save(now);
    if (one.limits || one.credential) saved.scopes.push_back(std::move(one));
  }
  return saved;
}

std::size_t TargetRegistry::restore(const SavedTargets& saved) {
  if (saved.version != SavedTargets::kVersion) {
    throw std::invalid_argument("saved targets of version " + std::to_string(saved.version) + "; this is version " +
                                std::to_string(SavedTargets::kVersion));
  }
  const TimePoint now = clock_.now();
  (void)scope_breakers_.restore(saved.scope_breakers);
  for (const SavedScope& one : saved.scopes) {
    const std::shared_ptr<TargetScope> scope = made_scope(one.name);
    if (JointLimiter* const limits = scope->limits(); limits != nullptr && one.limits)
      limits->restore(now, *one.limits);
    if (CredentialGate* const credential = scope->credential(); credential != nullptr && one.credential) {
      credential->restore(now, *one.credential);
    }
  }
  (void)breakers_.restore(saved.breakers);
  std::size_t taken = 0;
  for (const SavedTarget& one : saved.targets) {
    const BreakerHandle handle = breakers_.handle(one.key.view());
    if (!handle.tracked()) continue;
    state_of(handle)->restore(now, one);
    ++taken;
  }
  return taken;
}

TargetSnapshot TargetRegistry::snapshot_of(TimePoint now, CircuitBreaker& breaker, TargetState& state) const {
  TargetSnapshot snapshot{.circuit = breaker.snapshot()};
  if (const TokenBucket* const rate = state.rate()) {
    const TokenBucketOptions options = rate->options();
    snapshot.rate = {.rate = options.rate, .burst = options.burst, .available = rate->available(now)};
  }
  if (const auto shut = state.gate().peek_rejection(now)) snapshot.paused_for = *shut->retry_after;
  if (const AdaptiveLimiter* const adaptive = state.adaptive_rate()) snapshot.adaptive_rate = adaptive->view(now);
  if (!state.prepared()) return snapshot;
  if (JointLimiter* const limits = state.limits()) {
    const JointView levels = limits->view(now);
    snapshot.requests = levels.requests;
    snapshot.tokens = levels.tokens;
  }
  if (const AdaptiveBulkhead* const bound = state.adaptive_concurrency()) snapshot.concurrency = bound->limit();
  snapshot.in_flight = state.latency().in_flight();
  snapshot.waiting = state.queue().size();
  if (const ParkingGate* const parked = state.parked_model()) {
    const ParkingGate::Snapshot gate = parked->snapshot(now);
    if (gate.parked) snapshot.parked_model = {.remaining = elapsed(now, *gate.until), .reason = *gate.category};
  }
  return snapshot;
}

TargetSnapshot TargetRegistry::snapshot(KeyView key) const {
  const TimePoint now = clock_.now();
  std::optional<TargetSnapshot> found;
  const auto look = [&](CircuitBreaker& breaker, TargetState& state) { found = snapshot_of(now, breaker, state); };
  if (with_known(key, look)) return *std::move(found);
  TargetSnapshot unknown{.circuit = {.key = Key(key)}};
  if (const auto options = rule_of(key); options->rate) {
    unknown.rate = {.rate = options->rate->rate, .burst = options->rate->burst, .available = options->rate->burst};
  }
  return unknown;
}

std::vector<TargetSnapshot> TargetRegistry::snapshot() const {
  const TimePoint now = clock_.now();
  std::vector<TargetSnapshot> all;
  all.reserve(size());
  with_each([&](CircuitBreaker& breaker, TargetState& state) { all.push_back(snapshot_of(now, breaker, state)); });
  return all;
}

std::vector<TargetRegistry::OverflowTarget> TargetRegistry::overflow_targets() const {
  std::vector<OverflowTarget> all;
  const MutexLock lock(mutex_);
  for (const auto& [name, overflow] : overflow_) all.push_back(overflow);
  return all;
}

std::shared_ptr<TargetScope> TargetRegistry::made_scope(std::string_view name) {
  const MutexLock lock(mutex_);
  return scope_locked(name);
}

ScopeOptions TargetRegistry::scope_rule_locked(std::string_view scope) const {
  const auto rule = scope_rules_.find(scope);
  return rule == scope_rules_.end() ? ScopeOptions{} : rule->second;
}

ScopeOptions TargetRegistry::scope_rule(std::string_view scope) const {
  const MutexLock lock(mutex_);
  return scope_rule_locked(scope);
}

std::shared_ptr<const TargetStateOptions> TargetRegistry::rule_of(const KeyView& key) const {
  const MutexLock lock(mutex_);
  return rules_->of(key);
}

}  // namespace fuseboard
