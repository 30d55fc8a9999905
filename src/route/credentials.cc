// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/credentials.h"

#include <utility>

namespace fuseboard {
namespace {

// Gates do not move: each is made where it stays.
template <std::size_t... I>
std::array<ParkingGate, sizeof...(I)> make_gates(KeyView name, const CredentialGateOptions& options,
                                                 std::index_sequence<I...> /*numbers*/) {
  return {((void)I, ParkingGate(name, options))...};
}

// A failure is told to the gate of what it speaks of and to no other: that an endpoint is refused, say, proves
// nothing about the credential, and a probe of it goes to the next attempt.
void tell(TimePoint now, ParkingPass& pass, bool spoken_of, const Outcome& outcome) {
  if (outcome.ok() || spoken_of) {
    std::move(pass).settle(now, outcome);
  } else {
    pass = ParkingPass();
  }
}

}  // namespace

void CredentialPass::settle(TimePoint now, const Outcome& outcome) && {
  const auto scope = outcome.ok() ? FailureScope::unnamed : outcome.failure->scope;
  tell(now, whole_, scope == FailureScope::unnamed, outcome);
  tell(now, endpoint_, scope == FailureScope::endpoint, outcome);
  tell(now, model_, scope == FailureScope::model, outcome);
}

void CredentialPass::accepted() {
  whole_.accepted();
  endpoint_.accepted();
  model_.accepted();
}

CredentialGate::CredentialGate(KeyView name, const CredentialGateOptions& options)
    : whole_(name, options), endpoints_(make_gates(name, options, std::make_index_sequence<kMaxEndpoints>())) {}

std::expected<CredentialPass, Rejection> CredentialGate::try_pass(TimePoint now, const CredentialUse& use) {
  CredentialPass pass;
  const auto take = [now](ParkingGate& gate, ParkingPass& into) -> std::optional<Rejection> {
    auto taken = gate.try_pass(now);
    if (!taken) return taken.error();
    into = *std::move(taken);
    return std::nullopt;
  };
  // What was taken before a refusal goes back with the pass.
  if (const auto rejection = take(whole_, pass.whole_)) return std::unexpected(*rejection);
  if (const auto rejection = take(at(use.endpoint), pass.endpoint_)) return std::unexpected(*rejection);
  if (use.model != nullptr) {
    if (const auto rejection = take(*use.model, pass.model_)) return std::unexpected(*rejection);
  }
  return pass;
}

std::optional<Rejection> CredentialGate::peek_rejection(TimePoint now, const CredentialUse& use) const {
  if (auto parked = whole_.peek_rejection(now)) return parked;
  if (auto parked = at(use.endpoint).peek_rejection(now)) return parked;
  return use.model == nullptr ? std::nullopt : use.model->peek_rejection(now);
}

void CredentialGate::unpark() {
  whole_.unpark();
  for (ParkingGate& gate : endpoints_) gate.unpark();
}

void CredentialGate::apply(TimePoint now, const CredentialGateOptions& options) {
  whole_.apply(now, options);
  for (ParkingGate& gate : endpoints_) gate.apply(now, options);
}

std::optional<SavedCredentialGate> CredentialGate::save(TimePoint now) const {
  SavedCredentialGate saved{.whole = whole_.save(now)};
  bool any = saved.whole.has_value();
  for (std::size_t i = 0; i < kMaxEndpoints; ++i) {
    saved.endpoints[i] = endpoints_[i].save(now);
    any = any || saved.endpoints[i].has_value();
  }
  if (!any) return std::nullopt;
  return saved;
}

void CredentialGate::restore(TimePoint now, const SavedCredentialGate& saved) {
  if (saved.whole) whole_.restore(now, *saved.whole);
  for (std::size_t i = 0; i < kMaxEndpoints; ++i) {
    if (saved.endpoints[i]) endpoints_[i].restore(now, *saved.endpoints[i]);
  }
}

}  // namespace fuseboard
