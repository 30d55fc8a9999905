// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns of names.
#pragma once

#include <string_view>

namespace fuseboard {

// '*' stands for any characters or none, '?' for any one byte; the whole text must match. Time: at most the product of
// the lengths.
bool glob_match(std::string_view pattern, std::string_view text) noexcept;

}  // namespace fuseboard
