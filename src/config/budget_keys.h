// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Budgets, and the prices that they count by, as the file writes them.
#pragma once

#include "config/config.h"
#include "config/reader.h"

namespace fuseboard::config {

// `budgets`, `prices` and `on_missing_price` of the whole file, into `config`, whose providers are known already.
void read_budgets_and_prices(const MapReader& root, Config& config);

}  // namespace fuseboard::config
