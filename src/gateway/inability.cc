// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/inability.h"

#include <fmt/format.h>

namespace fuseboard::gateway {

std::string to_text(std::span<const Inability> unable, const Plan& plan) {
  std::string text;
  for (const auto& [target, error] : unable) {
    std::string_view why = error.message;
    if (why.ends_with('.')) why.remove_suffix(1);
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", plan.targets()[target].name, why);
    // Most messages name the field themselves.
    if (!error.param.empty() && !why.contains(error.param)) text += fmt::format(" ({})", error.param);
  }
  return text;
}

}  // namespace fuseboard::gateway
