// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The little languages of names and scripts: durations and counts; and hashing that is the same on every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard::sim {

// "250ms", "1.5s", "2m", "1h", "10us", "0": a number and a unit, at most 24 h. Nothing else, not even a space.
std::optional<Duration> parse_duration(std::string_view text);

// Decimal digits, at most 1 000 000 000.
std::optional<std::uint64_t> parse_count(std::string_view text);

// Stirs `value` into `seed`. Equal on every machine and in every run, unlike fuseboard::hash.
std::uint64_t mix(std::uint64_t seed, std::uint64_t value);
std::uint64_t mix(std::uint64_t seed, std::string_view text);

}  // namespace fuseboard::sim
