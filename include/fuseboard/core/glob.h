// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns of names.
#pragma once

#include <string_view>

#include "fuseboard/core/key.h"

namespace fuseboard {

// '*' stands for any characters or none, '?' for any one byte; the whole text must match. Time: at most the product of
// the lengths.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;

// The same of keys. Of a pair, part by part; a single pattern matches no pair.
bool glob_matches(const KeyView& pattern, const KeyView& key) noexcept;

}  // namespace fuseboard
