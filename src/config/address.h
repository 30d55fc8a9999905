// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// URLs of providers, as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace fuseboard::config {

inline constexpr std::string_view kBaseUrlForm =
    "http:// or https://, a host, perhaps a port and a path; no user, query or fragment";

// A host's name or an address alone, an IPv6 one with or without brackets; comes back without.
std::optional<std::string> parse_host(std::string_view text);

std::optional<BaseUrl> parse_base_url(std::string_view text);

}  // namespace fuseboard::config
