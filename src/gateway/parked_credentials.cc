// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/parked_credentials.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/model_paths.h"

namespace fuseboard::gateway {
namespace {

using Part = ParkedCredential::Part;

// The gate of one of ours; nullptr: callers bring their own.
CredentialGate* gate_of(const Provider& provider, const TargetRegistry& targets) {
  const auto scope = targets.scope(provider.name);
  return scope == nullptr ? nullptr : scope->credential();
}

// Calls use(provider, model, gate) for every target that a plan has named, of a provider with a credential of ours.
template <typename Use>
void with_each_model(const TargetRegistry& targets, Use use) {
  targets.with_each([&](const CircuitBreaker& breaker, const TargetState& state) {
    const KeyView key = breaker.key();
    if (!key.is_pair() || !state.prepared()) return;
    if (ParkingGate* const gate = state.parked_model()) use(key.first(), key.second(), *gate);
  });
}

}  // namespace

std::string_view name(ParkedCredential::Part part) noexcept {
  switch (part) {
    case ParkedCredential::Part::credential:
      return "credential";
    case ParkedCredential::Part::model:
      return "model";
    case ParkedCredential::Part::endpoint:
      return "endpoint";
  }
  return "unknown";
}

std::vector<ParkedCredential> parked_credentials(TimePoint now, const Routing& routing, const TargetRegistry& targets) {
  std::vector<ParkedCredential> parked;
  std::map<std::pair<std::string, std::string>, ParkingGate::Snapshot> models;
  with_each_model(targets, [&](std::string_view provider, std::string_view model, const ParkingGate& gate) {
    if (const auto snapshot = gate.snapshot(now); snapshot.parked) models.emplace(std::pair(provider, model), snapshot);
  });
  for (const auto& provider : routing.providers()) {
    const CredentialGate* const credential = gate_of(*provider, targets);
    if (credential == nullptr) continue;
    const auto note = [&](Part part, std::string_view name, const ParkingGate::Snapshot& gate) {
      if (!gate.parked) return;
      parked.push_back({.provider = provider->name,
                        .part = part,
                        .name = std::string(name),
                        .remaining = elapsed(now, *gate.until),
                        .parked_for = elapsed(*gate.parked_since, now),
                        .reason = *gate.category});
    };
    note(Part::credential, "", credential->snapshot(now));
    for (std::uint8_t endpoint = 0; endpoint < kMaxEndpoints; ++endpoint)
      note(Part::endpoint, endpoint_path(endpoint), credential->snapshot(now, endpoint));
    for (const auto& [target, gate] : models) {
      if (target.first == provider->name) note(Part::model, target.second, gate);
    }
  }
  return parked;
}

bool unpark(const Provider& provider, const TargetRegistry& targets) {
  CredentialGate* const credential = gate_of(provider, targets);
  if (credential == nullptr) return false;
  credential->unpark();
  with_each_model(targets, [&](std::string_view of, std::string_view /*model*/, ParkingGate& gate) {
    if (of == provider.name) gate.unpark();
  });
  return true;
}

}  // namespace fuseboard::gateway
