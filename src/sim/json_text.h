// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// JSON to text. For .cc files of sim alone: its headers show no JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace fuseboard::sim {

// Compact; bytes that are no UTF-8 (a path may hold them) become U+FFFD instead of an exception.
template <typename Json>
std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fuseboard::sim
