// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/registry.h"

#include <algorithm>
#include <utility>

#include "breaker/registry_rules.h"

namespace fuseboard {
namespace {

// What a key reads that no breaker stands for.
BreakerSnapshot unknown(KeyView key) { return {.key = Key(key)}; }

bool is_worth_saving(const SavedBreaker& saved, Duration first_open_time) {
  return saved.state != CircuitState::closed || saved.consecutive_failures > 0 || saved.open_base != first_open_time ||
         saved.override_in_force;
}

}  // namespace

BreakerSnapshot BreakerHandle::snapshot() const {
  return breaker_ == nullptr ? unknown(KeyView("")) : breaker_->snapshot();
}

void BreakerHandle::apply(const BreakerOptions& options) const {
  throw_if_invalid(options.validate());
  if (breaker_ == nullptr) return;
  breaker_->has_own_options_.store(true, std::memory_order_relaxed);
  breaker_->apply(options);
}

std::expected<BreakerPermit, Rejection> BreakerHandle::admit_untracked() const {
  registry_->untracked_admissions_.fetch_add(1, std::memory_order_relaxed);
  return BreakerPermit();
}

BreakerRegistry::BreakerRegistry(const BreakerRegistryOptions& options, const Clock& clock, std::uint64_t seed,
                                 MakeCompanion make_companion)
    : context_(clock, seed),
      make_companion_(std::move(make_companion)),
      rules_(std::make_unique<const Rules>(checked(options))) {}

BreakerRegistry::~BreakerRegistry() = default;

void BreakerRegistry::Destroy::operator()(CircuitBreaker* breaker) const noexcept {
  std::pmr::polymorphic_allocator<>(memory).delete_object(breaker);
}

BreakerHandle BreakerRegistry::find_or_create(const KeyView& key, const BreakerOptions* options) {
  if (options != nullptr) throw_if_invalid(options->validate());
  const std::uint64_t key_hash = hash(key);
  // Only companions ask what time it is.
  const TimePoint now = make_companion_ ? context_.clock.now() : TimePoint();
  const MutexLock lock(mutex_);
  CircuitBreaker* const known = index_.find(key, key_hash);
  return {*this, known != nullptr ? known : create_locked(now, key, key_hash, options)};
}

CircuitBreaker* BreakerRegistry::create_locked(TimePoint now, const KeyView& key, std::uint64_t key_hash,
                                               const BreakerOptions* options) {
  const bool full = breakers_.size() >= rules_->max_keys();
  OwnedBreaker* const place = full ? make_room_locked(now) : nullptr;
  if (full && place == nullptr) return nullptr;
  OwnedBreaker made;
  try {
    made = make_locked(key, options);
    if (place == nullptr) {
      index_.reserve_one();
      breakers_.emplace_back();
    }
  } catch (...) {
    // The key that was to go is found again: nobody could reach it meanwhile, and it must not be asked to go twice.
    if (place != nullptr) index_.insert(**place, hash((*place)->key()));
    throw;
  }
  // Nothing fails from here on.
  OwnedBreaker& home = place != nullptr ? *place : breakers_.back();
  home = std::move(made);
  index_.insert(*home, key_hash);
  size_.store(breakers_.size(), std::memory_order_relaxed);
  return home.get();
}

BreakerRegistry::OwnedBreaker BreakerRegistry::make_locked(const KeyView& key, const BreakerOptions* options) {
  auto chosen = options != nullptr ? std::make_shared<const BreakerOptions>(*options) : rules_->options_for(key);
  std::pmr::polymorphic_allocator<> memory(&context_.memory);
  OwnedBreaker made(memory.new_object<CircuitBreaker>(std::move(chosen), key, context_), Destroy{&context_.memory});
  if (make_companion_) {
    made->owned_companion_ = make_companion_(key, BreakerHandle(*this, made.get()));
    made->companion_ = made->owned_companion_.get();
  }
  made->has_own_options_.store(options != nullptr, std::memory_order_relaxed);
  return made;
}

std::vector<CircuitBreaker*> BreakerRegistry::breakers() const {
  std::vector<CircuitBreaker*> all;
  const MutexLock lock(mutex_);
  all.reserve(breakers_.size());
  for (const auto& breaker : breakers_) all.push_back(breaker.get());
  return all;
}

CircuitBreaker* BreakerRegistry::find_known(const KeyView& key) const {
  const std::uint64_t key_hash = hash(key);
  if (CircuitBreaker* const known = index_.find(key, key_hash)) return known;
  // A key that moves within the index can be missed; under the lock none does.
  const MutexLock lock(mutex_);
  return index_.find(key, key_hash);
}

std::optional<Rejection> BreakerRegistry::peek_rejection(KeyView key) const {
  const Pin pin(*this);
  const CircuitBreaker* const breaker = find_known(key);
  return breaker == nullptr ? std::nullopt : breaker->peek_rejection();
}

BreakerSnapshot BreakerRegistry::snapshot(KeyView key) const {
  const Pin pin(*this);
  CircuitBreaker* const breaker = find_known(key);
  return breaker == nullptr ? unknown(key) : breaker->snapshot();
}

bool BreakerRegistry::half_open(KeyView key) {
  const Pin pin(*this);
  CircuitBreaker* const breaker = find_known(key);
  return breaker != nullptr && breaker->half_open();
}

bool BreakerRegistry::reset(KeyView key) {
  const Pin pin(*this);
  CircuitBreaker* const breaker = find_known(key);
  if (breaker != nullptr) breaker->reset();
  return breaker != nullptr;
}

void BreakerRegistry::reset_all() {
  const Pin pin(*this);
  for (CircuitBreaker* const breaker : breakers()) breaker->reset();
}

bool BreakerRegistry::set_override(KeyView key, OverrideKind kind, std::string_view reason,
                                   std::optional<Duration> ttl) {
  const BreakerHandle held = handle(key);
  held.set_override(kind, reason, ttl);
  return held.tracked();
}

bool BreakerRegistry::lift_override(KeyView key) {
  const Pin pin(*this);
  CircuitBreaker* const breaker = find_known(key);
  return breaker != nullptr && breaker->lift_override();
}

void BreakerRegistry::apply(const BreakerRegistryOptions& options) {
  auto rules = std::make_unique<const Rules>(checked(options));
  const Pin pin(*this);
  std::vector<std::pair<CircuitBreaker*, std::shared_ptr<const BreakerOptions>>> changes;
  {
    const MutexLock lock(mutex_);
    for (const auto& breaker : breakers_) {
      if (!breaker->has_own_options_.load(std::memory_order_relaxed)) {
        changes.emplace_back(breaker.get(), rules->options_for(breaker->key()));
      }
    }
    rules_.swap(rules);
  }
  // Outside the lock: it reads the clock.
  for (auto& [breaker, chosen] : changes) breaker->apply(std::move(chosen));
}

std::vector<SavedBreaker> BreakerRegistry::save() const {
  const Pin pin(*this);
  std::vector<SavedBreaker> saved;
  for (const CircuitBreaker* const breaker : breakers()) {
    SavedBreaker one = breaker->save();
    if (is_worth_saving(one, breaker->options().open_time.initial)) saved.push_back(std::move(one));
  }
  return saved;
}

std::size_t BreakerRegistry::restore(std::span<const SavedBreaker> saved) {
  std::size_t taken = 0;
  for (const SavedBreaker& one : saved) {
    const BreakerHandle held = handle(one.key.view());
    if (held.tracked() && held.breaker_->restore(one)) ++taken;
  }
  return taken;
}

std::vector<BreakerSnapshot> BreakerRegistry::snapshot() const {
  const Pin pin(*this);
  std::vector<BreakerSnapshot> all;
  const std::vector<CircuitBreaker*> known = breakers();
  all.reserve(known.size());
  for (CircuitBreaker* const breaker : known) all.push_back(breaker->snapshot());
  return all;
}

TransitionTotals BreakerRegistry::transitions() const noexcept {
  return {.opened = context_.times_opened.load(std::memory_order_relaxed),
          .half_opened = context_.times_half_opened.load(std::memory_order_relaxed),
          .closed = context_.times_closed.load(std::memory_order_relaxed)};
}

bool BreakerRegistry::should_pause_for_recovery(std::size_t max_open) const {
  if (context_.may_reject.load(std::memory_order_relaxed) < max_open) return false;
  if (max_open == 0) return true;
  const TimePoint now = context_.clock.now();
  std::size_t shut = 0;
  const MutexLock lock(mutex_);
  return std::ranges::any_of(breakers_,
                             [&](const OwnedBreaker& breaker) { return breaker->is_shut(now) && ++shut == max_open; });
}

std::vector<Key> BreakerRegistry::open_keys() const {
  const Pin pin(*this);
  std::vector<Key> keys;
  for (const CircuitBreaker* const breaker : breakers()) {
    if (breaker->state() == CircuitState::open) keys.emplace_back(breaker->key());
  }
  return keys;
}

}  // namespace fuseboard
