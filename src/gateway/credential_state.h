// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which of the gateway's own credentials are parked because their provider refused them [FBK-6]: for the state, the
// metrics, readiness and the log.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fuseboard/core/category.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/target.h"
#include "fuseboard/pipeline/target_registry.h"
#include "gateway/parked_credentials.h"
#include "gateway/routing.h"

namespace fuseboard::gateway {

struct CredentialState {
  std::string provider;
  bool parked = false;                    // the whole of it
  Duration remaining = Duration::zero();  // until one attempt is let through as a probe
  std::optional<Category> reason{};       // of the latest refusal
  std::vector<ParkedCredential> parts{};  // the models and endpoints for which it is parked
};

// Of the providers whose callers do not bring a credential of their own, in the order of the configuration.
std::vector<CredentialState> credential_states(TimePoint now, const Routing& routing, const TargetRegistry& targets);

// Why the target would let nobody in now, its circuit and its credential, as a whole and with its model, alone looked
// at; nullopt: it would.
std::optional<Rejection> why_closed(TimePoint now, const Target& target);

// Says once when a credential is parked, as a whole or for a model or endpoint, and once when it no longer is. Not
// thread-safe.
class CredentialWatch {
 public:
  // What has changed since the last call, a line each.
  std::vector<std::string> update(const std::vector<CredentialState>& states);

 private:
  std::set<std::string> parked_;  // what is, in words; at most an entry for each provider, endpoint and model
};

// What is parked of it, a line each: "the credential of openai is parked for another 58s: authentication".
std::vector<std::string> parked_texts(const CredentialState& state);

}  // namespace fuseboard::gateway
