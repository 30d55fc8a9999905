// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Breakers by key.
//
//   BreakerRegistry breakers(provider_preset());
//   const BreakerHandle handle = breakers.handle({"openai", "gpt-4o"});   // once, where the target is set up
//   auto permit = handle.try_acquire();                                  // on every attempt
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_index.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rng.h"

namespace fuseboard {

class BreakerRegistry;

// A key of a registry, looked up once. As cheap to copy as two pointers; thread-safe; its registry must outlive it.
// Of a key that the registry cannot hold (see max_keys) it admits everything and keeps nothing.
class BreakerHandle {
 public:
  // See CircuitBreaker for each. They are const because a handle is a reference.
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire() const {
    if (breaker_ == nullptr) [[unlikely]]
      return admit_untracked();
    return breaker_->try_acquire();
  }
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(Duration probe_lease) const {
    if (breaker_ == nullptr) [[unlikely]]
      return admit_untracked();
    return breaker_->try_acquire(probe_lease);
  }
  [[nodiscard]] std::optional<Rejection> look() const { return breaker_ == nullptr ? std::nullopt : breaker_->look(); }
  void report(const Outcome& outcome) const {
    if (breaker_ != nullptr) breaker_->report(outcome);
  }
  void reset() const {
    if (breaker_ != nullptr) breaker_->reset();
  }
  // Of an untracked key: closed and zero, with an empty key.
  BreakerSnapshot snapshot() const;

  // Whether the registry holds this key.
  bool tracked() const noexcept { return breaker_ != nullptr; }
  // Valid as long as the registry; empty for an untracked key.
  KeyView key() const noexcept { return breaker_ == nullptr ? KeyView("") : breaker_->key(); }

 private:
  friend class BreakerRegistry;
  BreakerHandle(BreakerRegistry& registry, CircuitBreaker* breaker) noexcept
      : registry_(&registry), breaker_(breaker) {}
  std::expected<BreakerPermit, Rejection> admit_untracked() const;

  BreakerRegistry* registry_;
  CircuitBreaker* breaker_;
};

struct BreakerRegistryOptions {
  struct ForKey {
    Key key;
    BreakerOptions options{};
  };

  // For every key without options of its own.
  BreakerOptions defaults{};
  // Options by exact key; a key may be named once.
  std::vector<ForKey> keys{};
  // Keys held at once; 1 to 1 000 000. A new key beyond that is admitted untracked and counted.
  std::size_t max_keys = 10'000;

  Problems validate() const;
};

// Thread-safe throughout. Lookup of a known key neither allocates nor locks: about 3 ns, some 13 with 10 000 keys.
// A key costs about 0.9 KiB on 2 cores, up to 3 KiB where there are 16 or more. Permits, handles and subscriptions: the
// registry must outlive the first two.
class BreakerRegistry {
 public:
  // Throws InvalidOptions. The clock must outlive the registry.
  explicit BreakerRegistry(BreakerRegistryOptions options = {}, const Clock& clock = SteadyClock::instance(),
                           std::uint64_t seed = Rng::random_seed());
  // One set of options for all keys.
  explicit BreakerRegistry(const BreakerOptions& defaults, const Clock& clock = SteadyClock::instance(),
                           std::uint64_t seed = Rng::random_seed())
      : BreakerRegistry(BreakerRegistryOptions{.defaults = defaults}, clock, seed) {}
  ~BreakerRegistry();
  BreakerRegistry(const BreakerRegistry&) = delete;
  BreakerRegistry& operator=(const BreakerRegistry&) = delete;

  // Creates the key if it is new.
  BreakerHandle handle(KeyView key) { return {*this, find_or_create(key, nullptr)}; }
  // Creates the key with `options` if it is new; a known key keeps the options it has. Throws InvalidOptions.
  BreakerHandle handle(KeyView key, const BreakerOptions& options) { return {*this, find_or_create(key, &options)}; }

  // By name; a new key is created.
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(KeyView key) { return handle(key).try_acquire(); }
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(KeyView key, Duration probe_lease) {
    return handle(key).try_acquire(probe_lease);
  }
  void report(KeyView key, const Outcome& outcome) { handle(key).report(outcome); }

  // Asking about an unknown key creates nothing [BRK-21]; it would be admitted, and reads closed and zero.
  [[nodiscard]] std::optional<Rejection> look(KeyView key) const;
  BreakerSnapshot snapshot(KeyView key) const;
  // Whether the key was known.
  bool reset(KeyView key);
  void reset_all();

  // All keys, in the order in which they were first seen.
  std::vector<BreakerSnapshot> snapshot() const;
  // Keys whose circuit is open; half-open ones are being tried and do not count.
  std::vector<Key> open_keys() const;
  std::size_t open_count() const noexcept { return context_.open_circuits.load(std::memory_order_relaxed); }
  // Whether so much is broken that whoever drives the calls should stop for a while.
  bool should_pause_for_recovery(std::size_t max_open) const noexcept { return open_count() >= max_open; }

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // Admissions of keys that could not be held.
  std::uint64_t untracked_admissions() const noexcept { return untracked_admissions_.load(std::memory_order_relaxed); }

  // Every transition of every key; of one key in order [CORE-4].
  [[nodiscard]] Subscription subscribe(std::function<void(const BreakerEvent&)> listener) {
    return context_.events.subscribe(std::move(listener));
  }

 private:
  friend class BreakerHandle;

  // Options of one key, findable by it.
  struct KeyRule {
    KeyView key() const noexcept { return name.view(); }
    Key name;
    std::shared_ptr<const BreakerOptions> options;
  };

  // Breakers lie in the context's memory, which gives nothing back before its end.
  struct Destroy {
    void operator()(CircuitBreaker* breaker) const noexcept { std::destroy_at(breaker); }
  };

  // nullptr if the key cannot be held. `options` may be null: those of the registry.
  CircuitBreaker* find_or_create(const KeyView& key, const BreakerOptions* options) {
    const std::uint64_t key_hash = hash(key);
    CircuitBreaker* const known = index_.find(key, key_hash);
    return known != nullptr ? known : create(key, key_hash, options);
  }
  CircuitBreaker* create(const KeyView& key, std::uint64_t key_hash, const BreakerOptions* options);
  std::shared_ptr<const BreakerOptions> options_for(const KeyView& key, std::uint64_t key_hash) const;
  std::vector<CircuitBreaker*> breakers() const;

  BreakerContext context_;
  const std::size_t max_keys_;
  const std::shared_ptr<const BreakerOptions> defaults_;
  std::vector<std::unique_ptr<KeyRule>> rules_;
  KeyIndex<KeyRule> rule_index_;

  KeyIndex<CircuitBreaker> index_;  // inserts under mutex_
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> untracked_admissions_{0};
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<CircuitBreaker, Destroy>> breakers_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
