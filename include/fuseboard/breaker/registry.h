// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Breakers by key.
//
//   BreakerRegistry breakers(provider_preset());
//   const BreakerHandle handle = breakers.handle({"openai", "gpt-4o"});   // once, where the target is set up
//   auto permit = handle.try_acquire();                                  // on every attempt
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/breaker/context.h"
#include "fuseboard/breaker/event.h"
#include "fuseboard/breaker/handle.h"
#include "fuseboard/breaker/key_companion.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/permit.h"
#include "fuseboard/breaker/recycling_memory.h"
#include "fuseboard/breaker/registry_options.h"
#include "fuseboard/breaker/saved_breaker.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/atomic.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_index.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/thread_slot.h"

namespace fuseboard {

// Makes the companion of a new key. It may copy the key's handle and keep it; see KeyCompanion::own_handles().
using MakeCompanion = std::function<std::unique_ptr<KeyCompanion>(const KeyView& key, const BreakerHandle& handle)>;

// Thread-safe throughout. Lookup of a known key neither allocates nor locks: about 6 ns, some 15 with 10 000 keys.
// Where an allocation fails, or `make_companion` throws, std::bad_alloc or what was thrown reaches whoever named the
// new key, and nothing has changed: no key has gone, none has come. A key costs about 0.9 KiB on 2 cores, up to 3 KiB
// where there are 16 or more. Permits, handles and subscriptions: the registry must outlive the first two.
class BreakerRegistry {
 public:
  // Throws InvalidOptions. The clock must outlive the registry. With `make_companion` every key gets a companion.
  explicit BreakerRegistry(const BreakerRegistryOptions& options = {}, const Clock& clock = SteadyClock::instance(),
                           std::uint64_t seed = Rng::random_seed(), MakeCompanion make_companion = nullptr);
  // One set of options for all keys.
  explicit BreakerRegistry(const BreakerOptions& defaults, const Clock& clock = SteadyClock::instance(),
                           std::uint64_t seed = Rng::random_seed())
      : BreakerRegistry(BreakerRegistryOptions{.defaults = defaults}, clock, seed) {}
  ~BreakerRegistry();
  BreakerRegistry(const BreakerRegistry&) = delete;
  BreakerRegistry& operator=(const BreakerRegistry&) = delete;

  // Creates the key if it is new. Takes a lock: handles are for keeping.
  BreakerHandle handle(KeyView key) { return find_or_create(key, nullptr); }
  // Creates the key with `options` if it is new; a known key keeps the options it has. Throws InvalidOptions.
  BreakerHandle handle(KeyView key, const BreakerOptions& options) { return find_or_create(key, &options); }

  // By name; a new key is created.
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(KeyView key) {
    return with_breaker(key, [](auto& breaker) { return breaker.try_acquire(); });
  }
  [[nodiscard]] std::expected<BreakerPermit, Rejection> try_acquire(KeyView key, Duration probe_lease) {
    return with_breaker(key, [&](auto& breaker) { return breaker.try_acquire(probe_lease); });
  }
  void report(KeyView key, const Outcome& outcome) {
    with_breaker(key, [&](auto& breaker) { breaker.report(outcome); });
  }

  // Calls `use` with the breaker of `key` (CircuitBreaker&), or with a handle of it (const BreakerHandle&) where it is
  // new or cannot be held: for callers that do more than one thing by one lookup. Nothing is let go of meanwhile, so it
  // should be short; afterwards only a permit keeps the key.
  template <typename Use>
  std::invoke_result_t<Use, CircuitBreaker&> with_breaker(const KeyView& key, Use use) {
    const std::uint64_t key_hash = hash(key);
    {
      const Pin pin(*this);
      if (CircuitBreaker* const known = index_.find(key, key_hash)) [[likely]] {
        // Test before you store.
        if (!known->recently_used_.load(std::memory_order_relaxed)) {
          known->recently_used_.store(true, std::memory_order_relaxed);
        }
        return use(*known);
      }
    }
    const BreakerHandle handle = find_or_create(key, nullptr);
    return use(handle);
  }
  // Calls `use(CircuitBreaker&)` if the key is known, which it returns.
  template <typename Use>
  bool with_known(const KeyView& key, Use use) const {
    const Pin pin(*this);
    CircuitBreaker* const breaker = find_known(key);
    if (breaker != nullptr) use(*breaker);
    return breaker != nullptr;
  }
  // Calls `use(CircuitBreaker&)` for every key, in the order of snapshot(); new keys meanwhile may be missed.
  template <typename Use>
  void with_each(Use use) const {
    const Pin pin(*this);
    for (CircuitBreaker* const breaker : breakers()) use(*breaker);
  }

  // Asking about an unknown key creates nothing [BRK-21]; it would be admitted, and reads closed and zero.
  [[nodiscard]] std::optional<Rejection> peek_rejection(KeyView key) const;
  BreakerSnapshot snapshot(KeyView key) const;
  // By hand, see CircuitBreaker [BRK-21]. Whether the circuit moved. A key may be tripped before it is first called.
  bool trip(KeyView key) { return handle(key).trip(); }
  bool half_open(KeyView key);
  // Whether the key was known.
  bool reset(KeyView key);
  void reset_all();

