// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/credential_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "fuseboard/core/escape.h"

namespace fuseboard::gateway {
namespace {

// "the credential of openai", "... for the model gpt-5", "... at /v1/responses".
std::string parked_part(const std::string& provider, const ParkedCredential* part = nullptr) {
  std::string thing = "the credential of " + provider;
  if (part == nullptr) return thing;
  thing += part->part == ParkedCredential::Part::model ? " for the model " : " at ";
  return thing + escape_unprintable(part->name);
}

std::string parked_line(const std::string& thing, Duration remaining, std::optional<Category> reason) {
  const std::string_view why = reason ? name(*reason) : "refused";
  if (remaining <= Duration::zero()) return fmt::format("{} is tried again by the next call: {}", thing, why);
  const Duration shown = std::chrono::seconds((ceil_milliseconds(remaining) + 999) / 1000);
  return fmt::format("{} is parked for another {}: {}", thing, to_text(shown), why);
}

// Each part that is parked and its line.
std::vector<std::pair<std::string, std::string>> parked_lines(const CredentialState& state) {
  std::vector<std::pair<std::string, std::string>> all;
  if (state.parked) {
    const std::string thing = parked_part(state.provider);
    all.emplace_back(thing, parked_line(thing, state.remaining, state.reason));
  }
  for (const ParkedCredential& part : state.parts) {
    const std::string thing = parked_part(state.provider, &part);
    all.emplace_back(thing, parked_line(thing, part.remaining, part.reason));
  }
  return all;
}

}  // namespace

std::vector<CredentialState> credential_states(TimePoint now, const Routing& routing, const TargetRegistry& targets) {
  std::vector<CredentialState> states;
  const std::vector<ParkedCredential> parked = parked_credentials(now, routing, targets);
  for (const auto& provider : routing.providers()) {
    if (!provider->has_own_credential()) continue;
    CredentialState& state = states.emplace_back(CredentialState{.provider = provider->name});
    for (const ParkedCredential& part : parked) {
      if (part.provider != state.provider) continue;
      if (part.part != ParkedCredential::Part::credential) {
        state.parts.push_back(part);
        continue;
      }
      state.parked = true;
      state.remaining = std::max(part.remaining, Duration::zero());
      state.reason = part.reason;
    }
  }
  return states;
}

std::optional<Rejection> why_closed(TimePoint now, const Target& target) {
  if (const CredentialGate* const gate = target.state->credential()) {
    // At whichever endpoint it is not parked; what is left then is the whole, the model, or all endpoints together.
    std::uint8_t endpoint = 0;
    while (endpoint + 1 < kMaxEndpoints && gate->snapshot(now, endpoint).parked) ++endpoint;
    if (auto parked = gate->peek_rejection(now, {.model = target.state->parked_model(), .endpoint = endpoint}))
      return parked;
  }
  return target.state->breakers().peek_rejection();
}

std::vector<std::string> CredentialWatch::update(const std::vector<CredentialState>& states) {
  std::vector<std::string> lines;
  std::set<std::string> now_parked;
  for (const CredentialState& state : states) {
    for (auto& [thing, line] : parked_lines(state)) {
      if (!parked_.contains(thing)) lines.push_back(std::move(line));
      now_parked.insert(std::move(thing));
    }
  }
  for (const std::string& thing : parked_) {
    if (!now_parked.contains(thing)) lines.push_back(thing + " is no longer parked");
  }
  parked_ = std::move(now_parked);
  return lines;
}

std::vector<std::string> parked_texts(const CredentialState& state) {
  std::vector<std::string> lines;
  for (auto& [thing, line] : parked_lines(state)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace fuseboard::gateway
