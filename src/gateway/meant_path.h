// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/route_table.h"

namespace fuseboard::gateway {

// The path that somebody who asks for `path` plainly meant: "/v1/chat/completions" for "/chat/completions",
// "/v1/v1/chat/completions", "/openai/v1/chat/completions" and "/v1/chat/completions/". nullopt: it is right, or nobody
// knows. A base URL with one part too many or too few is the common mistake of setting up a client.
std::optional<std::string> meant_path(std::string_view path, const RouteTable& routes);

}  // namespace fuseboard::gateway
