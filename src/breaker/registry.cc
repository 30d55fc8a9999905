// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/registry.h"

#include <set>
#include <tuple>
#include <utility>

namespace fuseboard {
namespace {

constexpr std::size_t kMostKeys = 1'000'000;

const BreakerRegistryOptions& checked(const BreakerRegistryOptions& options) {
  throw_if_invalid(options.validate());
  return options;
}

// What a key reads that no breaker stands for.
BreakerSnapshot unknown(KeyView key) { return {.key = Key(key)}; }

}  // namespace

Problems BreakerRegistryOptions::validate() const {
  Validator validator;
  validator.merge("defaults", defaults.validate());
  std::set<std::tuple<bool, std::string_view, std::string_view>> seen;
  for (const ForKey& rule : keys) {
    const KeyView key = rule.key.view();
    const std::string field = "keys." + to_text(key);
    validator.merge(field, rule.options.validate());
    validator.require(seen.emplace(key.is_pair(), key.first(), key.second()).second, field, "named twice", "one entry");
  }
  validator.in_range("max_keys", max_keys, std::size_t{1}, kMostKeys);
  return std::move(validator).take();
}

BreakerSnapshot BreakerHandle::snapshot() const {
  return breaker_ == nullptr ? unknown(KeyView("")) : breaker_->snapshot();
}

std::expected<BreakerPermit, Rejection> BreakerHandle::admit_untracked() const {
  registry_->untracked_admissions_.fetch_add(1, std::memory_order_relaxed);
  return BreakerPermit();
}

BreakerRegistry::BreakerRegistry(BreakerRegistryOptions options, const Clock& clock, std::uint64_t seed)
    : context_(clock, seed),
      max_keys_(checked(options).max_keys),
      defaults_(std::make_shared<const BreakerOptions>(options.defaults)) {
  for (BreakerRegistryOptions::ForKey& rule : options.keys) {
    rules_.push_back(
        std::make_unique<KeyRule>(std::move(rule.key), std::make_shared<const BreakerOptions>(rule.options)));
    rule_index_.insert(*rules_.back(), hash(rules_.back()->key()));
  }
}

BreakerRegistry::~BreakerRegistry() = default;

CircuitBreaker* BreakerRegistry::create(const KeyView& key, std::uint64_t key_hash, const BreakerOptions* options) {
  if (options != nullptr) throw_if_invalid(options->validate());
  // A full registry is asked for new keys again and again: they must not queue for the lock.
  if (size() >= max_keys_) return nullptr;
  const MutexLock lock(mutex_);
  if (CircuitBreaker* const known = index_.find(key, key_hash)) return known;
  if (breakers_.size() >= max_keys_) return nullptr;
  auto chosen = options != nullptr ? std::make_shared<const BreakerOptions>(*options) : options_for(key, key_hash);
  std::pmr::polymorphic_allocator<> memory(&context_.memory);
  breakers_.emplace_back(memory.new_object<CircuitBreaker>(std::move(chosen), key, context_));
  CircuitBreaker& breaker = *breakers_.back();
  index_.insert(breaker, key_hash);
  size_.store(breakers_.size(), std::memory_order_relaxed);
  return &breaker;
}

std::shared_ptr<const BreakerOptions> BreakerRegistry::options_for(const KeyView& key, std::uint64_t key_hash) const {
  const KeyRule* const rule = rule_index_.find(key, key_hash);
  return rule != nullptr ? rule->options : defaults_;
}

std::vector<CircuitBreaker*> BreakerRegistry::breakers() const {
  std::vector<CircuitBreaker*> all;
  const MutexLock lock(mutex_);
  all.reserve(breakers_.size());
  for (const auto& breaker : breakers_) all.push_back(breaker.get());
  return all;
}

std::optional<Rejection> BreakerRegistry::look(KeyView key) const {
  const CircuitBreaker* const breaker = index_.find(key, hash(key));
  return breaker == nullptr ? std::nullopt : breaker->look();
}

BreakerSnapshot BreakerRegistry::snapshot(KeyView key) const {
  CircuitBreaker* const breaker = index_.find(key, hash(key));
  return breaker == nullptr ? unknown(key) : breaker->snapshot();
}

bool BreakerRegistry::reset(KeyView key) {
  CircuitBreaker* const breaker = index_.find(key, hash(key));
  if (breaker != nullptr) breaker->reset();
  return breaker != nullptr;
}

void BreakerRegistry::reset_all() {
  for (CircuitBreaker* const breaker : breakers()) breaker->reset();
}

std::vector<BreakerSnapshot> BreakerRegistry::snapshot() const {
  std::vector<BreakerSnapshot> all;
  const std::vector<CircuitBreaker*> known = breakers();
  all.reserve(known.size());
  for (CircuitBreaker* const breaker : known) all.push_back(breaker->snapshot());
  return all;
}

std::vector<Key> BreakerRegistry::open_keys() const {
  std::vector<Key> keys;
  for (const CircuitBreaker* const breaker : breakers()) {
    if (breaker->state() == CircuitState::open) keys.emplace_back(breaker->key());
  }
  return keys;
}

}  // namespace fuseboard
