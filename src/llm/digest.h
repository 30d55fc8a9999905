// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// SHA-256, for what must be told apart and not be read.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fuseboard::llm {

std::array<std::uint8_t, 32> sha256(std::string_view text);

}  // namespace fuseboard::llm