  // An override may be imposed on a key before it is first called. False if the key cannot be held [BRK-13].
  bool set_override(KeyView key, OverrideKind kind, std::string_view reason,
                    std::optional<Duration> ttl = std::nullopt);
  // Whether there was one.
  bool lift_override(KeyView key);

  // New options for the registry and all its breakers but those that got their own at a handle; see
  // CircuitBreaker::apply [BRK-14]. A lower max_keys lets go of nothing by itself. Throws InvalidOptions.
  void apply(const BreakerRegistryOptions& options);

  // The states worth keeping: of keys that are not closed, or have failures in a row, growth or an override [BRK-15].
  std::vector<SavedBreaker> save() const;
  // Creates keys that are new. How many were taken over.
  std::size_t restore(std::span<const SavedBreaker> saved);

  // All keys, in the order in which they were first seen; one that took another's place stands there.
  std::vector<BreakerSnapshot> snapshot() const;
  // Keys whose circuit is open; half-open ones are being tried and do not count.
  std::vector<Key> open_keys() const;
  std::size_t open_count() const noexcept { return context_.open_circuits.load(std::memory_order_relaxed); }
  TransitionTotals transitions() const noexcept;
  // Whether so much is broken that whoever drives the calls should stop for a while: at least `max_open` circuits would
  // refuse now as open. One whose open time is over does not, though nobody has asked it yet: whoever obeys is released
  // without traffic [BRK-16]. A key that an operator has forced open does, for as long as that is in force, and one
  // that is forced closed does not. A load where fewer keys than that are open, half-open, overridden or watched for
  // stuck calls, else a look at every key.
  bool should_pause_for_recovery(std::size_t max_open) const;

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // Admissions of keys that could not be held.
  std::uint64_t untracked_admissions() const noexcept { return untracked_admissions_.load(std::memory_order_relaxed); }

  // Every transition of every key; of one key in order [CORE-4].
  [[nodiscard]] Subscription subscribe(std::function<void(const BreakerEvent&)> listener) {
    return context_.events.subscribe(std::move(listener));
  }

 private:
  friend class BreakerHandle;

  // What a new key is set up by.
  class Rules;

  // Breakers lie in the context's memory.
  struct Destroy {
    void operator()(CircuitBreaker* breaker) const noexcept;
    RecyclingMemory* memory = nullptr;
  };
  using OwnedBreaker = std::unique_ptr<CircuitBreaker, Destroy>;

  // Announces a thread that uses breakers it holds no handle of: while there is one, nothing is let go of. Entered by a
  // sequentially consistent write before the index is read; see KeyIndex.
  struct alignas(64) PinCell {
    Atomic<std::uint64_t> pinned{0};
  };
  class Pin {
   public:
    explicit Pin(const BreakerRegistry& registry) noexcept
        : slot_(ThreadSlot::current()), cell_(registry.pins_.at(slot_)) {
      cell_.pinned.fetch_add(1, std::memory_order_seq_cst);
    }
    ~Pin() {
      if (slot_ != ThreadSlot::kShared) [[likely]] {
        // Nobody else writes an exclusive slot.
        cell_.pinned.store(cell_.pinned.load(std::memory_order_relaxed) - 1, std::memory_order_release);
      } else {
        cell_.pinned.fetch_sub(1, std::memory_order_release);
      }
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    const std::uint32_t slot_;
    PinCell& cell_;
  };

  // `options` may be null: those of the registry.
  BreakerHandle find_or_create(const KeyView& key, const BreakerOptions* options);
  // nullptr if the key cannot be held. Strong exception guarantee.
  CircuitBreaker* create_locked(TimePoint now, const KeyView& key, std::uint64_t key_hash,
                                const BreakerOptions* options) FUSEBOARD_REQUIRES(mutex_);
  OwnedBreaker make_locked(const KeyView& key, const BreakerOptions* options) FUSEBOARD_REQUIRES(mutex_);
  // nullptr if there is none. For callers that hold a Pin.
  CircuitBreaker* find_known(const KeyView& key) const;
  // For callers that hold a Pin.
  std::vector<CircuitBreaker*> breakers() const;

  // A place in breakers_ whose breaker nobody can reach any more; nullptr if none can go.
  OwnedBreaker* make_room_locked(TimePoint now) FUSEBOARD_REQUIRES(mutex_);
  bool try_evict_locked(TimePoint now, CircuitBreaker& breaker) FUSEBOARD_REQUIRES(mutex_);
  bool is_anybody_pinned() const noexcept;

  BreakerContext context_;
  const MakeCompanion make_companion_;
  mutable ThreadCells<PinCell> pins_;
  KeyIndex<CircuitBreaker> index_;  // written under mutex_
  Atomic<std::size_t> size_{0};
  Atomic<std::uint64_t> untracked_admissions_{0};
  mutable Mutex mutex_;
  std::unique_ptr<const Rules> rules_ FUSEBOARD_GUARDED_BY(mutex_);
  std::vector<OwnedBreaker> breakers_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t hand_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // of the clock that looks for a key to let go of
};

}  // namespace fuseboard
