// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/credential_state.h"

#include <fmt/format.h>

#include <algorithm>

namespace fuseboard::gateway {

std::vector<CredentialState> credential_states(const ModelTable& models, TimePoint now) {
  std::vector<CredentialState> states;
  for (const auto& route : models.routes()) {
    for (const Target& target : route->plan->targets()) {
      const CredentialGate* const gate = target.state->credential();
      if (gate == nullptr) continue;
      const std::string_view provider = gate->name();
      if (std::ranges::find(states, provider, &CredentialState::provider) != states.end()) continue;
      const auto seen = gate->snapshot(now);
      states.push_back({.provider = std::string(provider),
                        .parked = seen.parked,
                        .remaining = seen.parked && seen.until ? std::max(elapsed(now, *seen.until), Duration::zero())
                                                               : Duration::zero(),
                        .reason = seen.parked ? seen.category : std::nullopt});
    }
  }
  return states;
}

std::optional<Rejection> why_closed(const Target& target, TimePoint now) {
  if (const CredentialGate* const gate = target.state->credential()) {
    if (auto parked = gate->look(now)) return parked;
  }
  return target.state->breakers().look();
}

std::vector<std::string> CredentialWatch::update(const std::vector<CredentialState>& states) {
  std::vector<std::string> lines;
  for (const CredentialState& state : states) {
    if (state.parked && resting_.insert(state.provider).second) {
      lines.push_back(resting_text(state));
    } else if (!state.parked && resting_.erase(state.provider) > 0) {
      lines.push_back(fmt::format("the credential of {} is back", state.provider));
    }
  }
  return lines;
}

std::string resting_text(const CredentialState& state) {
  const Duration shown = std::chrono::seconds((ceil_milliseconds(state.remaining) + 999) / 1000);
  return fmt::format("the credential of {} rests for another {}: {}", state.provider, to_text(shown),
                     state.reason ? name(*state.reason) : std::string_view("refused"));
}

}  // namespace fuseboard::gateway
