// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// ${VARIABLES} in values.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "config/load.h"

namespace fuseboard::config {

struct Expanded {
  std::string text;
  bool from_variable = false;  // some of it came from the environment, so it may be secret
};

// Replaces ${NAME} by the variable, ${NAME:-default} by the default where the variable is unset or empty, and $${ by
// ${. Any other '$' stands for itself. What is put in is not read again. The error never quotes the text.
std::expected<Expanded, std::string> expand(std::string_view text, const Environment& environment);

// Whether the whole text is `$NAME`, as shells have variables: here it stands for itself.
bool is_bare_variable(std::string_view text);

}  // namespace fuseboard::config
