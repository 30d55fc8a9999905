// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns of keys.
#pragma once

#include "fuseboard/core/key.h"

namespace fuseboard {

// glob_match() of keys. Of a pair, part by part; a single pattern matches no pair.
bool glob_matches(const KeyView& pattern, const KeyView& key) noexcept;

}  // namespace fuseboard
