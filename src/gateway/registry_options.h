// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A configuration's targets and providers as the library's registry takes them.
#pragma once

#include "config/config.h"
#include "fuseboard/pipeline/target_registry.h"

namespace fuseboard::gateway {

// Targets that models name by their names, those that callers write ("provider/model") by a pattern for each provider,
// and each provider as the scope of its targets. With room for every configured target, and for as many of callers as
// there are routes to them.
TargetRegistryOptions registry_options(const config::Config& config);

}  // namespace fuseboard::gateway
