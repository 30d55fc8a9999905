// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/bearer_token.h"

#include "net/http.h"

namespace fuseboard::gateway {

std::string_view bearer_token(std::string_view authorization) noexcept {
  constexpr std::string_view kScheme = "bearer ";
  return net::starts_with_ignoring_case(authorization, kScheme) ? authorization.substr(kScheme.size()) : "";
}

}  // namespace fuseboard::gateway
