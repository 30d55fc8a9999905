// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Durations and sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard::config {

inline constexpr std::string_view kDurationForm = "a duration such as 250ms, 1.5s, 2m or 1h";
inline constexpr std::string_view kSizeForm = "a number of bytes, or a size such as 64KiB, 32MiB or 1GiB";

// A decimal number and one of ns, us, ms, s, m, h. Exact: nullopt where the value is no whole number of nanoseconds or
// does not fit, as for any other text.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

// Digits, alone or before B, KiB, MiB or GiB.
std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

}  // namespace fuseboard::config
