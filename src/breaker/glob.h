// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns of keys.
#pragma once

#include <string_view>

#include "fuseboard/core/key.h"

namespace fuseboard {

// '*' stands for any characters or none, '?' for any one byte. Time: at most the product of the lengths.
bool text_matches(std::string_view pattern, std::string_view text) noexcept;

// Of a pair, part by part; a single pattern matches no pair.
bool glob_matches(const KeyView& pattern, const KeyView& key) noexcept;

}  // namespace fuseboard
