// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// JSON to text. A template, so that this header does not show the JSON library: whoever uses it includes that.
#pragma once

#include <string>

namespace fuseboard::sim {

// Compact; bytes that are no UTF-8 (a path may hold them) become U+FFFD instead of an exception.
template <typename Json>
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fuseboard::sim
