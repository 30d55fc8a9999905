// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is parked of the providers' credentials at the moment [FBK-6].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/target_registry.h"
#include "gateway/provider.h"
#include "gateway/routing.h"

namespace fuseboard::gateway {

// The whole of a credential, or its use for one model or at one endpoint.
struct ParkedCredential {
  enum class Part : std::uint8_t { credential, model, endpoint };

  std::string provider;
  Part part = Part::credential;
  std::string name{};     // the model's, or the endpoint's path; of the credential: empty
  Duration remaining{};   // until one attempt is let through as a probe; 0: the next one is
  Duration parked_for{};  // since the first refusal
  Category reason{};      // of the latest refusal: authentication or quota_exhausted
};
std::string_view name(ParkedCredential::Part part) noexcept;

// Of this routing's providers, in their order: the credential, then endpoints, then models by name.
std::vector<ParkedCredential> parked_credentials(TimePoint now, const Routing& routing, const TargetRegistry& targets);

// As if nothing of this provider's credential had been refused. False where callers bring their own.
bool unpark(const Provider& provider, const TargetRegistry& targets);

}  // namespace fuseboard::gateway
