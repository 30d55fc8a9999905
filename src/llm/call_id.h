// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Ids of calls. Included by sources of this module alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llm/stream_origin.h"

namespace fuseboard::llm {

// The id of a call, made up where the provider gave none: results are told by it. Of the characters that Anthropic
// allows in ids.
std::string call_id(std::string_view id, const StreamOrigin& origin, std::size_t place);

}  // namespace fuseboard::llm
