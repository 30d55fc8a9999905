// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The nearest known name to one that is not known.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fuseboard::config {

// "not a known key; did you mean "retry"?"; where nothing is near, the names that are known.
std::string unknown_name(std::string_view name, std::span<const std::string_view> known);

// The known name that is nearest to `name`, if one is near enough to be meant.
std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> known);

// Insertions, deletions, replacements and swaps of neighbours that turn one into the other, without regard to ASCII
// case.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace fuseboard::config
