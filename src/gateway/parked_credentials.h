// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What rests of the providers' credentials at the moment [FBK-6].
#pragma once

#include <vector>

#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/target_registry.h"
#include "gateway/credential_scopes.h"
#include "gateway/provider.h"
#include "gateway/routing.h"

namespace fuseboard::gateway {

// Of this routing's providers, in their order: the credential, then endpoints, then models by name.
std::vector<ParkedCredential> parked_credentials(TimePoint now, const Routing& routing, const TargetRegistry& targets);

// As if nothing of this provider's credential had been refused. False where callers bring their own.
bool unpark(const Provider& provider, const TargetRegistry& targets);

}  // namespace fuseboard::gateway
