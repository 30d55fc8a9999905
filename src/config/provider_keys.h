// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The `providers` of a file.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/layer.h"
#include "config/limit_keys.h"

namespace fuseboard::config {

// A provider, and what it says for its targets: models and targets may say otherwise.
struct ProviderEntry {
  ProviderConfig config;
  Layer<BreakerOptions> breaker;
  Layer<AttemptTimeouts> timeouts;
  Layer<LimitKeys> limits;
};

// In the order of the file. A provider with problems is among them, so that targets find it.
std::vector<ProviderEntry> read_providers(const Cursor& cursor);

const ProviderEntry* find_provider(const std::vector<ProviderEntry>& providers, std::string_view name) noexcept;

}  // namespace fuseboard::config
