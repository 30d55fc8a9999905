// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/call_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fuseboard::llm {

std::string call_id(std::string_view id, const StreamOrigin& origin, std::size_t place) {
  if (!id.empty()) return std::string(id);
  const auto is_allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  std::string made = "call_";
  std::ranges::copy_if(origin.id, std::back_inserter(made), is_allowed);
  fmt::format_to(std::back_inserter(made), "_{}", place);
  return made;
}

}  // namespace fuseboard::llm
