// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

namespace fuseboard::gateway {

// What an Authorization header presents under the scheme Bearer, in any case, behind the one space after it; empty for
// any other scheme. Whoever compares it takes further spaces for a part of it.
std::string_view bearer_token(std::string_view authorization) noexcept;

}  // namespace fuseboard::gateway
