// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The `models` of a file.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/provider_keys.h"
#include "config/reader.h"

namespace fuseboard::config {

// In the order of the file.
std::vector<ModelConfig> read_models(const Cursor& cursor, const std::vector<ProviderEntry>& providers);

}  // namespace fuseboard::config
