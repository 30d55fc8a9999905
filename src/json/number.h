// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counts in JSON: tokens, choices, caps.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fuseboard::json {

// A whole number, however it is spelled: 1000, 1e3, 1000.0 and 0.1E+4 are one and the same to JSON, and there are
// languages whose numbers are all floating-point. More than fits is the most that does. nullopt for a fraction, a
// negative number and any other value. `value` is a value of a valid text as it is written.
std::optional<std::uint64_t> whole_number(std::string_view value) noexcept;

}  // namespace fuseboard::json
