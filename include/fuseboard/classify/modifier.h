// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The only departures from the properties of a category (docs/semantics.md, "Categories").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/outcome.h"

namespace fuseboard {

enum class Modifier : std::uint8_t {
  none,
  request_exceeds_window,  // one request is larger than the whole window, so waiting does not help
  bad_model_output,        // the model produced unusable output; another draw may be fine
  callee_broke,            // the callee crashed instead of refusing: evidence against it
  capability_mismatch,     // another model may have the capability
  untrusted_certificate,   // the same handshake fails again
  own_exhaustion,          // our own process is exhausted; no target is to blame and none would help
  conflict,                // another call is under way or was faster; the same may succeed once it is done
};
inline constexpr std::size_t kModifierCount = 8;

// Stable identifiers, as the enumerators are written.
std::string_view name(Modifier modifier) noexcept;
std::optional<Modifier> modifier_from_name(std::string_view name) noexcept;

// The category with the properties of its row and what the modifier changes about them.
Failure make_failure(Category category, Modifier modifier) noexcept;

// Whether the failure is evidence against its target by the default set of categories [BRK-19].
bool trips_breaker(const Failure& failure) noexcept;

}  // namespace fuseboard
