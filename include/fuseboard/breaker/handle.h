// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A key of a BreakerRegistry, looked up once.
#pragma once

#include <expected>
#include <optional>
#include <string_view>
#include <utility>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/breaker/key_companion.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/breaker/permit.h"
#include "fuseboard/breaker/snapshot.h"
#include "fuseboard/breaker/state.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

class BreakerRegistry;

// The registry does not let go of the key while there is one. Thread-safe; copying costs an atomic increment, and
// moving is copying: a handle always names its key. Its registry must outlive it. Of a key that the registry cannot
// hold (see max_keys) it admits everything and keeps nothing.
class BreakerHandle {
 public:
  BreakerHandle(const BreakerHandle& other) noexcept : BreakerHandle(*other.registry_, other.breaker_) {}
  BreakerHandle& operator=(BreakerHandle other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(breaker_, other.breaker_);
    return *this;
  }
  ~BreakerHandle() {
    // Release: whoever finds no handle left sees what was done by it.
    if (breaker_ != nullptr) breaker_->handles_.fetch_sub(1, std::memory_order_release);
  }

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
  [[nodiscard]] std::optional<Rejection> peek_rejection() const {
    return breaker_ == nullptr ? std::nullopt : breaker_->peek_rejection();
  }
  // Of an untracked key: neutral, for whatever is no success.
  Verdict verdict(const Outcome& outcome) const noexcept {
    if (breaker_ != nullptr) return breaker_->verdict(outcome);
    return outcome.ok() ? Verdict::success : Verdict::neutral;
  }
  // Of an untracked key: closed.
  CircuitState state() const noexcept { return breaker_ == nullptr ? CircuitState::closed : breaker_->state(); }
  std::uint32_t silent_after() const { return breaker_ == nullptr ? 0 : breaker_->silent_after(); }
  bool open_silent() const { return breaker_ != nullptr && breaker_->open_silent(); }
  [[nodiscard]] std::optional<Rejection> reject_if_open() const {
    return breaker_ == nullptr ? std::nullopt : breaker_->reject_if_open();
  }
  void report(const Outcome& outcome) const {
    if (breaker_ != nullptr) breaker_->report(outcome);
  }
  // Of an untracked key: false.
  bool trip() const { return breaker_ != nullptr && breaker_->trip(); }
  bool half_open() const { return breaker_ != nullptr && breaker_->half_open(); }
  void reset() const {
    if (breaker_ != nullptr) breaker_->reset();
  }
  // From here on the key has options of its own: new ones of the registry pass it by.
  void apply(const BreakerOptions& options) const;
  void set_override(OverrideKind kind, std::string_view reason, std::optional<Duration> ttl = std::nullopt) const {
    if (breaker_ != nullptr) breaker_->set_override(kind, reason, ttl);
  }
  bool lift_override() const { return breaker_ != nullptr && breaker_->lift_override(); }
  // Of an untracked key: closed and zero, with an empty key.
  BreakerSnapshot snapshot() const;

  // Whether the registry holds this key.
  bool tracked() const noexcept { return breaker_ != nullptr; }
  // Valid as long as the handle; empty for an untracked key.
  KeyView key() const noexcept { return breaker_ == nullptr ? KeyView("") : breaker_->key(); }
  // Valid as long as the handle; nullptr for an untracked key.
  KeyCompanion* companion() const noexcept { return breaker_ == nullptr ? nullptr : breaker_->companion(); }

 private:
  friend class BreakerRegistry;
  BreakerHandle(BreakerRegistry& registry, CircuitBreaker* breaker) noexcept : registry_(&registry), breaker_(breaker) {
    if (breaker_ != nullptr) breaker_->handles_.fetch_add(1, std::memory_order_relaxed);
  }
  std::expected<BreakerPermit, Rejection> admit_untracked() const;

  BreakerRegistry* registry_;
  CircuitBreaker* breaker_;
};

}  // namespace fuseboard
