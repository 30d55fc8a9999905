// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One attempt under breakers of several scopes: its provider's and its model's, say [BRK-22].
//
//   const BreakerScopes scopes({breakers.handle("openai"), breakers.handle({"openai", "gpt-4o"})});
//   auto permit = scopes.try_acquire();
//   if (!permit) return permit.error();
//   std::move(*permit).settle(outcome, never_connected ? kProviderScope : kModelScope);
//
// Scopes go from the outside in: an attempt passes through the first to reach the next. A failure counts for the one
// scope that it says something about. The scopes outside that one have been passed, which is a success for them; those
// inside were never reached, so they learn nothing.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/issuer.h"

namespace fuseboard {

inline constexpr std::size_t kMaxScopes = 4;

// Of the usual two: DNS, connect and TLS failures are the provider's, the rest the model's.
inline constexpr std::size_t kProviderScope = 0;
inline constexpr std::size_t kModelScope = 1;

// Permission by every scope. Like a BreakerPermit: moved, settled once, safe to forget, not itself thread-safe. An
// exception that unwinds the scope that holds it has failed the innermost scope alone.
class [[nodiscard]] ScopedPermit {
 public:
  ScopedPermit() noexcept = default;
  ScopedPermit(ScopedPermit&& other) noexcept
      : permits_(std::move(other.permits_)), size_(std::exchange(other.size_, 0)) {}
  ScopedPermit& operator=(ScopedPermit&& other) noexcept { return replace_permit(*this, other); }
  ~ScopedPermit() { abandon(); }

  // `scope` is where a failure belongs, by position; beyond the last it is the last. Without meaning for a success,
  // which counts for all, and for a cancelled attempt, which is neutral for all.
  void settle(const Outcome& outcome, std::size_t scope) &&;
  // The attempt was not sent: neutral for every scope, whatever its options.
  void release() && noexcept;
  // See BreakerPermit.
  void first_content(Duration latency);
  // See BreakerPermit: of the innermost scope, the one that silence concerns.
  void answered();
  void overtaken() &&;
  // Whether any scope's permit is a probe.
  bool is_probe() const noexcept;

 private:
  friend class BreakerScopes;
  void abandon() noexcept;

  std::array<BreakerPermit, kMaxScopes> permits_{};
  std::size_t size_ = 0;
};

// Thread-safe; as cheap to copy as its handles and a vector.
class BreakerScopes {
 public:
  // One to kMaxScopes handles, from the outside in; each key once. Anything else is a broken invariant.
  BreakerScopes(std::initializer_list<BreakerHandle> scopes);

  // Permits of all scopes or of none: the first scope that refuses says why, and permits that were granted before it go
  // back without a trace but in the totals. Never allocates.
  [[nodiscard]] std::expected<ScopedPermit, Rejection> try_acquire() const { return acquire(std::nullopt); }
  [[nodiscard]] std::expected<ScopedPermit, Rejection> try_acquire(Duration probe_lease) const {
    return acquire(probe_lease);
  }
  // As peek_rejection(), but a refusal counts as a denial; see CircuitBreaker.
  [[nodiscard]] std::optional<Rejection> reject_if_open() const;
  // What the first scope that refuses would refuse with.
  [[nodiscard]] std::optional<Rejection> peek_rejection() const;

  std::span<const BreakerHandle> handles() const noexcept { return scopes_; }

 private:
  std::expected<ScopedPermit, Rejection> acquire(std::optional<Duration> probe_lease) const;

  std::vector<BreakerHandle> scopes_;
};

}  // namespace fuseboard
