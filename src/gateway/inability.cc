// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/inability.h"

#include <fmt/format.h>

namespace fuseboard::gateway {

std::string to_text(const Inability& inability, const Plan& plan) {
  std::string_view why = inability.error.message;
  if (why.ends_with('.')) why.remove_suffix(1);
  std::string text = fmt::format("{}: {}", plan.targets()[inability.target].name, why);
  // Most messages name the field themselves.
  const std::string& field = inability.error.param;
  if (!field.empty() && !why.contains(field)) text += fmt::format(" ({})", field);
  return text;
}

std::string to_text(std::span<const Inability> unable, const Plan& plan) {
  std::string text;
  for (const Inability& inability : unable) {
    if (!text.empty()) text += "; ";
    text += to_text(inability, plan);
  }
  return text;
}

}  // namespace fuseboard::gateway
