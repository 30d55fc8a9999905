// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A credential that its provider refused, or whose account has run out, rests for a while [FBK-6].
//
//   auto pass = gate.try_pass(clock.now(), {.model = &model_gate, .endpoint = 2});
//   if (!pass) return pass.error();                 // credential_parked
//   std::move(*pass).settle(clock.now(), outcome);  // or destroy it: nothing was learned
//
// An authentication or quota failure parks what it speaks of (Failure::scope): the credential with one model, the
// credential at one endpoint, or, where it names neither, the credential; nothing where it speaks of the caller or of
// one request. When the time is over one attempt is let through as a probe: its success unparks, a failure of the same
// kind parks again, any other end says nothing about the credential and leaves the probe to the next attempt. The gate
// knows the credential's name, never its secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/core/key.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/route/parking.h"

namespace fuseboard {

// How many endpoints of a provider are told apart; all with higher numbers share the last.
inline constexpr std::size_t kMaxEndpoints = 16;

// What of a credential that is parked outlives its process [FBK-6.15]; of models, whose gates lie elsewhere, nothing.
struct SavedCredentialGate {
  std::optional<SavedParkingGate> whole{};
  std::array<std::optional<SavedParkingGate>, kMaxEndpoints> endpoints{};
};

// What an attempt wants the credential for.
struct CredentialUse {
  ParkingGate* model = nullptr;  // of the credential with the attempt's model; null: that is never parked by itself
  std::uint8_t endpoint = 0;     // as its owner counts them
};

// Leave to use a credential once; as ParkingPass. The gates must outlive it.
class [[nodiscard]] CredentialPass {
 public:
  // Of nothing.
  CredentialPass() noexcept = default;

  void settle(TimePoint now, const Outcome& outcome) &&;
  // An answer has begun, so nothing of it is refused.
  void accepted();

  bool is_probe() const noexcept { return whole_.is_probe() || endpoint_.is_probe() || model_.is_probe(); }

 private:
  friend class CredentialGate;
  ParkingPass whole_;
  ParkingPass endpoint_;
  ParkingPass model_;
};

// Thread-safe, never allocates. A credential of which nothing is parked costs three relaxed loads.
class CredentialGate {
 public:
  // Throws InvalidOptions. `name` is what rejections carry: the provider's name, say.
  explicit CredentialGate(KeyView name, const CredentialGateOptions& options = {});

  // A pass by all of what the use needs, or `credential_parked` with the time after which a probe is let through: the
  // end of the parking, or of the running probe's lease.
  [[nodiscard]] std::expected<CredentialPass, Rejection> try_pass(TimePoint now, const CredentialUse& use = {});
  // What try_pass would refuse with, without any effect; nullopt where it would let pass.
  std::optional<Rejection> peek_rejection(TimePoint now, const CredentialUse& use = {}) const;

  // A reload or an operator: as if nothing had happened, but for models, whose gates lie elsewhere. Passes from before
  // teach nothing any more.
  void unpark();

  // As of each of its gates: the credential as a whole, and at each endpoint.
  void apply(TimePoint now, const CredentialGateOptions& options);
  std::optional<SavedCredentialGate> save(TimePoint now) const;
  void restore(TimePoint now, const SavedCredentialGate& saved);

  // Of the credential as a whole, and at one endpoint.
  ParkingGate::Snapshot snapshot(TimePoint now) const { return whole_.snapshot(now); }
  ParkingGate::Snapshot snapshot(TimePoint now, std::uint8_t endpoint) const { return at(endpoint).snapshot(now); }

  const KeyText& name() const noexcept { return whole_.name(); }
  CredentialGateOptions options() const { return whole_.options(); }

 private:
  ParkingGate& at(std::uint8_t endpoint) noexcept { return endpoints_[index_of(endpoint)]; }
  const ParkingGate& at(std::uint8_t endpoint) const noexcept { return endpoints_[index_of(endpoint)]; }
  static constexpr std::size_t index_of(std::uint8_t endpoint) noexcept {
    return endpoint < kMaxEndpoints ? endpoint : kMaxEndpoints - 1;
  }

  ParkingGate whole_;
  std::array<ParkingGate, kMaxEndpoints> endpoints_;
};

}  // namespace fuseboard
